/* SPDX-License-Identifier: Apache-2.0
 *
 * When the innermost frame of a mistake is a helper's, of another file than its caller's, the
 * place to look at is the caller's. Private to the report module.
 *
 * Context: report.
 */
#ifndef FP_REPORT_HELPER_H
#define FP_REPORT_HELPER_H

#include "report/report.h"

/* Has the stacks of findings, which are resolved, stand for the callers of such helpers. 0 or
 * -ENOMEM. */
int fp_report_find_helpers(struct fp_report *report);

#endif
