/* SPDX-License-Identifier: Apache-2.0
 *
 * Leaks of one place, and allocation stacks whose live bytes only ever rose: what their points
 * come to. Which stacks those are was judged in the victim, which alone saw all of them.
 *
 * Context: report.
 */
#ifndef FP_REPORT_LEAKS_H
#define FP_REPORT_LEAKS_H

#include "report/report.h"

/* Leaks of one place, whose stacks are resolved, become one; the largest come first. */
void fp_report_merge_leaks(struct fp_report *report);

/* Adds LEAK to the sums of LEAKS. */
void fp_report_count_leak(struct fp_report_unlisted *leaks, const struct fp_report_leak *leak);

/* Leaves in the list of REPORT the MOST largest leaks and as many of blocks in use, and notes
 * how many there are beyond. 0 or -ENOMEM. */
int fp_report_limit_leaks(struct fp_report *report, size_t most);

/* Adds what OTHER, of the same place, says beside its blocks and bytes. What hangs from OTHER
 * only is in the sums. */
void fp_report_leak_add_details(struct fp_report_leak *leak,
                                const struct fp_report_leak *other);

struct fp_report_rise {
	FP_RISE_FIELDS(FP_REPORT_, )
	const struct fp_report_point *first;
	const struct fp_report_point *last;
};

struct fp_report_rise fp_report_rise_of(const struct fp_report_growing *growing);

void fp_report_set_held(struct fp_report_growing *growing, const struct fp_report_held *held);

/* Sorts the stacks of REPORT. */
void fp_report_sort_growing(struct fp_report *report);

#endif
