/* SPDX-License-Identifier: Apache-2.0
 *
 * `fencepost report`: one event log, read, resolved and rendered. The library in a victim
 * starts it with the log on standard input; a person starts it on a kept log.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "options/options.h"
#include "report/writer.h"

struct request {
	struct fp_options options;
	const char *path; /* of the event log; "-" is standard input */
};

/* The options that say how to render; all others were settled when the log was recorded. */
static bool is_rendering(const struct fp_option *option)
{
	static const char *const keys[] = {"log", "json", "quiet", "leak_check"};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (strcmp(option->key, keys[i]) == 0)
			return true;
	}
	return false;
}

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
	if (option && !is_rendering(option))
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

/* All of IN in new memory, or NULL with errno. */
static char *read_stream(FILE *in, size_t *size)
{
	size_t room = 1 << 16;
	char *data = NULL;

	*size = 0;
	for (;;) {
		char *more = realloc(data, room);
		size_t taken;

		if (!more)
			break;
		data = more;
		taken = fread(data + *size, 1, room - *size, in);
		*size += taken;
		if (taken == 0 && !ferror(in))
			return data;
		if (taken == 0)
			break;
		if (*size == room)
			room *= 2;
	}
	free(data);
	return NULL;
}

static int read_log(const char *path, char **data, size_t *size)
{
	bool is_standard = strcmp(path, "-") == 0;
	FILE *in = is_standard ? stdin : fopen(path, "rbe");

	*data = in ? read_stream(in, size) : NULL;
	if (!*data)
		fp_cli_fail(
		        "cannot read %s: %s; name a file that FENCEPOST_OPTIONS=events=FILE "
		        "wrote",
		        is_standard ? "standard input" : path, strerror(errno));
	if (in && !is_standard)
		fclose(in);
	return *data ? 0 : FP_CLI_FAILED;
}

static int explain_refusal(const char *path, int error)
{
	if (strcmp(path, "-") == 0)
		path = "standard input";
	switch (error) {
	case -EINVAL:
		return fp_cli_fail("%s is not an event log: name a file that "
		                   "FENCEPOST_OPTIONS=events=FILE wrote",
		                   path);
	case -ENOTSUP:
		return fp_cli_fail(
		        "%s is an event log of another version of Fencepost: use the "
		        "fencepost program of that version",
		        path);
	default:
		return fp_cli_fail("not enough memory for %s: report it on a larger machine",
		                   path);
	}
}

static struct fp_report_view view_of(const struct fp_options *options, FILE *out)
{
	static const enum fp_report_leaks leaks[] = {
	        [FP_OPTIONS_LEAK_CHECK_NO] = FP_REPORT_LEAKS_NONE,
	        [FP_OPTIONS_LEAK_CHECK_SUMMARY] = FP_REPORT_LEAKS_SUMMARY,
	        [FP_OPTIONS_LEAK_CHECK_FULL] = FP_REPORT_LEAKS_FULL,
	};
	const char *no_colour = getenv("NO_COLOR");

	return (struct fp_report_view){.leaks = leaks[options->leak_check],
	                               .is_quiet = options->quiet,
	                               .has_colour = isatty(fileno(out)) &&
	                                             (!no_colour || *no_colour == '\0')};
}

/* PATTERN is the file's name as it was given for the option KEY. */
static int render(const struct fp_report *report, const struct fp_options *options,
                  const char *key, const char *pattern)
{
	const struct fp_report_writer *writer =
	        fp_report_writer_find(strcmp(key, "log") == 0 ? "text" : key);
	struct fp_cli_output output;
	int result = fp_cli_output_open(&output, pattern, report->pid);

	if (result == 0) {
		struct fp_report_view view = view_of(options, output.file);
		int written = writer->write(report, &view, output.file);

		result = fp_cli_output_close(&output);
		if (written != 0)
			result = written;
	}
	if (result != 0)
		fp_cli_fail("cannot write %s: %s; name another file with --%s=FILE",
		            output.path ? output.path : pattern, strerror(-result), key);
	fp_cli_output_free(&output);
	return result == 0 ? 0 : FP_CLI_FAILED;
}

static int render_all(const struct fp_report *report, const struct fp_options *options)
{
	const char *log = options->log[0] != '\0' ? options->log : "/dev/stderr";
	int result = render(report, options, "log", log);

	/* One output that fails must not cost the other. */
	if (options->json[0] != '\0' && render(report, options, "json", options->json) != 0)
		result = FP_CLI_FAILED;
	return result;
}

int fp_cli_report(char **arguments)
{
	struct request request;
	struct fp_report *report = NULL;
	char *data = NULL;
	size_t size = 0;
	int result = take_arguments(&request, arguments);

	if (result != 0 || read_log(request.path, &data, &size) != 0)
		return FP_CLI_FAILED;
	result = fp_report_read(data, size, &report);
	if (result == 0)
		result = fp_report_resolve(report, FP_SYMBOL_DEBUG_DIR);
	result = result != 0 ? explain_refusal(request.path, result)
	                     : render_all(report, &request.options);
	fp_report_free(report);
	free(data);
	return result;
}
