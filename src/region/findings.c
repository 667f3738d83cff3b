/* SPDX-License-Identifier: Apache-2.0
 *
 * From what is wrong with a call to a finding. Sentences are built here, where the facts are.
 */
#include "region/findings.h"

#include <string.h>

#include "base/pointer.h"
#include "base/text.h"
#include "base/thread.h"
#include "stack/stack.h"

static fp_finding_sink sink;
static void *sink_user;
static bool has_codes;
static struct fp_region_error_codes codes;

void fp_region_findings_init(fp_finding_sink new_sink, void *user)
{
	sink = new_sink;
	sink_user = user;
}

void fp_region_set_error_codes(const struct fp_region_error_codes *new_codes)
{
	codes = *new_codes;
	has_codes = true;
}

static void append_bytes(struct fp_text *text, uint64_t count)
{
	fp_text_decimal(text, count);
	fp_text_string(text, count == 1 ? " byte" : " bytes");
}

static void append_region(struct fp_text *text, const struct fp_block *region)
{
	fp_text_string(text, " a region of ");
	append_bytes(text, region->size);
}

/* "4096 bytes inside a region of 65536 bytes" */
static void append_position(struct fp_text *text, const struct fp_block *region,
                            uintptr_t address)
{
	if (address < region->address) {
		append_bytes(text, region->address - address);
		fp_text_string(text, " before");
	} else if (address - region->address < region->size) {
		append_bytes(text, address - region->address);
		fp_text_string(text, " inside");
	} else {
		append_bytes(text, address - region->address - region->size);
		fp_text_string(text, " past the end of");
	}
	append_region(text, region);
}

static void say_nowhere(struct fp_text *text, const struct fp_region_misuse *misuse)
{
	fp_text_string(text, "the address is in no region; it points to ");
	fp_pointer_describe(text, misuse->address);
}

static void say_size(struct fp_text *text, const struct fp_region_misuse *misuse)
{
	fp_text_string(text, "a size of ");
	append_bytes(text, misuse->size);
	fp_text_string(text, " was passed; a release takes 0");
	if (!misuse->has_place)
		return;
	fp_text_string(text, " and gives all of");
	append_region(text, &misuse->place.block);
	fp_text_string(text, " back");
}

static void say_not_base(struct fp_text *text, const struct fp_region_misuse *misuse)
{
	fp_text_string(text, "the address is ");
	append_position(text, &misuse->place.block, misuse->address);
	fp_text_string(text, ", not its start");
}

static void say_released(struct fp_text *text, const struct fp_region_misuse *misuse)
{
	if (misuse->address != misuse->place.block.address) {
		fp_text_string(text, "the address is ");
		append_position(text, &misuse->place.block, misuse->address);
		fp_text_string(text, " that was released before");
	} else {
		fp_text_string(text, "the region was released before");
	}
}

static void say_beyond(struct fp_text *text, const struct fp_region_misuse *misuse)
{
	append_bytes(text, misuse->size);
	fp_text_string(text, " from ");
	append_position(text, &misuse->place.block, misuse->address);
	fp_text_string(text, " are not all in it");
}

static void say_uncommitted(struct fp_text *text, const struct fp_region_misuse *misuse)
{
	const struct fp_region_place *place = &misuse->place;

	fp_text_string(text, "the page ");
	append_position(text, &place->block, place->start);
	fp_text_string(text, place->page.state == FP_PAGE_DECOMMITTED
	                             ? " was decommitted"
	                             : " is reserved but not committed");
}

static void say_problem(struct fp_text *text, const struct fp_region_misuse *misuse)
{
	static void (*const sayers[])(struct fp_text *, const struct fp_region_misuse *) = {
	        [FP_PROBLEM_SIZE] = say_size,
	        [FP_PROBLEM_NOWHERE] = say_nowhere,
	        [FP_PROBLEM_NOT_BASE] = say_not_base,
	        [FP_PROBLEM_RELEASED] = say_released,
	        [FP_PROBLEM_BEYOND] = say_beyond,
	        [FP_PROBLEM_UNCOMMITTED] = say_uncommitted,
	};

	fp_text_string(text, misuse->call);
	fp_text_string(text, ": ");
	if (misuse->problem == FP_PROBLEM_TYPE)
		fp_text_string(text, "the type is neither MEM_DECOMMIT nor MEM_RELEASE alone, "
		                     "so nothing was freed");
	else
		sayers[misuse->problem](text, misuse);
}

static enum fp_finding_kind kind_of(const struct fp_region_misuse *misuse)
{
	if (misuse->access != FP_ACCESS_FREE)
		return FP_FINDING_REGION_MISUSE;
	switch (misuse->problem) {
	case FP_PROBLEM_NOWHERE:
	case FP_PROBLEM_NOT_BASE:
		return FP_FINDING_INVALID_FREE;
	case FP_PROBLEM_RELEASED:
		return misuse->address == misuse->place.block.address ? FP_FINDING_DOUBLE_FREE
		                                                      : FP_FINDING_INVALID_FREE;
	default:
		return FP_FINDING_REGION_MISUSE;
	}
}

static void set_place(struct fp_finding *finding, const struct fp_region_place *place)
{
	finding->has_block = true;
	finding->block = place->block;
	finding->page = place->page;
	finding->offset = (int64_t)(finding->address - place->block.address);
	if (place->page.state != FP_PAGE_DECOMMITTED)
		return;
	finding->block.state = FP_BLOCK_FREED;
	finding->block.free_trace = place->decommitter;
	finding->block.free_thread = place->by_thread;
}

void fp_region_report(const struct fp_region_misuse *misuse)
{
	struct fp_finding finding;
	struct fp_text text;

	memset(&finding, 0, sizeof(finding));
	finding.kind = kind_of(misuse);
	finding.access = misuse->access;
	finding.address = misuse->address;
	finding.trace = fp_stack_capture();
	finding.has_hresult = has_codes;
	finding.hresult = misuse->is_invalid ? codes.invalid : codes.misuse;
	finding.thread = fp_thread_self();
	fp_thread_name(finding.thread_name);
	if (misuse->has_place)
		set_place(&finding, &misuse->place);
	fp_text_begin(&text, finding.description, sizeof(finding.description));
	say_problem(&text, misuse);
	sink(&finding, sink_user);
}
