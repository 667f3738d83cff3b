/* SPDX-License-Identifier: Apache-2.0
 *
 * Snapshots of one report into another. What was copied before is freed, so that memory does
 * not grow with the reports.
 */
#include "report/merge/heap.h"

#include <errno.h>
#include <stdlib.h>

#include "report/keep.h"

static int keep_groups(struct fp_report_keeper *keeper, struct fp_report_snapshot *to,
                       const struct fp_report_snapshot *from)
{
	if (from->group_count == 0)
		return 0;
	to->groups = calloc(from->group_count, sizeof(*to->groups));
	if (!to->groups)
		return -ENOMEM;
	to->group_count = from->group_count;
	for (size_t i = 0; i < from->group_count; i++) {
		to->groups[i] = from->groups[i];
		to->groups[i].stack =
		        from->groups[i].stack
		                ? fp_report_keep_stack(keeper, from->groups[i].stack)
		                : NULL;
		if (from->groups[i].stack && !to->groups[i].stack)
			return -ENOMEM;
	}
	return 0;
}

static int keep_snapshots(struct fp_report_keeper *keeper, struct fp_report *to,
                          const struct fp_report *from)
{
	int result = 0;

	for (size_t i = 0; result == 0 && i < from->snapshot_count; i++) {
		struct fp_report_snapshot *snapshots =
		        fp_report_grow(to->snapshots, i, sizeof(*snapshots));

		if (!snapshots)
			return -ENOMEM;
		to->snapshots = snapshots;
		snapshots[i] = from->snapshots[i];
		snapshots[i].groups = NULL;
		snapshots[i].group_count = 0;
		to->snapshot_count = i + 1;
		result = keep_groups(keeper, &snapshots[i], &from->snapshots[i]);
	}
	return result;
}

int fp_report_keep_heap(struct fp_report *to, struct fp_report *from, uint32_t source)
{
	struct fp_report_keeper keeper = {.arena = &to->snapshot_arena};
	int result;

	if (from->snapshot_count == 0 ||
	    (to->snapshot_count > 0 && from->heap.peak_bytes <= to->heap.peak_bytes))
		return 0;
	result = fp_report_resolve_snapshots(from, FP_SYMBOL_DEBUG_DIR);
	fp_report_forget_snapshots(to);
	fp_report_arena_free(&to->snapshot_arena);
	to->snapshot_arena = (struct fp_report_arena){0};
	to->snapshot_source = source;
	if (result == 0)
		result = keep_snapshots(&keeper, to, from);
	fp_report_keeper_end(&keeper);
	return result;
}
