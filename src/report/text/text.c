/* SPDX-License-Identifier: Apache-2.0
 *
 * The text report, for a person in a hurry: what and where in the first line, then what is
 * needed to understand it, and one line at the end that says how the run went.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "model/block.h"
#include "report/finding.h"
#include "report/holders.h"
#include "report/leaks.h"
#include "report/names.h"
#include "report/stack.h"
#include "report/text/page.h"
#include "report/writer.h"

/*
 * Of padding that was found changed nobody knows who changed it: the layout of blocks that has
 * the access stop there, as a command to paste. Whatever the program was called with is quoted,
 * and can neither start a new line nor speak to the terminal.
 */

enum { BYTES_MAX = 4000 /* of arguments; whoever pastes more has a script */ };

/* The options that change what hides the access, or NULL. Of a padded block it is not the
 * layout that does. */
static const char *options_for(const struct fp_report *report,
                               const struct fp_report_finding *finding)
{
	if (!fp_report_is_late(finding) || finding->block.tier != FP_TIER_GUARDED)
		return NULL;
	if (finding->kind == FP_FINDING_HEAP_USE_AFTER_FREE)
		return fp_report_has_setting(report, "seal_batch", "1") ? NULL
		                                                        : "--seal-batch=1";
	if (finding->evidence_offset < 0)
		return fp_report_has_setting(report, "placement", "left") ? NULL
		                                                          : "--placement=left";
	if (!fp_report_has_setting(report, "placement", "right"))
		return "--placement=right --align=auto";
	if (fp_report_has_setting(report, "align", "auto"))
		return "--align=1";
	return fp_report_has_setting(report, "align", "1") ? NULL : "--align=auto";
}

/* What a shell takes for one word, and for nothing else. */
static bool is_plain(struct fp_report_string word)
{
	static const char marks[] = "_@%+=:,./-";

	for (size_t i = 0; i < word.size; i++) {
		char byte = word.bytes[i];
		bool is_letter = (byte | 0x20) >= 'a' && (byte | 0x20) <= 'z';

		if (!is_letter && !(byte >= '0' && byte <= '9') &&
		    !memchr(marks, byte, sizeof(marks) - 1))
			return false;
	}
	return word.size > 0;
}

static bool is_printable(struct fp_report_string word)
{
	for (size_t i = 0; i < word.size; i++)
		if ((unsigned char)word.bytes[i] < 0x20 || (unsigned char)word.bytes[i] >= 0x7f)
			return false;
	return true;
}

/* '...' for any shell; $'...' where it has to have escapes. */
static void print_quoted(FILE *out, struct fp_report_string word)
{
	bool has_escapes = !is_printable(word);

	fputs(has_escapes ? "$'" : "'", out);
	for (size_t i = 0; i < word.size; i++) {
		unsigned char byte = (unsigned char)word.bytes[i];

		if (byte == '\'')
			fputs(has_escapes ? "\\'" : "'\\''", out);
		else if (has_escapes && byte == '\\')
			fputs("\\\\", out);
		else if (byte < 0x20 || byte >= 0x7f)
			fprintf(out, "\\%03o", byte);
		else
			fputc(byte, out);
	}
	fputc('\'', out);
}

static void print_word(FILE *out, struct fp_report_string word)
{
	fputc(' ', out);
	if (is_plain(word))
		fwrite(word.bytes, 1, word.size, out);
	else
		print_quoted(out, word);
}

static bool has_room(const struct fp_report *report)
{
	size_t size = 0;

	for (size_t i = 0; i < report->argument_count && size <= BYTES_MAX; i++)
		size += report->arguments[i].size + 1;
	return report->argument_count > 0 && report->arguments[0].size > 0 && size <= BYTES_MAX;
}

/* The command that finds who changed the padding of FINDING, as a line; nothing when no other
 * layout would. */
static void print_again(const struct fp_report_page *page, const struct fp_report *report,
                        const struct fp_report_finding *finding)
{
	/* A merged report is of many runs, and a sweep had them all. */
	const char *options = report->source_count > 0 ? NULL : options_for(report, finding);

	if (!options)
		return;
	fprintf(page->out, "  to see who writes: fencepost run %s --", options);
	for (size_t i = 0; has_room(report) && i < report->argument_count; i++)
		print_word(page->out, report->arguments[i]);
	if (!has_room(report))
		fputs(" PROGRAM ARGUMENTS", page->out);
	fputc('\n', page->out);
}

/*
 * What only crashes have: the blocks that a wild pointer may have been meant for, and the
 * registers.
 */

/* A block that is not far from where a wild pointer led. */
static void print_nearest(const struct fp_report_page *page,
                          const struct fp_report_block *block)
{
	fputs("  that is ", page->out);
	fp_report_print_offset(page, block->offset, block->size);
	fprintf(page->out, "%s%s, allocated by thread %" PRIu32 ":\n",
	        block->state == FP_BLOCK_FREED ? " a freed block of " : " a block of ",
	        FP_COUNT(block->size, "byte"), block->alloc_thread);
	fp_report_print_stack(page, block->alloc_stack);
	if (block->free_stack) {
		fprintf(page->out, "  and freed by thread %" PRIu32 ":\n", block->free_thread);
		fp_report_print_stack(page, block->free_stack);
	}
}

static void print_registers(const struct fp_report_page *page,
                            const struct fp_report_finding *finding)
{
	fputs("  registers:\n", page->out);
	for (size_t i = 0; i < finding->register_count; i++) {
		const struct fp_report_register *here = &finding->registers[i];

		fputs("    ", page->out);
		fp_report_print_escaped(page, here->name);
		fprintf(page->out, "%*s 0x%016" PRIx64,
		        here->name.size < 3 ? (int)(3 - here->name.size) : 0, "", here->value);
		if (here->meaning.size > 0) {
			fputs("  ", page->out);
			fp_report_print_escaped(page, here->meaning);
		}
		fputc('\n', page->out);
	}
}

/*
 * Stacks whose live bytes only ever rose, as text. That is no finding: memory that a program
 * needs grows, too, and only somebody who knows the program can tell.
 */

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
	fprintf(page->out, "%s in %s after ", FP_COUNT(point->bytes, "byte"),
	        FP_COUNT(point->blocks, "block"));
	fp_report_print_duration(page, point->milliseconds);
}

/* A stack that only grew; a line on those that are not listed; ", 2 stacks that only grow". */
static void print_growing(const struct fp_report_page *page, const struct fp_report *report,
                          const struct fp_report_growing *growing)
{
	const struct fp_report_rise rise = fp_report_rise_of(growing);

	fputs("fencepost: ", page->out);
	fp_report_print_style(page, FP_REPORT_STYLE_WARNING);
	fputs("growth", page->out);
	fp_report_print_style(page, FP_REPORT_STYLE_PLAIN);
	fprintf(page->out, " of %s", FP_COUNT(rise.bytes, "byte"));
	fp_report_print_place(page, "at", growing->stack, NULL);
	fputs("\n  from ", page->out);
	print_point(page, rise.first);
	fputs("\n  to   ", page->out);
	print_point(page, rise.last);
	fprintf(page->out,
	        ",\n  %s a minute; never less in any of %zu heap snapshots; it last rose "
	        "after ",
	        FP_COUNT(rise.per_minute, "byte"), growing->point_count);
	fp_report_print_duration(page, rise.last_rise);
	fputc('\n', page->out);
	fp_report_print_shares(page, report, &growing->shares);
	fp_report_print_stack(page, growing->stack);
	fp_report_print_held(page, FP_REPORT_HELD_OF(growing));
	fputc('\n', page->out);
}

static void print_growth_left_out(const struct fp_report_page *page,
                                  const struct fp_report *report)
{
	if (report->growth.left_out == 0)
		return;
	fprintf(page->out, "fencepost: note: %s grew, less than those that are listed\n",
	        FP_COUNT(report->growth.left_out, "more stack"));
}

/*
 * A leak as text, and what the leaks come to. Where somebody asks again and again, what is new
 * since the last time is the headline, and what was told before stands beside it.
 */

static void print_age(const struct fp_report_page *page, const struct fp_report_leak *leak,
                      const struct fp_report_age *age)
{
	if (!leak->has_age)
		return;
	fputs("  ", page->out);
	fp_report_put_age(page->out, age);
	fputc('\n', page->out);
}

static void print_indirect(const struct fp_report_page *page, const struct fp_report *report,
                           const struct fp_report_leak *leak)
{
	if (leak->indirect_blocks == 0)
		return;
	fprintf(page->out, "  and reachable only through it: %s in %s",
	        FP_COUNT(leak->indirect_bytes, "byte"),
	        FP_COUNT(leak->indirect_blocks, "block"));
	if (report->is_check_repeated && leak->new.indirect_blocks > 0)
		fprintf(page->out, ", new since the last check: %s",
		        FP_SUM(leak->new.indirect_blocks, leak->new.indirect_bytes));
	fputc('\n', page->out);
	fp_report_print_members(page, leak);
}

static void print_new(const struct fp_report_page *page, const struct fp_report *report,
                      const struct fp_report_leak *leak)
{
	bool is_headline = report->is_check_of_news && leak->new.blocks > 0;

	if (!report->is_check_repeated || report->is_of_leaks)
		return;
	if (is_headline && leak->new.blocks < leak->blocks)
		fputs("  with those of earlier checks: ", page->out);
	else if (is_headline)
		fputs("  new since the last check", page->out);
	else if (leak->new.blocks > 0)
		fputs("  new since the last check: ", page->out);
	else
		fputs("  none of these is new since the last check", page->out);
	if (is_headline && leak->new.blocks < leak->blocks)
		fputs(FP_SUM(leak->blocks, leak->bytes), page->out);
	else if (!is_headline && leak->new.blocks > 0)
		fputs(FP_SUM(leak->new.blocks, leak->new.bytes), page->out);
	fputc('\n', page->out);
}

/* Lines below the headline: since when, what else is lost with these, and who asked for them.
 */
static void print_leak_details(const struct fp_report_page *page,
                               const struct fp_report *report,
                               const struct fp_report_leak *leak)
{
	bool is_headline = report->is_check_of_news && leak->new.blocks > 0;
	const char *level = fp_level_name(leak->level);

	print_age(page, leak, is_headline ? &leak->new.age : &leak->age);
	print_new(page, report, leak);
	print_indirect(page, report, leak);
	if (level && leak->heap != 0)
		fprintf(page->out, "  heap %" PRIu32 ", critical level %s\n", leak->heap,
		        level);
	fp_report_print_site(page, "  asked for at ", &leak->site);
	if (leak->site.file.size > 0 || leak->site.line > 0)
		fputc('\n', page->out);
}

/* Whether only what is new is told, and nothing of LEAK is. */
static bool is_known_leak(const struct fp_report *report, const struct fp_report_leak *leak)
{
	return report->is_check_of_news && report->is_check_repeated && leak->new.blocks == 0 &&
	       leak->new.indirect_blocks == 0;
}

/* A leak with all that is told of it. */
static void print_leak(const struct fp_report_page *page, const struct fp_report *report,
                       const struct fp_report_leak *leak)
{
	struct fp_report_leak shown = *leak;

	if (report->is_check_of_news && leak->new.blocks > 0) {
		shown.blocks = leak->new.blocks;
		shown.bytes = leak->new.bytes;
	}
	fputs("fencepost: ", page->out);
	fp_report_print_leak_title(page, &shown);
	fputc('\n', page->out);
	print_leak_details(page, report, leak);
	fp_report_print_shares(page, report, &leak->shares);
	fp_report_print_stack(page, leak->stack);
	fp_report_print_held(page, FP_REPORT_HELD_OF(leak));
	fp_report_print_last_holders(page, leak);
	fputc('\n', page->out);
}

/* How many such leaks there are, as a line; nothing when there is none. */
static void print_known_leaks(const struct fp_report_page *page, const struct fp_report *report)
{
	struct fp_report_summary totals = fp_report_total(report);
	uint64_t blocks = totals.leaked_blocks - totals.new_leaked_blocks;
	uint64_t bytes = totals.leaked_bytes - totals.new_leaked_bytes;

	if (page->has_possible) {
		blocks += totals.possible_blocks - totals.new_possible_blocks;
		bytes += totals.possible_bytes - totals.new_possible_bytes;
	}
	if (!report->is_check_of_news || blocks == 0)
		return;
	fprintf(page->out,
	        "fencepost: note: %s that an earlier check told of are not listed again\n",
	        FP_SUM(blocks, bytes));
}

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

	fprintf(page->out,
	        "  the region: %s at 0x%" PRIx64 ", number %" PRIu64 ", of VirtualAlloc",
	        FP_COUNT(region->size, "byte"), region->address, region->serial);
	if (level)
		fprintf(page->out, ", critical level %s", level);
	fputc('\n', page->out);
}

static void print_block(const struct fp_report_page *page, const struct fp_report_block *block)
{
	const char *level = fp_level_name(block->level);

	fprintf(page->out,
	        "  the block: %s at 0x%" PRIx64 ", serial %" PRIu64 ", heap %" PRIu32
	        ", family %s, %s",
	        FP_COUNT(block->size, "byte"), block->address, block->serial, block->heap,
	        fp_family_name(block->family), fp_tier_name(block->tier));
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
		if (length < size)
			fprintf(page->out, " and %s", FP_COUNT(size - length, "zero byte"));
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
	fp_report_print_holders(page, finding);
	print_again(page, report, finding);
	for (size_t i = 0; i < finding->nearest_count; i++)
		print_nearest(page, &finding->nearest[i]);
	/* Those of a thread that sends itself a signal, or is sent one, say nothing. */
	if (finding->register_count > 0 && finding->code > 0 &&
	    finding->cause != FP_CRASH_ABORT)
		print_registers(page, finding);
	fputc('\n', page->out);
}

/* What the user asked for is told, but is no finding. */
static void print_failed(const struct fp_report_page *page,
                         const struct fp_report_failed *failed)
{
	fprintf(page->out, "fencepost: %s failed as fail_alloc asks",
	        FP_COUNT(failed->count, "allocation"));
	if (failed->trace == FP_TRACE_NONE) {
		fputs(", of other stacks\n\n", page->out);
		return;
	}
	fp_report_print_place(page, "at", failed->stack, NULL);
	fprintf(page->out, "\n  the first: %s, serial %" PRIu64 ", heap %" PRIu32 ", family %s",
	        FP_COUNT(failed->size, "byte"), failed->serial, failed->heap,
	        fp_family_name(failed->family));
	if (failed->family == FP_FAMILY_HOST && failed->level < FP_LEVEL_NONE)
		fprintf(page->out, ", critical level %s", fp_level_name(failed->level));
	fputc('\n', page->out);
	fp_report_print_stack(page, failed->stack);
	fputc('\n', page->out);
}

/* What a budget was spent on is listed where names are looked up for it. */
static void print_contexts(const struct fp_report_page *page, const struct fp_report *report)
{
	uint64_t contexts = 0;

	for (size_t i = 0; i < report->heap.context_count; i++)
		contexts += report->heap.contexts[i].contexts;
	if (contexts == 0)
		return;
	fprintf(page->out,
	        "fencepost: note: the blocks are of %s; --json and --html list how many of "
	        "each were guarded\n",
	        FP_COUNT(contexts, "calling context"));
}

static void print_cpus(const struct fp_report_page *page, const struct fp_report_heap *heap)
{
	/* A trial that failed is not worth a line. */
	if (heap->bound_ms == 0 || heap->bound_rate <= heap->usual_rate)
		return;
	fprintf(page->out,
	        "fencepost: note: the process was kept on one CPU for %.1f s, where it freed "
	        "%s a second, and on all %s; to use all: --one-cpu=no\n",
	        (double)heap->bound_ms / 1000, FP_COUNT(heap->bound_rate, "block"),
	        FP_NUMBER(heap->usual_rate));
}

static void print_notes(const struct fp_report_page *page, const struct fp_report *report)
{
	uint64_t unguarded = report->protection.padded + report->protection.plain;

	for (size_t i = 0; i < report->note_count; i++) {
		fputs("fencepost: note: ", page->out);
		fp_report_print_escaped(page, report->notes[i]);
		fputc('\n', page->out);
	}
	print_cpus(page, &report->heap);
	if (unguarded == 0)
		return;
	fprintf(page->out, "fencepost: note: %s%s", FP_COUNT(unguarded, "block"),
	        unguarded == 1 ? " was not guarded" : " were not guarded");
	for (size_t i = 0; i < report->protection.reason_count; i++) {
		fprintf(page->out, "%s%s for ", i == 0 ? ": " : ", ",
		        FP_NUMBER(report->protection.reasons[i].blocks));
		fp_report_print_escaped(page, report->protection.reasons[i].text);
	}
	if (report->protection.plain > 0)
		fputs("; leaks of blocks that libc allocated are not found", page->out);
	fputc('\n', page->out);
	print_contexts(page, report);
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
	                               walk->view->has_all_frames, walk->view->has_possible,
	                               walk->view->source_root};
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

	if (report->is_of_leaks)
		return 0;
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
	    is_known_leak(report, leak))
		return 0;
	print_leak(&page, report, leak);
	if (!walk->view->has_blocks)
		return 0;
	return print_suppression(&page, fp_report_suppression_of_leak(leak, &block), &block);
}

static int write_end(struct fp_report_walk *walk, const struct fp_report *report)
{
	const struct fp_report_page page = page_of(walk);

	if (report->is_of_leaks || is_silent(walk, report))
		return 0;
	for (size_t i = 0; i < report->growth.count; i++)
		print_growing(&page, report, &report->growth.stacks[i]);
	for (size_t i = 0; i < report->failed_count; i++)
		print_failed(&page, &report->failed[i]);
	if (walk->view->leaks != FP_REPORT_LEAKS_NONE)
		print_known_leaks(&page, report);
	print_growth_left_out(&page, report);
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

/*
 * What is known of one address.
 */

static void print_position(const struct fp_report_page *page,
                           const struct fp_report_block *block)
{
	if (block->offset == 0)
		fputs("the start of", page->out);
	else
		fp_report_print_offset(page, block->offset, block->size);
	fprintf(page->out, "%s%s",
	        block->state == FP_BLOCK_FREED ? " a freed block of " : " a block of ",
	        FP_COUNT(block->size, "byte"));
}

static void print_known_block(const struct fp_report_page *page,
                              const struct fp_report_explanation *explanation)
{
	const struct fp_report_block *block = &explanation->block;

	print_position(page, block);
	if (explanation->age > 0) {
		fputs(", allocated ", page->out);
		fp_report_print_duration(page, explanation->age);
		fputs(" ago", page->out);
	}
	fprintf(page->out,
	        "\n  the block: at 0x%" PRIx64 ", serial %" PRIu64 ", heap %" PRIu32
	        ", family %s, %s\n  allocated by thread %" PRIu32 ":\n",
	        block->address, block->serial, block->heap, fp_family_name(block->family),
	        fp_tier_name(block->tier), block->alloc_thread);
	fp_report_print_stack(page, block->alloc_stack);
	if (block->free_stack && block->state == FP_BLOCK_FREED) {
		fprintf(page->out, "  freed by thread %" PRIu32 ":\n", block->free_thread);
		fp_report_print_stack(page, block->free_stack);
	}
	fp_report_print_all_holders(page, explanation->holders, explanation->holder_count,
	                            &explanation->census);
}

static void print_neighbour(const struct fp_report_page *page,
                            const struct fp_report_block *block)
{
	fprintf(page->out, "%s%s at 0x%" PRIx64 " (serial %" PRIu64 ")",
	        block->offset < 0 ? "  next behind it: " : "  next before it: ",
	        FP_COUNT(block->size, "byte"), block->address, block->serial);
	fp_report_print_place(page, "allocated at", block->alloc_stack, &block->site);
	fputc('\n', page->out);
}

void fp_report_print_explanation(const struct fp_report_page *page,
                                 const struct fp_report_explanation *explanation)
{
	fprintf(page->out, "0x%" PRIx64 " is ", explanation->address);
	if (explanation->block.address != 0) {
		print_known_block(page, explanation);
	} else {
		fputs("no block: it is ", page->out);
		fp_report_print_escaped(page, explanation->place);
		fputc('\n', page->out);
	}
	for (size_t i = 0; i < explanation->neighbour_count; i++)
		print_neighbour(page, &explanation->neighbours[i]);
}

const struct fp_report_writer fp_report_text_writer = {
        .name = "text",
        .finding = write_finding,
        .leak = write_leak,
        .end_report = write_end,
        .end = write_set_end,
};
