/* SPDX-License-Identifier: Apache-2.0
 *
 * The diagnosis of bad accesses. An address in a slot belongs to the block that was there; one
 * in a guard, or in a slot that was never used, to the nearest block on either side.
 */
#include "fault/diagnose.h"

#include <string.h>

#include "base/text.h"
#include "fault/words.h"
#include "registry/registry.h"

const struct fp_fault_view fp_fault_heap = {
        .place = fp_guard_find,
        .block = fp_registry_find,
        .last_bytes = fp_registry_last_bytes,
};

/* A block that an access may have been meant for. */
struct candidate {
	struct fp_block block;
	uintptr_t slot;
	bool is_known;
};

static void look_up(const struct fp_fault_view *view, uintptr_t slot,
                    struct candidate *candidate)
{
	candidate->slot = slot;
	candidate->is_known = view->block(slot, &candidate->block);
}

/* The block of the slot that begins at SLOT, if there is such a slot. */
static void look_up_neighbour(const struct fp_fault_view *view, uintptr_t slot,
                              struct candidate *candidate)
{
	struct fp_place place;

	candidate->is_known = false;
	if (view->place(slot, &place) && place.slot.base == slot)
		look_up(view, slot, candidate);
}

/* The nearer one; of two as near the live one. */
static const struct candidate *nearer(const struct candidate *a, const struct candidate *b,
                                      uintptr_t address)
{
	if (!a->is_known || !b->is_known)
		return a->is_known ? a : b;
	uintptr_t to_a = fp_fault_distance(&a->block, address);
	uintptr_t to_b = fp_fault_distance(&b->block, address);
	if (to_a == to_b)
		return a->block.state == FP_BLOCK_LIVE ? a : b;
	return to_a < to_b ? a : b;
}

static enum fp_finding_kind kind_of(const struct fp_block *block, uintptr_t address)
{
	if (block->state == FP_BLOCK_FREED)
		return FP_FINDING_HEAP_USE_AFTER_FREE;
	return address < block->address ? FP_FINDING_HEAP_BUFFER_UNDERFLOW
	                                : FP_FINDING_HEAP_BUFFER_OVERFLOW;
}

static void begin(const struct fp_fault_access *access, struct fp_finding *finding,
                  struct fp_text *text)
{
	finding->access = access->access;
	finding->address = access->address;
	finding->has_block = false;
	finding->evidence_size = 0;
	fp_text_begin(text, finding->description, sizeof(finding->description));
	fp_fault_say_access(text, access);
}

static void blame(const struct fp_fault_access *access, const struct fp_fault_view *view,
                  const struct candidate *candidate, struct fp_finding *finding)
{
	const struct fp_block *block = &candidate->block;
	struct fp_text text;

	begin(access, finding, &text);
	finding->kind = kind_of(block, access->address);
	finding->has_block = true;
	finding->block = *block;
	finding->offset = (int64_t)(access->address - block->address);
	fp_text_string(&text, ", ");
	fp_fault_say_position(&text, block, access->address);
	if (block->state != FP_BLOCK_FREED)
		return;
	fp_text_string(&text, " that was freed");
	finding->is_evidence_last = true;
	finding->evidence_offset = 0;
	finding->evidence_size = (uint32_t)view->last_bytes(candidate->slot, finding->evidence,
	                                                    sizeof(finding->evidence));
}

/* Nobody is known who could be blamed. */
static void blame_nobody(const struct fp_fault_access *access, bool was_used,
                         struct fp_finding *finding)
{
	struct fp_text text;

	begin(access, finding, &text);
	finding->kind =
	        was_used ? FP_FINDING_HEAP_USE_AFTER_FREE : FP_FINDING_HEAP_BUFFER_OVERFLOW;
	fp_text_string(
	        &text,
	        was_used ? " of a block that was freed so long ago that its record was "
	                   "dropped; a larger `history` keeps more"
	                 : " where no block ever was: a wild pointer, or an overflow from far "
	                   "away");
}

static void diagnose_between(const struct fp_fault_access *access, const struct fp_place *place,
                             const struct fp_fault_view *view, struct fp_finding *finding)
{
	struct candidate here;
	struct candidate beside;
	uintptr_t slot = place->slot.base;
	/* A slot that was never used: what lies before it is as likely as what lies behind. */
	bool is_behind = place->is_in_guard && access->address > slot;

	look_up(view, slot, &here);
	look_up_neighbour(view, is_behind ? slot + place->stride : slot - place->stride,
	                  &beside);
	const struct candidate *nearest = nearer(&here, &beside, access->address);
	if (nearest->is_known)
		blame(access, view, nearest, finding);
	else
		blame_nobody(access, place->state == FP_PLACE_USED, finding);
}

static void diagnose_at(const struct fp_fault_access *access, const struct fp_place *place,
                        const struct fp_fault_view *view, struct fp_finding *finding)
{
	struct candidate here;

	look_up(view, place->slot.base, &here);
	if (!place->is_in_guard && here.is_known)
		blame(access, view, &here, finding);
	else if (!place->is_in_guard && place->state == FP_PLACE_USED)
		blame_nobody(access, true, finding);
	else
		diagnose_between(access, place, view, finding);
}

static bool is_sealed(const struct fp_place *place, const struct fp_fault_view *view)
{
	struct fp_block block;

	return place->is_in_guard || !view->block(place->slot.base, &block) ||
	       block.state != FP_BLOCK_LIVE;
}

bool fp_fault_is_sealed(uintptr_t address, const struct fp_fault_view *view)
{
	struct fp_place place;

	return view->place(address, &place) && is_sealed(&place, view);
}

bool fp_fault_diagnose(const struct fp_fault_access *access, const struct fp_fault_view *view,
                       struct fp_finding *finding)
{
	struct fp_place place;

	/* The whole slot of a live block is accessible: what faults there is not our doing. */
	if (!view->place(access->address, &place) || !is_sealed(&place, view))
		return false;
	diagnose_at(access, &place, view, finding);
	return true;
}

bool fp_fault_diagnose_range(const struct fp_fault_access *access, size_t length,
                             const struct fp_fault_view *view, struct fp_finding *finding)
{
	struct fp_fault_access first_bad = *access;
	struct fp_place place;
	struct fp_block block;

	if (length == 0 || !view->place(access->address, &place))
		return false;
	first_bad.size = length;
	first_bad.is_call = true;
	if (!place.is_in_guard && view->block(place.slot.base, &block) &&
	    block.state == FP_BLOCK_LIVE && fp_fault_is_inside(&block, access->address)) {
		size_t rest = block.size - (access->address - block.address);

		if (length <= rest)
			return false;
		first_bad.address += rest;
		/* Behind a block that ends where its guard begins comes that guard. */
		if (!view->place(first_bad.address, &place))
			return false;
	}
	diagnose_at(&first_bad, &place, view, finding);
	return true;
}
