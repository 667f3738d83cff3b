/* SPDX-License-Identifier: Apache-2.0
 *
 * Snapshots of the heap over time: their record, and the one of them that shows the peak. How
 * often they were taken is the victim's business; nothing here adds or invents moments.
 */
#include <errno.h>
#include <stdlib.h>

#include "report/log/records.h"

enum { GROUP_BYTES = 4 + 8 + 8 };

static int take_groups(struct fp_report_cursor *payload, struct fp_report_snapshot *snapshot)
{
	if (snapshot->group_count == 0)
		return 0;
	snapshot->groups = calloc(snapshot->group_count, sizeof(snapshot->groups[0]));
	if (!snapshot->groups)
		return -ENOMEM;
	for (size_t i = 0; i < snapshot->group_count; i++) {
		snapshot->groups[i].trace = fp_report_take_u32(payload);
		snapshot->groups[i].blocks = fp_report_take_u64(payload);
		snapshot->groups[i].bytes = fp_report_take_u64(payload);
	}
	return 0;
}

int fp_report_read_snapshot(struct fp_report_reading *reading, struct fp_report_cursor *payload)
{
	struct fp_report *report = reading->report;
	struct fp_report_snapshot snapshot = {0};
	struct fp_report_snapshot *snapshots;

	snapshot.milliseconds = fp_report_take_u64(payload);
	snapshot.live_blocks = fp_report_take_u64(payload);
	snapshot.live_bytes = fp_report_take_u64(payload);
	snapshot.group_count = fp_report_take_u32(payload);
	if (payload->is_short || snapshot.group_count > payload->left / GROUP_BYTES)
		return -EBADMSG;
	snapshots =
	        fp_report_grow(report->snapshots, report->snapshot_count, sizeof(*snapshots));
	if (!snapshots)
		return -ENOMEM;
	report->snapshots = snapshots;
	if (take_groups(payload, &snapshot) != 0)
		return -ENOMEM;
	snapshots[report->snapshot_count++] = snapshot;
	return 0;
}

const struct fp_report_snapshot *fp_report_peak(const struct fp_report *report)
{
	const struct fp_report_snapshot *peak = NULL;

	for (size_t i = 0; i < report->snapshot_count; i++) {
		const struct fp_report_snapshot *snapshot = &report->snapshots[i];

		if (snapshot->group_count > 0 &&
		    (!peak || snapshot->live_bytes > peak->live_bytes))
			peak = snapshot;
	}
	return peak;
}
