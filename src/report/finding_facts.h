/* SPDX-License-Identifier: Apache-2.0
 *
 * What a finding says between its fields. Private to the report module.
 *
 * Context: report.
 */
#ifndef FP_REPORT_FINDING_FACTS_H
#define FP_REPORT_FINDING_FACTS_H

#include "report/report.h"

/* Whether a function of the C library made the access, or was about to. */
bool fp_report_is_access_of_call(const struct fp_report_finding *finding);

/* Whether bytes were found changed that nobody saw change: the stack is that of whoever found
 * them. */
bool fp_report_is_late(const struct fp_report_finding *finding);

/* Of a free of what is in no block: "the stack of this thread" and the like, or "". */
struct fp_report_string fp_report_pointer_target(const struct fp_report_finding *finding);

/* The stack that tells FINDING from others: that of the mistake, or, when it only showed at the
 * end, that of the block's allocation. Never NULL. */
const struct fp_report_stack *fp_report_finding_stack(const struct fp_report_finding *finding);

#endif
