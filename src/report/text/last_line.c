/* SPDX-License-Identifier: Apache-2.0
 *
 * The last line, of one process and of all of a run, in one grammar: what was found, how it
 * ended, and what is not known. Who reads nothing else is not to take for clean what is not.
 */
#include <inttypes.h>
#include <string.h>

#include "report/names.h"
#include "report/text/page.h"

enum { PERCENT = 100 };

/* "1 leak (24 bytes)", with ADJECTIVE before the noun. */
static void print_leaks(const struct fp_report_page *page, const char *adjective,
                        uint64_t blocks, uint64_t bytes)
{
	fprintf(page->out, "%s %sleak%s (%s)", FP_NUMBER(blocks), adjective,
	        blocks == 1 ? "" : "s", FP_COUNT(bytes, "byte"));
}

void fp_report_print_problems(const struct fp_report_page *page,
                              const struct fp_report_problems *problems)
{
	const char *adjective = problems->is_news ? "new " : "";
	bool has_leaks = problems->are_leaks_known && problems->leaks + problems->told > 0;

	if (problems->errors > 0)
		fputs(FP_COUNT(problems->errors, "error"), page->out);
	else if (!has_leaks)
		fputs("no errors", page->out);
	if (problems->are_leaks_known && (problems->errors > 0 || !has_leaks))
		fputs(", ", page->out);
	if (problems->are_leaks_known && problems->leaks > 0)
		print_leaks(page, adjective, problems->leaks, problems->bytes);
	else if (problems->are_leaks_known)
		fprintf(page->out, "no %sleaks", adjective);
	if (problems->are_leaks_known && problems->told > 0) {
		fputs(", ", page->out);
		print_leaks(page, "", problems->told, problems->told_bytes);
		fputs(" in all", page->out);
	}
	if (has_leaks && problems->errors == 0)
		fputs(", no other errors", page->out);
}

void fp_report_print_end(const struct fp_report_page *page, enum fp_log_exit how, int32_t value)
{
	const char *name = how == FP_LOG_EXIT_SIGNAL ? sigabbrev_np(value) : NULL;

	if (how == FP_LOG_EXIT_CODE)
		fprintf(page->out, "; exited %" PRId32, value);
	else if (name)
		fprintf(page->out, "; killed by SIG%s", name);
	else if (how == FP_LOG_EXIT_SIGNAL)
		fprintf(page->out, "; killed by signal %" PRId32, value);
}

static void print_possible(const struct fp_report_page *page, const struct fp_report *report,
                           bool is_news)
{
	struct fp_report_summary totals = fp_report_total(report);
	uint64_t blocks = is_news ? totals.new_possible_blocks : totals.possible_blocks;
	uint64_t bytes = is_news ? totals.new_possible_bytes : totals.possible_bytes;

	if (blocks == 0)
		return;
	fputs(", ", page->out);
	print_leaks(page, "possible ", blocks, bytes);
	if (!page->has_possible)
		fputs(", listed by --show-possible", page->out);
}

/* "; 12 % of blocks not guarded: memory", with what most of them were not guarded for. */
static void print_unguarded(const struct fp_report_page *page, const struct fp_report *report)
{
	uint64_t unguarded = report->protection.padded + report->protection.plain;
	uint64_t all = report->protection.allocations;
	const struct fp_report_reason *most = NULL;

	if (unguarded == 0 || all == 0)
		return;
	uint64_t percent = unguarded >= all ? PERCENT : unguarded * PERCENT / all;
	if (percent == 0)
		fputs("; under 1 % of blocks not guarded", page->out);
	else
		fprintf(page->out, "; %" PRIu64 " %% of blocks not guarded", percent);
	for (size_t i = 0; i < report->protection.reason_count; i++)
		if (!most || report->protection.reasons[i].blocks > most->blocks)
			most = &report->protection.reasons[i];
	if (!most)
		return;
	fputs(": ", page->out);
	fp_report_print_escaped(page, most->text);
}

static void print_growth_summary(const struct fp_report_page *page,
                                 const struct fp_report *report)
{
	uint64_t count = report->growth.count;

	if (!report->growth.is_looked_for)
		return;
	if (!report->growth.is_judged) {
		fputs(", growth not judged", page->out);
		return;
	}
	if (count == 0) {
		fputs(", no growth", page->out);
		return;
	}
	fprintf(page->out, ", %s%s", FP_COUNT(count + report->growth.left_out, "stack"),
	        count + report->growth.left_out == 1 ? " that only grows" : " that only grow");
}

void fp_report_print_last_line(const struct fp_report_page *page,
                               const struct fp_report *report, bool is_of_leaks)
{
	struct fp_report_summary totals = fp_report_total(report);
	bool is_news = report->is_check_of_news && report->is_check_repeated;
	struct fp_report_problems problems = {
	        .errors = report->finding_count,
	        .are_leaks_known = is_of_leaks && fp_report_has_looked_for_leaks(report),
	        .is_news = is_news,
	        .leaks = is_news ? totals.new_leaked_blocks : totals.leaked_blocks,
	        .bytes = is_news ? totals.new_leaked_bytes : totals.leaked_bytes,
	};

	if (totals.leaked_blocks > problems.leaks) {
		problems.told = totals.leaked_blocks;
		problems.told_bytes = totals.leaked_bytes;
	}
	fputs("fencepost: ", page->out);
	fp_report_print_problems(page, &problems);
	if (problems.are_leaks_known)
		print_possible(page, report, is_news);
	print_growth_summary(page, report);
	if (report->suppressed > 0)
		fprintf(page->out, ", %s suppressed", FP_NUMBER(report->suppressed));
	fp_report_print_sources(page, report);
	fp_report_print_end(page, report->exit, report->exit_value);
	if (report->is_cut_short)
		fputs("; not followed to its end", page->out);
	if (!problems.are_leaks_known)
		fputs("; leaks not checked", page->out);
	print_unguarded(page, report);
	fputc('\n', page->out);
}
