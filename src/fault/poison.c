/* SPDX-License-Identifier: Apache-2.0
 *
 * The diagnosis of accesses to poisoned bytes of a live block: the block is the program's, and
 * says itself that they are not to be used.
 */
#include "fault/diagnose.h"
#include "fault/words.h"
#include "heap/heap.h"
#include "poison/poison.h"

static bool tell(const struct fp_fault_access *access, const struct fp_poisoned *poisoned,
                 struct fp_finding *finding)
{
	struct fp_block block;
	struct fp_text text;

	if (!fp_heap_find(poisoned->address, &block) || block.state != FP_BLOCK_LIVE)
		return false;
	fp_fault_begin_finding(finding, &text, access);
	finding->kind = FP_FINDING_USE_AFTER_POISON;
	finding->address = poisoned->address;
	finding->has_block = true;
	finding->block = block;
	finding->offset = (int64_t)(poisoned->address - block.address);
	finding->other = (struct fp_party){
	        .role = FP_PARTY_POISONER,
	        .thread = poisoned->by.thread,
	        .trace = poisoned->by.trace,
	};
	fp_text_string(&text, ", ");
	fp_fault_say_position(&text, &block, poisoned->address);
	fp_text_string(&text,
	               ", where the program poisoned its memory (ASAN_POISON_MEMORY_REGION)");
	return true;
}

bool fp_fault_diagnose_poison(const struct fp_fault_access *access, struct fp_finding *finding)
{
	struct fp_poisoned poisoned;

	return fp_poison_is_closed(access->address) &&
	       fp_poison_find(access->address, 1, &poisoned) &&
	       tell(access, &poisoned, finding);
}

bool fp_fault_diagnose_poison_range(const struct fp_fault_access *access, size_t length,
                                    struct fp_finding *finding)
{
	struct fp_fault_access seen = *access;
	struct fp_poisoned poisoned;

	seen.is_call = true;
	seen.size = length;
	return fp_poison_find(access->address, length, &poisoned) &&
	       tell(&seen, &poisoned, finding);
}
