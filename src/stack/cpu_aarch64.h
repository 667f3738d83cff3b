/* SPDX-License-Identifier: Apache-2.0
 *
 * aarch64: a call leaves its return address in a register, which may be signed; functions that
 * call others save it, with the frame pointer, at the bottom of their frames.
 *
 * Context: fault. Private to stack.
 */
#ifndef FP_STACK_CPU_AARCH64_H
#define FP_STACK_CPU_AARCH64_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <ucontext.h>

enum {
	FP_CPU_REGISTER_FP = 29,
	FP_CPU_REGISTER_RA = 30,
	FP_CPU_REGISTER_SP = 31,
	FP_CPU_REGISTERS = 33,
	FP_CPU_REGISTER_PC = 32,
	FP_CPU_RETURN_BELOW = 0,
	FP_CPU_RECORD_BYTES = 0 /* a frame record does not tell where the frame ends */
};

static const uint8_t fp_cpu_kept[] = {19, 20, 21, 22, 23, 24, 25, 26, 27, 28};

static inline uintptr_t fp_cpu_strip(uintptr_t return_address)
{
	register uintptr_t link __asm__("x30") = return_address;

	__asm__("hint #7" : "+r"(link)); /* xpaclri */
	return link;
}

/* Where a signal's context keeps DWARF register NUMBER. */
static inline size_t fp_cpu_offset(unsigned number)
{
	if (number == FP_CPU_REGISTER_PC)
		return offsetof(ucontext_t, uc_mcontext.pc);
	return number == FP_CPU_REGISTER_SP
	               ? offsetof(ucontext_t, uc_mcontext.sp)
	               : offsetof(ucontext_t, uc_mcontext.regs) + number * sizeof(uint64_t);
}

static inline uintptr_t fp_cpu_signal_context(uintptr_t sp)
{
	return sp + sizeof(siginfo_t);
}

static inline bool fp_cpu_land(ucontext_t *context, void *const jump[])
{
	context->uc_mcontext.regs[FP_CPU_REGISTER_FP] = (uintptr_t)jump[0];
	context->uc_mcontext.pc = (uintptr_t)jump[1];
	context->uc_mcontext.sp = (uintptr_t)jump[2];
	return true;
}

static inline __attribute__((always_inline)) void fp_cpu_take_registers(ucontext_t *context)
{
	mcontext_t *registers = &context->uc_mcontext;

	__asm__ volatile("stp x19, x20, [%0]\n\t"
	                 "stp x21, x22, [%0, #16]\n\t"
	                 "stp x23, x24, [%0, #32]\n\t"
	                 "stp x25, x26, [%0, #48]\n\t"
	                 "stp x27, x28, [%0, #64]\n\t"
	                 "stp x29, x30, [%0, #80]\n\t"
	                 "mov x9, sp\n\t"
	                 "adr x10, .\n\t"
	                 "stp x9, x10, [%1]"
	                 :
	                 : "r"(&registers->regs[19]), "r"(&registers->sp)
	                 : "x9", "x10", "memory");
}

#endif
