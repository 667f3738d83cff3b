/* SPDX-License-Identifier: Apache-2.0
 *
 * One finding and one leak as markup: a line to recognise it by, and what one needs to know to
 * mend it.
 */
#include <inttypes.h>

#include "report/html/page.h"
#include "report/html/parts.h"
#include "report/moments.h"
#include "report/names.h"
#include "report/stack.h"

/* Lines of source before and after the one that matters most; others get one. */
enum { LINES_AROUND_CALL = 3 };

static void put_process(FILE *out, const struct fp_report *report)
{
	if (!report)
		return;
	fputs("<span class=\"tag\">", out);
	fp_report_html_process(out, report);
	fputs("</span> ", out);
}

void fp_report_html_headline(FILE *out, const struct fp_report_finding *finding,
                             const struct fp_report *report)
{
	const struct fp_report_stack *stack = finding->stack;
	bool is_at_exit = !stack || stack->count == 0;

	fprintf(out, "<summary><span class=\"kind\">%s</span> <span class=\"place\">",
	        fp_finding_traits(finding->kind)->name);
	if (is_at_exit && finding->has_block)
		fp_report_html_place(out, finding->block.alloc_stack, &finding->block.site);
	else
		fp_report_html_place(out, stack, NULL);
	fputs("</span> <span class=\"marks\">", out);
	put_process(out, report);
	if (finding->count > 1) {
		fputs("<span class=\"count\">", out);
		fp_report_html_count(out, finding->count, "time");
		fputs("</span>", out);
	}
	fputs("</span></summary>\n", out);
}

/* TEXT as the beginning of a sentence. */
static void put_sentence(FILE *out, struct fp_report_string text)
{
	char first = text.bytes[0];

	if (first >= 'a' && first <= 'z') {
		fputc(first - 'a' + 'A', out);
		text.bytes++;
		text.size--;
	}
	fp_report_html_text(out, text);
}

static void put_description(FILE *out, const struct fp_report_finding *finding)
{
	const struct fp_finding_traits *info = fp_finding_traits(finding->kind);
	const char *hresult = fp_report_hresult_name(finding->hresult);

	fputs("<p class=\"what\">", out);
	put_sentence(out, finding->description.size > 0 ? finding->description
	                                                : fp_report_text(info->title));
	fputc('.', out);
	if (finding->has_hresult && hresult)
		fprintf(out, " The caller got <code>%s</code>.", hresult);
	else if (finding->has_hresult)
		fprintf(out, " The caller got <code>0x%08" PRIx32 "</code>.",
		        (uint32_t)finding->hresult);
	fputs("</p>\n", out);
}

static void put_moment(FILE *out, const struct fp_report_moment *moment,
                       const struct fp_report_finding *finding)
{
	bool is_call = moment->kind == FP_REPORT_CALL;

	if (is_call && finding->trace == FP_TRACE_NONE && moment->stack->count == 0) {
		fputs("<p class=\"quiet\">Found when the process ended.</p>\n", out);
		return;
	}
	fprintf(out,
	        "<details class=\"stack\" open><summary><span class=\"title\">%c%s</span> by "
	        "thread %" PRIu32,
	        moment->title[0] - 'a' + 'A', moment->title + 1, moment->thread);
	if (is_call && finding->thread_name.size > 0) {
		fputs(" (", out);
		fp_report_html_text(out, finding->thread_name);
		fputc(')', out);
	}
	if (moment->stack && moment->stack->within[0] != '\0') {
		fputs(" through ", out);
		fp_report_html_text(out, fp_report_text(moment->stack->within));
	}
	fputs("</summary>\n", out);
	fp_report_html_stack(out, moment->stack);
	fp_report_html_excerpt(out, moment->stack, is_call ? LINES_AROUND_CALL : 1);
	fputs("</details>\n", out);
}

static void put_site(FILE *out, const struct fp_report_site *site)
{
	if (site->line == 0 && site->file.size == 0)
		return;
	fputs("<dt>asked for at</dt><dd>", out);
	fp_report_html_text(out, site->file);
	fprintf(out, ":%" PRIu32 "</dd>\n", site->line);
}

static void put_block_facts(FILE *out, const struct fp_report_block *block, bool is_region)
{
	const char *level = fp_level_name(block->level);

	fprintf(out, "<dl class=\"facts\">\n<dt>%s</dt><dd>", is_region ? "region" : "block");
	fp_report_html_count(out, block->size, "byte");
	fprintf(out, " at <code>0x%" PRIx64 "</code></dd>\n<dt>%s</dt><dd>", block->address,
	        is_region ? "number" : "serial");
	fp_report_html_number(out, block->serial);
	fputs("</dd>\n", out);
	if (!is_region)
		fprintf(out,
		        "<dt>heap</dt><dd>%" PRIu32 "</dd>\n<dt>family</dt><dd>%s</dd>\n"
		        "<dt>tier</dt><dd>%s</dd>\n",
		        block->heap, fp_family_name(block->family), fp_tier_name(block->tier));
	if (level)
		fprintf(out, "<dt>critical level</dt><dd>%s</dd>\n", level);
	put_site(out, &block->site);
	fputs("</dl>\n", out);
}

static void put_evidence(FILE *out, const struct fp_report_finding *finding)
{
	size_t size = finding->evidence.size < FP_EVIDENCE_MAX ? finding->evidence.size
	                                                       : FP_EVIDENCE_MAX;

	if (size == 0)
		return;
	fprintf(out, "<p class=\"label\">%s</p>\n<pre class=\"bytes\">",
	        finding->is_evidence_last ? "What the block held when it was freed"
	                                  : "Changed bytes");
	for (size_t line = 0; line < size; line += 16) {
		size_t end = line + 16 < size ? line + 16 : size;
		size_t missing = size > 16 ? line + 16 - end : 0;

		fprintf(out, "<span class=\"file\">%6" PRId64 "</span>  ",
		        finding->evidence_offset + (int64_t)line);
		for (size_t i = line; i < end; i++)
			fprintf(out, "%02x ", (unsigned char)finding->evidence.bytes[i]);
		fprintf(out, "%*s", (int)(3 * missing + 1), "");
		for (size_t i = line; i < end; i++) {
			char byte = finding->evidence.bytes[i];
			bool is_shown = byte >= 0x20 && byte < 0x7f;

			fp_report_html_text(
			        out, (struct fp_report_string){is_shown ? &byte : ".", 1});
		}
		fputc('\n', out);
	}
	fputs("</pre>\n", out);
}

static void put_marks(FILE *out, uint64_t fingerprint, int cwe)
{
	fprintf(out, "<p class=\"quiet\">fingerprint <code>%016" PRIx64 "</code>", fingerprint);
	if (cwe > 0)
		fprintf(out, ", CWE-%d", cwe);
	fputs("</p>\n", out);
}

void fp_report_html_finding(FILE *out, const struct fp_report *report,
                            const struct fp_report_finding *finding)
{
	struct fp_report_moment moments[FP_REPORT_MOMENTS_MAX];
	size_t count = fp_report_moments(finding, moments);

	put_description(out, finding);
	if (finding->has_block)
		fp_report_html_block(out, report, finding);
	put_evidence(out, finding);
	for (size_t i = 0; i < count; i++)
		put_moment(out, &moments[i], finding);
	if (finding->has_block)
		put_block_facts(out, &finding->block, finding->page.state != FP_PAGE_NONE);
	put_marks(out, finding->fingerprint, fp_finding_traits(finding->kind)->cwe);
}

void fp_report_html_leak_headline(FILE *out, const struct fp_report_leak *leak,
                                  const struct fp_report *report)
{
	fputs("<summary><span class=\"kind\">", out);
	fp_report_html_size(out, leak->bytes);
	fputs("</span> <span class=\"place\">", out);
	fp_report_html_place(out, leak->stack, &leak->site);
	fputs("</span> <span class=\"marks\">", out);
	put_process(out, report);
	if (leak->class != FP_LEAK_DEFINITE)
		fprintf(out, "<span class=\"tag\">%s</span> ", fp_leak_class_name(leak->class));
	fputs("<span class=\"count\">", out);
	fp_report_html_count(out, leak->blocks, "block");
	fputs("</span></span></summary>\n", out);
}

void fp_report_html_leak(FILE *out, const struct fp_report_leak *leak, bool is_repeated)
{
	fputs("<p class=\"what\">", out);
	fp_report_html_count(out, leak->bytes, "byte");
	fputs(" in ", out);
	fp_report_html_count(out, leak->blocks, "block");
	fprintf(out, ", %s", fp_leak_class_name(leak->class));
	if (leak->has_age) {
		fputs(", ", out);
		fp_report_put_age(out, &leak->age);
	}
	if (is_repeated) {
		fputs("; new since the last check: ", out);
		fp_report_html_count(out, leak->new.blocks, "block");
	}
	fputs(".</p>\n", out);
	fp_report_html_stack(out, leak->stack);
	fp_report_html_excerpt(out, leak->stack, LINES_AROUND_CALL);
	if (leak->site.line > 0 || leak->site.file.size > 0) {
		fputs("<dl class=\"facts\">\n", out);
		put_site(out, &leak->site);
		fputs("</dl>\n", out);
	}
	put_marks(out, leak->fingerprint, 0);
}
