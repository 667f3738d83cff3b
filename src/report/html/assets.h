/* SPDX-License-Identifier: Apache-2.0
 *
 * The files of src/report/html as embed.sh makes them into C. Private to the report module.
 *
 * Context: report.
 */
#ifndef FP_REPORT_HTML_ASSETS_H
#define FP_REPORT_HTML_ASSETS_H

extern const char fp_report_html_style[];
extern const char fp_report_html_script[];

/* "sha256-" and base64, as a Content-Security-Policy names them. */
extern const char fp_report_html_style_digest[];
extern const char fp_report_html_script_digest[];

#endif
