/* SPDX-License-Identifier: Apache-2.0
 *
 * The call before a return address, and the stub that it may go through, in our own memory. The
 * bytes may look like a call and be none: who asks compares the answer with the starts of
 * functions.
 */
#include "stack/callee.h"

#include <stdbool.h>
#include <stddef.h>

#include "base/instruction_x86_64.h"
#include "base/maps.h"

static bool is_memory(uintptr_t start, size_t bytes, bool is_code)
{
	struct fp_maps_place place;

	return fp_maps_at(start, &place) == 0 && place.is_mapped && place.is_readable &&
	       (place.is_executable || !is_code) && place.end - start >= bytes;
}

static uintptr_t read_slot(uintptr_t slot)
{
	return is_memory(slot, sizeof(slot), false) ? *(const uintptr_t *)slot : 0;
}

/* The function itself, or where the stub FUNCTION leads. */
static uintptr_t skip_stub(uintptr_t function)
{
	if (!is_memory(function, FP_STUB_BYTES, true))
		return 0;
	uintptr_t slot = fp_instruction_slot_of_stub((const void *)function, function);
	return slot != 0 ? read_slot(slot) : function;
}

uintptr_t fp_callee_of(uintptr_t return_address)
{
	uintptr_t code = return_address - FP_CALL_BYTES;
	bool is_through_slot;

	if (!is_memory(code, FP_CALL_BYTES, true))
		return 0;
	uintptr_t target =
	        fp_instruction_callee((const void *)code, return_address, &is_through_slot);
	if (target == 0)
		return 0;
	return is_through_slot ? read_slot(target) : skip_stub(target);
}
