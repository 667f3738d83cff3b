/* SPDX-License-Identifier: Apache-2.0
 *
 * The instructions. Private to base.
 */
#ifndef FP_BASE_SYS_AARCH64_H
#define FP_BASE_SYS_AARCH64_H

#include <stdint.h>
#include <sys/syscall.h>

static inline long fp_sys_call(long number, long a, long b, long c, long d, long e, long f)
{
	register long x8 __asm__("x8") = number;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;
	register long x5 __asm__("x5") = f;

	__asm__ volatile("svc #0"
	                 : "+r"(x0)
	                 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
	                 : "memory", "cc");
	return x0;
}

/* As the other's (sys_x86_64.h). */
static inline void fp_sys_trap(void)
{
	__asm__ volatile("brk #1000");
}

/* A process that shares what FLAGS say and calls RUN on the stack that ends at TOP, which is a
 * multiple of 16; what RUN returns is its exit status. The process id, or a negative errno. */
static inline long fp_sys_clone(unsigned long flags, void *top, int (*run)(void *),
                                void *argument)
{
	uintptr_t *stack = (uintptr_t *)top - 2;
	register long x8 __asm__("x8") = SYS_clone;
	register long x0 __asm__("x0") = (long)flags;
	register long x1 __asm__("x1") = (long)stack;
	register long x2 __asm__("x2") = 0;
	register long x3 __asm__("x3") = 0;
	register long x4 __asm__("x4") = 0;

	stack[0] = (uintptr_t)run;
	stack[1] = (uintptr_t)argument;
	__asm__ volatile("svc #0\n\t"
	                 "cbnz x0, 1f\n\t"
	                 "mov x29, #0\n\t"
	                 "ldp x1, x0, [sp], #16\n\t"
	                 "blr x1\n\t"
	                 "mov x8, %[exit]\n\t"
	                 "svc #0\n\t"
	                 "brk #1\n"
	                 "1:"
	                 : "+r"(x0)
	                 : "r"(x8), "r"(x1), "r"(x2), "r"(x3),
	                   "r"(x4), [exit] "i"(SYS_exit_group)
	                 : "memory", "cc");
	return x0;
}

/* WORK(ARGUMENT) on the stack that ends at TOP, a multiple of 16. */
static inline void fp_sys_call_on(void *top, void (*work)(void *), void *argument)
{
	/* A register that calls preserve; the frame pointer leads back to the caller's stack.
	 */
	register uintptr_t kept __asm__("x19");
	register void *x0 __asm__("x0") = argument;

	__asm__ volatile("mov %[kept], sp\n\t"
	                 "mov sp, %[top]\n\t"
	                 "blr %[work]\n\t"
	                 "mov sp, %[kept]"
	                 : [kept] "=&r"(kept), "+r"(x0)
	                 : [top] "r"(top), [work] "r"(work)
	                 : "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11",
	                   "x12", "x13", "x14", "x15", "x16", "x17", "x18", "x30", "v0", "v1",
	                   "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11", "v12",
	                   "v13", "v14", "v15", "v16", "v17", "v18", "v19", "v20", "v21", "v22",
	                   "v23", "v24", "v25", "v26", "v27", "v28", "v29", "v30", "v31", "cc",
	                   "memory");
}

#endif
