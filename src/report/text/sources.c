/* SPDX-License-Identifier: Apache-2.0
 *
 * Where the parts of a merged report come from, as text. A person wants to know how many and
 * one to look at; all of them are in the JSON.
 */
#include "report/text/parts.h"

enum { NAMES_MAX = 3 };

static bool is_sweep(const struct fp_report *report)
{
	return report->sources[0].layout.size > 0;
}

static void print_share(const struct fp_report_page *page, const struct fp_report *report,
                        const struct fp_report_share *share)
{
	const struct fp_report_source *source = &report->sources[share->source];

	fp_report_print_escaped(page, is_sweep(report) ? source->layout : source->name);
	if (share->count > 1 && !is_sweep(report)) {
		fputs(" (", page->out);
		fp_report_print_number(page, share->count);
		fputc(')', page->out);
	}
}

void fp_report_print_shares(const struct fp_report_page *page, const struct fp_report *report,
                            const struct fp_report_shares *shares)
{
	size_t named = shares->count > NAMES_MAX ? NAMES_MAX : shares->count;
	uint64_t all = fp_report_count_shares(shares);

	if (report->source_count == 0 || all == 0)
		return;
	if (is_sweep(report)) {
		fputs("  shown by the layout ", page->out);
	} else {
		fputs("  in ", page->out);
		fp_report_print_number(page, all);
		fputs(" of ", page->out);
		fp_report_print_count(page, fp_report_count_sources(report), "report");
		fputs(named > 0 ? ": " : "", page->out);
	}
	for (size_t i = 0; i < named; i++) {
		fputs(i > 0 ? ", " : "", page->out);
		print_share(page, report, &shares->items[i]);
	}
	if (named > 0 && named < all) {
		fputs(" and ", page->out);
		fp_report_print_number(page, all - named);
		fputs(" more", page->out);
	}
	fputc('\n', page->out);
}

void fp_report_print_sources(const struct fp_report_page *page, const struct fp_report *report)
{
	if (report->source_count == 0)
		return;
	fputs(", in ", page->out);
	fp_report_print_count(page, fp_report_count_sources(report),
	                      is_sweep(report) ? "layout" : "report");
}
