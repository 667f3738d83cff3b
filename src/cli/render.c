/* SPDX-License-Identifier: Apache-2.0
 *
 * From reports to the outputs that the options name. Several reports make one text and one JSON
 * array, unless %p in a name makes a file for each process.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/tool_messages.h"
#include "cli/cli.h"
#include "report/leaks.h"
#include "report/writer.h"

/* One output of a set of reports. */
struct sheet {
	const char *key; /* its option */
	const char *format;
	const char *pattern;
	const struct fp_options *options;
	bool is_only; /* nobody has what is in it otherwise */
};

bool fp_cli_wants_color(int choice, int fd)
{
	const char *no_color = getenv("NO_COLOR");
	const char *terminal = getenv("TERM");

	if (choice != FP_OPTIONS_COLOR_AUTO)
		return choice == FP_OPTIONS_COLOR_ALWAYS;
	return isatty(fd) && (!no_color || *no_color == '\0') &&
	       (!terminal || strcmp(terminal, "dumb") != 0);
}

static struct fp_report_view view_of(const struct sheet *sheet, int fd)
{
	static const enum fp_report_leaks leaks[] = {
	        [FP_OPTIONS_LEAK_CHECK_NO] = FP_REPORT_LEAKS_NONE,
	        [FP_OPTIONS_LEAK_CHECK_SUMMARY] = FP_REPORT_LEAKS_SUMMARY,
	        [FP_OPTIONS_LEAK_CHECK_FULL] = FP_REPORT_LEAKS_FULL,
	};
	return (struct fp_report_view){
	        .leaks = leaks[sheet->options->leak_check],
	        .has_possible = sheet->options->show_possible,
	        .is_quiet = sheet->options->quiet,
	        .has_blocks = sheet->options->gen_suppressions,
	        .has_all_frames = sheet->options->stacks == FP_OPTIONS_STACKS_FULL,
	        .source_root = sheet->options->source_root,
	        .has_colour = fp_cli_wants_color(sheet->options->color, fd)};
}

/* Only for a format that shows them: they are many. */
static int resolve_snapshots(const struct fp_cli_log *logs, size_t count)
{
	int result = 0;

	for (size_t i = 0; result == 0 && i < count; i++)
		result = fp_report_resolve_snapshots(logs[i].report, FP_SYMBOL_DEBUG_DIR);
	return result;
}

/* As they are, one after the other. */
static int write_events(const struct fp_cli_log *logs, size_t count, FILE *out)
{
	for (size_t i = 0; i < count; i++)
		if (logs[i].data && fwrite(logs[i].data, 1, logs[i].size, out) != logs[i].size)
			return -errno;
	return 0;
}

static bool has_events(const struct fp_cli_log *logs, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (logs[i].data)
			return true;
	return false;
}

static int write_all(const struct sheet *sheet, const struct fp_cli_log *logs, size_t count,
                     const struct fp_cli_output *output)
{
	if (strcmp(sheet->format, "events") == 0)
		return write_events(logs, count, output->file);
	const struct fp_report_writer *writer = fp_report_writer_find(sheet->format);
	const struct fp_report_view view = view_of(sheet, output->fd);
	const struct fp_report **reports = calloc(count, sizeof(struct fp_report *));
	const struct fp_report_set set = {reports, count};
	int result = reports ? 0 : -ENOMEM;

	for (size_t i = 0; reports && i < count; i++)
		reports[i] = logs[i].report;
	if (result == 0 && writer->has_snapshots)
		result = resolve_snapshots(logs, count);
	if (result == 0)
		result = fp_report_write(writer, &set, &view, output->file);
	free(reports);
	return result;
}

static int fail_to_write(const char *key, const char *path, int error)
{
	return fp_cli_fail(FP_SAY_CANNOT_WRITE_OUTPUT, path, strerror(error), key);
}

static int check(const char *key, const char *pattern)
{
	int result = pattern[0] != '\0' ? fp_cli_output_check(pattern) : 0;

	return result == 0 ? 0 : fail_to_write(key, pattern, -result);
}

/* What the program writes itself it would refuse, too, but only once it was started. */
int fp_cli_check_outputs(const struct fp_options *options)
{
	int result = check("record", options->record);

	for (size_t i = 0; i < FP_OPTIONS_COUNT; i++) {
		const struct fp_option *option = &fp_options_table[i];

		if (check(option->key, fp_options_output(options, option)) != 0)
			result = FP_CLI_FAILED;
	}
	return fp_cli_lines_open(options) == 0 ? result : FP_CLI_FAILED;
}

int fp_cli_check_needs(const struct fp_options *options, const bool *is_given)
{
	const bool has_lines = options->ndjson[0] != '\0';
	const struct {
		size_t index;
		bool is_idle;
		const char *text;
	} needs[] = {
	        {FP_OPTIONS_INDEX_label, options->label[0] != '\0' && !has_lines,
	         FP_SAY_LABEL_DOES_NOTHING},
	        {FP_OPTIONS_INDEX_redact, options->redact && !has_lines,
	         FP_SAY_REDACT_DOES_NOTHING},
	        {FP_OPTIONS_INDEX_seed, options->sample == 1 && options->budget == 0,
	         FP_SAY_SEED_DOES_NOTHING},
	        {FP_OPTIONS_INDEX_align_profile, options->align != FP_OPTIONS_ALIGN_AUTO,
	         FP_SAY_ALIGN_PROFILE_DOES},
	};

	for (size_t i = 0; i < sizeof(needs) / sizeof(needs[0]); i++)
		if (is_given[needs[i].index] && needs[i].is_idle)
			return fp_cli_fail("%s", needs[i].text);
	return 0;
}

static const char standard_error[] = "/dev/stderr";

static int render(const struct sheet *sheet, const struct fp_cli_log *logs, size_t count)
{
	struct fp_cli_output output;
	struct sheet instead = *sheet;

	if (strcmp(sheet->format, "events") == 0 && !has_events(logs, count))
		return fp_cli_fail(FP_SAY_JSON_REPORT_ONE);
	int result = fp_cli_output_open(&output, sheet->pattern, logs[0].report->pid);

	if (result == 0) {
		int written = write_all(sheet, logs, count, &output);

		result = fp_cli_output_close(&output);
		if (written != 0)
			result = written;
	}
	if (result != 0)
		fail_to_write(sheet->key, output.path ? output.path : sheet->pattern, -result);
	fp_cli_output_free(&output);
	instead.pattern = standard_error;
	if (result != 0 && sheet->is_only && strcmp(sheet->pattern, standard_error) != 0)
		render(&instead, logs, count);
	return result == 0 ? 0 : FP_CLI_FAILED;
}

/* Of one process in the order in which they came, which is that of the array they are in. */
static int compare_processes(const void *left, const void *right)
{
	const struct fp_cli_log *a = *(const struct fp_cli_log *const *)left;
	const struct fp_cli_log *b = *(const struct fp_cli_log *const *)right;

	if (a->report->pid != b->report->pid)
		return a->report->pid < b->report->pid ? -1 : 1;
	return (a > b) - (a < b);
}

/* LOGS with those of one process side by side: new memory, or NULL. */
static struct fp_cli_log *sort_by_process(const struct fp_cli_log *logs, size_t count)
{
	const struct fp_cli_log **order = calloc(count, sizeof(struct fp_cli_log *));
	struct fp_cli_log *sorted = calloc(count, sizeof(*sorted));

	if (order && sorted) {
		for (size_t i = 0; i < count; i++)
			order[i] = &logs[i];
		qsort(order, count, sizeof(struct fp_cli_log *), compare_processes);
		for (size_t i = 0; i < count; i++)
			sorted[i] = *order[i];
	} else {
		free(sorted);
		sorted = NULL;
	}
	free(order);
	return sorted;
}

/* A process has several reports when it executed another program, or when it is a host that
 * runs under fencepost run: none may take the other's place. */
static int render_each_process(const struct sheet *sheet, const struct fp_cli_log *logs,
                               size_t count)
{
	struct fp_cli_log *sorted = sort_by_process(logs, count);
	int result = 0;

	if (!sorted)
		return fp_cli_fail(FP_SAY_NO_MEMORY_FILES, sheet->key);
	for (size_t start = 0, end; start < count; start = end) {
		for (end = start + 1; end < count; end++) {
			if (sorted[end].report->pid != sorted[start].report->pid)
				break;
		}
		if (render(sheet, &sorted[start], end - start) != 0)
			result = FP_CLI_FAILED;
	}
	free(sorted);
	return result;
}

static int render_sheet(const struct sheet *sheet, const struct fp_cli_log *logs, size_t count)
{
	return strstr(sheet->pattern, "%p") ? render_each_process(sheet, logs, count)
	                                    : render(sheet, logs, count);
}

/* Where CTest and others tell AddressSanitizer to write: log_path in ASAN_OPTIONS. Only that is
 * taken from there; the rest is about another program. New memory, or NULL. */
static char *find_log_path(void)
{
	static const char key[] = "log_path";
	const char *options = getenv("ASAN_OPTIONS");
	struct fp_options_item item;
	char *path = NULL;

	while (options && fp_options_next_other(&options, &item))
		if (item.key_len == strlen(key) && memcmp(item.key, key, strlen(key)) == 0) {
			free(path);
			path = strndup(item.value, item.value_len);
		}
	return path;
}

/* Where text goes that nobody named a place for: new memory, or NULL. What reads
 * AddressSanitizer's text has told it where it wants to find that. */
static char *find_text_place(const struct fp_options *options)
{
	char *log_path = options->style == FP_OPTIONS_STYLE_ASAN ? find_log_path() : NULL;
	char *place = NULL;

	if (!log_path || strcmp(log_path, "stderr") == 0)
		place = strdup(standard_error);
	else if (strcmp(log_path, "stdout") == 0)
		place = strdup("/dev/stdout");
	else if (asprintf(&place, "%s.%%p", log_path) < 0)
		place = NULL;
	free(log_path);
	return place;
}

static int render_text(const struct fp_cli_log *logs, size_t count,
                       const struct fp_options *options, bool is_only)
{
	bool is_asan = options->style == FP_OPTIONS_STYLE_ASAN;
	char *place = options->log[0] == '\0' ? find_text_place(options) : strdup(options->log);
	const struct sheet sheet = {.key = "log",
	                            .format = is_asan ? "asan" : "text",
	                            .pattern = place,
	                            .options = options,
	                            .is_only = is_only};
	int result = place ? render_sheet(&sheet, logs, count)
	                   : fp_cli_fail(FP_SAY_NO_MEMORY_TEXT_REPORT);

	free(place);
	return result;
}

int fp_cli_render_findings(const struct fp_cli_log *log, size_t first, size_t end,
                           const struct fp_options *options)
{
	const struct sheet sheet = {.key = "log", .format = "text", .options = options};
	const struct fp_report_view view = view_of(&sheet, STDERR_FILENO);
	const struct fp_report *report = log->report;
	const struct fp_report_set set = {&report, 1};
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return -ENOMEM;
	int result = fp_report_write_findings(fp_report_writer_find(sheet.format), &set, &view,
	                                      first, end, out);
	if (fclose(out) != 0)
		result = -ENOMEM;
	/* In one piece: the program writes there, too. */
	if (result == 0)
		fwrite(text, 1, size, stderr);
	fflush(stderr);
	free(text);
	return result;
}

int fp_cli_render(const struct fp_cli_log *logs, size_t count, const struct fp_options *options,
                  bool is_only)
{
	for (size_t i = 0; options->max_leaks > 0 && i < count; i++)
		if (fp_report_limit_leaks(logs[i].report, options->max_leaks) != 0)
			return fp_cli_fail(FP_SAY_NO_MEMORY_REPORT);
	int result = render_text(logs, count, options, is_only);

	for (size_t i = 0; i < FP_OPTIONS_COUNT; i++) {
		const struct fp_option *option = &fp_options_table[i];
		const struct sheet sheet = {
		        .key = option->key,
		        .format = option->key,
		        .pattern = fp_options_output(options, option),
		        .options = options,
		};

		if (strcmp(option->key, "log") == 0)
			continue;
		/* One output that fails must not cost the others. */
		if (sheet.pattern[0] != '\0' && render_sheet(&sheet, logs, count) != 0)
			result = FP_CLI_FAILED;
	}
	if (options->ndjson[0] != '\0' && fp_cli_lines_send(logs, count, options) != 0)
		result = FP_CLI_FAILED;
	return result;
}
