/* SPDX-License-Identifier: Apache-2.0
 *
 * A machine that nobody has described yet: a trace is the one address that called us.
 *
 * Context: fault. Private to stack.
 */
#ifndef FP_STACK_CPU_OTHER_H
#define FP_STACK_CPU_OTHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <ucontext.h>

enum {
	FP_CPU_REGISTER_FP = 252,
	FP_CPU_REGISTER_SP = 253,
	FP_CPU_REGISTER_RA = 254,
	FP_CPU_REGISTER_PC = 255,
	FP_CPU_REGISTERS = 0,
	FP_CPU_RETURN_BELOW = 0,
	FP_CPU_RECORD_BYTES = 0
};

static const uint8_t fp_cpu_kept[] = {0};

static inline uintptr_t fp_cpu_strip(uintptr_t return_address)
{
	return return_address;
}

static inline size_t fp_cpu_offset(unsigned number)
{
	(void)number;
	return 0;
}

static inline uintptr_t fp_cpu_signal_context(uintptr_t sp)
{
	return sp;
}

static inline bool fp_cpu_land(ucontext_t *context, void *const jump[])
{
	(void)context;
	(void)jump;
	return false;
}

static inline void fp_cpu_take_registers(ucontext_t *context)
{
	(void)context;
}

#endif
