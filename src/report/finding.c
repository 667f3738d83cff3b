/* SPDX-License-Identifier: Apache-2.0
 *
 * What each stack of a finding is called, and which of them there are.
 *
 * Of a free of no block only the description tells what was freed (src/heap/findings.c): "the
 * pointer is not a block; it points to ...".
 */
#include "report/finding.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

bool fp_report_is_access_of_call(const struct fp_report_finding *finding)
{
	return finding->is_by_call || finding->stack->within[0] != '\0';
}

bool fp_report_is_late(const struct fp_report_finding *finding)
{
	return finding->evidence.size > 0 && !finding->is_evidence_last && !finding->is_exact &&
	       finding->has_block;
}

struct fp_report_string fp_report_pointer_target(const struct fp_report_finding *finding)
{
	static const char before[] = "points to ";
	const struct fp_report_string text = finding->description;
	const char *found =
	        text.size > 0 ? memmem(text.bytes, text.size, before, strlen(before)) : NULL;

	if (!found)
		return (struct fp_report_string){"", 0};
	found += strlen(before);
	return (struct fp_report_string){found, (size_t)(text.bytes + text.size - found)};
}

const struct fp_report_stack *fp_report_finding_stack(const struct fp_report_finding *finding)
{
	if (finding->stack->count == 0 && finding->block.alloc_stack)
		return finding->block.alloc_stack;
	return finding->stack;
}

/* The instruction at the address is what was read. */
static bool is_executed(const struct fp_report_finding *finding)
{
	const struct fp_report_frame *first = finding->stack->frames;

	return finding->access == FP_ACCESS_READ && finding->stack->count > 0 &&
	       !first->module && first->offset == finding->address;
}

static const char *call_title(const struct fp_report_finding *finding)
{
	if (finding->access == FP_ACCESS_FREE)
		return finding->kind == FP_FINDING_DOUBLE_FREE ? "freed again" : "freed";
	/* Only a fault's own stack is that of the access; a call merely came across the damage.
	 */
	if (finding->kind == FP_FINDING_CRASH && is_executed(finding))
		return "executed";
	if (finding->is_exact && finding->access == FP_ACCESS_READ)
		return "read";
	if (finding->is_exact && finding->access == FP_ACCESS_WRITE)
		return "written";
	if (finding->kind == FP_FINDING_CRASH)
		return "raised";
	if (finding->evidence.size == 0)
		return "called";
	return finding->block.free_stack == finding->stack ? "found while it was freed"
	                                                   : "found";
}

static const char *party_title(enum fp_party_role role)
{
	static const char *const titles[FP_PARTY_COUNT] = {
	        [FP_PARTY_INSIDE] = "at the same time the heap was being used",
	        [FP_PARTY_HOLDER] = "the heap had been locked",
	        [FP_PARTY_RELEASER] = "the heap had been released",
	        [FP_PARTY_FINDER] = "the heap had been found unusable",
	        [FP_PARTY_UNMAPPER] = "the memory had been unmapped",
	        [FP_PARTY_POISONER] = "the memory had been poisoned",
	};

	return titles[role];
}

static const char *free_title(const struct fp_report_finding *finding)
{
	if (finding->kind == FP_FINDING_DOUBLE_FREE)
		return "first freed";
	switch (finding->page.state) {
	case FP_PAGE_NONE:
		return "freed";
	case FP_PAGE_DECOMMITTED:
		return "decommitted";
	default:
		return "released";
	}
}

void fp_report_moment_words(const struct fp_report_moment *moment,
                            char words[FP_REPORT_MOMENT_WORDS_MAX])
{
	int used = 0;

	if (moment->kind == FP_REPORT_CREATION)
		used = snprintf(words, FP_REPORT_MOMENT_WORDS_MAX, "thread %" PRIu32 " ",
		                moment->created);
	used += snprintf(words + used, FP_REPORT_MOMENT_WORDS_MAX - (size_t)used, "%s",
	                 moment->title);
	if (moment->thread != 0)
		snprintf(words + used, FP_REPORT_MOMENT_WORDS_MAX - (size_t)used,
		         " by thread %" PRIu32, moment->thread);
}

size_t fp_report_moments(const struct fp_report_finding *finding,
                         struct fp_report_moment *moments)
{
	const struct fp_report_block *block = &finding->block;
	bool is_region = finding->page.state != FP_PAGE_NONE;
	size_t count = 0;

	moments[count++] = (struct fp_report_moment){call_title(finding), finding->stack,
	                                             FP_REPORT_CALL, finding->thread, 0};
	if (finding->other.stack)
		moments[count++] = (struct fp_report_moment){
		        party_title(finding->other.role), finding->other.stack, FP_REPORT_OTHER,
		        finding->other.thread, 0};
	if (finding->block.free_stack && finding->block.free_stack != finding->stack)
		moments[count++] = (struct fp_report_moment){
		        free_title(finding), finding->block.free_stack, FP_REPORT_FREE,
		        block->free_thread, 0};
	if (finding->page.commit_stack)
		moments[count++] = (struct fp_report_moment){
		        "committed", finding->page.commit_stack, FP_REPORT_COMMIT,
		        finding->page.commit_thread, 0};
	if (finding->has_block)
		moments[count++] = (struct fp_report_moment){
		        is_region ? "reserved" : "allocated", finding->block.alloc_stack,
		        FP_REPORT_ALLOCATION, block->alloc_thread, 0};
	for (size_t i = 0; i < finding->birth_count && i < FP_BIRTHS_MAX; i++)
		moments[count++] = (struct fp_report_moment){
		        "created", finding->births[i].stack, FP_REPORT_CREATION,
		        finding->births[i].creator, finding->births[i].thread};
	return count;
}
