/* SPDX-License-Identifier: Apache-2.0
 *
 * Who holds the block of a finding or a leak, in a few lines.
 */
#include <inttypes.h>

#include "report/holders.h"
#include "report/stack.h"
#include "report/text/page.h"

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
