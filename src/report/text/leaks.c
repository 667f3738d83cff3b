/* SPDX-License-Identifier: Apache-2.0
 *
 * A leak as text, and what the leaks come to. Where somebody asks again and again, what is new
 * since the last time is the headline, and what was told before stands beside it.
 */
#include <inttypes.h>

#include "model/block.h"
#include "report/names.h"
#include "report/text/parts.h"

/* "1 block (24 bytes)". */
static void print_sum(const struct fp_report_page *page, uint64_t blocks, uint64_t bytes)
{
	fp_report_print_count(page, blocks, "block");
	fputs(" (", page->out);
	fp_report_print_count(page, bytes, "byte");
	fputc(')', page->out);
}

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
	fputs("  and what hangs from it: ", page->out);
	fp_report_print_count(page, leak->indirect_bytes, "byte");
	fputs(" in ", page->out);
	fp_report_print_count(page, leak->indirect_blocks, "block");
	if (report->is_check_repeated && leak->new.indirect_blocks > 0) {
		fputs(", new since the last check: ", page->out);
		print_sum(page, leak->new.indirect_blocks, leak->new.indirect_bytes);
	}
	fputc('\n', page->out);
}

static void print_new(const struct fp_report_page *page, const struct fp_report *report,
                      const struct fp_report_leak *leak)
{
	bool is_headline = report->is_check_of_news && leak->new.blocks > 0;

	if (!report->is_check_repeated)
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
		print_sum(page, leak->blocks, leak->bytes);
	else if (!is_headline && leak->new.blocks > 0)
		print_sum(page, leak->new.blocks, leak->new.bytes);
	fputc('\n', page->out);
}

/* Lines below the headline: since when, what else is lost with these, and who asked for them.
 */
static void print_details(const struct fp_report_page *page, const struct fp_report *report,
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

bool fp_report_is_known_leak(const struct fp_report *report, const struct fp_report_leak *leak)
{
	return report->is_check_of_news && report->is_check_repeated && leak->new.blocks == 0 &&
	       leak->new.indirect_blocks == 0;
}

void fp_report_print_leak(const struct fp_report_page *page, const struct fp_report *report,
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
	print_details(page, report, leak);
	fp_report_print_shares(page, report, &leak->shares);
	fp_report_print_stack(page, leak->stack);
	fputc('\n', page->out);
}

void fp_report_print_known_leaks(const struct fp_report_page *page,
                                 const struct fp_report *report)
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
	fputs("fencepost: note: ", page->out);
	print_sum(page, blocks, bytes);
	fputs(" that an earlier check told of are not listed again\n", page->out);
}
