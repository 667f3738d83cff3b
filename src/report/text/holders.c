/* SPDX-License-Identifier: Apache-2.0
 *
 * Who holds the block of a finding or a leak, in a few lines.
 */
#include "report/holders.h"
#include "report/stack.h"
#include "report/text/page.h"

static void print_holder(const struct fp_report_page *page,
                         const struct fp_report_holder *holder)
{
	const struct fp_report_stack *stack = fp_report_holder_stack(holder);
	char words[FP_REPORT_HOLDER_WORDS_MAX];

	fp_report_holder_words(holder, words);
	fputs("    ", page->out);
	fp_report_print_escaped(page, fp_report_text(words));
	if (stack && holder->kind != FP_HOLDER_STACK)
		fp_report_print_place(page, "allocated at", stack, &holder->block.site);
	else if (stack)
		fp_report_print_place(page, "at", stack, NULL);
	fputc('\n', page->out);
}

static void print_rest(const struct fp_report_page *page, uint64_t count)
{
	if (count == 0)
		return;
	fputs("    and ", page->out);
	fp_report_print_count(page, count, "other pointer");
	fputc('\n', page->out);
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

void fp_report_print_leak_holders(const struct fp_report_page *page,
                                  const struct fp_report_leak *leak)
{
	print_list(page, leak->holders, leak->holder_count, leak->holder_count);
}
