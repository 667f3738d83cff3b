/* SPDX-License-Identifier: Apache-2.0
 *
 * "call TARGET" is e8 and a distance, "call *SLOT" ff 15 and one; a stub is "jmp *SLOT", ff 25,
 * behind the instruction that permits indirect jumps. Instructions have no fixed length, so the
 * bytes before a return address may look like a call and be none: who asks compares the answer
 * with the starts of functions.
 */
#include "stack/callee.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/maps.h"

enum { CALL_BYTES = 5, SLOT_CALL_BYTES = 6 };

static bool is_memory(uintptr_t start, size_t bytes, bool is_code)
{
	struct fp_maps_place place;

	return fp_maps_at(start, &place) == 0 && place.is_mapped && place.is_readable &&
	       (place.is_executable || !is_code) && place.end - start >= bytes;
}

/* Behind END, by the distance that stands right before it. */
static uintptr_t target_before(uintptr_t end)
{
	int32_t distance;

	memcpy(&distance, (const void *)(end - sizeof(distance)), sizeof(distance));
	return end + (uintptr_t)(intptr_t)distance;
}

static uintptr_t read_slot(uintptr_t slot)
{
	return is_memory(slot, sizeof(slot), false) ? *(const uintptr_t *)slot : 0;
}

/* The function itself, or where the stub FUNCTION leads. */
static uintptr_t skip_stub(uintptr_t function)
{
	static const unsigned char permit[] = {0xf3, 0x0f, 0x1e, 0xfa}; /* endbr64 */
	const unsigned char *code = (const void *)function;
	enum { STUB_BYTES = 11 };

	if (!is_memory(function, STUB_BYTES, true))
		return 0;
	if (memcmp(code, permit, sizeof(permit)) == 0)
		code += sizeof(permit);
	code += *code == 0xf2; /* bnd */
	if (code[0] != 0xff || code[1] != 0x25)
		return function;
	return read_slot(target_before((uintptr_t)code + SLOT_CALL_BYTES));
}

uintptr_t fp_callee_of(uintptr_t return_address)
{
	const unsigned char *end = (const void *)return_address;

	if (!is_memory(return_address - SLOT_CALL_BYTES, SLOT_CALL_BYTES, true))
		return 0;
	if (end[-SLOT_CALL_BYTES] == 0xff && end[1 - SLOT_CALL_BYTES] == 0x15)
		return read_slot(target_before(return_address));
	return end[-CALL_BYTES] == 0xe8 ? skip_stub(target_before(return_address)) : 0;
}
