/* SPDX-License-Identifier: Apache-2.0
 *
 * Title, header and the fixed parts of the HTML page.
 */
#include "report/html/page.h"

#include <inttypes.h>

#include "report/html/parts.h"
#include "report/names.h"
#include "report/stack.h"
#include "report/suppress/suppress.h"

/* Below this many findings and leaks a filter is in the way. */
enum { FILTER_FROM = 6 };

/* What all reports of a set come to. */
struct sum {
	size_t reports;
	uint64_t findings;
	struct fp_report_totals totals;
	size_t checked; /* reports that know which blocks leaked */
	size_t counted; /* reports that know what was allocated */
	uint64_t allocations;
	uint64_t guarded;
	uint64_t peak_bytes; /* the highest of a process */
};

static struct sum sum_up(const struct fp_report_set *set)
{
	struct sum sum = {.reports = set->count};

	for (size_t i = 0; i < set->count; i++) {
		const struct fp_report *report = set->reports[i];
		struct fp_report_totals totals = fp_report_total(report);

		sum.findings += report->finding_count;
		sum.totals.errors += totals.errors;
		sum.totals.leaked_blocks += totals.leaked_blocks;
		sum.totals.leaked_bytes += totals.leaked_bytes;
		sum.checked += fp_report_has_looked_for_leaks(report);
		sum.counted += !report->is_uncounted;
		sum.allocations += report->protection.allocations;
		sum.guarded += report->protection.guarded;
		if (report->heap.peak_bytes > sum.peak_bytes)
			sum.peak_bytes = report->heap.peak_bytes;
	}
	return sum;
}

void fp_report_html_process(FILE *out, const struct fp_report *report)
{
	fp_report_html_text(out, fp_report_base_name(report->executable));
	if (report->pid != 0)
		fprintf(out, " (%" PRIu32 ")", report->pid);
}

static void put_subject(FILE *out, const struct fp_report_set *set)
{
	const struct fp_report *first = set->reports[0];

	if (set->count > 1)
		fprintf(out, "%zu processes", set->count);
	else if (first->source_count > 0)
		fprintf(out, "%" PRIu64 " merged reports", fp_report_count_sources(first));
	else if (first->executable.size > 0)
		fp_report_html_text(out, fp_report_base_name(first->executable));
	else
		fputs("Unknown program", out);
}

void fp_report_html_title(FILE *out, const struct fp_report_set *set)
{
	const struct sum sum = sum_up(set);

	if (sum.findings > 0)
		fp_report_html_count(out, sum.findings, "finding");
	else
		fputs(sum.totals.leaked_blocks > 0 ? "Leaks" : "No findings", out);
	fputs(" in ", out);
	put_subject(out, set);
}

static void put_command(FILE *out, const struct fp_report *report)
{
	if (report->argument_count == 0)
		return;
	fputs("<p class=\"command\"><code>", out);
	for (size_t i = 0; i < report->argument_count; i++) {
		fputs(i > 0 ? " " : "", out);
		fp_report_html_text(out, report->arguments[i]);
	}
	fputs("</code></p>\n", out);
}

static void begin_figure(FILE *out, const char *class, const char *label)
{
	fprintf(out, "<div class=\"figure %s\"><dt>%s</dt><dd>", class, label);
}

static void put_unknown(FILE *out)
{
	fputs("&ndash;", out);
}

static void end_figure(FILE *out)
{
	fputs("</dd></div>\n", out);
}

static void put_leaked(FILE *out, const struct sum *sum, const struct fp_report_view *view)
{
	if (view->leaks == FP_REPORT_LEAKS_NONE || sum->checked == 0) {
		begin_figure(out, "", "leaks not checked");
		put_unknown(out);
	} else if (sum->totals.leaked_blocks == 0) {
		if (sum->checked == sum->reports)
			begin_figure(out, "good", "leaked");
		else
			begin_figure(out, "", "leaked, not checked in all");
		fp_report_html_size(out, 0);
	} else {
		fputs("<div class=\"figure bad\"><dt>leaked in ", out);
		fp_report_html_count(out, sum->totals.leaked_blocks, "block");
		fputs("</dt><dd>", out);
		fp_report_html_size(out, sum->totals.leaked_bytes);
	}
	end_figure(out);
}

static void put_figures(FILE *out, const struct sum *sum, const struct fp_report_view *view)
{
	fputs("<dl class=\"figures\">\n", out);
	begin_figure(out, sum->findings > 0 ? "bad" : "good",
	             sum->findings == 1 ? "finding" : "findings");
	fp_report_html_number(out, sum->findings);
	end_figure(out);
	put_leaked(out, sum, view);
	begin_figure(out, "", "live at the peak");
	if (sum->counted > 0)
		fp_report_html_size(out, sum->peak_bytes);
	else
		put_unknown(out);
	end_figure(out);
	begin_figure(out, "", sum->allocations == 1 ? "allocation" : "allocations");
	if (sum->counted > 0)
		fp_report_html_number(out, sum->allocations);
	else
		put_unknown(out);
	end_figure(out);
	begin_figure(out, "", "guarded");
	if (sum->allocations > 0)
		fprintf(out, "%.4g %%", 100 * (double)sum->guarded / (double)sum->allocations);
	else
		put_unknown(out);
	end_figure(out);
	fputs("</dl>\n", out);
}

void fp_report_html_header(FILE *out, const struct fp_report_set *set,
                           const struct fp_report_view *view)
{
	const struct sum sum = sum_up(set);

	fputs("<a class=\"skip\" href=\"#main\">Skip to the findings</a>\n<header>\n"
	      "<p class=\"brand\"><svg viewBox=\"0 0 20 20\" aria-hidden=\"true\">"
	      "<path d=\"M4 2v16M10 2v16M16 2v16M1 7h18M1 13h18\"/></svg> Fencepost "
	      "report</p>\n"
	      "<h1>",
	      out);
	put_subject(out, set);
	fputs("</h1>\n", out);
	if (set->count == 1)
		put_command(out, set->reports[0]);
	put_figures(out, &sum, view);
	fputs("<nav aria-label=\"Sections\"><a href=\"#findings\">Findings</a>"
	      "<a href=\"#leaks\">Leaks</a>",
	      out);
	if (fp_report_html_no_growth(set))
		fputs("<a href=\"#growth\">Growth</a>", out);
	if (set->reports[0]->suppressions && set->reports[0]->suppressions->count > 0)
		fputs("<a href=\"#suppressions\">Suppressions</a>", out);
	fputs("<a href=\"#memory\">Memory</a><a href=\"#run\">Run</a></nav>\n</header>\n", out);
}

void fp_report_html_tools(FILE *out, size_t count)
{
	if (count < FILTER_FROM)
		return;
	fputs("<div class=\"tools needs-script\" role=\"search\"><input type=\"search\" "
	      "id=\"filter\" placeholder=\"Filter findings and leaks\" "
	      "aria-label=\"Filter findings and leaks\" autocomplete=\"off\" "
	      "spellcheck=\"false\">\n"
	      "<button type=\"button\" id=\"unfold\">Unfold all</button>"
	      "<button type=\"button\" id=\"fold\">Fold all</button>"
	      "<output id=\"filtered\" for=\"filter\"></output></div>\n",
	      out);
}

void fp_report_html_memory(FILE *out)
{
	fputs("<section id=\"memory\" aria-labelledby=\"h-memory\">"
	      "<h2 id=\"h-memory\">Memory</h2>\n"
	      "<div id=\"charts\"></div>\n"
	      "<noscript><p class=\"none\">Flame graphs and the timeline are drawn by a "
	      "script, "
	      "which is switched off here. <code>fencepost report --folded</code> writes the "
	      "same stacks as text.</p></noscript>\n</section>\n",
	      out);
}
