/* SPDX-License-Identifier: Apache-2.0
 *
 * Accesses and their places, in words.
 */
#include "fault/words.h"

#include "base/messages.h"

enum { NEAR = 16 << 20 };

bool fp_fault_is_inside(const struct fp_block *block, uintptr_t address)
{
	return address - block->address < block->size;
}

uintptr_t fp_fault_distance(const struct fp_block *block, uintptr_t address)
{
	if (address < block->address)
		return block->address - address;
	return fp_fault_is_inside(block, address) ? 0 : address - block->address - block->size;
}

bool fp_fault_is_near(const struct fp_block *block, uintptr_t address)
{
	uintptr_t distance = fp_fault_distance(block, address);

	return distance <= NEAR || distance <= block->size;
}

void fp_fault_say_access(struct fp_text *text, const struct fp_fault_access *access)
{
	if (access->is_fetch) {
		fp_text_string(text, FP_TELL_EXECUTION);
		return;
	}
	fp_text_string(text, access->access == FP_ACCESS_UNKNOWN
	                             ? FP_TELL_ACCESS
	                             : fp_access_name(access->access));
	if (access->size != 0)
		fp_text_print(text, FP_TELL_OF_BYTES, FP_TEXT_COUNT(access->size));
	if (access->is_call)
		fp_text_string(text, FP_TELL_BY_CALL);
}

void fp_fault_begin_finding(struct fp_finding *finding, struct fp_text *text,
                            const struct fp_fault_access *access)
{
	finding->access = access->access;
	finding->address = access->address;
	finding->access_size = access->size;
	finding->is_by_call = access->is_call;
	finding->has_block = false;
	finding->evidence_size = 0;
	fp_text_begin(text, finding->description, sizeof(finding->description));
	fp_fault_say_access(text, access);
}

void fp_fault_say_part(struct fp_text *text, const struct fp_block *block, uintptr_t start,
                       size_t length)
{
	uintptr_t end = block->address + block->size;
	uintptr_t last = start + length;

	if (start < block->address && last > block->address)
		fp_text_print(text, FP_TELL_PART_BEFORE, block->address - start);
	if (start < end && last > end)
		fp_text_print(text, FP_TELL_PART_BEHIND, last - end);
}

void fp_fault_say_position(struct fp_text *text, const struct fp_block *block,
                           uintptr_t address)
{
	char place[FP_BLOCK_PLACE_MAX];

	fp_text_string(text, fp_block_place(block, address, place));
}
