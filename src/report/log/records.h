/* SPDX-License-Identifier: Apache-2.0
 *
 * One record of the event log into a report. Private to the report module.
 *
 * Context: report.
 */
#ifndef FP_REPORT_LOG_RECORDS_H
#define FP_REPORT_LOG_RECORDS_H

#include "report/log/cursor.h"

/* FP_LOG_FINDING_COUNT_IS, kept until all findings are known. */
struct fp_report_reading_count {
	uint32_t index;
	uint64_t count;
};

/* A report in the making. */
struct fp_report_reading {
	struct fp_report *report;
	size_t *mapped; /* indices of the modules that are mapped now, by start, not overlapping
	                 */
	size_t mapped_count;
	struct fp_report_reading_count *counts;
	size_t count_count;
	bool has_ended;  /* FP_LOG_END was seen */
	bool has_counts; /* FP_LOG_PROTECTION was */
};

/* 0; -EBADMSG when PAYLOAD is not a whole record of TYPE, of which then little or nothing was
 * taken; -ENOMEM. Unknown types are skipped. */
int fp_report_read_record(struct fp_report_reading *reading, unsigned type,
                          struct fp_report_cursor *payload);

#endif
