/* SPDX-License-Identifier: Apache-2.0
 *
 * The instructions. Private to base.
 */
#ifndef FP_BASE_SYS_X86_64_H
#define FP_BASE_SYS_X86_64_H

#include <stdint.h>
#include <sys/syscall.h>

static inline long fp_sys_call(long number, long a, long b, long c, long d, long e, long f)
{
	register long fourth __asm__("r10") = d;
	register long fifth __asm__("r8") = e;
	register long sixth __asm__("r9") = f;
	long result;

	__asm__ volatile("syscall"
	                 : "=a"(result)
	                 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(fourth), "r"(fifth),
	                   "r"(sixth)
	                 : "rcx", "r11", "memory");
	return result;
}

/* The instruction that libc's _exit runs into where exit_group is refused. */
static inline void fp_sys_trap(void)
{
	__asm__ volatile("hlt");
}

/* A process that shares what FLAGS say and calls RUN on the stack that ends at TOP, which is a
 * multiple of 16; what RUN returns is its exit status. The process id, or a negative errno. */
static inline long fp_sys_clone(unsigned long flags, void *top, int (*run)(void *),
                                void *argument)
{
	uintptr_t *stack = (uintptr_t *)top - 2;
	register long tls __asm__("r8") = 0;
	register long child_id __asm__("r10") = 0;
	long result;

	stack[0] = (uintptr_t)run;
	stack[1] = (uintptr_t)argument;
	__asm__ volatile("syscall\n\t"
	                 "test %%rax, %%rax\n\t"
	                 "jnz 1f\n\t"
	                 "xor %%ebp, %%ebp\n\t"
	                 "pop %%rax\n\t"
	                 "pop %%rdi\n\t"
	                 "call *%%rax\n\t"
	                 "mov %%eax, %%edi\n\t"
	                 "mov %[exit], %%eax\n\t"
	                 "syscall\n\t"
	                 "hlt\n"
	                 "1:"
	                 : "=a"(result)
	                 : "a"(SYS_clone), "D"(flags), "S"(stack), "d"(0), "r"(child_id),
	                   "r"(tls), [exit] "i"(SYS_exit_group)
	                 : "rcx", "r11", "memory");
	return result;
}

/* WORK(ARGUMENT) on the stack that ends at TOP, a multiple of 16. */
static inline void fp_sys_call_on(void *top, void (*work)(void *), void *argument)
{
	/* A register that calls preserve; the frame pointer leads back to the caller's stack.
	 */
	register uintptr_t kept __asm__("rbx");

	__asm__ volatile("mov %%rsp, %[kept]\n\t"
	                 "mov %[top], %%rsp\n\t"
	                 "call *%[work]\n\t"
	                 "mov %[kept], %%rsp"
	                 : [kept] "=&r"(kept), "+D"(argument)
	                 : [top] "r"(top), [work] "r"(work)
	                 : "rax", "rcx", "rdx", "rsi", "r8", "r9", "r10", "r11", "xmm0", "xmm1",
	                   "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9",
	                   "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15", "cc",
	                   "memory");
}

#endif
