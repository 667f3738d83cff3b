/* SPDX-License-Identifier: Apache-2.0
 *
 * The page of the HTML report as embed.sh makes it into C. Private to the report module.
 *
 * Context: report.
 */
#ifndef FP_REPORT_HTML_SHELL_H
#define FP_REPORT_HTML_SHELL_H

enum { FP_REPORT_HTML_PARTS = 3 };

/* What stands before the text report, between it and the JSON, and behind that. */
extern const char *const fp_report_html_shell[FP_REPORT_HTML_PARTS];

#endif
