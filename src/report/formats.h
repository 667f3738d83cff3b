/* SPDX-License-Identifier: Apache-2.0
 *
 * The functions behind the table of writers. Private to the report module.
 *
 * Context: report.
 */
#ifndef FP_REPORT_FORMATS_H
#define FP_REPORT_FORMATS_H

#include "report/writer.h"

int fp_report_write_text(const struct fp_report *report, const struct fp_report_view *view,
                         FILE *out);
int fp_report_write_json(const struct fp_report *report, const struct fp_report_view *view,
                         FILE *out);

#endif
