/* SPDX-License-Identifier: Apache-2.0
 *
 * The text report, for a person in a hurry: what and where in the first line, then what is
 * needed to understand it, and one line at the end that says how the run went.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "report/formats.h"
#include "report/moments.h"
#include "report/names.h"
#include "report/stack.h"
#include "report/suppress/text.h"

enum { TEXT_MIN = 4 /* characters that are hardly there by chance */ };

static void print_description(const struct fp_report_page *page,
                              const struct fp_report_finding *finding)
{
	if (finding->description.size > 0) {
		fputs("  ", page->out);
		fp_report_print_escaped(page, finding->description);
		fputc('\n', page->out);
	}
	if (finding->has_hresult) {
		const char *name = fp_report_hresult_name(finding->hresult);

		fputs("  the caller got ", page->out);
		if (name)
			fprintf(page->out, "%s\n", name);
		else
			fprintf(page->out, "0x%08" PRIx32 "\n", (uint32_t)finding->hresult);
	}
}

static void print_call_stack(const struct fp_report_page *page,
                             const struct fp_report_finding *finding,
                             const struct fp_report_moment *call)
{
	if (finding->trace == FP_TRACE_NONE && finding->stack->count == 0) {
		fputs("  found when the process ended\n", page->out);
		return;
	}
	fprintf(page->out, "  %s by thread %" PRIu32, call->title, finding->thread);
	if (finding->thread_name.size > 0) {
		fputs(" (", page->out);
		fp_report_print_escaped(page, finding->thread_name);
		fputc(')', page->out);
	}
	if (finding->stack->within[0] != '\0')
		fprintf(page->out, " through %s", finding->stack->within);
	fputs(":\n", page->out);
	fp_report_print_stack(page, finding->stack);
}

static void print_region(const struct fp_report_page *page,
                         const struct fp_report_block *region)
{
	const char *level = fp_level_name(region->level);

	fputs("  the region: ", page->out);
	fp_report_print_count(page, region->size, "byte");
	fprintf(page->out, " at 0x%" PRIx64 ", number %" PRIu64 ", of VirtualAlloc",
	        region->address, region->serial);
	if (level)
		fprintf(page->out, ", critical level %s", level);
	fputc('\n', page->out);
}

static void print_block(const struct fp_report_page *page, const struct fp_report_block *block)
{
	const char *level = fp_level_name(block->level);

	fputs("  the block: ", page->out);
	fp_report_print_count(page, block->size, "byte");
	fprintf(page->out, " at 0x%" PRIx64 ", serial %" PRIu64 ", heap %" PRIu32,
	        block->address, block->serial, block->heap);
	fprintf(page->out, ", family %s, %s", fp_family_name(block->family),
	        fp_tier_name(block->tier));
	if (level)
		fprintf(page->out, ", critical level %s", level);
	fp_report_print_site(page, ", asked for at ", &block->site);
	fputc('\n', page->out);
}

/* Where the first changed byte stands, in the words of someone who counts from the block. */
static void print_distance(const struct fp_report_page *page,
                           const struct fp_report_finding *finding)
{
	int64_t offset = finding->evidence_offset;
	uint64_t size = finding->block.size;

	if (!finding->has_block)
		return;
	if (offset < 0)
		fprintf(page->out, ", %" PRIu64 " before the start", 0 - (uint64_t)offset);
	else if ((uint64_t)offset >= size)
		fprintf(page->out, ", %" PRIu64 " past the end", (uint64_t)offset - size);
	else
		fprintf(page->out, ", %" PRIu64 " inside", (uint64_t)offset);
}

/* SIZE without the zeros at the end, which end a string; 0 when the rest is no text. */
static size_t text_length(const char *bytes, size_t size)
{
	size_t length = size;

	while (length > 0 && bytes[length - 1] == '\0')
		length--;
	for (size_t i = 0; i < length; i++)
		if (bytes[i] < 0x20 || bytes[i] >= 0x7f)
			return 0;
	return length >= TEXT_MIN ? length : 0;
}

static void print_bytes(const struct fp_report_page *page, const char *bytes, size_t size)
{
	size_t length = text_length(bytes, size);

	fputc(':', page->out);
	if (length > 0) {
		fprintf(page->out, " \"%.*s\"", (int)length, bytes);
		if (length < size) {
			fputs(" and ", page->out);
			fp_report_print_count(page, size - length, "zero byte");
		}
		fputc('\n', page->out);
		return;
	}
	for (size_t i = 0; i < size; i++)
		fprintf(page->out, " %02x", (unsigned char)bytes[i]);
	fputs(" |", page->out);
	for (size_t i = 0; i < size; i++)
		fputc(bytes[i] >= 0x20 && bytes[i] < 0x7f ? bytes[i] : '.', page->out);
	fputs("|\n", page->out);
}

static void print_evidence(const struct fp_report_page *page,
                           const struct fp_report_finding *finding)
{
	const char *bytes = finding->evidence.bytes;
	size_t size = finding->evidence.size;

	if (size == 0)
		return;
	if (size > FP_EVIDENCE_MAX)
		size = FP_EVIDENCE_MAX;
	if (finding->is_evidence_last) {
		fputs("  when it was freed the block held", page->out);
	} else {
		fputs("  changed bytes", page->out);
		print_distance(page, finding);
	}
	print_bytes(page, bytes, size);
}

static void print_stacks(const struct fp_report_page *page,
                         const struct fp_report_finding *finding)
{
	struct fp_report_moment moments[FP_REPORT_MOMENTS_MAX];
	size_t count = fp_report_moments(finding, moments);

	print_call_stack(page, finding, &moments[0]);
	for (size_t i = 1; i < count; i++) {
		char words[FP_REPORT_MOMENT_WORDS_MAX];

		fp_report_moment_words(&moments[i], words);
		fprintf(page->out, "  %s:\n", words);
		fp_report_print_stack(page, moments[i].stack);
	}
}

static void print_finding(const struct fp_report_page *page, const struct fp_report *report,
                          const struct fp_report_finding *finding)
{
	bool is_region = finding->page.state != FP_PAGE_NONE;

	fputs("fencepost: ", page->out);
	fp_report_print_title(page, finding);
	fputc('\n', page->out);
	print_description(page, finding);
	fp_report_print_shares(page, report, &finding->shares);
	fp_report_print_excerpt(page, finding->stack);
	print_stacks(page, finding);
	if (finding->has_block)
		(is_region ? print_region : print_block)(page, &finding->block);
	print_evidence(page, finding);
	fp_report_print_again(page, report, finding);
	fp_report_print_crash(page, finding);
	fputc('\n', page->out);
}

/* What the user asked for is told, but is no finding. */
static void print_failed(const struct fp_report_page *page,
                         const struct fp_report_failed *failed)
{
	fputs("fencepost: ", page->out);
	fp_report_print_count(page, failed->count, "allocation");
	fputs(" failed as fail_alloc asks", page->out);
	if (failed->trace == FP_TRACE_NONE) {
		fputs(", of other stacks\n\n", page->out);
		return;
	}
	fp_report_print_place(page, "at", failed->stack, NULL);
	fputs("\n  the first: ", page->out);
	fp_report_print_count(page, failed->size, "byte");
	fprintf(page->out, ", serial %" PRIu64 ", heap %" PRIu32 ", family %s", failed->serial,
	        failed->heap, fp_family_name(failed->family));
	if (failed->family == FP_FAMILY_HOST && failed->level < FP_LEVEL_NONE)
		fprintf(page->out, ", critical level %s", fp_level_name(failed->level));
	fputc('\n', page->out);
	fp_report_print_stack(page, failed->stack);
	fputc('\n', page->out);
}

static void print_notes(const struct fp_report_page *page, const struct fp_report *report)
{
	uint64_t unguarded = report->protection.padded + report->protection.plain;

	for (size_t i = 0; i < report->note_count; i++) {
		fputs("fencepost: note: ", page->out);
		fp_report_print_escaped(page, report->notes[i]);
		fputc('\n', page->out);
	}
	if (unguarded == 0)
		return;
	fputs("fencepost: note: ", page->out);
	fp_report_print_count(page, unguarded, "block");
	fputs(unguarded == 1 ? " was not guarded" : " were not guarded", page->out);
	for (size_t i = 0; i < report->protection.reason_count; i++) {
		fputs(i == 0 ? ": " : ", ", page->out);
		fp_report_print_number(page, report->protection.reasons[i].blocks);
		fputs(" for ", page->out);
		fp_report_print_escaped(page, report->protection.reasons[i].text);
	}
	fputc('\n', page->out);
}

static bool is_silent(const struct fp_report_walk *walk, const struct fp_report *report)
{
	bool has_leaks = walk->view->leaks != FP_REPORT_LEAKS_NONE &&
	                 fp_report_total(report).leaked_blocks > 0;

	/* Of many processes only those that have something to say are heard. */
	return (walk->view->is_quiet || (walk->set->count > 1 && !walk->view->is_whole)) &&
	       report->finding_count == 0 && report->growth.count == 0 && !has_leaks;
}

static struct fp_report_page page_of(const struct fp_report_walk *walk)
{
	return (struct fp_report_page){walk->out, walk->view->has_colour,
	                               walk->view->has_all_frames, walk->view->has_possible};
}

static int print_suppression(const struct fp_report_page *page, int result, char **block)
{
	if (result == 0)
		fprintf(page->out, "%s\n", *block);
	free(*block);
	return result;
}

/* It was shown when it was made; how often it was made is known now. */
static void print_repeated(const struct fp_report_page *page,
                           const struct fp_report_finding *finding)
{
	if (finding->count < 2)
		return;
	fputs("fencepost: happened again: ", page->out);
	fp_report_print_title(page, finding);
	fputs("\n\n", page->out);
}

static int write_finding(struct fp_report_walk *walk, const struct fp_report_finding *finding)
{
	const struct fp_report *report = walk->set->reports[walk->index];
	const struct fp_report_page page = page_of(walk);
	char *block = NULL;

	if (finding->index < report->shown && !walk->view->is_whole) {
		print_repeated(&page, finding);
		return 0;
	}
	print_finding(&page, report, finding);
	if (!walk->view->has_blocks)
		return 0;
	return print_suppression(&page, fp_report_suppression_of_finding(finding, &block),
	                         &block);
}

static int write_leak(struct fp_report_walk *walk, const struct fp_report_leak *leak)
{
	const struct fp_report *report = walk->set->reports[walk->index];
	const struct fp_report_page page = page_of(walk);
	char *block = NULL;

	/* What hangs from another leak is told there, in sum. */
	if (walk->view->leaks != FP_REPORT_LEAKS_FULL || leak->leader_stack ||
	    fp_report_is_known_leak(report, leak))
		return 0;
	fp_report_print_leak(&page, report, leak);
	if (!walk->view->has_blocks)
		return 0;
	return print_suppression(&page, fp_report_suppression_of_leak(leak, &block), &block);
}

static int write_end(struct fp_report_walk *walk, const struct fp_report *report)
{
	const struct fp_report_page page = page_of(walk);

	if (is_silent(walk, report))
		return 0;
	for (size_t i = 0; i < report->growth.count; i++)
		fp_report_print_growing(&page, report, &report->growth.stacks[i]);
	for (size_t i = 0; i < report->failed_count; i++)
		print_failed(&page, &report->failed[i]);
	if (walk->view->leaks != FP_REPORT_LEAKS_NONE)
		fp_report_print_known_leaks(&page, report);
	fp_report_print_growth_left_out(&page, report);
	print_notes(&page, report);
	/* Suppressions are for all reports of a set; their lines stand before the last summary.
	 */
	if (walk->set->count == 1)
		fp_report_print_suppressions(&page, report->suppressions);
	fp_report_print_last_line(&page, report, walk->view->leaks != FP_REPORT_LEAKS_NONE);
	return 0;
}

static int write_set_end(struct fp_report_walk *walk)
{
	const struct fp_report_page page = page_of(walk);

	if (walk->set->count > 1 && !walk->view->is_quiet)
		fp_report_print_suppressions(&page, walk->set->reports[0]->suppressions);
	return 0;
}

const struct fp_report_writer fp_report_text_writer = {
        .name = "text",
        .finding = write_finding,
        .leak = write_leak,
        .end_report = write_end,
        .end = write_set_end,
};
