/* SPDX-License-Identifier: Apache-2.0
 *
 * Verifying all live blocks. A block is looked at under its shard's lock, so that it cannot be
 * sealed meanwhile; what is found is repaired at once and reported when the locks are free.
 */
#include <errno.h>

#include "base/messages.h"
#include "base/readable.h"
#include "guard/guard.h"
#include "heap/padding.h"
#include "heap/state.h"
#include "heap/touch.h"
#include "registry/registry.h"
#include "stack/stack.h"

enum { BATCH = 32 }; /* damaged blocks per sweep; this array stands on the stack */

struct sweep {
	size_t sides;
	size_t blocks;
	struct fp_damaged damaged[2 * BATCH];
};

static void verify(const struct fp_block *block, const struct fp_slot *slot,
                   struct sweep *sweep)
{
	size_t sides = fp_findings_verify(block, slot->base, slot->bytes,
	                                  &sweep->damaged[sweep->sides]);

	if (sides == 0)
		return;
	sweep->sides += sides;
	sweep->blocks++;
	fp_padding_fill_around(block->address, block->address + block->size, slot->base,
	                       slot->base + slot->bytes);
}

/* Padding that cannot be read is not judged: the program has unmapped it. */
__attribute__((noinline)) static void
try_verify(const struct fp_block *block, const struct fp_slot *slot, struct sweep *sweep)
{
	if (__builtin_setjmp(fp_touch.jump) != 0)
		return;
	fp_touch.can_give_up = true;
	verify(block, slot, sweep);
	fp_touch.can_give_up = false;
}

static void visit(const struct fp_block *block, void *user)
{
	struct sweep *sweep = user;
	struct fp_place where;

	if (sweep->blocks == BATCH || !fp_guard_find(block->address, &where))
		return;
	fp_touch_begin_live(&where.slot);
	try_verify(block, &where.slot, sweep);
	fp_touch_end_live();
}

static void look_at(uintptr_t only, struct sweep *sweep)
{
	struct fp_place where;

	if (only == 0)
		fp_registry_each_live(visit, sweep);
	else if (fp_guard_find(only, &where))
		fp_registry_look_at(fp_heap_key(&where.slot), visit, sweep);
}

/* ONLY is the address of the one block to look at; 0: all. */
static size_t check(uintptr_t only, const struct fp_misuse *misuse, const char *when)
{
	size_t found = 0;
	struct sweep sweep;

	fp_guard_seal_waiting();
	/* A full sweep may have left some out; what it found is repaired, so this ends. */
	do {
		sweep.sides = 0;
		sweep.blocks = 0;
		look_at(only, &sweep);
		for (size_t i = 0; i < sweep.sides; i++)
			fp_findings_damaged(misuse, &sweep.damaged[i], when);
		found += sweep.blocks;
	} while (sweep.blocks == BATCH);
	return found;
}

size_t fp_heap_check(fp_trace_id trace, const char *when)
{
	const struct fp_misuse misuse = {.trace = trace};
	size_t found = check(0, &misuse, when);

	if (fp_registry_is_damaged() && !fp_heap_is_unusable())
		fp_heap_fail(NULL, trace, FP_TELL_RECORD_OVERWRITTEN);
	return found;
}

int fp_heap_check_block(const struct fp_heap *heap, const void *address)
{
	int saved_errno = errno;
	const struct fp_misuse misuse = fp_heap_misuse(heap, address, fp_stack_capture());
	size_t size;

	if (address != NULL && !fp_heap_owns(heap, address, &size))
		return -EPERM;
	size_t found = check((uintptr_t)address, &misuse, FP_TELL_AT_CHECK);
	int status = found == 0 ? 0 : -EPERM;
	if (address == NULL && fp_registry_is_damaged())
		status = fp_heap_fail(heap, misuse.trace, FP_TELL_RECORD_OVERWRITTEN);
	errno = saved_errno;
	return status;
}

struct taking {
	const struct fp_slot *slot;
	bool is_behind;
	uintptr_t reach;
	struct fp_damaged *damaged;
	bool is_taken;
};

/* With the shard's lock held, so that nobody seals the slot. */
static void take(const struct fp_block *block, void *user)
{
	struct taking *taking = user;
	uintptr_t end = block->address + block->size;
	uintptr_t slot_end = taking->slot->base + taking->slot->bytes;
	uintptr_t from = taking->is_behind
	                         ? end
	                         : fp_layout_padding_start(taking->slot->base, block->address);
	uintptr_t to =
	        taking->is_behind ? fp_layout_padding_end(end, slot_end) : block->address;
	struct fp_damage *damage = &taking->damaged->damage;

	if (from == to || !fp_is_readable((const void *)from, to - from) ||
	    !fp_padding_is_damaged(from, to, damage))
		return;
	if ((taking->is_behind ? to - damage->end : damage->start - from) > taking->reach)
		return;
	taking->damaged->block = *block;
	fp_findings_keep_evidence(taking->damaged);
	fp_padding_fill(damage->start, damage->end);
	taking->is_taken = true;
}

bool fp_heap_take_damage(const struct fp_slot *slot, bool is_behind, uintptr_t reach,
                         struct fp_damaged *damaged)
{
	struct taking taking = {slot, is_behind, reach, damaged, false};

	fp_registry_look_at(fp_heap_key(slot), take, &taking);
	return taking.is_taken;
}
