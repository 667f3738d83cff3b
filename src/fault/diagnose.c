/* SPDX-License-Identifier: Apache-2.0
 *
 * The diagnosis of bad accesses. An address in a slot belongs to the block that was there; one
 * in a guard, a fence or a slot that was never used, to the nearest block on either side,
 * unless that is far away: then the pointer is a wild one, that met our address space by
 * chance.
 */
#include "fault/diagnose.h"

#include <string.h>

#include "base/align.h"
#include "base/messages.h"
#include "base/text.h"
#include "base/vm.h"
#include "fault/words.h"
#include "heap/heap.h"
#include "registry/registry.h"

const struct fp_fault_view fp_fault_heap = {
        .place = fp_guard_find,
        .beside = fp_guard_find_beside,
        .block = fp_heap_find_in,
        .last_bytes = fp_heap_last_bytes,
        .damage = fp_heap_take_damage,
};

enum {
	STEPS_MAX = 128, /* slots that are looked at for a block that is known */
	REACH = 64,      /* bytes that one instruction of a loop may leave out */
	CACHE_LINE = 64,
	MUCH_FARTHER = 16 /* so many times */
};

/* A block that an access may have been meant for. */
struct candidate {
	struct fp_block block;
	struct fp_slot slot;
	bool is_known;
};

static void look_up(const struct fp_fault_view *view, const struct fp_slot *slot,
                    struct candidate *candidate)
{
	candidate->slot = *slot;
	candidate->is_known = view->block(slot, &candidate->block);
}

/* The block of the slot that begins at SLOT, if there is such a slot. */
static void look_up_neighbour(const struct fp_fault_view *view, uintptr_t slot,
                              struct candidate *candidate)
{
	struct fp_place place;

	candidate->is_known = false;
	if (view->place(slot, &place) && place.slot.base == slot)
		look_up(view, &place.slot, candidate);
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

/* ---- The first bad byte --------------------------------------------------------------------
 */

/* What a loop accessed first, of what is not in BLOCK: it came from there by strides, through
 * SLOT; where it did not, it began where it is. */
static uintptr_t go_back(const struct fp_fault_access *access, const struct fp_block *block,
                         const struct fp_slot *slot, uintptr_t start)
{
	uintptr_t end = block->address + block->size;
	uintptr_t stride = (uintptr_t)access->stride;
	size_t last = access->size > 0 ? access->size - 1 : 0;

	if (access->stride > 0 && start >= block->address && start + last >= end &&
	    start - stride + last < slot->base + slot->bytes)
		return start - (start + last - end) / stride * stride;
	stride = -stride;
	if (access->stride < 0 && start < block->address && start + stride >= slot->base)
		return start + (block->address - 1 - start) / stride * stride;
	return start;
}

/* As far as code and registers tell. */
static uintptr_t first_by_code(const struct fp_fault_access *access,
                               const struct fp_block *block, const struct fp_slot *slot)
{
	uintptr_t end = block->address + block->size;
	uintptr_t first = access->start;

	/* What comes to each byte in turn came to a guard's first one through the padding. */
	if (access->is_scan && access->address == slot->base + slot->bytes)
		return end;
	if (!access->is_call && access->run != 0)
		first = access->run;
	if (!access->is_call)
		first = go_back(access, block, slot, first);
	return fp_fault_is_inside(block, first) ? end : first;
}

/* The padding that the access changed before it met the guard. */
static bool take_damage(const struct fp_fault_access *access, const struct fp_fault_view *view,
                        const struct fp_slot *slot, bool is_behind, struct fp_damaged *damaged)
{
	bool is_ordered = access->is_in_library || access->is_scan;
	uintptr_t stride = (uintptr_t)(access->stride < 0 ? -access->stride : access->stride);
	uintptr_t slot_end = slot->base + slot->bytes;
	bool is_next = is_behind ? access->start <= slot_end
	                         : slot->base - access->start <= REACH + access->size;

	/* A call that is only about to write has not. */
	if (access->is_call && !access->is_in_library)
		return false;
	return access->access == FP_ACCESS_WRITE && (is_ordered || is_next) &&
	       view->damage(slot, is_behind,
	                    is_ordered       ? slot->bytes
	                    : stride > REACH ? stride
	                                     : REACH,
	                    damaged);
}

/* Of an access that met a guard of BLOCK, which is live. What it wrote before becomes FINDING's
 * evidence. */
static uintptr_t first_at_guard(const struct fp_fault_access *access,
                                const struct fp_fault_view *view,
                                const struct candidate *candidate, struct fp_finding *finding)
{
	const struct fp_block *block = &candidate->block;
	bool is_behind = access->address >= block->address;
	struct fp_damaged damaged;
	uintptr_t first = first_by_code(access, block, &candidate->slot);
	bool is_loop = access->stride != 0 && !access->is_call;
	if (!take_damage(access, view, &candidate->slot, is_behind, &damaged))
		return is_loop && access->access == FP_ACCESS_WRITE ? access->start : first;
	fp_findings_set_evidence(finding, &damaged);
	/* What a loop wrote is there, what it is thought to have come through is not. */
	if (is_behind && (is_loop || damaged.damage.start < first))
		return damaged.damage.start;
	if (is_behind)
		return first;
	/* Downwards, by elements. */
	uintptr_t last = damaged.damage.end - (access->size > 0 ? access->size : 1);
	return !access->is_call && last > first ? last : first;
}

/* A read of this kind may have come through the padding, and may not. */
static bool is_doubtful(const struct fp_fault_access *access, const struct fp_block *block,
                        uintptr_t first)
{
	uintptr_t end = block->address + block->size;

	return block->state == FP_BLOCK_LIVE && access->access == FP_ACCESS_READ &&
	       !access->is_call && access->stride == 0 && first > end && first - end < REACH &&
	       access->address % fp_vm_page_size() == 0;
}

static void say_way(struct fp_text *text, const struct fp_fault_access *access,
                    const struct fp_block *block, uintptr_t first)
{
	if (access->start > first && access->address > first && !access->is_call) {
		fp_text_print(text, FP_TELL_STOPPED, FP_TEXT_COUNT(access->address - first));
	} else if (is_doubtful(access, block, first)) {
		fp_text_string(text, FP_TELL_DOUBTFUL);
	}
}

static void blame(const struct fp_fault_access *access, const struct fp_fault_view *view,
                  const struct candidate *candidate, struct fp_finding *finding)
{
	const struct fp_block *block = &candidate->block;
	bool is_freed = block->state == FP_BLOCK_FREED;
	struct fp_text text;

	fp_fault_begin_finding(finding, &text, access);
	uintptr_t first =
	        is_freed ? access->start : first_at_guard(access, view, candidate, finding);
	finding->kind = kind_of(block, first);
	finding->has_block = true;
	finding->block = *block;
	finding->offset = (int64_t)(first - block->address);
	if (!is_freed)
		fp_fault_say_part(&text, block, access->start, access->size);
	fp_text_string(&text, ", ");
	fp_fault_say_position(&text, block, first);
	if (!is_freed) {
		say_way(&text, access, block, first);
		return;
	}
	fp_text_string(&text, FP_TELL_THAT_WAS_FREED);
	finding->is_evidence_last = true;
	finding->evidence_offset = 0;
	finding->evidence_size = (uint32_t)view->last_bytes(&candidate->slot, finding->evidence,
	                                                    sizeof(finding->evidence));
}

/* Nobody is known who could be blamed. */
static void blame_nobody(const struct fp_fault_access *access, bool was_used,
                         struct fp_finding *finding)
{
	struct fp_text text;

	fp_fault_begin_finding(finding, &text, access);
	finding->kind =
	        was_used ? FP_FINDING_HEAP_USE_AFTER_FREE : FP_FINDING_HEAP_BUFFER_OVERFLOW;
	fp_text_string(&text, was_used ? FP_TELL_OF_FORGOTTEN : FP_TELL_OF_NOBODY);
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
		look_up(view, &at.slot, &next);
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

/* No block stands beside the address. False: none is near, either. */
static bool diagnose_far(const struct fp_fault_access *access, const struct fp_place *place,
                         const struct fp_fault_view *view, struct fp_finding *finding)
{
	struct candidate here;
	struct candidate known[2];
	struct candidate live[2];

	look_up(view, &place->slot, &here);
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
	if (!blamed->is_known || !fp_fault_is_near(&blamed->block, access->address))
		return false;
	blame(access, view, blamed, finding);
	return true;
}

/* In a guard between two slots: what lies before it is as likely as what lies behind. */
static void diagnose_between(const struct fp_fault_access *access, const struct fp_place *place,
                             const struct fp_fault_view *view, struct fp_finding *finding)
{
	struct candidate here;
	struct candidate beside;
	uintptr_t slot = place->slot.base;

	look_up(view, &place->slot, &here);
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

static bool diagnose_at(const struct fp_fault_access *access, const struct fp_place *place,
                        const struct fp_fault_view *view, struct fp_finding *finding)
{
	struct candidate here;

	look_up(view, &place->slot, &here);
	if (!place->is_in_guard && here.is_known)
		blame(access, view, &here, finding);
	else if (!place->is_in_guard && place->state == FP_PLACE_USED)
		blame_nobody(access, true, finding);
	else if (is_between(place, access->address))
		diagnose_between(access, place, view, finding);
	else
		return diagnose_far(access, place, view, finding);
	return true;
}

static bool is_sealed(const struct fp_place *place, const struct fp_fault_view *view)
{
	struct fp_block block;

	return place->is_in_guard || !view->block(&place->slot, &block) ||
	       block.state != FP_BLOCK_LIVE;
}

bool fp_fault_is_sealed(uintptr_t address, const struct fp_fault_view *view)
{
	struct fp_place place;

	return view->place(address, &place) && is_sealed(&place, view);
}

/* The pointer that a function of the C library was given, which led it to the access at PLACE;
 * or 0. */
static uintptr_t find_origin(const struct fp_fault_access *access, const struct fp_place *place,
                             const struct fp_fault_view *view)
{
	for (size_t i = 0; i < FP_FAULT_GIVEN; i++) {
		uintptr_t given = access->given[i];
		struct fp_place from;

		if (access->call_size != 0
		            ? access->address - given < access->call_size
		            : given <= access->address && view->place(given, &from) &&
		                      from.slot.base == place->slot.base)
			return given;
	}
	return 0;
}

/* Functions on strings look at many bytes at once, from a multiple of those on or from the
 * beginning of a cache line: in front of what they were given, which is in a register still.
 * Where ACCESS of BLOCK begins for the program. */
static uintptr_t skip_front(const struct fp_fault_access *access, const struct fp_block *block)
{
	uintptr_t first = UINTPTR_MAX;

	if (access->size == 0 || access->address % access->size != 0)
		return access->address;
	for (size_t i = 0; i < FP_FAULT_KEPT; i++) {
		uintptr_t kept = access->kept[i];

		if (kept > access->address &&
		    fp_align_down(kept, CACHE_LINE) <= access->address &&
		    fp_fault_is_inside(block, kept) && kept < first)
			first = kept;
	}
	if (first != UINTPTR_MAX)
		return first;
	return access->address < block->address &&
	                       fp_align_down(block->address, CACHE_LINE) <= access->address
	               ? block->address
	               : access->address;
}

/* The same of what is read from in front of a live block on: the first of such pointers that
 * the vector covers. */
static uintptr_t skip_front_of_vector(const struct fp_fault_access *access)
{
	uintptr_t first = UINTPTR_MAX;

	if (access->size == 0 || access->address % access->size != 0)
		return access->address;
	for (size_t i = 0; i < FP_FAULT_KEPT; i++) {
		uintptr_t kept = access->kept[i];

		if (kept > access->address && kept - access->address < access->size &&
		    kept < first)
			first = kept;
	}
	return first == UINTPTR_MAX ? access->address : first;
}

/* The access as a person sees it: of the call, not of one of its instructions. */
static struct fp_fault_access see_whole(const struct fp_fault_access *access,
                                        const struct fp_place *place,
                                        const struct fp_fault_view *view)
{
	uintptr_t origin = access->is_in_library ? find_origin(access, place, view) : 0;
	struct fp_fault_access whole = *access;
	struct candidate block;

	if (whole.start == 0)
		whole.start = whole.address;
	if (!access->is_in_library)
		return whole;
	whole.is_scan = access->call_size == 0;
	look_up(view, &place->slot, &block);
	if (whole.is_scan) {
		uintptr_t first = block.is_known && block.block.state == FP_BLOCK_FREED
		                          ? skip_front(access, &block.block)
		                          : skip_front_of_vector(access);

		if (first != access->address)
			origin = first;
	}
	if (origin == 0)
		return whole;
	whole.is_call = true;
	whole.start = origin;
	whole.size = access->call_size;
	return whole;
}

/* Whether WHOLE is a call's that began in a block, maybe not the one beside where it was
 * caught.
 */
static bool look_up_origin(const struct fp_fault_access *whole,
                           const struct fp_fault_view *view, struct candidate *candidate)
{
	struct fp_place place;

	if (!whole->is_call || !view->place(whole->start, &place) || place.is_in_guard)
		return false;
	look_up(view, &place.slot, candidate);
	return candidate->is_known;
}

bool fp_fault_diagnose(const struct fp_fault_access *access, const struct fp_fault_view *view,
                       struct fp_finding *finding)
{
	struct candidate origin;
	struct fp_place place;

	/* The whole slot of a live block is accessible: what faults there is not our doing. */
	if (!view->place(access->address, &place) || !is_sealed(&place, view))
		return false;
	const struct fp_fault_access whole = see_whole(access, &place, view);
	if (!look_up_origin(&whole, view, &origin))
		return diagnose_at(&whole, &place, view, finding);
	blame(&whole, view, &origin, finding);
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
	first_bad.start = access->address;
	first_bad.size = length;
	first_bad.is_call = true;
	if (!place.is_in_guard && view->block(&place.slot, &block) &&
	    block.state == FP_BLOCK_LIVE && fp_fault_is_inside(&block, access->address)) {
		size_t rest = block.size - (access->address - block.address);

		if (length <= rest)
			return false;
		first_bad.address += rest;
		/* Behind a block that ends where its guard begins comes that guard. */
		if (!view->place(first_bad.address, &place))
			return false;
	}
	if (!diagnose_at(&first_bad, &place, view, finding))
		blame_nobody(&first_bad, false, finding);
	return true;
}
