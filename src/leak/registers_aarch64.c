/* SPDX-License-Identifier: Apache-2.0
 *
 * AArch64: general registers, and the records of others behind them, of which the first holds
 * the vector registers.
 */
#include <ucontext.h>

#include "leak/registers.h"

uintptr_t fp_leak_stack_pointer(const void *context)
{
	const ucontext_t *user = context;

	return (uintptr_t)user->uc_mcontext.sp;
}

uintptr_t fp_leak_stack_in_use(const struct fp_leak_memory *memory, const void *context)
{
	(void)memory;
	return fp_leak_stack_pointer(context);
}

unsigned fp_leak_registers(const void *context,
                           struct fp_leak_range ranges[FP_LEAK_REGISTER_RANGES])
{
	enum { VECTOR_RECORD_BYTES = 16 + 32 * 16 };
	const ucontext_t *user = context;
	uintptr_t records = (uintptr_t)&user->uc_mcontext.__reserved;

	ranges[0] = (struct fp_leak_range){
	        .start = (uintptr_t)&user->uc_mcontext.regs,
	        .end = (uintptr_t)(&user->uc_mcontext.pc + 1),
	};
	ranges[1] = (struct fp_leak_range){
	        .start = records,
	        .end = records + VECTOR_RECORD_BYTES,
	};
	return 2;
}

const char *fp_leak_register_name(const void *context, uintptr_t at)
{
	static const char *const names[] = {
	        "x0",  "x1",  "x2",  "x3",  "x4",  "x5",  "x6",  "x7",  "x8",  "x9",
	        "x10", "x11", "x12", "x13", "x14", "x15", "x16", "x17", "x18", "x19",
	        "x20", "x21", "x22", "x23", "x24", "x25", "x26", "x27", "x28", "x29"};
	const ucontext_t *user = context;
	size_t number = (at - (uintptr_t)&user->uc_mcontext.regs) / sizeof(uint64_t);

	return number < sizeof(names) / sizeof(names[0]) ? names[number] : NULL;
}

bool fp_leak_is_joined(const uint8_t *bytes, size_t size, uintptr_t address,
                       struct fp_leak_range *kept)
{
	(void)kept;
	(void)bytes;
	(void)size;
	(void)address;
	return false;
}
