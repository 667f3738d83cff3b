/* SPDX-License-Identifier: Apache-2.0
 *
 * The heap over time in a merged report: that of the source whose heap was the largest. Times
 * of different processes cannot be added up. Private to the report module.
 *
 * Context: report.
 */
#ifndef FP_REPORT_MERGE_HEAP_H
#define FP_REPORT_MERGE_HEAP_H

#include "report/report.h"

/* Copies the snapshots of FROM, which are those of SOURCE in TO, unless those that TO has are
 * of a larger heap. To be called before the peak of FROM is in TO. 0 or -ENOMEM. */
int fp_report_keep_heap(struct fp_report *to, struct fp_report *from, uint32_t source);

#endif
