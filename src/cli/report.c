/* SPDX-License-Identifier: Apache-2.0
 *
 * `fencepost report`: one event log, read, resolved and rendered. The library in a victim
 * starts it with the log on standard input; a person starts it on a kept log.
 */
#include <stdbool.h>
#include <string.h>

#include "cli/cli.h"
#include "options/options.h"

struct request {
	struct fp_options options;
	const char *path; /* of the event log; "-" is standard input */
};

/* TEXT is what stands behind "--". */
static int take_option(struct request *request, const char *text)
{
	char refusal[FP_OPTION_ERROR_MAX];
	const struct fp_options_error error = {"report", refusal, sizeof(refusal)};
	const char *equals = strchr(text, '=');
	struct fp_options_item item = {.key = text};
	const struct fp_option *option;

	item.key_len = equals ? (size_t)(equals - text) : strlen(text);
	item.value = equals ? equals + 1 : "";
	option = fp_options_find(item.key, item.key_len);
	if (option && option->stage == FP_OPTION_RECORD)
		return fp_cli_fail("--%.*s belongs to the run that was recorded: set it there, "
		                   "FENCEPOST_OPTIONS=%s=%s",
		                   (int)item.key_len, text, option->key, option->value);
	if (option && !equals && option->type == FP_OPTION_BOOL)
		item.value = "yes";
	else if (option && !equals)
		return fp_cli_fail("--%s has no value: write --%s=%s", text, text,
		                   option->value);
	item.value_len = strlen(item.value);
	if (fp_options_set(&request->options, &item, &error) != 0)
		return fp_cli_fail("%s", refusal);
	return 0;
}

static int take_arguments(struct request *request, char **arguments)
{
	bool are_options = true;

	fp_options_defaults(&request->options);
	request->path = NULL;
	for (; *arguments; arguments++) {
		const char *argument = *arguments;
		bool is_option = are_options && argument[0] == '-' && argument[1] != '\0';

		if (is_option && strcmp(argument, "--") == 0)
			are_options = false;
		else if (is_option && argument[1] != '-')
			return fp_cli_fail(
			        "unknown option \"%s\": options are written --key=value",
			        argument);
		else if (is_option && take_option(request, argument + 2) != 0)
			return FP_CLI_FAILED;
		else if (!is_option && request->path)
			return fp_cli_fail(
			        "\"%s\" is one event log too many: report them one by one",
			        argument);
		else if (!is_option)
			request->path = argument;
	}
	if (!request->path)
		return fp_cli_fail("no event log: write fencepost report EVENT-LOG, or - for "
		                   "standard input");
	return 0;
}

int fp_cli_report(char **arguments)
{
	struct request request;
	struct fp_cli_log log;
	int result = take_arguments(&request, arguments);

	if (result != 0 || fp_cli_log_read(&log, request.path) != 0)
		return FP_CLI_FAILED;
	result = fp_cli_render(&log, 1, &request.options);
	fp_cli_log_free(&log);
	return result;
}
