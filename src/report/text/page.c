/* SPDX-License-Identifier: Apache-2.0
 *
 * Numbers, names, places, stacks and titles as text.
 */
#include "report/text/page.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "report/finding.h"
#include "report/holders.h"
#include "report/names.h"
#include "report/source.h"
#include "report/stack.h"

enum { SOURCE_COLUMNS = 120, TAB_COLUMNS = 8 };

void fp_report_print_style(const struct fp_report_page *page, enum fp_report_style style)
{
	static const char *const sequences[] = {
	        [FP_REPORT_STYLE_PLAIN] = "\033[0m",
	        [FP_REPORT_STYLE_BAD] = "\033[1;31m",
	        [FP_REPORT_STYLE_WARNING] = "\033[1;33m",
	        [FP_REPORT_STYLE_DIM] = "\033[2m",
	};

	if (page->has_colour)
		fputs(sequences[style], page->out);
}

void fp_report_print_escaped(const struct fp_report_page *page, struct fp_report_string string)
{
	while (string.size > 0) {
		size_t length = fp_report_printable_length(string);

		if (length > 0) {
			fwrite(string.bytes, 1, length, page->out);
		} else {
			fprintf(page->out, "\\x%02x", (unsigned char)string.bytes[0]);
			length = 1;
		}
		string.bytes += length;
		string.size -= length;
	}
}

const char *fp_report_put_number(char text[FP_NUMBER_MAX], uint64_t number)
{
	char digits[21];
	int count = snprintf(digits, sizeof(digits), "%" PRIu64, number);
	char *to = text;

	for (int i = 0; i < count; i++) {
		if (i > 0 && (count - i) % 3 == 0)
			*to++ = ',';
		*to++ = digits[i];
	}
	*to = '\0';
	return text;
}

const char *fp_report_put_count(char text[FP_COUNT_MAX], uint64_t number, const char *noun)
{
	snprintf(text, FP_COUNT_MAX, "%s %s%s", FP_NUMBER(number), noun,
	         number == 1 ? "" : "s");
	return text;
}

const char *fp_report_put_sum(char text[FP_SUM_MAX], uint64_t blocks, uint64_t bytes)
{
	snprintf(text, FP_SUM_MAX, "%s (%s)", FP_COUNT(blocks, "block"),
	         FP_COUNT(bytes, "byte"));
	return text;
}

void fp_report_print_offset(const struct fp_report_page *page, int64_t offset, uint64_t size)
{
	if (offset < 0) {
		fprintf(page->out, "%s before", FP_COUNT(0 - (uint64_t)offset, "byte"));
	} else if ((uint64_t)offset < size) {
		fprintf(page->out, "%s inside", FP_COUNT((uint64_t)offset, "byte"));
	} else {
		fprintf(page->out, "%s past the end of",
		        FP_COUNT((uint64_t)offset - size, "byte"));
	}
}

static void print_module(const struct fp_report_page *page, const struct fp_report_frame *frame)
{
	if (!frame->module) {
		fprintf(page->out,
		        frame->symbol && frame->symbol->function ? "0x%" PRIx64 ", JIT code"
		                                                 : "0x%" PRIx64
		                                                   ", in no known module",
		        frame->offset);
		return;
	}
	fp_report_print_escaped(page, fp_report_module_name(frame));
	fprintf(page->out, "+0x%" PRIx64, frame->offset);
}

/* With it, somebody who has the debug information can tell the line. */
static void print_build_id(const struct fp_report_page *page,
                           const struct fp_report_frame *frame)
{
	if (!frame->module || frame->module->build_id.size == 0)
		return;
	fputs(", build-id ", page->out);
	for (size_t i = 0; i < frame->module->build_id.size; i++)
		fprintf(page->out, "%02x", (unsigned char)frame->module->build_id.bytes[i]);
}

static void print_line(const struct fp_report_page *page, struct fp_report_string file,
                       uint32_t line)
{
	fp_report_print_escaped(page, file);
	if (line > 0)
		fprintf(page->out, ":%" PRIu32, line);
}

/* In brackets: said of the stack, not the name of a function. */
static bool is_remark(const struct fp_symbol_frame *symbol)
{
	return symbol && symbol->function && symbol->function[0] == '[';
}

/* Whether what stands at AT belongs to the name of an operator: "<<", "<=", "->". */
static bool is_operator(const char *name, size_t at)
{
	static const char word[] = "operator";
	const size_t size = sizeof(word) - 1;

	if (at > 0 && memchr("<>=-", name[at - 1], 4))
		at--;
	return at >= size && memcmp(name + at - size, word, size) == 0;
}

/* Where the arguments of a template that begin at AT end, or 0. */
static size_t skip_arguments(const char *name, size_t at)
{
	size_t depth = 0;

	for (; name[at] != '\0'; at++) {
		if (name[at] == '<')
			depth++;
		else if (name[at] == '>' && name[at - 1] != '-' && --depth == 0)
			return at + 1;
	}
	return 0;
}

/* As the HTML report has it: what a template is made of is seldom what one looks for. The
 * stacks have it all. */
static void print_short_name(const struct fp_report_page *page, const char *name)
{
	size_t start = 0;

	for (size_t at = 0; name[at] != '\0'; at++) {
		size_t end = name[at] == '<' && !is_operator(name, at)
		                     ? skip_arguments(name, at)
		                     : 0;
		if (end == 0)
			continue;
		fp_report_print_escaped(page,
		                        (struct fp_report_string){name + start, at - start});
		fputs("<...>", page->out);
		start = end;
		at = end - 1;
	}
	fp_report_print_escaped(page, fp_report_text(name + start));
}

static void print_offset_in(const struct fp_report_page *page,
                            const struct fp_symbol_frame *symbol)
{
	if (!symbol->file && !is_remark(symbol))
		fprintf(page->out, "+0x%" PRIx64, symbol->function_offset);
}

static bool has_site(const struct fp_report_site *site)
{
	return site->line > 0 || site->file.size > 0;
}

void fp_report_print_site(const struct fp_report_page *page, const char *before,
                          const struct fp_report_site *site)
{
	if (!has_site(site))
		return;
	fputs(before, page->out);
	print_line(page, site->file, site->line);
	fputs(" (DebugAlloc)", page->out);
}

/* "plant.c:31", or "rows/plant.c:31" for a reader who named the repository: editors and CI find
 * the file by that. */
static void print_file(const struct fp_report_page *page, const struct fp_symbol_frame *symbol)
{
	struct fp_report_string file = fp_report_text(symbol->file);
	struct fp_report_roots roots;
	char *path = NULL;
	const char *rest = NULL;

	if (page->source_root && fp_report_roots_find(&roots, page->source_root) == 0) {
		path = fp_report_make_path(symbol->directory, file);
		rest = path ? fp_report_path_below(path, &roots) : NULL;
		fp_report_roots_free(&roots);
	}
	print_line(page, rest ? fp_report_text(rest) : fp_report_base_name(file), symbol->line);
	free(path);
}

/* "plant.c:31 in make_rows" */
static void print_line_of(const struct fp_report_page *page,
                          const struct fp_report_frame *frame)
{
	const struct fp_symbol_frame *symbol = frame->symbol;

	if (symbol && symbol->file)
		print_file(page, symbol);
	else
		print_module(page, frame);
	if (symbol && symbol->function) {
		fputs(" in ", page->out);
		print_short_name(page, symbol->function);
		print_offset_in(page, symbol);
	}
}

/* ", called from engine.c:12 in run", when the place of STACK is in another file than its
 * caller: it may be a helper's, and the mistake not. */
static void print_caller(const struct fp_report_page *page, const struct fp_report_stack *stack)
{
	const struct fp_report_frame *caller = fp_report_stack_caller(stack);
	const struct fp_report_frame *helper = fp_report_stack_helper(stack);

	if (!caller && !helper)
		return;
	fputs(caller ? ", called from " : ", through ", page->out);
	print_line_of(page, caller ? caller : helper);
}

void fp_report_print_place(const struct fp_report_page *page, const char *preposition,
                           const struct fp_report_stack *stack,
                           const struct fp_report_site *site)
{
	const struct fp_report_frame *frame = fp_report_stack_place(stack);
	bool has_file = frame && frame->symbol && frame->symbol->file;

	if (!has_file && site && has_site(site)) {
		fprintf(page->out, " %s", preposition);
		fp_report_print_site(page, " ", site);
		return;
	}
	if (!frame)
		return;
	fprintf(page->out, " %s ", preposition);
	print_line_of(page, frame);
}

static void print_frame(const struct fp_report_page *page, size_t number,
                        const struct fp_report_frame *frame)
{
	const struct fp_symbol_frame *symbol = frame->symbol;

	fprintf(page->out, "    #%zu ", number);
	if (symbol && symbol->function) {
		fp_report_print_escaped(page, fp_report_text(symbol->function));
		print_offset_in(page, symbol);
		fputs("  ", page->out);
	}
	fp_report_print_style(page, FP_REPORT_STYLE_DIM);
	if (symbol && symbol->file) {
		print_line(page, fp_report_text(symbol->file), symbol->line);
	} else if (!is_remark(symbol)) {
		fputc('(', page->out);
		print_module(page, frame);
		print_build_id(page, frame);
		fputc(')', page->out);
	}
	if (symbol && symbol->inlined)
		fputs(" [inlined]", page->out);
	fp_report_print_style(page, FP_REPORT_STYLE_PLAIN);
	fputc('\n', page->out);
}

/* How many frames from INDEX on that was. */
static size_t print_recursion(const struct fp_report_page *page,
                              const struct fp_report_stack *stack, size_t index)
{
	size_t period;
	size_t count = fp_report_fold_recursion(stack, index, &period);

	for (size_t i = 0; count > 0 && i < period; i++)
		print_frame(page, index + i, &stack->frames[index + i]);
	if (count == 0)
		return 0;
	fp_report_print_style(page, FP_REPORT_STYLE_DIM);
	fprintf(page->out, "    ... the same %s more", FP_COUNT(count / period - 1, "time"));
	fp_report_print_style(page, FP_REPORT_STYLE_PLAIN);
	fputc('\n', page->out);
	return count;
}

void fp_report_print_stack(const struct fp_report_page *page,
                           const struct fp_report_stack *stack)
{
	size_t shown = page->has_all_frames ? stack->count : stack->shown;

	if (shown == 0)
		fputs("    (no stack was kept)\n", page->out);
	for (size_t i = 0; i < shown;) {
		const char *owner;
		size_t folded = page->has_all_frames ? 0 : fp_report_fold(stack, i, &owner);

		if (folded > 0) {
			fp_report_print_style(page, FP_REPORT_STYLE_DIM);
			fprintf(page->out, "    ... %s of %s", FP_COUNT(folded, "frame"),
			        owner);
			fp_report_print_style(page, FP_REPORT_STYLE_PLAIN);
			fputc('\n', page->out);
		} else if (!page->has_all_frames) {
			folded = print_recursion(page, stack, i);
		}
		if (folded == 0)
			print_frame(page, i, &stack->frames[i]);
		i += folded > 0 ? folded : 1;
	}
}

/* LINE with its tabs as blanks, cut where a terminal would wrap it. */
static void print_source(const struct fp_report_page *page, struct fp_report_string line)
{
	size_t column = 0;

	while (line.size > 0 && column < SOURCE_COLUMNS) {
		size_t length = line.bytes[0] == '\t' ? 1 : fp_report_utf8_length(line);

		length = length > 0 ? length : 1;
		if (line.bytes[0] == '\t') {
			int blanks = TAB_COLUMNS - (int)(column % TAB_COLUMNS);

			fprintf(page->out, "%*s", blanks, "");
			column += (size_t)blanks;
		} else {
			fp_report_print_escaped(page,
			                        (struct fp_report_string){line.bytes, length});
			column++;
		}
		line.bytes += length;
		line.size -= length;
	}
}

void fp_report_print_excerpt(const struct fp_report_page *page,
                             const struct fp_report_stack *stack)
{
	struct fp_report_excerpt excerpt;

	if (!fp_report_stack_source(stack, 1, &excerpt))
		return;
	for (size_t i = 0; i < excerpt.count; i++) {
		uint32_t number = excerpt.first + (uint32_t)i;
		bool is_marked = number == excerpt.marked;

		fp_report_print_style(page,
		                      is_marked ? FP_REPORT_STYLE_PLAIN : FP_REPORT_STYLE_DIM);
		fprintf(page->out, "  %c %5" PRIu32 " | ", is_marked ? '>' : ' ', number);
		print_source(page, excerpt.lines[i]);
		fp_report_print_style(page, FP_REPORT_STYLE_PLAIN);
		fputc('\n', page->out);
	}
}

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
	if (share->count > 1 && !is_sweep(report))
		fprintf(page->out, " (%s)", FP_NUMBER(share->count));
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
		fprintf(page->out, "  in %s of %s%s", FP_NUMBER(all),
		        FP_COUNT(fp_report_count_sources(report), "report"),
		        named > 0 ? ": " : "");
	}
	for (size_t i = 0; i < named; i++) {
		fputs(i > 0 ? ", " : "", page->out);
		print_share(page, report, &shares->items[i]);
	}
	if (named > 0 && named < all)
		fprintf(page->out, " and %s more", FP_NUMBER(all - named));
	fputc('\n', page->out);
}

void fp_report_print_sources(const struct fp_report_page *page, const struct fp_report *report)
{
	if (report->source_count == 0)
		return;
	fprintf(page->out, ", in %s",
	        FP_COUNT(fp_report_count_sources(report),
	                 is_sweep(report) ? "layout" : "report"));
}

/* Whether NUMBER, said aloud, takes "an": eight, eleven and eighteen do, at the start of it. */
static bool has_vowel(uint64_t number)
{
	while (number >= 1000)
		number /= 1000;
	return number == 8 || number == 11 || number == 18 || number / 10 == 8 ||
	       number / 100 == 8;
}

/* When bytes were changed that nobody saw change: who changed them is in no stack. */
static void print_times(const struct fp_report_page *page,
                        const struct fp_report_finding *finding)
{
	const struct fp_report_block *block = &finding->block;

	if (block->free_stack && block->free_stack != finding->stack) {
		fputs(", written after the free", page->out);
		fp_report_print_place(page, "at", block->free_stack, NULL);
		return;
	}
	fputs(", written between the allocation", page->out);
	fp_report_print_place(page, "at", block->alloc_stack, &block->site);
	if (block->free_stack)
		fputs(" and the free", page->out);
	else if (finding->stack->count > 0)
		fputs(" and the check", page->out);
	else
		fputs(" and the end of the process", page->out);
	fp_report_print_place(page, "at", finding->stack, NULL);
}

/* Of a free of what is not the start of a block: what it is. */
static void print_pointer(const struct fp_report_page *page,
                          const struct fp_report_finding *finding)
{
	const struct fp_report_string target = fp_report_pointer_target(finding);
	const struct fp_report_block *block = &finding->block;
	bool is_region = finding->page.state != FP_PAGE_NONE;

	if (finding->has_block && block->offset != 0) {
		fputs("; the pointer is ", page->out);
		fp_report_print_offset(page, block->offset, block->size);
		fprintf(page->out, "%s%s", block->free_stack ? " a freed " : " the ",
		        is_region ? "region," : "block,");
		fp_report_print_place(page, is_region ? "reserved at" : "allocated at",
		                      block->alloc_stack, &block->site);
	} else if (target.size > 0) {
		fputs("; it points to ", page->out);
		fp_report_print_escaped(page, target);
	}
}

static void print_where(const struct fp_report_page *page,
                        const struct fp_report_finding *finding)
{
	if (finding->stack->count > 0) {
		fp_report_print_place(page, "at", finding->stack, NULL);
		print_caller(page, finding->stack);
	} else if (finding->has_block) {
		fp_report_print_place(page, "allocated at", finding->block.alloc_stack,
		                      &finding->block.site);
	}
	if (finding->kind == FP_FINDING_INVALID_FREE)
		print_pointer(page, finding);
}

void fp_report_print_title(const struct fp_report_page *page,
                           const struct fp_report_finding *finding)
{
	const struct fp_finding_traits *info = fp_finding_traits(finding->kind);
	bool is_error = strcmp(info->severity, "error") == 0;

	fp_report_print_style(page, is_error ? FP_REPORT_STYLE_BAD : FP_REPORT_STYLE_WARNING);
	fputs(info->name, page->out);
	fp_report_print_style(page, FP_REPORT_STYLE_PLAIN);
	if (finding->signal != 0) {
		char name[FP_REPORT_SIGNAL_MAX];

		fp_report_signal_name(finding->signal, name);
		fprintf(page->out, " (%s)", name);
	} else if (finding->has_block) {
		fprintf(page->out, "%s%s%s",
		        has_vowel(finding->block.size) ? " of an " : " of a ",
		        FP_NUMBER(finding->block.size),
		        finding->page.state == FP_PAGE_NONE ? "-byte block" : "-byte region");
	} else if (finding->address != 0)
		fprintf(page->out, " of 0x%" PRIx64, finding->address);
	if (fp_report_is_late(finding))
		print_times(page, finding);
	else
		print_where(page, finding);
	if (finding->count > 1)
		fprintf(page->out, " (%s)", FP_COUNT(finding->count, "time"));
}

void fp_report_print_leak_title(const struct fp_report_page *page,
                                const struct fp_report_leak *leak)
{
	static const char *const titles[FP_LEAK_CLASS_COUNT] = {
	        [FP_LEAK_DEFINITE] = "leak",
	        [FP_LEAK_INDIRECT] = "indirect leak",
	        [FP_LEAK_POSSIBLE] = "possible leak",
	        [FP_LEAK_REACHABLE] = "reachable memory, never freed,",
	};

	fp_report_print_style(page, leak->class == FP_LEAK_REACHABLE ? FP_REPORT_STYLE_WARNING
	                                                             : FP_REPORT_STYLE_BAD);
	fputs(titles[leak->class], page->out);
	fp_report_print_style(page, FP_REPORT_STYLE_PLAIN);
	fprintf(page->out, " of %s in %s", FP_COUNT(leak->bytes, "byte"),
	        FP_COUNT(leak->blocks, "block"));
	fp_report_print_place(page, "at", leak->stack, &leak->site);
	print_caller(page, leak->stack);
} /*
   * Who holds the block of a finding or a leak, in a few lines.
   */

enum { MEMBERS_SHOWN = 3 };

static void print_holder(const struct fp_report_page *page,
                         const struct fp_report_holder *holder)
{
	const struct fp_report_stack *stack = fp_report_holder_stack(holder);
	struct fp_report_holder place = *holder;
	char words[FP_REPORT_HOLDER_WORDS_MAX];
	char inside[FP_REPORT_HOLDER_INSIDE_MAX];

	place.offset = 0;
	fp_report_holder_words(&place, words);
	fp_report_holder_inside(holder, inside);
	fputs("    ", page->out);
	fp_report_print_escaped(page, fp_report_text(words));
	if (stack && holder->kind != FP_HOLDER_STACK)
		fp_report_print_place(page, "allocated at", stack, &holder->block.site);
	else if (stack)
		fp_report_print_place(page, "at", stack, NULL);
	fprintf(page->out, "%s\n", inside);
}

static void print_rest(const struct fp_report_page *page, uint64_t count)
{
	if (count == 0)
		return;
	fprintf(page->out, "    and %s\n", FP_COUNT(count, "other pointer"));
}

static void print_list(const struct fp_report_page *page,
                       const struct fp_report_holder *holders, size_t count, uint64_t found)
{
	const struct fp_report_holder *shown[FP_REPORT_HOLDERS_SHOWN];
	size_t chosen = fp_report_choose_holders(holders, count, shown);

	if (chosen == 0)
		return;
	fputs("  still held by:\n", page->out);
	for (size_t i = 0; i < chosen; i++)
		print_holder(page, shown[i]);
	print_rest(page, found > chosen ? found - chosen : 0);
}

static void print_obstacle(const struct fp_report_page *page, const char *what,
                           const struct fp_report_census *census)
{
	fprintf(page->out, "  %s: ", what);
	fp_report_print_escaped(page, census->obstacle);
	fputc('\n', page->out);
}

static void print_census(const struct fp_report_page *page,
                         const struct fp_report_census *census)
{
	if (census->result == FP_CENSUS_WHOLE && census->found == 0)
		fputs("  nothing holds a pointer to it any more\n", page->out);
	if (census->result == FP_CENSUS_PARTIAL)
		print_obstacle(page, "more may hold it, because not all was searched", census);
	if (census->result == FP_CENSUS_SKIPPED)
		print_obstacle(page, "holders not searched", census);
}

void fp_report_print_holders(const struct fp_report_page *page,
                             const struct fp_report_finding *finding)
{
	print_list(page, finding->holders, finding->holder_count, finding->census.found);
	print_census(page, &finding->census);
}

void fp_report_print_all_holders(const struct fp_report_page *page,
                                 const struct fp_report_holder *holders, size_t count,
                                 const struct fp_report_census *census)
{
	if (count > 0)
		fputs("  held by:\n", page->out);
	for (size_t i = 0; i < count; i++)
		print_holder(page, &holders[i]);
	print_rest(page, census->found > count ? census->found - count : 0);
	print_census(page, census);
}

void fp_report_print_last_holders(const struct fp_report_page *page,
                                  const struct fp_report_leak *leak)
{
	if (leak->last_holder_count == 0)
		return;
	fputs("  last seen held ", page->out);
	fp_report_print_duration(page, leak->held_until);
	fputs(" after the start, by:\n", page->out);
	for (size_t i = 0; i < leak->last_holder_count; i++)
		print_holder(page, &leak->last_holders[i]);
}

/* Where the pointer to the next step stands. */
static void print_step(const struct fp_report_page *page, const struct fp_report_holder *step)
{
	struct fp_report_holder place = *step;
	char words[FP_REPORT_HOLDER_WORDS_MAX];

	if (step->kind == FP_HOLDER_BLOCK) {
		fprintf(page->out, "offset %" PRIi64 " in a block", step->block.offset);
		fp_report_print_place(page, "of", step->block.alloc_stack, &step->block.site);
		return;
	}
	place.offset = 0;
	fp_report_holder_words(&place, words);
	fp_report_print_escaped(page, fp_report_text(words));
}

static void print_path(const struct fp_report_page *page, const struct fp_report_held *held)
{
	if (held->path_count == 0)
		return;
	fputs("    and that is reached from ", page->out);
	for (size_t i = 0; i < held->path_count; i++) {
		if (i > 0)
			fputs(" -> ", page->out);
		if (i == FP_LEAK_PATH_OUTER && held->path_left_out > 0)
			fprintf(page->out, "%s -> ",
			        FP_COUNT(held->path_left_out, "more block"));
		print_step(page, &held->path[i]);
	}
	fputc('\n', page->out);
}

void fp_report_print_held(const struct fp_report_page *page, const struct fp_report_held *held)
{
	print_list(page, held->holders, held->holder_count, held->holder_count);
	print_path(page, held);
}

static void print_member(const struct fp_report_page *page,
                         const struct fp_report_member *member)
{
	fprintf(page->out, "    at depth %" PRIu32 "%s: %s", member->depth,
	        member->depth >= FP_LEAK_DEPTH_MAX ? " or more" : "",
	        FP_SUM(member->blocks, member->bytes));
	fp_report_print_place(page, "allocated at", member->stack, NULL);
	fputc('\n', page->out);
}

/* How many of LEAK have more bytes than MEMBER, or as many and stand before it. */
static size_t rank_of(const struct fp_report_leak *leak, const struct fp_report_member *member)
{
	size_t rank = 0;

	for (size_t i = 0; i < leak->member_count; i++) {
		const struct fp_report_member *other = &leak->members[i];

		rank += other->bytes > member->bytes ||
		        (other->bytes == member->bytes && other < member);
	}
	return rank;
}

void fp_report_print_members(const struct fp_report_page *page,
                             const struct fp_report_leak *leak)
{
	uint64_t blocks = leak->indirect_blocks;
	uint64_t bytes = leak->indirect_bytes;

	for (size_t i = 0; i < leak->member_count; i++) {
		const struct fp_report_member *member = &leak->members[i];

		if (rank_of(leak, member) >= MEMBERS_SHOWN)
			continue;
		print_member(page, member);
		blocks -= member->blocks < blocks ? member->blocks : blocks;
		bytes -= member->bytes < bytes ? member->bytes : bytes;
	}
	if (leak->member_count == 0 || blocks == 0)
		return;
	fprintf(page->out, "    and others: %s\n", FP_SUM(blocks, bytes));
}
