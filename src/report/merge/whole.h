/* SPDX-License-Identifier: Apache-2.0
 *
 * What a merged report says of itself: process, settings, sums and notes. Private to the report
 * module.
 *
 * Context: report.
 */
#ifndef FP_REPORT_MERGE_WHOLE_H
#define FP_REPORT_MERGE_WHOLE_H

#include "report/keep.h"

enum { FP_REPORT_REMARKS_MAX = 100 };

/* A note, and how many sources made it. */
struct fp_report_remark {
	struct fp_report_string text;
	uint32_t source; /* the first; UINT32_MAX: the merge itself */
	uint32_t count;
};

/* Zero it and set report, keeper and is_repeated to begin. */
struct fp_report_whole {
	struct fp_report *report;
	struct fp_report_keeper *keeper;
	bool is_repeated;
	bool has_any;
	struct fp_report_remark remarks[FP_REPORT_REMARKS_MAX];
	size_t remark_count;
	size_t lost_remarks;
};

/* REPORT as it is from SOURCE on. 0 or -ENOMEM. */
int fp_report_whole_add(struct fp_report_whole *whole, const struct fp_report *report,
                        uint32_t source);
int fp_report_whole_note(struct fp_report_whole *whole, struct fp_report_string text,
                         uint32_t source);

/* Makes the notes. 0 or -ENOMEM. */
int fp_report_whole_end(struct fp_report_whole *whole);

#endif
