/* SPDX-License-Identifier: Apache-2.0
 *
 * `fencepost diff`: what is new since a baseline. The text goes to standard output, because it
 * is what was asked for; so does the JSON in its place, unless it gets a file.
 */
#include "report/merge/diff.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/tool_messages.h"
#include "cli/cli.h"

enum { HAS_NEW = 1 };

struct request {
	const char *paths[2]; /* of the baseline and of what is held against it */
	size_t path_count;
	const char *json; /* "" is standard output in place of the text; NULL: none */
	bool is_strict;
	struct fp_options options; /* for what names suppressions */
};

static int take_suppressions(struct request *request, const char *names)
{
	if (*names == '\0' || strlen(names) >= sizeof(request->options.suppressions))
		return fp_cli_fail(FP_SAY_DIFF_SUPPRESSIONS_TAKES,
		                   sizeof(request->options.suppressions) - 1);
	strcpy(request->options.suppressions, names);
	return 0;
}

static int take_argument(void *user, const char *argument, bool is_option)
{
	struct request *request = user;

	if (!is_option && request->path_count == 2)
		return fp_cli_fail(FP_SAY_DIFF_ONE_REPORT, argument);
	if (!is_option)
		request->paths[request->path_count++] = argument;
	else if (strcmp(argument, "--json") == 0)
		request->json = "";
	else if (strncmp(argument, "--json=", 7) == 0 && argument[7] != '\0' &&
	         strcmp(argument, "--json=yes") != 0 && strcmp(argument, "--json=no") != 0)
		request->json = argument + 7;
	else if (strcmp(argument, "--strict") == 0)
		request->is_strict = true;
	else if (strncmp(argument, "--suppressions=", 15) == 0)
		return take_suppressions(request, argument + 15);
	else
		return fp_cli_fail(FP_SAY_DIFF_UNKNOWN_OPTION, argument);
	return 0;
}

/* A baseline and what is held against it. */
struct side {
	struct fp_report *report;
	/* Of its own: what max=N allows is not for both together. */
	struct fp_report_suppressions suppressions;
};

static int read_side(const struct request *request, size_t index, struct side *side)
{
	struct fp_cli_inputs inputs = {0};
	int result = fp_cli_prepare_reports(&side->suppressions, &request->options);

	if (result == 0)
		result = fp_cli_inputs_add(&inputs, request->paths[index]);
	if (result == 0)
		result = fp_cli_inputs_merge(&inputs, &side->report);
	if (result == 0)
		result = fp_cli_suppress(&(struct fp_cli_log){.report = side->report}, 1,
		                         &side->suppressions);
	fp_cli_inputs_free(&inputs);
	return result;
}

static void free_side(struct side *side)
{
	fp_report_free(side->report);
	fp_report_suppressions_free(&side->suppressions);
}

static int write_file(const struct fp_report_diff *diff, const char *path)
{
	struct fp_cli_output output;
	int result = fp_cli_output_open(&output, path, 0);

	if (result == 0) {
		int written = fp_report_diff_write_json(diff, output.file);

		result = fp_cli_output_close(&output);
		if (written != 0)
			result = written;
	}
	fp_cli_output_free(&output);
	if (result == 0)
		return 0;
	return fp_cli_fail(FP_SAY_CANNOT_WRITE_JSON, path, strerror(-result));
}

static int write_diff(const struct request *request, const struct fp_report_diff *diff)
{
	bool is_json_only = request->json && *request->json == '\0';
	int result = 0;

	if (is_json_only)
		result = fp_report_diff_write_json(diff, stdout);
	else
		fp_report_diff_print(diff, stdout,
		                     fp_cli_wants_color(FP_OPTIONS_COLOR_AUTO, STDOUT_FILENO));
	if (result == 0 && (fflush(stdout) != 0 || ferror(stdout)))
		result = fp_cli_fail(FP_SAY_CANNOT_WRITE_STANDARD);
	if (result == 0 && request->json && !is_json_only)
		result = write_file(diff, request->json);
	if (result != 0)
		return FP_CLI_FAILED;
	return fp_report_diff_has_error(diff, FP_REPORT_NEW) ||
	                       (request->is_strict &&
	                        fp_report_diff_has_error(diff, FP_REPORT_GROWN))
	               ? HAS_NEW
	               : 0;
}

int fp_cli_diff(char **arguments)
{
	struct request request = {0};
	struct side sides[2] = {0};
	struct fp_report_diff diff = {0};
	int result = fp_cli_take_arguments(arguments, take_argument, &request);

	if (result == 0 && request.path_count < 2)
		result = fp_cli_fail(FP_SAY_DIFF_TWO_REPORTS);
	for (size_t i = 0; result == 0 && i < 2; i++)
		result = read_side(&request, i, &sides[i]);
	if (result == 0 && fp_report_diff_make(sides[0].report, sides[1].report, &diff) != 0)
		result = fp_cli_fail(FP_SAY_NO_MEMORY_COMPARE_SO);
	if (result == 0)
		result = write_diff(&request, &diff);
	fp_report_diff_free(&diff);
	free_side(&sides[0]);
	free_side(&sides[1]);
	return result;
}
