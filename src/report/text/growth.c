/* SPDX-License-Identifier: Apache-2.0
 *
 * Stacks whose live bytes only ever rose, as text. That is no finding: memory that a program
 * needs grows, too, and only somebody who knows the program can tell.
 */
#include <inttypes.h>

#include "report/growth.h"
#include "report/text/parts.h"

void fp_report_print_duration(const struct fp_report_page *page, uint64_t milliseconds)
{
	uint64_t seconds = milliseconds / 1000;

	if (seconds < 60)
		fprintf(page->out, "%" PRIu64 ".%" PRIu64 " s", seconds,
		        milliseconds / 100 % 10);
	else if (seconds < 3600)
		fprintf(page->out, "%" PRIu64 " min %" PRIu64 " s", seconds / 60, seconds % 60);
	else
		fprintf(page->out, "%" PRIu64 " h %" PRIu64 " min", seconds / 3600,
		        seconds / 60 % 60);
}

static void print_point(const struct fp_report_page *page, const struct fp_report_point *point)
{
	fp_report_print_count(page, point->bytes, "byte");
	fputs(" in ", page->out);
	fp_report_print_count(page, point->blocks, "block");
	fputs(" after ", page->out);
	fp_report_print_duration(page, point->milliseconds);
}

void fp_report_print_growing(const struct fp_report_page *page, const struct fp_report *report,
                             const struct fp_report_growing *growing)
{
	const struct fp_report_rise rise = fp_report_rise_of(growing);

	fputs("fencepost: ", page->out);
	fp_report_print_style(page, FP_REPORT_STYLE_WARNING);
	fputs("growth", page->out);
	fp_report_print_style(page, FP_REPORT_STYLE_PLAIN);
	fputs(" of ", page->out);
	fp_report_print_count(page, rise.bytes, "byte");
	fp_report_print_place(page, "at", growing->stack, NULL);
	fputs("\n  from ", page->out);
	print_point(page, rise.first);
	fputs("\n  to   ", page->out);
	print_point(page, rise.last);
	fputs(",\n  ", page->out);
	fp_report_print_count(page, rise.per_minute, "byte");
	fprintf(page->out,
	        " a minute; never less in any of %zu heap snapshots; it last rose after ",
	        growing->point_count);
	fp_report_print_duration(page, rise.last_rise);
	fputc('\n', page->out);
	fp_report_print_shares(page, report, &growing->shares);
	fp_report_print_stack(page, growing->stack);
	fputc('\n', page->out);
}

void fp_report_print_growth_left_out(const struct fp_report_page *page,
                                     const struct fp_report *report)
{
	if (report->growth.left_out == 0)
		return;
	fputs("fencepost: note: ", page->out);
	fp_report_print_count(page, report->growth.left_out, "more stack");
	fputs(" grew, less than those that are listed\n", page->out);
}

void fp_report_print_growth_summary(const struct fp_report_page *page,
                                    const struct fp_report *report)
{
	uint64_t count = report->growth.count;

	if (!report->growth.is_looked_for)
		return;
	if (!report->growth.is_judged) {
		fputs(", growth not judged", page->out);
		return;
	}
	if (count == 0) {
		fputs(", no growth", page->out);
		return;
	}
	fputs(", ", page->out);
	fp_report_print_count(page, count + report->growth.left_out, "stack");
	fputs(count + report->growth.left_out == 1 ? " that only grows" : " that only grow",
	      page->out);
}
