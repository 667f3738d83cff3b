/* SPDX-License-Identifier: Apache-2.0
 *
 * Accesses and their places, in words.
 */
#include "fault/words.h"

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

void fp_fault_say_count(struct fp_text *text, uint64_t count, const char *noun)
{
	fp_text_decimal(text, count);
	fp_text_string(text, " ");
	fp_text_string(text, noun);
	if (count != 1)
		fp_text_string(text, "s");
}

void fp_fault_say_access(struct fp_text *text, const struct fp_fault_access *access)
{
	if (access->is_fetch) {
		fp_text_string(text, "execution");
		return;
	}
	fp_text_string(text, access->access == FP_ACCESS_UNKNOWN
	                             ? "access"
	                             : fp_access_name(access->access));
	if (access->size != 0) {
		fp_text_string(text, " of ");
		fp_fault_say_count(text, access->size, "byte");
	}
	if (access->is_call)
		fp_text_string(text, " by a call");
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

	if (start < block->address && last > block->address) {
		fp_text_string(text, ", ");
		fp_text_decimal(text, block->address - start);
		fp_text_string(text, " of them before the block");
	}
	if (start < end && last > end) {
		fp_text_string(text, ", ");
		fp_text_decimal(text, last - end);
		fp_text_string(text, " of them behind the block");
	}
}

void fp_fault_say_position(struct fp_text *text, const struct fp_block *block,
                           uintptr_t address)
{
	if (fp_fault_is_inside(block, address)) {
		fp_fault_say_count(text, address - block->address, "byte");
		fp_text_string(text, " inside");
	} else {
		fp_fault_say_count(text, fp_fault_distance(block, address), "byte");
		fp_text_string(text, address < block->address ? " before" : " past the end of");
	}
	fp_text_string(text,
	               block->family == FP_FAMILY_VIRTUAL ? " a region of " : " a block of ");
	fp_fault_say_count(text, block->size, "byte");
}
