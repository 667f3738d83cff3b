/* SPDX-License-Identifier: Apache-2.0
 *
 * Padding that was found changed and a write that was stopped are one mistake when the blocks
 * were allocated alike and no run showed both: it would be two there. Two findings that are
 * both exact are never joined: two places in the program are two mistakes.
 */
#include <errno.h>
#include <stdlib.h>

#include "report/finding.h"
#include "report/merge/merge.h"
#include "report/stack.h"

/* How far FINDING is from its block. */
static uint64_t distance_of(const struct fp_report_finding *finding)
{
	int64_t offset = finding->block.offset;
	uint64_t size = finding->block.size;

	if (offset < 0)
		return 0 - (uint64_t)offset;
	return (uint64_t)offset > size ? (uint64_t)offset - size : 0;
}

/* Whether it was seen elsewhere than it is said to have begun: what a loop went through before
 * that only another layout shows. */
static bool is_inferred(const struct fp_report_finding *finding)
{
	return finding->has_block && !finding->is_by_call &&
	       finding->address != finding->block.address + (uint64_t)finding->block.offset;
}

bool fp_report_is_more_exact(const struct fp_report_finding *a,
                             const struct fp_report_finding *b)
{
	if (a->is_exact != b->is_exact)
		return a->is_exact;
	if (is_inferred(a) != is_inferred(b))
		return is_inferred(b);
	return a->has_block && b->has_block && distance_of(a) < distance_of(b);
}

static bool share_source(const struct fp_report_shares *a, const struct fp_report_shares *b)
{
	for (size_t i = 0; i < a->count; i++)
		for (size_t j = 0; j < b->count; j++)
			if (a->items[i].source == b->items[j].source)
				return true;
	return false;
}

static bool are_same_stacks(const struct fp_report_stack *a, const struct fp_report_stack *b)
{
	return a == b || (a && b && fp_report_compare_stacks(a, b) == 0);
}

/* Whether EXACT is the write that LATE found the traces of. */
static bool is_cause(const struct fp_report_finding *exact,
                     const struct fp_report_finding *late)
{
	if (!exact->is_exact || exact->access != FP_ACCESS_WRITE || !exact->has_block ||
	    exact->kind != late->kind || share_source(&exact->shares, &late->shares))
		return false;
	if (exact->kind == FP_FINDING_HEAP_USE_AFTER_FREE &&
	    !are_same_stacks(exact->block.free_stack, late->block.free_stack))
		return false;
	return are_same_stacks(exact->block.alloc_stack, late->block.alloc_stack);
}

/* What wrote what LATE found, or NULL: rather the one at the same place of its block, and then
 * the first. */
static struct fp_report_finding *find_cause(struct fp_report *report,
                                            const struct fp_report_finding *late)
{
	struct fp_report_finding *found = NULL;

	for (size_t i = 0; i < report->finding_count; i++) {
		struct fp_report_finding *exact = &report->findings[i];

		if (!is_cause(exact, late))
			continue;
		if (exact->block.offset == late->evidence_offset)
			return exact;
		found = found ? found : exact;
	}
	return found;
}

static int compare_sources(const void *left, const void *right)
{
	const struct fp_report_share *a = left;
	const struct fp_report_share *b = right;

	return (a->source > b->source) - (a->source < b->source);
}

static void remove_finding(struct fp_report *report, struct fp_report_finding *finding)
{
	struct fp_report_finding *end = report->findings + report->finding_count;

	for (; finding + 1 < end; finding++) {
		finding[0] = finding[1];
		finding->index--;
	}
	report->finding_count--;
}

/* What LATE has and EXACT has not: its sources, which are others, and how far the write went
 * when nothing stopped it. 0 or -ENOMEM. */
static int join(struct fp_report_arena *arena, struct fp_report_finding *exact,
                const struct fp_report_finding *late)
{
	struct fp_report_shares *to = &exact->shares;

	for (size_t i = 0; i < late->shares.count; i++)
		if (fp_report_append(arena, &to->items, &to->count, &late->shares.items[i],
		                     sizeof(to->items[0])) != 0)
			return -ENOMEM;
	qsort(to->items, to->count, sizeof(to->items[0]), compare_sources);
	if (exact->evidence.size > 0)
		return 0;
	exact->evidence = late->evidence;
	exact->evidence_offset = late->evidence_offset;
	exact->is_evidence_last = false;
	return 0;
}

int fp_report_join_layouts(struct fp_report *report)
{
	for (size_t i = 0; i < report->finding_count;) {
		struct fp_report_finding *late = &report->findings[i];
		struct fp_report_finding *exact =
		        fp_report_is_late(late) ? find_cause(report, late) : NULL;

		if (!exact) {
			i++;
			continue;
		}
		if (join(&report->arena, exact, late) != 0)
			return -ENOMEM;
		remove_finding(report, late);
	}
	return 0;
}
