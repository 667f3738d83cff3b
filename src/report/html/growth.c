/* SPDX-License-Identifier: Apache-2.0
 *
 * Stacks whose live bytes only ever rose: a line to recognise one by, its way up as a drawing
 * that needs no script, and where it allocates.
 */
#include "report/growth.h"

#include <inttypes.h>

#include "report/html/page.h"
#include "report/html/parts.h"
#include "report/stack.h"
#include "report/text/parts.h"

enum { WIDTH = 640, HEIGHT = 96, LINES_AROUND_CALL = 3 };

static void put_duration(FILE *out, uint64_t milliseconds)
{
	const struct fp_report_page page = {.out = out};

	fp_report_print_duration(&page, milliseconds);
}

void fp_report_html_growing_headline(FILE *out, const struct fp_report_growing *growing,
                                     const struct fp_report *report)
{
	const struct fp_report_rise rise = fp_report_rise_of(growing);

	fputs("<summary><span class=\"kind\">+ ", out);
	fp_report_html_size(out, rise.bytes);
	fputs("</span> <span class=\"place\">", out);
	fp_report_html_place(out, growing->stack, NULL);
	fputs("</span> <span class=\"marks\">", out);
	if (report) {
		fputs("<span class=\"tag\">", out);
		fp_report_html_process(out, report);
		fputs("</span> ", out);
	}
	fputs("<span class=\"count\">", out);
	fp_report_html_size(out, rise.per_minute);
	fputs(" a minute</span></span></summary>\n", out);
}

static void put_point(FILE *out, const struct fp_report_point *point)
{
	fp_report_html_size(out, point->bytes);
	fputs(" in ", out);
	fp_report_html_count(out, point->blocks, "block");
	fputs(" after ", out);
	put_duration(out, point->milliseconds);
}

static double share(uint64_t part, uint64_t whole)
{
	double result = whole == 0 ? 0 : (double)part / (double)whole;

	return result > 1 ? 1 : result;
}

/* The bytes over the time, from nothing at all up. */
static void put_drawing(FILE *out, const struct fp_report_growing *growing,
                        const struct fp_report_rise *rise)
{
	fprintf(out,
	        "<div class=\"scroll\"><svg class=\"rise\" role=\"img\" aria-label=\"Live "
	        "bytes "
	        "of this stack over time\" viewBox=\"0 0 %d %d\"><path d=\"",
	        WIDTH, HEIGHT);
	for (size_t i = 0; i < growing->point_count; i++) {
		const struct fp_report_point *point = &growing->points[i];
		uint64_t start = rise->first->milliseconds;
		uint64_t since = point->milliseconds > start ? point->milliseconds - start : 0;

		fprintf(out, "%s%.1f %.1f", i == 0 ? "M" : "L",
		        1 + (WIDTH - 2) * share(since, rise->milliseconds),
		        HEIGHT - 1 - (HEIGHT - 2) * share(point->bytes, rise->last->bytes));
	}
	fputs("\"/></svg></div>\n", out);
}

void fp_report_html_growing(FILE *out, const struct fp_report_growing *growing)
{
	const struct fp_report_rise rise = fp_report_rise_of(growing);

	fputs("<p class=\"what\">From ", out);
	put_point(out, rise.first);
	fputs(" to ", out);
	put_point(out, rise.last);
	fprintf(out, ", never less in any of %zu pictures of the heap. It last rose after ",
	        growing->point_count);
	put_duration(out, rise.last_rise);
	fputs(".</p>\n", out);
	put_drawing(out, growing, &rise);
	fp_report_html_stack(out, growing->stack);
	fp_report_html_excerpt(out, growing->stack, LINES_AROUND_CALL);
	fprintf(out, "<p class=\"quiet\">fingerprint <code>%016" PRIx64 "</code></p>\n",
	        growing->fingerprint);
}

void fp_report_html_growth_end(FILE *out, const struct fp_report *report)
{
	if (report->growth.left_out == 0)
		return;
	fputs("<p class=\"quiet\">", out);
	fp_report_html_count(out, report->growth.left_out, "more stack");
	fputs(" grew, less than those that are listed.</p>\n", out);
}

/* Whether a report of SET was asked about it, and one of those could tell. */
static bool is_any(const struct fp_report_set *set, bool is_judged)
{
	for (size_t i = 0; i < set->count; i++) {
		if (set->reports[i]->growth.is_looked_for &&
		    (!is_judged || set->reports[i]->growth.is_judged))
			return true;
	}
	return false;
}

const char *fp_report_html_no_growth(const struct fp_report_set *set)
{
	if (!is_any(set, false))
		return NULL;
	return is_any(set, true) ? "Nothing that only grew."
	                         : "The run was too short to tell what grows.";
}
