/* SPDX-License-Identifier: Apache-2.0
 *
 * From what is wrong with a call to a finding. The sentences are in base/messages.h.
 */
#include "region/findings.h"

#include <string.h>

#include "base/messages.h"
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

static void say_size(struct fp_text *text, const struct fp_region_misuse *misuse)
{
	if (misuse->has_place)
		fp_text_print(text, FP_TELL_RELEASE_SIZE_OF, misuse->call,
		              FP_TEXT_COUNT(misuse->size),
		              FP_TEXT_COUNT(misuse->place.block.size));
	else
		fp_text_print(text, FP_TELL_RELEASE_SIZE, misuse->call,
		              FP_TEXT_COUNT(misuse->size));
}

static void say_problem(struct fp_text *text, const struct fp_region_misuse *misuse)
{
	const struct fp_region_place *place = &misuse->place;
	char there[FP_BLOCK_PLACE_MAX];

	switch (misuse->problem) {
	case FP_PROBLEM_SIZE:
		say_size(text, misuse);
		break;
	case FP_PROBLEM_NOWHERE:
		fp_text_print(text, FP_TELL_NO_REGION, misuse->call);
		fp_pointer_describe(text, misuse->address);
		break;
	case FP_PROBLEM_NOT_BASE:
		fp_text_print(text, FP_TELL_REGION_INTERIOR, misuse->call,
		              fp_block_place(&place->block, misuse->address, there));
		break;
	case FP_PROBLEM_RELEASED:
		if (misuse->address == place->block.address)
			fp_text_print(text, FP_TELL_REGION_RELEASED, misuse->call);
		else
			fp_text_print(text, FP_TELL_REGION_INSIDE, misuse->call,
			              fp_block_place(&place->block, misuse->address, there));
		break;
	case FP_PROBLEM_BEYOND:
		fp_text_print(text, FP_TELL_REGION_BEYOND, misuse->call,
		              FP_TEXT_COUNT(misuse->size),
		              fp_block_place(&place->block, misuse->address, there));
		break;
	case FP_PROBLEM_UNCOMMITTED:
		fp_text_print(text,
		              place->page.state == FP_PAGE_DECOMMITTED
		                      ? FP_TELL_PAGE_DECOMMITTED
		                      : FP_TELL_PAGE_RESERVED,
		              misuse->call, fp_block_place(&place->block, place->start, there));
		break;
	default:
		fp_text_print(text, FP_TELL_FREE_TYPE, misuse->call);
	}
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
