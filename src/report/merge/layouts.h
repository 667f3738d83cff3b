/* SPDX-License-Identifier: Apache-2.0
 *
 * One mistake that several layouts of the blocks show each in its way: one run stops at the
 * write itself, another only finds the padding changed. Private to the report module.
 *
 * Context: report.
 */
#ifndef FP_REPORT_MERGE_LAYOUTS_H
#define FP_REPORT_MERGE_LAYOUTS_H

#include "report/report.h"

/* Whether A says more exactly than B what happened: at the instruction and not afterwards, or
 * nearer to the block. Both have one fingerprint, and are of two layouts. */
bool fp_report_is_more_exact(const struct fp_report_finding *a,
                             const struct fp_report_finding *b);

/* Makes one finding of those of REPORT that are one mistake, with the facts of the most exact
 * and the sources of all. 0 or -ENOMEM. */
int fp_report_join_layouts(struct fp_report *report);

#endif
