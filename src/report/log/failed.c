/* SPDX-License-Identifier: Apache-2.0
 *
 * The records of allocations that failed because fail_alloc asked for it.
 */
#include <errno.h>
#include <stdlib.h>

#include "report/log/records.h"

/* The record of the same allocations that was made when the first of them failed, or NULL. */
static struct fp_report_failed *find_failed(struct fp_report *report, uint64_t serial)
{
	for (size_t i = 0; i < report->failed_count; i++)
		if (report->failed[i].serial == serial)
			return &report->failed[i];
	return NULL;
}

int fp_report_read_failed_alloc(struct fp_report_reading *reading,
                                struct fp_report_cursor *payload)
{
	struct fp_report *report = reading->report;
	struct fp_report_failed failed = {.trace = fp_report_take_u32(payload)};
	struct fp_report_failed *known;
	struct fp_report_failed *all;

	failed.count = fp_report_take_u64(payload);
	failed.size = fp_report_take_u64(payload);
	failed.family = fp_report_take_u8(payload);
	failed.level = fp_report_take_u8(payload);
	fp_report_take_bytes(payload, 2);
	failed.heap = fp_report_take_u32(payload);
	failed.serial = fp_report_take_u64(payload);
	if (payload->is_short || failed.family >= FP_FAMILY_COUNT ||
	    failed.level >= FP_LEVEL_COUNT)
		return -EBADMSG;
	known = find_failed(report, failed.serial);
	if (known) {
		*known = failed;
		return 0;
	}
	all = fp_report_grow(report->failed, report->failed_count, sizeof(*all));
	if (!all)
		return -ENOMEM;
	report->failed = all;
	all[report->failed_count++] = failed;
	return 0;
}
