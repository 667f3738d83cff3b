/* SPDX-License-Identifier: Apache-2.0
 *
 * The records of stacks that grow. What the log says last is what counts: it was the whole of
 * what was known then.
 */
#include <errno.h>
#include <stdlib.h>

#include "report/growth.h"
#include "report/log/records.h"

enum { POINT_BYTES = 3 * 8 };

int fp_report_read_growth(struct fp_report_reading *reading, struct fp_report_cursor *payload)
{
	struct fp_report *report = reading->report;
	bool is_judged = fp_report_take_u8(payload) != 0;
	uint32_t pictures;
	uint64_t left_out;

	fp_report_take_bytes(payload, 3);
	pictures = fp_report_take_u32(payload);
	left_out = fp_report_take_u64(payload);
	if (payload->is_short)
		return -EBADMSG;
	fp_report_forget_growing(report);
	report->growth.is_looked_for = true;
	report->growth.is_judged = is_judged;
	report->growth.pictures = pictures;
	report->growth.left_out = left_out;
	return 0;
}

int fp_report_read_growing(struct fp_report_reading *reading, struct fp_report_cursor *payload)
{
	uint32_t trace = fp_report_take_u32(payload);
	uint32_t count = fp_report_take_u32(payload);
	struct fp_report_growing *growing;

	if (payload->is_short || count < 2 || count > payload->left / POINT_BYTES ||
	    !reading->report->growth.is_looked_for)
		return -EBADMSG;
	growing = fp_report_add_growing(reading->report);
	if (!growing)
		return -ENOMEM;
	growing->points = calloc(count, sizeof(growing->points[0]));
	if (!growing->points) {
		reading->report->growth.count--;
		return -ENOMEM;
	}
	growing->trace = trace;
	growing->point_count = count;
	for (size_t i = 0; i < count; i++) {
		growing->points[i].milliseconds = fp_report_take_u64(payload);
		growing->points[i].blocks = fp_report_take_u64(payload);
		growing->points[i].bytes = fp_report_take_u64(payload);
	}
	return 0;
}
