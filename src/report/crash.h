/* SPDX-License-Identifier: Apache-2.0
 *
 * What was said of a crash, in one sentence.
 *
 * Context: report.
 */
#ifndef FP_REPORT_CRASH_H
#define FP_REPORT_CRASH_H

#include "report/report.h"

/* Completes the message and the description of FINDING, which is out of a log. 0 or -ENOMEM. */
int fp_report_settle_crash(struct fp_report *report, struct fp_report_finding *finding);

/* What REPORT, whose findings are in their order, died of becomes one where nothing that it
 * told explains that: no handler saw it. 0 or -ENOMEM. */
int fp_report_add_unseen_crash(struct fp_report *report);

#endif
