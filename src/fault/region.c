/* SPDX-License-Identifier: Apache-2.0
 *
 * The diagnosis of bad accesses to regions. A committed page is its host's affair, whatever
 * protection it asked for; guards, and pages that are not committed, are ours.
 */
#include "fault/diagnose.h"

#include "base/messages.h"
#include "base/text.h"
#include "fault/words.h"

static enum fp_finding_kind kind_of(const struct fp_region_place *place, uintptr_t address)
{
	if (place->block.state == FP_BLOCK_FREED || place->page.state == FP_PAGE_DECOMMITTED)
		return FP_FINDING_HEAP_USE_AFTER_FREE;
	if (place->page.state == FP_PAGE_RESERVED)
		return FP_FINDING_UNCOMMITTED_ACCESS;
	return address < place->block.address ? FP_FINDING_HEAP_BUFFER_UNDERFLOW
	                                      : FP_FINDING_HEAP_BUFFER_OVERFLOW;
}

static const char *words_of(const struct fp_region_place *place)
{
	if (place->block.state == FP_BLOCK_FREED)
		return FP_TELL_RELEASED;
	switch (place->page.state) {
	case FP_PAGE_RESERVED:
		return FP_TELL_RESERVED;
	case FP_PAGE_DECOMMITTED:
		return FP_TELL_DECOMMITTED;
	default:
		return "";
	}
}

static void blame(const struct fp_fault_access *access, const struct fp_region_place *place,
                  struct fp_finding *finding)
{
	struct fp_text text;

	fp_fault_begin_finding(finding, &text, access);
	finding->kind = kind_of(place, access->address);
	finding->has_block = true;
	finding->block = place->block;
	finding->page = place->page;
	finding->offset = (int64_t)(access->address - place->block.address);
	if (place->page.state == FP_PAGE_DECOMMITTED) {
		finding->block.state = FP_BLOCK_FREED;
		finding->block.free_trace = place->decommitter;
		finding->block.free_thread = place->by_thread;
	}
	fp_text_string(&text, ", ");
	fp_fault_say_position(&text, &place->block, access->address);
	fp_text_string(&text, words_of(place));
}

/* Of two regions with one guard between them, the nearer one. */
static void choose_neighbour(uintptr_t address, fp_fault_region_finder find,
                             struct fp_region_place *place)
{
	struct fp_region_place next;

	if (place->page.state != FP_PAGE_GUARD || address < place->block.address ||
	    !find(place->end, &next) || next.block.address != place->end ||
	    next.block.state != FP_BLOCK_LIVE)
		return;
	if (place->block.state == FP_BLOCK_LIVE &&
	    fp_fault_distance(&place->block, address) <=
	            fp_fault_distance(&next.block, address))
		return;
	next.page = (struct fp_page){.state = FP_PAGE_GUARD};
	*place = next;
}

bool fp_fault_diagnose_region(const struct fp_fault_access *access, fp_fault_region_finder find,
                              struct fp_finding *finding)
{
	struct fp_region_place place;

	if (!find(access->address, &place) || place.page.state == FP_PAGE_COMMITTED)
		return false;
	choose_neighbour(access->address, find, &place);
	blame(access, &place, finding);
	return true;
}

bool fp_fault_diagnose_region_range(const struct fp_fault_access *access, size_t length,
                                    fp_fault_region_finder find, struct fp_finding *finding)
{
	struct fp_fault_access first_bad = *access;
	struct fp_region_place place;
	uintptr_t end = access->address + length;

	if (length == 0 || end < access->address)
		return false;
	first_bad.size = length;
	first_bad.is_call = true;
	while (first_bad.address < end && find(first_bad.address, &place) &&
	       place.page.state == FP_PAGE_COMMITTED)
		first_bad.address = place.end;
	return first_bad.address < end && fp_fault_diagnose_region(&first_bad, find, finding);
}
