/* SPDX-License-Identifier: Apache-2.0
 *
 * How a process was run and how it went: command, end, protection, totals and settings.
 */
#include <inttypes.h>
#include <string.h>

#include "report/html/page.h"
#include "report/html/parts.h"
#include "report/stack.h"
#include "report/suppress/suppress.h"

enum { SOURCES_MAX = 50, SUPPRESSIONS_MAX = 500 };

static void put_end(FILE *out, const struct fp_report *report)
{
	const char *name = NULL;

	switch (report->exit) {
	case FP_LOG_EXIT_CODE:
		fprintf(out, "exit status %" PRId32, report->exit_value);
		break;
	case FP_LOG_EXIT_SIGNAL:
		name = sigabbrev_np(report->exit_value);
		if (name)
			fprintf(out, "killed by SIG%s", name);
		else
			fprintf(out, "killed by signal %" PRId32, report->exit_value);
		break;
	default:
		fputs("not known", out);
	}
}

static void put_command(FILE *out, const struct fp_report *report)
{
	fputs("<dt>command</dt><dd><code>", out);
	for (size_t i = 0; i < report->argument_count; i++) {
		fputs(i > 0 ? " " : "", out);
		fp_report_html_text(out, report->arguments[i]);
	}
	fputs("</code></dd>\n<dt>executable</dt><dd><code>", out);
	fp_report_html_text(out, report->executable);
	fputs("</code></dd>\n<dt>process</dt><dd>", out);
	fprintf(out, "%" PRIu32 ", started by %" PRIu32 "</dd>\n<dt>end</dt><dd>", report->pid,
	        report->ppid);
	put_end(out, report);
	fputs("</dd>\n", out);
}

/* Of a merged report. */
static void put_sources(FILE *out, const struct fp_report *report)
{
	size_t named = report->source_count < SOURCES_MAX ? report->source_count : SOURCES_MAX;

	fputs("<dt>sources</dt><dd>", out);
	for (size_t i = 0; i < named; i++) {
		const struct fp_report_source *source = &report->sources[i];

		fputs(i > 0 ? ", " : "", out);
		fp_report_html_text(out, source->name.size > 0 ? source->name : source->layout);
	}
	if (named < fp_report_count_sources(report))
		fprintf(out, " and %" PRIu64 " more", fp_report_count_sources(report) - named);
	fputs("</dd>\n", out);
}

static void put_number(FILE *out, const char *label, uint64_t number)
{
	fprintf(out, "<dt>%s</dt><dd>", label);
	fp_report_html_number(out, number);
	fputs("</dd>\n", out);
}

static void put_heap(FILE *out, const struct fp_report *report)
{
	if (report->is_uncounted) {
		fputs("<dt>allocations</dt><dd>not known</dd>\n", out);
		return;
	}
	put_number(out, "allocations", report->protection.allocations);
	put_number(out, "guarded", report->protection.guarded);
	put_number(out, "padded", report->protection.padded);
	put_number(out, "plain", report->protection.plain);
	for (size_t i = 0; i < report->reason_count; i++) {
		fputs("<dt>not guarded: ", out);
		fp_report_html_text(out, report->reasons[i].text);
		fputs("</dt><dd>", out);
		fp_report_html_number(out, report->reasons[i].blocks);
		fputs("</dd>\n", out);
	}
	put_number(out, "frees", report->heap.frees);
	fputs("<dt>live at the end</dt><dd>", out);
	fp_report_html_size(out, report->heap.live_bytes);
	fputs(" in ", out);
	fp_report_html_count(out, report->heap.live_blocks, "block");
	fputs("</dd>\n<dt>live at the peak</dt><dd>", out);
	fp_report_html_size(out, report->heap.peak_bytes);
	fputs("</dd>\n", out);
}

static void put_settings(FILE *out, const struct fp_report *report)
{
	if (report->setting_count == 0)
		return;
	fputs("<details class=\"stack\"><summary>Settings</summary>\n<dl class=\"facts\">\n",
	      out);
	for (size_t i = 0; i < report->setting_count; i++) {
		fputs("<dt>", out);
		fp_report_html_text(out, report->settings[i].key);
		fputs("</dt><dd>", out);
		if (report->settings[i].value.size > 0)
			fp_report_html_text(out, report->settings[i].value);
		else
			fputs("&ndash;", out);
		fputs("</dd>\n", out);
	}
	fputs("</dl></details>\n", out);
}

static const char *word_for(const struct fp_report_suppression *suppression)
{
	switch (suppression->state) {
	case FP_REPORT_SUPPRESSION_FOREIGN:
		return "names what is never found here";
	case FP_REPORT_SUPPRESSION_EXPIRED:
		return suppression->matched > 0 ? "expired: what it matches is reported"
		                                : "expired, and matched nothing";
	case FP_REPORT_SUPPRESSION_EXCEEDED:
		return "exceeded: what it matches is reported";
	default:
		return suppression->matched > 0 ? "used" : "never used";
	}
}

static void put_suppression(FILE *out, const struct fp_report_suppression *suppression)
{
	fputs("<tr><td><code>", out);
	fp_report_html_text(out, fp_report_text(suppression->name));
	fputs("</code></td><td>", out);
	fp_report_html_text(out, fp_report_text(suppression->file));
	fprintf(out, ":%" PRIu32 "</td><td>%s", suppression->line, word_for(suppression));
	if (suppression->has_max)
		fprintf(out, ", max=%" PRIu64, suppression->max);
	if (suppression->until[0] != '\0')
		fprintf(out, ", until=%s", suppression->until);
	fputs("</td><td class=\"number\">", out);
	fp_report_html_number(out, suppression->matched);
	fputs("</td><td class=\"number\">", out);
	fp_report_html_number(out, suppression->used);
	fputs("</td></tr>\n", out);
}

void fp_report_html_suppressions(FILE *out, const struct fp_report *report)
{
	const struct fp_report_suppressions *suppressions = report->suppressions;
	size_t named;

	if (!suppressions || suppressions->count == 0)
		return;
	named = suppressions->count < SUPPRESSIONS_MAX ? suppressions->count : SUPPRESSIONS_MAX;
	fputs("<section id=\"suppressions\" aria-labelledby=\"h-suppressions\">"
	      "<h2 id=\"h-suppressions\">Suppressions</h2>\n<div class=\"wide\"><table>\n"
	      "<thead><tr><th scope=\"col\">suppression</th><th scope=\"col\">file</th>"
	      "<th scope=\"col\">what it did</th><th scope=\"col\">findings and leaked blocks "
	      "it matches</th><th scope=\"col\">findings and leaks taken "
	      "out</th></tr></thead>\n"
	      "<tbody>\n",
	      out);
	for (size_t i = 0; i < named; i++)
		put_suppression(out, &suppressions->items[i]);
	fputs("</tbody></table></div>\n", out);
	if (named < suppressions->count) {
		fputs("<p class=\"quiet\">and ", out);
		fp_report_html_number(out, suppressions->count - named);
		fputs(" more</p>\n", out);
	}
	fputs("</section>\n", out);
}

void fp_report_html_facts(FILE *out, const struct fp_report *report, bool is_open)
{
	fprintf(out, "<details class=\"item process\"%s>\n<summary><span class=\"kind\">",
	        is_open ? " open" : "");
	fp_report_html_process(out, report);
	fputs("</span> <span class=\"marks\">", out);
	fp_report_html_count(out, report->finding_count, "finding");
	if (report->source_count == 0) {
		fputs(", ", out);
		put_end(out, report);
	}
	fputs("</span></summary>\n<div class=\"body\">\n<dl class=\"facts\">\n", out);
	if (report->source_count > 0)
		put_sources(out, report);
	else
		put_command(out, report);
	put_heap(out, report);
	fputs("</dl>\n", out);
	put_settings(out, report);
	fputs("</div>\n</details>\n", out);
}
