/* SPDX-License-Identifier: Apache-2.0
 *
 * The diagnosis of accesses to poisoned bytes: the memory is the program's, and says itself
 * that they are not to be used. Whose they are may be a block of its own making.
 */
#include "base/messages.h"
#include "fault/diagnose.h"
#include "fault/words.h"
#include "heap/heap.h"
#include "heap/pools.h"
#include "poison/poison.h"

enum { BESIDE = 64 }; /* bytes behind a block that are taken for it */

/* A block of a pool that the access is to, after it was freed, or runs out of. */
static bool is_of_pool(const struct fp_fault_access *access, uintptr_t address,
                       struct fp_block *block)
{
	if (fp_pools_find(address, block))
		return true;
	if (!fp_pools_find_before(address, block) || block->state != FP_BLOCK_LIVE)
		return false;
	return fp_fault_is_inside(block, access->address) ||
	       address - block->address - block->size < BESIDE;
}

static enum fp_finding_kind kind_of(const struct fp_block *block, uintptr_t address)
{
	if (block->state == FP_BLOCK_FREED)
		return FP_FINDING_HEAP_USE_AFTER_FREE;
	return fp_fault_is_inside(block, address) ? FP_FINDING_USE_AFTER_POISON
	                                          : FP_FINDING_HEAP_BUFFER_OVERFLOW;
}

/* False: the memory is that of a block which is gone, or of none yet. */
static bool find_block(const struct fp_fault_access *access, uintptr_t address,
                       struct fp_finding *finding)
{
	struct fp_block *block = &finding->block;

	finding->kind = FP_FINDING_USE_AFTER_POISON;
	finding->has_block = true;
	if (is_of_pool(access, address, block)) {
		finding->kind = kind_of(block, address);
		return true;
	}
	if (fp_heap_find(address, block))
		return block->state == FP_BLOCK_LIVE;
	finding->has_block = false;
	return !fp_heap_is_ours((const void *)address);
}

static bool tell(const struct fp_fault_access *access, const struct fp_poisoned *poisoned,
                 struct fp_finding *finding)
{
	struct fp_finding found = *finding;
	struct fp_text text;

	if (!find_block(access, poisoned->address, &found))
		return false;
	fp_fault_begin_finding(finding, &text, access);
	finding->kind = found.kind;
	finding->address = poisoned->address;
	finding->has_block = found.has_block;
	finding->block = found.block;
	if (found.has_block) {
		finding->offset = (int64_t)(poisoned->address - found.block.address);
		fp_text_string(&text, ", ");
		fp_fault_say_position(&text, &found.block, poisoned->address);
	}
	if (found.kind == FP_FINDING_HEAP_USE_AFTER_FREE) {
		fp_text_string(&text, FP_TELL_THAT_WAS_FREED);
		return true;
	}
	finding->other = (struct fp_party){
	        .role = FP_PARTY_POISONER,
	        .thread = poisoned->by.thread,
	        .trace = poisoned->by.trace,
	};
	fp_text_string(&text, FP_TELL_POISONED);
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
