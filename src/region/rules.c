/* SPDX-License-Identifier: Apache-2.0
 *
 * The argument rules of VirtualAlloc and VirtualProtect.
 */
#include "region/rules.h"

#include <sys/mman.h>

#include "base/align.h"
#include "base/vm.h"
#include "region/region.h"

enum { MODIFIERS = FP_PROTECT_GUARD | FP_PROTECT_NOCACHE | FP_PROTECT_WRITECOMBINE };

bool fp_rules_is_type(uint32_t type)
{
	if (type == FP_REGION_RESET)
		return true;
	return (type & (FP_REGION_COMMIT | FP_REGION_RESERVE)) != 0 &&
	       (type &
	        ~(uint32_t)(FP_REGION_COMMIT | FP_REGION_RESERVE | FP_REGION_TOP_DOWN)) == 0;
}

bool fp_rules_is_protection(uint32_t protection)
{
	uint32_t modifiers = protection & MODIFIERS;

	switch (protection & ~(uint32_t)MODIFIERS) {
	case FP_PROTECT_NOACCESS:
		return modifiers == 0;
	case FP_PROTECT_READONLY:
	case FP_PROTECT_READWRITE:
	case FP_PROTECT_EXECUTE:
	case FP_PROTECT_EXECUTE_READ:
	case FP_PROTECT_EXECUTE_READWRITE:
		/* Each modifier excludes the others. */
		return (modifiers & (modifiers - 1)) == 0;
	default:
		return false;
	}
}

int fp_rules_prot(uint32_t protection)
{
	if ((protection & FP_PROTECT_GUARD) != 0)
		return PROT_NONE;
	switch (protection & ~(uint32_t)MODIFIERS) {
	case FP_PROTECT_READONLY:
		return PROT_READ;
	case FP_PROTECT_READWRITE:
		return PROT_READ | PROT_WRITE;
	/* Windows' processors cannot keep code from being read, so programs read it. */
	case FP_PROTECT_EXECUTE:
	case FP_PROTECT_EXECUTE_READ:
		return PROT_READ | PROT_EXEC;
	case FP_PROTECT_EXECUTE_READWRITE:
		return PROT_READ | PROT_WRITE | PROT_EXEC;
	default:
		return PROT_NONE;
	}
}

bool fp_rules_pages(uintptr_t address, size_t size, uintptr_t *start, uintptr_t *end)
{
	size_t page = fp_vm_page_size();

	if (size == 0 || size > UINTPTR_MAX - page || address > UINTPTR_MAX - page - size)
		return false;
	*start = fp_align_down(address, page);
	*end = fp_align_up(address + size, page);
	return true;
}
