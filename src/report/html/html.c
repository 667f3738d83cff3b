/* SPDX-License-Identifier: Apache-2.0
 *
 * The HTML report: one file that needs nothing else and asks the network for nothing. Findings
 * and leaks are written out as markup and can be read without a script; flame graphs and the
 * timeline are drawn by the script from data beside them. The order on the page is not that of
 * the walk, so each part is collected in memory first.
 */
#include "report/html/page.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "report/formats.h"
#include "report/html/assets.h"
#include "report/html/parts.h"
#include "report/moments.h"
#include "report/names.h"
#include "report/stack.h"

/* Leaks of one process that are written out, the flame graph has them all; sources of one item
 * that are named. */
enum { LEAKS_MAX = 200, SOURCES_MAX = 50 };

enum part { FINDINGS, LEAKS, GROWTH, NOTES, PROCESSES, DATA, PARTS };

struct document {
	FILE *out[PARTS];
	char *text[PARTS];
	size_t size[PARTS];
	size_t findings; /* written so far */
	size_t leaks;    /* of this report */
	size_t all_leaks;
	size_t growing;      /* stacks written so far */
	uint64_t left_bytes; /* of leaks of this report that were left out */
};

static int begin(struct fp_report_walk *walk)
{
	struct document *document = calloc(1, sizeof(*document));

	walk->state = document;
	for (size_t i = 0; document && i < PARTS; i++) {
		document->out[i] = open_memstream(&document->text[i], &document->size[i]);
		if (!document->out[i])
			return -ENOMEM;
	}
	return document ? 0 : -ENOMEM;
}

static void begin_note(const struct fp_report_walk *walk, FILE *notes)
{
	fputs("<li>", notes);
	if (walk->set->count == 1)
		return;
	fp_report_html_process(notes, walk->set->reports[walk->index]);
	fputs(": ", notes);
}

/* What the user asked for is told, but is no finding. */
static void put_failed(FILE *notes, const struct fp_report_failed *failed)
{
	fp_report_html_count(notes, failed->count, "allocation");
	fputs(" failed as fail_alloc asks", notes);
	if (failed->trace == FP_TRACE_NONE) {
		fputs(", of other stacks", notes);
		return;
	}
	fputs(" at ", notes);
	fp_report_html_place(notes, failed->stack, NULL);
}

static int begin_report(struct fp_report_walk *walk, const struct fp_report *report)
{
	struct document *document = walk->state;
	FILE *notes = document->out[NOTES];

	document->leaks = 0;
	document->left_bytes = 0;
	for (size_t i = 0; i < report->note_count; i++) {
		begin_note(walk, notes);
		fp_report_html_text(notes, report->notes[i].text);
		fputs("</li>\n", notes);
	}
	for (size_t i = 0; i < report->failed_count; i++) {
		begin_note(walk, notes);
		put_failed(notes, &report->failed[i]);
		fputs("</li>\n", notes);
	}
	return 0;
}

static void put_source(FILE *out, const struct fp_report *report,
                       const struct fp_report_share *share)
{
	const struct fp_report_source *source;

	if (share->source >= report->source_count)
		return;
	source = &report->sources[share->source];
	fputs("<li>", out);
	fp_report_html_text(out, source->name.size > 0 ? source->name : source->executable);
	if (source->layout.size > 0) {
		fputs(" (", out);
		fp_report_html_text(out, source->layout);
		fputc(')', out);
	}
	if (source->pid != 0)
		fprintf(out, ", process %" PRIu32, source->pid);
	fputs(": ", out);
	fp_report_html_number(out, share->count);
	fputs("</li>\n", out);
}

static void put_sources(FILE *out, const struct fp_report *report,
                        const struct fp_report_shares *shares)
{
	size_t named = shares->count < SOURCES_MAX ? shares->count : SOURCES_MAX;
	uint64_t all = fp_report_count_shares(shares);

	if (report->source_count == 0 || all == 0)
		return;
	fputs("<details class=\"stack\"><summary>In ", out);
	fp_report_html_number(out, all);
	fputs(" of ", out);
	fp_report_html_count(out, fp_report_count_sources(report), "source");
	fputs("</summary>\n<ul>\n", out);
	for (size_t i = 0; i < named; i++)
		put_source(out, report, &shares->items[i]);
	if (named < all) {
		fputs("<li>and ", out);
		fp_report_html_number(out, all - named);
		fputs(" more</li>\n", out);
	}
	fputs("</ul></details>\n", out);
}

static int add_finding(struct fp_report_walk *walk, const struct fp_report_finding *finding)
{
	struct document *document = walk->state;
	const struct fp_report *report = walk->set->reports[walk->index];
	FILE *out = document->out[FINDINGS];

	fprintf(out, "<details class=\"item %s\" id=\"finding-%zu\"%s>\n",
	        fp_finding_traits(finding->kind)->severity, document->findings + 1,
	        document->findings == 0 ? " open" : "");
	document->findings++;
	fp_report_html_headline(out, finding, walk->set->count > 1 ? report : NULL);
	fputs("<div class=\"body\">\n", out);
	fp_report_html_finding(out, report, finding);
	put_sources(out, report, &finding->shares);
	fputs("</div>\n</details>\n", out);
	return 0;
}

static int add_leak(struct fp_report_walk *walk, const struct fp_report_leak *leak)
{
	struct document *document = walk->state;
	const struct fp_report *report = walk->set->reports[walk->index];
	FILE *out = document->out[LEAKS];

	document->all_leaks++;
	if (document->leaks++ >= LEAKS_MAX) {
		document->left_bytes += leak->bytes;
		return 0;
	}
	fprintf(out, "<details class=\"item leak %s\" id=\"leak-%zu\">\n",
	        fp_leak_class_name(leak->class), document->all_leaks);
	fp_report_html_leak_headline(out, leak, walk->set->count > 1 ? report : NULL);
	fputs("<div class=\"body\">\n", out);
	fp_report_html_leak(out, leak, report->is_check_repeated);
	put_sources(out, report, &leak->shares);
	fputs("</div>\n</details>\n", out);
	return 0;
}

static void add_growing(struct fp_report_walk *walk, const struct fp_report *report)
{
	struct document *document = walk->state;
	FILE *out = document->out[GROWTH];

	for (size_t i = 0; i < report->growth.count; i++) {
		const struct fp_report_growing *growing = &report->growth.stacks[i];

		fprintf(out, "<details class=\"item growing\" id=\"growth-%zu\">\n",
		        ++document->growing);
		fp_report_html_growing_headline(out, growing,
		                                walk->set->count > 1 ? report : NULL);
		fputs("<div class=\"body\">\n", out);
		fp_report_html_growing(out, growing);
		put_sources(out, report, &growing->shares);
		fputs("</div>\n</details>\n", out);
	}
	fp_report_html_growth_end(out, report);
}

static void put_possible(FILE *out, const struct fp_report *report,
                         const struct fp_report_view *view)
{
	struct fp_report_totals totals = fp_report_total(report);

	if (view->has_possible || view->leaks == FP_REPORT_LEAKS_NONE ||
	    totals.possible_blocks == 0)
		return;
	fputs("<p class=\"quiet\">", out);
	fp_report_html_count(out, totals.possible_blocks, "block");
	fputs(" with ", out);
	fp_report_html_size(out, totals.possible_bytes);
	fputs(totals.possible_blocks == 1 ? " is" : " are", out);
	fputs(" possibly leaked and not listed here: only pointers into the middle were found. "
	      "<code>--show-possible</code> lists them.</p>\n",
	      out);
}

static int end_report(struct fp_report_walk *walk, const struct fp_report *report)
{
	struct document *document = walk->state;
	FILE *out = document->out[LEAKS];
	size_t growing = document->growing;

	if (document->leaks > LEAKS_MAX) {
		fputs("<p class=\"quiet\">", out);
		fp_report_html_count(out, document->leaks - LEAKS_MAX, "smaller leak");
		fputs(" with ", out);
		fp_report_html_size(out, document->left_bytes);
		fputs(" in all are not listed here; the flame graph and the JSON report have "
		      "them.</p>\n",
		      out);
	}
	put_possible(out, report, walk->view);
	add_growing(walk, report);
	fp_report_html_facts(document->out[PROCESSES], report, walk->set->count == 1);
	fputs(walk->index > 0 ? ",\n" : "", document->out[DATA]);
	return fp_report_html_data(document->out[DATA], report, walk->view, growing);
}

static void put_head(const struct fp_report_walk *walk)
{
	fprintf(walk->out,
	        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
	        "style-src '%s'; script-src '%s'; base-uri 'none'; form-action 'none'\">\n"
	        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	        "<meta name=\"color-scheme\" content=\"light dark\">\n"
	        "<meta name=\"generator\" content=\"%s %s\">\n<title>",
	        fp_report_html_style_digest, fp_report_html_script_digest, PACKAGE_NAME,
	        PACKAGE_VERSION);
	fp_report_html_title(walk->out, walk->set);
	fprintf(walk->out, "</title>\n<style>%s</style>\n</head>\n<body>\n",
	        fp_report_html_style);
}

/* Part PART under a heading, or what to say when it is empty. */
static void put_section(const struct fp_report_walk *walk, enum part part, const char *heading,
                        const char *empty)
{
	const struct document *document = walk->state;

	fprintf(walk->out, "%s\n", heading);
	if (document->size[part] > 0)
		fwrite(document->text[part], 1, document->size[part], walk->out);
	else
		fprintf(walk->out, "<p class=\"none\">%s</p>\n", empty);
	fputs("</section>\n", walk->out);
}

static void put_notes(const struct fp_report_walk *walk)
{
	const struct document *document = walk->state;

	if (document->size[NOTES] == 0)
		return;
	fputs("<ul class=\"notes\" aria-label=\"Notes\">\n", walk->out);
	fwrite(document->text[NOTES], 1, document->size[NOTES], walk->out);
	fputs("</ul>\n", walk->out);
}

static const char *explain_no_leaks(const struct fp_report_walk *walk)
{
	size_t checked = 0;

	for (size_t i = 0; i < walk->set->count; i++)
		checked += fp_report_has_looked_for_leaks(walk->set->reports[i]);
	if (walk->view->leaks == FP_REPORT_LEAKS_NONE || checked == 0)
		return "Leaks were not looked for.";
	return checked == walk->set->count ? "No leaks."
	                                   : "No leaks where they were looked for.";
}

/* Only of runs that were asked about it. */
static void put_growth(const struct fp_report_walk *walk)
{
	const char *empty = fp_report_html_no_growth(walk->set);

	if (empty)
		put_section(walk, GROWTH,
		            "<section id=\"growth\" aria-labelledby=\"h-growth\">"
		            "<h2 id=\"h-growth\">Growth</h2>\n<p class=\"what\">Allocation "
		            "stacks whose live bytes only ever rose. What levelled off is not "
		            "among them; what a program needs may be.</p>",
		            empty);
}

static void put_page(const struct fp_report_walk *walk)
{
	const struct document *document = walk->state;

	put_head(walk);
	fp_report_html_header(walk->out, walk->set, walk->view);
	fputs("<main id=\"main\">\n", walk->out);
	put_notes(walk);
	fp_report_html_tools(walk->out,
	                     document->findings + document->all_leaks + document->growing);
	put_section(walk, FINDINGS,
	            "<section id=\"findings\" aria-labelledby=\"h-findings\">"
	            "<h2 id=\"h-findings\">Findings</h2>",
	            "No findings.");
	put_section(walk, LEAKS,
	            "<section id=\"leaks\" aria-labelledby=\"h-leaks\">"
	            "<h2 id=\"h-leaks\">Leaks</h2>",
	            explain_no_leaks(walk));
	put_growth(walk);
	/* All reports of a set have the same. */
	fp_report_html_suppressions(walk->out, walk->set->reports[0]);
	fp_report_html_memory(walk->out);
	put_section(walk, PROCESSES,
	            "<section id=\"run\" aria-labelledby=\"h-run\"><h2 id=\"h-run\">Run</h2>",
	            "");
	fputs("</main>\n<script type=\"application/json\" id=\"data\">[", walk->out);
	fwrite(document->text[DATA], 1, document->size[DATA], walk->out);
	fprintf(walk->out, "]</script>\n<script>%s</script>\n</body>\n</html>\n",
	        fp_report_html_script);
}

static int end(struct fp_report_walk *walk)
{
	struct document *document = walk->state;
	int result = 0;

	for (size_t i = 0; i < PARTS; i++) {
		FILE *out = document->out[i];

		document->out[i] = NULL;
		if (fclose(out) != 0)
			result = -ENOMEM;
	}
	if (result == 0)
		put_page(walk);
	return result;
}

static void release(struct fp_report_walk *walk)
{
	struct document *document = walk->state;

	for (size_t i = 0; document && i < PARTS; i++) {
		if (document->out[i])
			fclose(document->out[i]);
		free(document->text[i]);
	}
	free(document);
}

const struct fp_report_writer fp_report_html_writer = {
        .name = "html",
        .has_snapshots = true,
        .begin = begin,
        .begin_report = begin_report,
        .finding = add_finding,
        .leak = add_leak,
        .end_report = end_report,
        .end = end,
        .release = release,
};
