/* SPDX-License-Identifier: Apache-2.0
 *
 * What the HTML report is put together from. Everything that comes from a log passes through
 * fp_report_html_text or fp_report_html_json: markup, control characters, invalid UTF-8 and
 * what turns the direction of text are shown, never obeyed.
 *
 * Context: report.
 */
#ifndef FP_REPORT_HTML_PARTS_H
#define FP_REPORT_HTML_PARTS_H

#include <stdio.h>

#include "report/writer.h"

/* As content of an element or of a quoted attribute. */
void fp_report_html_text(FILE *out, struct fp_report_string string);

/* As a string of JSON, quotes included, inside a script element. */
void fp_report_html_json(FILE *out, struct fp_report_string string);

/* "1,234"; "1 block" or "1,234 blocks"; "17 bytes" or "1.2 MiB". */
void fp_report_html_number(FILE *out, uint64_t number);
void fp_report_html_count(FILE *out, uint64_t number, const char *noun);
void fp_report_html_size(FILE *out, uint64_t bytes);

/* "plant.c:31" and the function it is in, from the stack or else from the site. */
void fp_report_html_place(FILE *out, const struct fp_report_stack *stack,
                          const struct fp_report_site *site);

/* A list of frames, down to main. */
void fp_report_html_stack(FILE *out, const struct fp_report_stack *stack);

/* The line of source where STACK begins and AROUND more on either side; nothing where they are
 * not to be had. */
void fp_report_html_excerpt(FILE *out, const struct fp_report_stack *stack, uint32_t around);

/* The block of FINDING in its slot, drawn to scale (in block.c). */
void fp_report_html_block(FILE *out, const struct fp_report *report,
                          const struct fp_report_finding *finding);

/* What the script draws of REPORT, as one JSON object: stacks of the leaks that are in
 * VIEW, stacks of the peak, the heap over time, and stacks that grew, of which the page has
 * FIRST_GROWING before (in data.c). 0 or -ENOMEM. */
int fp_report_html_data(FILE *out, const struct fp_report *report,
                        const struct fp_report_view *view, size_t first_growing);

#endif
