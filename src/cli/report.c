/* SPDX-License-Identifier: Apache-2.0
 *
 * `fencepost report`: event logs and JSON reports, rendered. The library in a victim starts it
 * with one log on standard input; a person starts it on what was kept. Several files are
 * merged, and each is forgotten once what is new in it was taken.
 */
#include <stdbool.h>
#include <string.h>

#include "base/tool_messages.h"
#include "cli/cli.h"
#include "options/options.h"
#include "report/merge/merge.h"
#include "report/stack.h"

enum merging { MERGE_SEVERAL, MERGE_ALWAYS, MERGE_NEVER };

struct request {
	struct fp_options options;
	enum merging merging;
	struct fp_cli_inputs inputs;
	struct fp_report_suppressions suppressions;
	/* Told by the library: findings that somebody has shown already; only leaks are wanted,
	 * as text. */
	size_t shown;
	bool is_of_leaks;
	bool is_given[FP_OPTIONS_COUNT];
};

static int take_merging(struct request *request, const char *value)
{
	if (*value == '\0' || strcmp(value, "=yes") == 0)
		request->merging = MERGE_ALWAYS;
	else if (strcmp(value, "=no") == 0)
		request->merging = MERGE_NEVER;
	else
		return fp_cli_fail(FP_SAY_REPORT_MERGE_USE, value);
	return 0;
}

/* TEXT is what stands behind "--". */
static int take_option(struct request *request, const char *text)
{
	const struct fp_cli_given given = {"report", &request->options, request->is_given,
	                                   false};

	if (sscanf(text, "shown=%zu", &request->shown) == 1)
		return 0;
	if (strcmp(text, "only-leaks") == 0) {
		request->is_of_leaks = true;
		return 0;
	}
	if (strncmp(text, "merge", 5) == 0 && (text[5] == '\0' || text[5] == '='))
		return take_merging(request, text + 5);
	return fp_cli_take_option(&given, text) ? 0 : FP_CLI_FAILED;
}

static int take_argument(void *user, const char *argument, bool is_option)
{
	struct request *request = user;

	if (!is_option)
		return fp_cli_inputs_add(&request->inputs, argument);
	return argument[1] == '-' ? take_option(request, argument + 2)
	                          : fp_cli_fail(FP_SAY_OPTIONS_ARE_WRITTEN, argument);
}

static int take_arguments(struct request *request, char **arguments)
{
	fp_options_defaults(&request->options);
	if (fp_cli_take_arguments(arguments, take_argument, request) != 0)
		return FP_CLI_FAILED;
	if (request->is_of_leaks) {
		request->options.style = FP_OPTIONS_STYLE_FENCEPOST;
		request->options.leak_check = FP_OPTIONS_LEAK_CHECK_FULL;
	}
	if (request->inputs.count == 0)
		return fp_cli_fail(FP_SAY_NO_EVENT_LOG_WRITE);
	return fp_cli_check_needs(&request->options, request->is_given);
}

static int render(struct request *request, const struct fp_cli_log *logs, size_t count)
{
	int result = fp_cli_suppress(logs, count, &request->suppressions);

	if (result != 0)
		return result;
	logs->report->shown = request->shown;
	logs->report->is_of_leaks = request->is_of_leaks;
	return fp_cli_render(logs, count, &request->options, false);
}

/* Each report by itself, one document for all. Lines of many machines are one story, though. */
static int render_each(struct request *request)
{
	struct fp_cli_logs logs = {0};
	struct fp_cli_log lines = {0};
	int result = 0;

	if (request->merging != MERGE_NEVER && fp_report_merge_new(false, &logs.merge) != 0)
		return fp_cli_fail(FP_SAY_NO_MEMORY_REPORT);
	fp_cli_progress_begin();
	for (size_t i = 0; i < request->inputs.count; i++) {
		if (fp_cli_logs_read(&logs, request->inputs.paths[i]) != 0)
			result = FP_CLI_FAILED;
	}
	fp_cli_progress_end();
	result |= fp_cli_logs_merge(&logs, &lines.report);
	if (lines.report)
		result |= render(request, &lines, 1);
	else if (logs.count > 0)
		result |= render(request, logs.logs, logs.count);
	fp_report_free(lines.report);
	fp_cli_logs_free(&logs);
	return result == 0 ? 0 : FP_CLI_FAILED;
}

static int render_merged(struct request *request)
{
	struct fp_cli_log merged = {0};
	int result;

	fp_cli_progress_begin();
	result = fp_cli_inputs_merge(&request->inputs, &merged.report);
	fp_cli_progress_end();
	if (merged.report && render(request, &merged, 1) != 0)
		result = FP_CLI_FAILED;
	fp_report_free(merged.report);
	return result;
}

/* What is asked for before there is a report. */
static int prepare(struct request *request)
{
	int result = fp_cli_prepare_reports(&request->suppressions, &request->options);

	return fp_cli_lines_open(&request->options) == 0 ? result : FP_CLI_FAILED;
}

int fp_cli_report(char **arguments)
{
	struct request request = {0};
	int result = take_arguments(&request, arguments);
	bool is_merged = request.merging == MERGE_ALWAYS ||
	                 (request.merging == MERGE_SEVERAL && request.inputs.count > 1);

	int prepared = result == 0 ? prepare(&request) : result;

	/* Standard input cannot be read a second time: what it says is shown, suppressed or
	 * not. */
	if (result == 0 && (prepared == 0 || (request.inputs.count == 1 &&
	                                      strcmp(request.inputs.paths[0], "-") == 0)))
		result = is_merged ? render_merged(&request) : render_each(&request);
	fp_cli_inputs_free(&request.inputs);
	fp_report_suppressions_free(&request.suppressions);
	return prepared != 0 ? prepared : result;
}
