/* SPDX-License-Identifier: Apache-2.0
 *
 * x86-64: a call pushes its return address, which so stands right below the caller's stack
 * pointer.
 *
 * Context: fault. Private to stack.
 */
#ifndef FP_STACK_CPU_X86_64_H
#define FP_STACK_CPU_X86_64_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <ucontext.h>

enum {
	FP_CPU_REGISTER_FP = 6,
	FP_CPU_REGISTER_SP = 7,
	FP_CPU_REGISTER_RA = 16,
	FP_CPU_REGISTER_PC = 16,
	FP_CPU_REGISTERS = 17,
	FP_CPU_RETURN_BELOW =
	        8, /* the return address at a function's entry; 0: in a register */
	FP_CPU_RECORD_BYTES = 16 /* from a frame record to the caller's stack pointer */
};

/* Those that a function gives back as it got them, but for the frame pointer. */
static const uint8_t fp_cpu_kept[] = {3, 12, 13, 14, 15};

static inline uintptr_t fp_cpu_strip(uintptr_t return_address)
{
	return return_address;
}

/* Where a signal's context keeps DWARF register NUMBER. */
static inline size_t fp_cpu_offset(unsigned number)
{
	static const uint8_t places[FP_CPU_REGISTERS] = {
	        REG_RAX, REG_RDX, REG_RCX, REG_RBX, REG_RSI, REG_RDI, REG_RBP, REG_RSP, REG_R8,
	        REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15, REG_RIP};

	return offsetof(ucontext_t, uc_mcontext.gregs) + places[number] * sizeof(greg_t);
}

/* The context that the kernel left for a handler, whose return leads to stack pointer SP. */
static inline uintptr_t fp_cpu_signal_context(uintptr_t sp)
{
	return sp;
}

/* Has what a signal interrupted go on where __builtin_setjmp() filled JUMP. */
static inline bool fp_cpu_land(ucontext_t *context, void *const jump[])
{
	context->uc_mcontext.gregs[REG_RBP] = (greg_t)jump[0];
	context->uc_mcontext.gregs[REG_RIP] = (greg_t)jump[1];
	context->uc_mcontext.gregs[REG_RSP] = (greg_t)jump[2];
	return true;
}

/* The caller's own registers of this moment, as a signal would leave them. */
static inline __attribute__((always_inline)) void fp_cpu_take_registers(ucontext_t *context)
{
	greg_t *registers = context->uc_mcontext.gregs;

	__asm__ volatile("lea 0(%%rip), %%rax\n\t"
	                 "mov %%rax, %0\n\t"
	                 "mov %%rsp, %1\n\t"
	                 "mov %%rbp, %2\n\t"
	                 "mov %%rbx, %3\n\t"
	                 : "=m"(registers[REG_RIP]), "=m"(registers[REG_RSP]),
	                   "=m"(registers[REG_RBP]), "=m"(registers[REG_RBX])
	                 :
	                 : "rax");
	__asm__ volatile("mov %%r12, %0\n\t"
	                 "mov %%r13, %1\n\t"
	                 "mov %%r14, %2\n\t"
	                 "mov %%r15, %3\n\t"
	                 : "=m"(registers[REG_R12]), "=m"(registers[REG_R13]),
	                   "=m"(registers[REG_R14]), "=m"(registers[REG_R15]));
}

#endif
