/* SPDX-License-Identifier: Apache-2.0
 *
 * What suppressions did, for the end of a text. Private to the report module.
 *
 * Context: report.
 */
#ifndef FP_REPORT_SUPPRESS_TEXT_H
#define FP_REPORT_SUPPRESS_TEXT_H

#include "report/suppress/suppress.h"
#include "report/text/parts.h"

/* A line for each suppression that was used or no longer suppresses, and one for those that
 * were never used. NULL is accepted. */
void fp_report_print_suppressions(const struct fp_report_page *page,
                                  const struct fp_report_suppressions *suppressions);

#endif
