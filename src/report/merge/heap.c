/* SPDX-License-Identifier: Apache-2.0
 *
 * Snapshots of one report into another. What was copied before is freed, so that memory does
 * not grow with the reports.
 */
#include "report/merge/heap.h"

#include <errno.h>
#include <stdlib.h>

#include "report/schema.h"

static int keep_snapshots(struct fp_report_keeper *keeper, struct fp_report *to,
                          const struct fp_report *from)
{
	for (size_t i = 0; i < from->snapshot_count; i++) {
		struct fp_report_snapshot kept = from->snapshots[i];

		if (!fp_report_schema_keep(&fp_report_schema_snapshot, &kept, keeper) ||
		    fp_report_append(&to->snapshots, &to->snapshot_count, &kept,
		                     sizeof(kept)) != 0)
			return -ENOMEM;
	}
	return 0;
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
