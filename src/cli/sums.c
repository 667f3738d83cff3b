/* SPDX-License-Identifier: Apache-2.0
 *
 * What a run comes to: its processes and their findings in one line, and what is not known.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/tool_messages.h"
#include "cli/cli.h"
#include "report/names.h"
#include "report/stack.h"
#include "report/text/page.h"

static bool has_problems(const struct fp_report *report)
{
	return report->finding_count + fp_report_total(report).leaked_blocks > 0;
}

/* Whether an earlier report is of the same process, and has problems where WITH_PROBLEMS. */
static bool was_met(const struct fp_cli_logs *harvest, size_t index, bool with_problems)
{
	for (size_t i = 0; i < index; i++) {
		const struct fp_report *report = harvest->logs[i].report;

		if (report->pid == harvest->logs[index].report->pid &&
		    (!with_problems || has_problems(report)))
			return true;
	}
	return false;
}

struct fp_cli_sums fp_cli_sum(const struct fp_cli_logs *harvest)
{
	struct fp_cli_sums sums = {0};

	for (size_t i = 0; i < harvest->count; i++) {
		const struct fp_report *report = harvest->logs[i].report;

		sums.findings += report->finding_count;
		sums.processes += !was_met(harvest, i, false);
		sums.failing += has_problems(report) && !was_met(harvest, i, true);
		sums.growing += report->growth.count + report->growth.left_out;
		sums.cut_short += report->is_cut_short;
		sums.unchecked += report->has_check_failed;
		sums.searched +=
		        !report->has_check_failed && fp_report_has_looked_for_leaks(report);
		sums.leaked_blocks += fp_report_total(report).leaked_blocks;
		sums.leaked_bytes += fp_report_total(report).leaked_bytes;
	}
	return sums;
}

static void print_processes(size_t count)
{
	const struct fp_report_page page = {.out = stderr};

	fputs(FP_NUMBER(count), page.out);
	fputs(count == 1 ? " process" : " processes", stderr);
}

static void print_unwatched(size_t count, const char *one, const char *several)
{
	fputs("fencepost: ", stderr);
	print_processes(count);
	fprintf(stderr, " %s; nothing was found until then, and leaks were not looked for\n",
	        count == 1 ? one : several);
}

static void print_killed(const struct fp_cli_census *census)
{
	char signal[FP_REPORT_SIGNAL_MAX];
	char one[64];
	char several[64] = "were killed by signals";

	fp_report_signal_name((uint32_t)census->killer, signal);
	snprintf(one, sizeof(one), "was killed by %s", signal);
	if (census->killer != 0)
		snprintf(several, sizeof(several), "were killed by %s", signal);
	print_unwatched(census->killed, one, several);
}

void fp_cli_print_unknown(const struct fp_cli_census *census)
{
	if (census->killed > 0)
		print_killed(census);
	if (census->silent > 0)
		print_unwatched(census->silent,
		                "was killed, or ended without calling the C library",
		                "were killed, or ended without calling the C library");
	if (census->running > 0) {
		fputs("fencepost: ", stderr);
		print_processes(census->running);
		fputs(census->running == 1
		              ? " still runs, and reports by itself when it ends\n"
		              : " still run, and report by themselves when they end\n",
		      stderr);
	}
}

/* Of those that were followed to their ends leaks were looked for, unless it is said here. */
static void print_not_known(const struct fp_cli_sums *sums)
{
	if (sums->cut_short > 0) {
		fputs("; ", stderr);
		print_processes(sums->cut_short);
		fputs(sums->cut_short == 1 ? " not followed to its end"
		                           : " not followed to their ends",
		      stderr);
	}
	if (sums->unchecked > 0) {
		fputs("; leaks not checked in ", stderr);
		print_processes(sums->unchecked);
	} else if (sums->leaked_blocks == 0 && sums->searched == 0)
		fputs("; leaks not checked", stderr);
}

void fp_cli_print_sums(const struct fp_cli_sums *sums, size_t reports, int status,
                       bool is_quiet)
{
	const struct fp_report_page page = {.out = stderr};
	const struct fp_report_problems problems = {
	        .errors = sums->findings,
	        .leaks = sums->leaked_blocks,
	        .bytes = sums->leaked_bytes,
	        .are_leaks_known = sums->leaked_blocks > 0 || sums->searched > 0,
	};
	bool is_failing = sums->findings + sums->leaked_blocks > 0;

	if ((reports < 2 && sums->processes < 2) ||
	    (!is_failing && sums->growing + sums->cut_short + sums->unchecked == 0 && is_quiet))
		return;
	fputs("fencepost: ", stderr);
	fp_report_print_problems(&page, &problems);
	fputs(", in ", stderr);
	if (is_failing) {
		fputs(FP_NUMBER(sums->failing), page.out);
		fputs(" of ", stderr);
	}
	print_processes(sums->processes);
	if (sums->growing > 0) {
		fputs(", ", stderr);
		fputs(FP_COUNT(sums->growing, "stack"), page.out);
		fputs(sums->growing == 1 ? " that only grows" : " that only grow", stderr);
	}
	if (WIFSIGNALED(status))
		fp_report_print_end(&page, FP_LOG_EXIT_SIGNAL, WTERMSIG(status));
	else
		fp_report_print_end(&page, FP_LOG_EXIT_CODE, WEXITSTATUS(status));
	print_not_known(sums);
	fputc('\n', stderr);
}

bool fp_cli_is_unknown(const struct fp_cli_logs *harvest, const struct fp_cli_census *census)
{
	bool is_unknown =
	        harvest->count == 0 || census->silent + census->killed + census->running > 0;

	for (size_t i = 0; i < harvest->count; i++)
		is_unknown |= fp_report_is_unknown(harvest->logs[i].report);
	return is_unknown;
}

/* ---- What a run did not see ----------------------------------------------------------------
 *
 * What a run did not see: programs executed without our library, from the lines that its
 * processes left, and allocators that are no malloc.
 */

enum { SHOWN_MAX = 10 };

static void add(struct fp_cli_unseen *kinds, const char *line)
{
	for (size_t i = 0; i < kinds->count; i++) {
		if (strcmp(kinds->kinds[i].line, line) == 0) {
			kinds->kinds[i].count++;
			return;
		}
	}
	struct fp_cli_unseen_kind *more =
	        realloc(kinds->kinds, (kinds->count + 1) * sizeof(*kinds->kinds));
	if (!more)
		return;
	kinds->kinds = more;
	more[kinds->count] = (struct fp_cli_unseen_kind){.line = strdup(line), .count = 1};
	kinds->count += more[kinds->count].line != NULL;
}

/* Up to the zero, or a piece that nobody came to write. */
void fp_cli_unseen_read(struct fp_cli_unseen *unseen, const struct fp_channel *channel)
{
	size_t size;
	const char *lines = fp_channel_unseen(channel, &size);

	for (size_t at = 0; at < size;) {
		size_t length = strnlen(lines + at, size - at);
		char *line = length > 0 ? strndup(lines + at, length) : NULL;

		if (line)
			add(unseen, line);
		free(line);
		at += length + 1;
	}
}

void fp_cli_unseen_print(const struct fp_cli_unseen *unseen)
{
	for (size_t i = 0; i < unseen->count && i < SHOWN_MAX; i++)
		if (unseen->kinds[i].count > 1)
			fp_cli_say(FP_SAY_NOT_SEEN_TIMES, unseen->kinds[i].line,
			           unseen->kinds[i].count);
		else
			fp_cli_say(FP_SAY_NOT_SEEN, unseen->kinds[i].line);
	if (unseen->count > SHOWN_MAX)
		fp_cli_say(FP_SAY_OTHER_PROGRAMS_WERE, unseen->count - SHOWN_MAX);
}

void fp_cli_unseen_free(struct fp_cli_unseen *unseen)
{
	for (size_t i = 0; i < unseen->count; i++)
		free(unseen->kinds[i].line);
	free(unseen->kinds);
	*unseen = (struct fp_cli_unseen){0};
}

static void say(const char *allocator, const char *file)
{
	fp_cli_say(strstr(allocator, " functions ") ? FP_SAY_CUSTOM_ALLOCATORS_THEIR
	                                            : FP_SAY_CUSTOM_ALLOCATOR_ITS,
	           allocator, file);
}

/* The file that the processes of LOGS had loaded whose name starts so; its path ends with it.
 */
static const struct fp_report_module *find_loaded(const struct fp_cli_logs *logs,
                                                  const char *name)
{
	for (size_t i = 0; i < logs->count; i++) {
		const struct fp_report *report = logs->logs[i].report;

		for (size_t j = 0; j < report->module_count; j++)
			if (fp_report_starts_with(fp_report_base_name(report->modules[j].path),
			                          name))
				return &report->modules[j];
	}
	return NULL;
}

/* SAID has been said already, or is NULL. */
static void print_runtimes(const struct fp_cli_logs *logs, const char *said)
{
	struct fp_cli_runtime runtime;

	for (size_t i = 0; fp_cli_runtime_at(i, &runtime); i++) {
		const struct fp_report_module *module =
		        said && strcmp(said, runtime.heap) == 0
		                ? NULL
		                : find_loaded(logs, runtime.library);
		char *path = module ? strndup(module->path.bytes, module->path.size) : NULL;

		if (path) {
			say(runtime.heap, path);
			said = runtime.heap;
		}
		free(path);
	}
}

void fp_cli_print_allocators(const char *path, const struct fp_cli_logs *logs)
{
	char *executed = fp_cli_find_executed(path);
	struct fp_cli_image *image = executed ? fp_cli_image_open(executed) : NULL;
	const char *allocator = image ? fp_cli_image_allocator(image) : NULL;

	/* Of a malloc the library in the program has said so; of pools there is more to say. */
	if (allocator && strcmp(allocator, FP_CLI_OWN_MALLOC) != 0 &&
	    !fp_cli_is_pool(allocator))
		say(allocator, executed);
	print_runtimes(logs, allocator);
	fp_cli_image_close(image);
	free(executed);
}
