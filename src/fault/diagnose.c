/* SPDX-License-Identifier: Apache-2.0
 *
 * The diagnosis of bad accesses. An address in a slot belongs to the block that was there; one
 * in a guard, a fence or a slot that was never used, to the nearest block on either side.
 */
#include "fault/diagnose.h"

#include <string.h>

#include "base/text.h"
#include "fault/words.h"
#include "registry/registry.h"

const struct fp_fault_view fp_fault_heap = {
        .place = fp_guard_find,
        .beside = fp_guard_find_beside,
        .block = fp_registry_find,
        .last_bytes = fp_registry_last_bytes,
};

enum {
	STEPS_MAX = 128,  /* slots that are looked at for a block that is known */
	MUCH_FARTHER = 16 /* so many times */
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

/* The nearest known block on the one side of PLACE, and there, the nearest live one. */
static void look_along(const struct fp_fault_view *view, const struct fp_place *place,
                       bool is_behind, struct candidate *known, struct candidate *live)
{
	struct fp_place at = *place;

	known->is_known = false;
	live->is_known = false;
	for (int steps = 0; steps < STEPS_MAX && !live->is_known; steps++) {
		struct candidate next;

		if (!view->beside(&at, is_behind, &at))
			return;
		look_up(view, at.slot.base, &next);
		if (next.is_known && !known->is_known)
			*known = next;
		if (next.is_known && next.block.state == FP_BLOCK_LIVE)
			*live = next;
	}
}

/* Of blocks far away, a live one is meant rather than a freed one, unless it is much farther.
 */
static const struct candidate *likelier(const struct candidate *live,
                                        const struct candidate *known, uintptr_t address)
{
	if (!live->is_known || !known->is_known)
		return live->is_known ? live : known;
	return fp_fault_distance(&known->block, address) <
	                       fp_fault_distance(&live->block, address) / MUCH_FARTHER
	               ? known
	               : live;
}

/* No block stands beside the address. */
static void diagnose_far(const struct fp_fault_access *access, const struct fp_place *place,
                         const struct fp_fault_view *view, struct fp_finding *finding)
{
	struct candidate here;
	struct candidate known[2];
	struct candidate live[2];

	look_up(view, place->slot.base, &here);
	for (int side = 0; side < 2; side++)
		look_along(view, place, side == 1, &known[side], &live[side]);
	const struct candidate *alive = nearer(&live[0], &live[1], access->address);
	const struct candidate *any = nearer(&known[0], &known[1], access->address);
	if (here.is_known) {
		any = nearer(any, &here, access->address);
		if (here.block.state == FP_BLOCK_LIVE)
			alive = nearer(alive, &here, access->address);
	}
	const struct candidate *blamed = likelier(alive, any, access->address);
	if (blamed->is_known)
		blame(access, view, blamed, finding);
	else
		blame_nobody(access, false, finding);
}

/* In a guard between two slots: what lies before it is as likely as what lies behind. */
static void diagnose_between(const struct fp_fault_access *access, const struct fp_place *place,
                             const struct fp_fault_view *view, struct fp_finding *finding)
{
	struct candidate here;
	struct candidate beside;
	uintptr_t slot = place->slot.base;

	look_up(view, slot, &here);
	look_up_neighbour(view,
	                  access->address > slot ? slot + place->stride : slot - place->stride,
	                  &beside);
	const struct candidate *nearest = nearer(&here, &beside, access->address);
	if (nearest->is_known)
		blame(access, view, nearest, finding);
	else
		blame_nobody(access, true, finding);
}

/* Whether the address is in the guard before or behind the slot of PLACE, which was used, and
 * not in a fence or in what a chunk has left. */
static bool is_between(const struct fp_place *place, uintptr_t address)
{
	size_t guard = place->stride - place->slot.bytes;
	uintptr_t slot = place->slot.base;

	return place->is_in_guard && place->state == FP_PLACE_USED &&
	       address - (slot - guard) < guard + place->stride;
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
	else if (is_between(place, access->address))
		diagnose_between(access, place, view, finding);
	else
		diagnose_far(access, place, view, finding);
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

bool fp_fault_is_range_live(uintptr_t address, size_t length, const struct fp_fault_view *view)
{
	struct fp_place place;
	struct fp_block block;

	return view->place(address, &place) && !place.is_in_guard &&
	       view->block(place.slot.base, &block) && block.state == FP_BLOCK_LIVE &&
	       fp_fault_is_inside(&block, address) &&
	       length <= block.size - (address - block.address);
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
