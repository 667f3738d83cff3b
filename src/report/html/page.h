/* SPDX-License-Identifier: Apache-2.0
 *
 * The pieces of the HTML page that stand once, and what is said about one finding, leak or
 * process. Private to the report module.
 *
 * Context: report.
 */
#ifndef FP_REPORT_HTML_PAGE_H
#define FP_REPORT_HTML_PAGE_H

#include "report/writer.h"

/* "sqlite_host (4242)" */
void fp_report_html_process(FILE *out, const struct fp_report *report);

/* "2 findings in sqlite_host" */
void fp_report_html_title(FILE *out, const struct fp_report_set *set);

/* What ran, the verdict in figures, and where on the page to go on. */
void fp_report_html_header(FILE *out, const struct fp_report_set *set,
                           const struct fp_report_view *view);

/* The field that filters COUNT findings and leaks; nothing when there are few. */
void fp_report_html_tools(FILE *out, size_t count);

/* The section that the script draws into. */
void fp_report_html_memory(FILE *out);

/* How the process was run and how it went (in facts.c). */
void fp_report_html_facts(FILE *out, const struct fp_report *report, bool is_open);

/* What the suppressions that REPORT was made with did, if there were any (in facts.c). */
void fp_report_html_suppressions(FILE *out, const struct fp_report *report);

/* The line that is always seen and what it unfolds. REPORT names the process, NULL when there
 * is only one (in items.c). */
void fp_report_html_headline(FILE *out, const struct fp_report_finding *finding,
                             const struct fp_report *report);
void fp_report_html_finding(FILE *out, const struct fp_report *report,
                            const struct fp_report_finding *finding);
void fp_report_html_leak_headline(FILE *out, const struct fp_report_leak *leak,
                                  const struct fp_report *report);
void fp_report_html_leak(FILE *out, const struct fp_report_leak *leak, bool is_repeated);

/* The same for a stack that only grew, what follows the last one of REPORT, and what to say
 * when SET has none: NULL when growth was not looked for (in growth.c). */
void fp_report_html_growing_headline(FILE *out, const struct fp_report_growing *growing,
                                     const struct fp_report *report);
void fp_report_html_growing(FILE *out, const struct fp_report_growing *growing);
void fp_report_html_growth_end(FILE *out, const struct fp_report *report);
const char *fp_report_html_no_growth(const struct fp_report_set *set);

#endif
