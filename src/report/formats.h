/* SPDX-License-Identifier: Apache-2.0
 *
 * The writers in the table of writer.c, one a file. Private to the report module.
 *
 * Context: report.
 */
#ifndef FP_REPORT_FORMATS_H
#define FP_REPORT_FORMATS_H

#include "report/writer.h"

extern const struct fp_report_writer fp_report_asan_writer;
extern const struct fp_report_writer fp_report_text_writer;
extern const struct fp_report_writer fp_report_json_writer;
extern const struct fp_report_writer fp_report_folded_writer;
extern const struct fp_report_writer fp_report_sarif_writer;
extern const struct fp_report_writer fp_report_xml_writer;
extern const struct fp_report_writer fp_report_html_writer;

#endif
