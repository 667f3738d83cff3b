/* SPDX-License-Identifier: Apache-2.0
 *
 * From event logs to the outputs that the options name. Several logs make one text and one JSON
 * array, unless %p in a name makes a file of each.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "report/writer.h"

/* One output of a set of reports. */
struct sheet {
	const char *key; /* its option */
	const char *format;
	const char *pattern;
	const struct fp_options *options;
};

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

int fp_cli_log_read(struct fp_cli_log *log, const char *path)
{
	size_t size = 0;

	*log = (struct fp_cli_log){0};
	if (read_log(path, &log->data, &size) != 0)
		return FP_CLI_FAILED;
	int result = fp_report_read(log->data, size, &log->report);
	if (result == 0)
		result = fp_report_resolve(log->report, FP_SYMBOL_DEBUG_DIR);
	if (result == 0)
		return 0;
	fp_cli_log_free(log);
	return explain_refusal(path, result);
}

void fp_cli_log_free(struct fp_cli_log *log)
{
	fp_report_free(log->report);
	free(log->data);
}

static struct fp_report_view view_of(const struct sheet *sheet, FILE *out)
{
	static const enum fp_report_leaks leaks[] = {
	        [FP_OPTIONS_LEAK_CHECK_NO] = FP_REPORT_LEAKS_NONE,
	        [FP_OPTIONS_LEAK_CHECK_SUMMARY] = FP_REPORT_LEAKS_SUMMARY,
	        [FP_OPTIONS_LEAK_CHECK_FULL] = FP_REPORT_LEAKS_FULL,
	};
	const char *no_colour = getenv("NO_COLOR");

	return (struct fp_report_view){.leaks = leaks[sheet->options->leak_check],
	                               .is_quiet = sheet->options->quiet,
	                               .has_colour = isatty(fileno(out)) &&
	                                             (!no_colour || *no_colour == '\0')};
}

/* Only for a format that shows them: they are many. */
static int resolve_snapshots(const struct fp_cli_log *logs, size_t count)
{
	int result = 0;

	for (size_t i = 0; result == 0 && i < count; i++)
		result = fp_report_resolve_snapshots(logs[i].report, FP_SYMBOL_DEBUG_DIR);
	return result;
}

static int write_all(const struct sheet *sheet, const struct fp_cli_log *logs, size_t count,
                     FILE *out)
{
	const struct fp_report_writer *writer = fp_report_writer_find(sheet->format);
	const struct fp_report_view view = view_of(sheet, out);
	const struct fp_report **reports = calloc(count, sizeof(struct fp_report *));
	const struct fp_report_set set = {reports, count};
	int result = reports ? 0 : -ENOMEM;

	for (size_t i = 0; reports && i < count; i++)
		reports[i] = logs[i].report;
	if (result == 0 && writer->has_snapshots)
		result = resolve_snapshots(logs, count);
	if (result == 0)
		result = fp_report_write(writer, &set, &view, out);
	free(reports);
	return result;
}

static int render(const struct sheet *sheet, const struct fp_cli_log *logs, size_t count)
{
	struct fp_cli_output output;
	int result = fp_cli_output_open(&output, sheet->pattern, logs[0].report->pid);

	if (result == 0) {
		int written = write_all(sheet, logs, count, output.file);

		result = fp_cli_output_close(&output);
		if (written != 0)
			result = written;
	}
	if (result != 0)
		fp_cli_fail("cannot write %s: %s; name another file with --%s=FILE",
		            output.path ? output.path : sheet->pattern, strerror(-result),
		            sheet->key);
	fp_cli_output_free(&output);
	return result == 0 ? 0 : FP_CLI_FAILED;
}

static int render_sheet(const struct sheet *sheet, const struct fp_cli_log *logs, size_t count)
{
	int result = 0;

	if (!strstr(sheet->pattern, "%p"))
		return render(sheet, logs, count);
	for (size_t i = 0; i < count; i++) {
		if (render(sheet, &logs[i], 1) != 0)
			result = FP_CLI_FAILED;
	}
	return result;
}

int fp_cli_render(const struct fp_cli_log *logs, size_t count, const struct fp_options *options)
{
	int result = 0;

	for (size_t i = 0; i < FP_OPTIONS_COUNT; i++) {
		const struct fp_option *option = &fp_options_table[i];
		bool is_text = strcmp(option->key, "log") == 0;
		struct sheet sheet = {
		        .key = option->key,
		        .format = is_text ? "text" : option->key,
		        .pattern = fp_options_output(options, option),
		        .options = options,
		};

		if (is_text && sheet.pattern[0] == '\0')
			sheet.pattern = "/dev/stderr";
		/* One output that fails must not cost the others. */
		if (sheet.pattern[0] != '\0' && render_sheet(&sheet, logs, count) != 0)
			result = FP_CLI_FAILED;
	}
	return result;
}
