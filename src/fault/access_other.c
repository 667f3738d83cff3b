/* SPDX-License-Identifier: Apache-2.0
 *
 * An architecture whose signal contexts nobody has described here yet: the address is known,
 * what was done to it is not.
 */
#include "fault/access.h"
#include "fault/fault.h"

struct fp_fault_access fp_fault_access(const void *context, uintptr_t address)
{
	(void)context;
	return (struct fp_fault_access){.address = address};
}

uintptr_t fp_fault_instruction(const void *context)
{
	(void)context;
	return 0;
}

uintptr_t fp_fault_stack(const void *context)
{
	(void)context;
	return 0;
}

bool fp_fault_is_compilers_trap(const void *context)
{
	(void)context;
	return false;
}

uint32_t fp_fault_registers(const void *context,
                            struct fp_fault_register registers[FP_FAULT_REGISTERS_MAX])
{
	(void)context;
	(void)registers;
	return 0;
}

uintptr_t fp_fault_return_address(const void *context)
{
	(void)context;
	return 0;
}

bool fp_fault_can_step(void)
{
	return false;
}

bool fp_fault_set_step(void *context, bool is_on)
{
	(void)context;
	(void)is_on;
	return false;
}

/* No instruction is refused for that which malloc does not care for. */
bool fp_fault_operand(const void *context, struct fp_fault_operand *operand)
{
	(void)context;
	(void)operand;
	return false;
}

void fp_fault_shift_operand(void *context, const struct fp_fault_operand *operand, ptrdiff_t by)
{
	(void)context;
	(void)operand;
	(void)by;
}

void fp_fault_set_page_fault(void *context, const struct fp_fault_operand *operand)
{
	(void)context;
	(void)operand;
}
