/* SPDX-License-Identifier: Apache-2.0
 *
 * Any other machine: the whole of what the kernel saved, and the stack from there on.
 */
#include <ucontext.h>

#include "leak/registers.h"

uintptr_t fp_leak_stack_pointer(const void *context)
{
	return (uintptr_t)context;
}

uintptr_t fp_leak_stack_in_use(const struct fp_leak_memory *memory, const void *context)
{
	(void)memory;
	return fp_leak_stack_pointer(context);
}

unsigned fp_leak_registers(const void *context,
                           struct fp_leak_range ranges[FP_LEAK_REGISTER_RANGES])
{
	ranges[0] = (struct fp_leak_range){
	        .start = (uintptr_t)context,
	        .end = (uintptr_t)context + sizeof(ucontext_t),
	};
	return 1;
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

const char *fp_leak_register_name(const void *context, uintptr_t at)
{
	(void)context;
	(void)at;
	return NULL;
}
