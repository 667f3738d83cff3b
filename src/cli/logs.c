/* SPDX-License-Identifier: Apache-2.0
 *
 * Files into reports: event logs, which are resolved, and JSON reports, which are already. What
 * a file is is told from its first bytes. Every refusal names the file.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/proc.h"
#include "base/tool_messages.h"
#include "cli/cli.h"
#include "log/format.h"
#include "report/json/read.h"
#include "report/merge/merge.h"
#include "report/stack.h"

enum { PROBE_BYTES = 4096 };

static const char *shown(const char *path)
{
	return strcmp(path, "-") == 0 ? FP_SAY_STANDARD_INPUT : path;
}

char *fp_cli_read_stream(FILE *in, size_t *size)
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

static bool is_log(const char *data, size_t size)
{
	size_t magic = strlen(FP_LOG_MAGIC);

	return size >= magic && memcmp(data, FP_LOG_MAGIC, magic) == 0;
}

static bool is_report(const char *path)
{
	static const char schema[] = "\"fencepost-report-";
	char data[PROBE_BYTES];
	struct stat status;
	FILE *in =
	        stat(path, &status) == 0 && S_ISREG(status.st_mode) ? fopen(path, "rbe") : NULL;
	size_t size = in ? fread(data, 1, sizeof(data), in) : 0;

	if (in)
		fclose(in);
	return is_log(data, size) ||
	       (fp_report_is_json(data, size) && memmem(data, size, schema, strlen(schema)));
}

static int explain_refusal(const char *path, int error)
{
	switch (error) {
	case -EINVAL:
		return fp_cli_fail(FP_SAY_NEITHER_EVENT_LOG, shown(path));
	case -ENOTSUP:
		return fp_cli_fail(FP_SAY_EVENT_LOG_ANOTHER, shown(path));
	default:
		return fp_cli_fail(FP_SAY_NO_MEMORY_FOR_FILE, shown(path));
	}
}

static int add(struct fp_cli_logs *logs, struct fp_cli_log log)
{
	struct fp_cli_log *grown = fp_report_grow(logs->logs, logs->count, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	logs->logs = grown;
	grown[logs->count++] = log;
	return 0;
}

/* What the process of LOG made while it ran is still there to be asked for. */
static int name_made(struct fp_cli_log *log)
{
	char *named;
	int result = fp_report_name_made(log->report, log->data, &log->size, &named);

	if (result != 0 || !named)
		return result;
	fp_report_free(log->report);
	log->report = NULL;
	log->data = named;
	return fp_report_read(log->data, log->size, &log->report);
}

/* DATA is the log's from then on when it could be added. With IS_NEW it is of a process that
 * just ran or still runs. */
static int add_log(struct fp_cli_logs *logs, char *data, size_t size, bool is_new)
{
	struct fp_cli_log log = {.data = data, .size = size};
	int result = fp_report_read(data, size, &log.report);

	if (result == 0 && is_new)
		result = name_made(&log);
	if (result == 0 && !logs->images)
		result = fp_report_images_new(FP_SYMBOL_DEBUG_DIR, &logs->images);
	if (result == 0)
		result = fp_report_resolve_with(log.report, logs->images);
	if (result == 0)
		result = add(logs, log);
	if (result != 0)
		fp_report_free(log.report);
	if (log.data != data)
		free(result == 0 ? data : log.data);
	return result;
}

static int add_json(struct fp_cli_logs *logs, struct fp_report_list *list)
{
	size_t before = logs->count;
	int result = 0;

	for (size_t i = 0; result == 0 && i < list->count; i++)
		result = add(logs, (struct fp_cli_log){.report = list->reports[i]});
	if (result == 0)
		list->count = 0;
	else
		logs->count = before;
	fp_report_list_free(list);
	return result;
}

static int read_json(struct fp_cli_logs *logs, const char *path, FILE *in)
{
	char refusal[FP_REPORT_REFUSAL_MAX];
	struct fp_report_list list;
	int result = fp_report_read_json(in, logs->merge, &list, refusal);

	if (result == -EINVAL && !ferror(in))
		return fp_cli_fail("%s %s", shown(path), refusal);
	if (result == -EINVAL)
		return -EIO;
	return result == 0 ? add_json(logs, &list) : result;
}

/* Where the log that DATA begins with ends: at the beginning of another one, or at SIZE. */
static size_t end_of_log(const char *data, size_t size)
{
	size_t at = FP_LOG_HEADER_BYTES;

	while (at < size && size - at >= FP_LOG_RECORD_HEADER_BYTES &&
	       !is_log(data + at, size - at)) {
		const uint8_t *bytes = (const uint8_t *)data + at + 4;
		uint32_t count = (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 |
		                 (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;

		at += FP_LOG_RECORD_HEADER_BYTES + (size_t)count;
	}
	return at < size && is_log(data + at, size - at) ? at : size;
}

/* A run leaves the logs of its processes one after the other. */
static int add_logs(struct fp_cli_logs *logs, const char *data, size_t size, bool is_new)
{
	int result = 0;

	do {
		size_t end = end_of_log(data, size);
		char *copy = malloc(end + 1);

		if (!copy)
			return -ENOMEM;
		memcpy(copy, data, end);
		result = add_log(logs, copy, end, is_new);
		if (result != 0)
			free(copy);
		data += end;
		size -= end;
	} while (result == 0 && size > 0);
	return result;
}

int fp_cli_logs_add(struct fp_cli_logs *logs, char *data, size_t size)
{
	int result = add_log(logs, data, size, true);

	return result == 0 ? 0 : explain_refusal(FP_SAY_EVENTS_OF_PROCESS, result);
}

int fp_cli_read_core(const char *path, const struct fp_remains_question *question,
                     char events[FP_CLI_EVENTS_PATH_MAX])
{
	char refusal[FP_REMAINS_REFUSAL_MAX];
	int fd;

	if (fp_remains_read(path, question, &fd, refusal) != 0)
		return fp_cli_fail("%s %s", path, refusal);
	snprintf(events, FP_CLI_EVENTS_PATH_MAX, FP_PROC_SELF "fd/%d", fd);
	return 0;
}

/* Whether IN goes on with JSON: white space before that is passed over. */
static bool is_json(FILE *in)
{
	char byte = ' ';

	while (isspace((unsigned char)byte) && fread(&byte, 1, 1, in) == 1)
		;
	ungetc(byte, in);
	return fp_report_is_json(&byte, 1);
}

static int read_from(struct fp_cli_logs *logs, const char *path, FILE *in)
{
	size_t size;
	char *data;
	int result;

	if (is_json(in))
		return read_json(logs, path, in);
	data = fp_cli_read_stream(in, &size);
	result = data ? add_logs(logs, data, size, in == stdin) : -EIO;
	free(data);
	return result;
}

int fp_cli_logs_read(struct fp_cli_logs *logs, const char *path)
{
	char events[FP_CLI_EVENTS_PATH_MAX];

	if (fp_remains_is_core(path)) {
		const struct fp_remains_question question = {.wants_blocks = true};

		return fp_cli_read_core(path, &question, events) == 0
		               ? fp_cli_logs_read(logs, events)
		               : FP_CLI_FAILED;
	}
	FILE *in = strcmp(path, "-") == 0 ? stdin : fopen(path, "rbe");
	int result = in ? read_from(logs, path, in) : -EIO;

	if (result == -EIO)
		result = fp_cli_fail(FP_SAY_CANNOT_READ_LOG, shown(path), strerror(errno));
	else if (result < 0)
		result = explain_refusal(path, result);
	if (in && in != stdin)
		fclose(in);
	return result == 0 ? 0 : FP_CLI_FAILED;
}

void fp_cli_logs_clear(struct fp_cli_logs *logs)
{
	for (size_t i = 0; i < logs->count; i++) {
		fp_report_free(logs->logs[i].report);
		free(logs->logs[i].data);
	}
	logs->count = 0;
	free(logs->logs);
	logs->logs = NULL;
	if (logs->images)
		fp_report_images_trim(logs->images);
}

void fp_cli_logs_free(struct fp_cli_logs *logs)
{
	fp_cli_logs_clear(logs);
	fp_report_images_free(logs->images);
	*logs = (struct fp_cli_logs){0};
}

/* ---- Arguments into files ------------------------------------------------------------------
 *
 * Arguments into files, and files into one report. A directory may hold other things too; what
 * is named has to be a report.
 */

static int out_of_memory(void)
{
	return fp_cli_fail(FP_SAY_NO_MEMORY_SO_MANY);
}

/* Takes PATH over. */
static int add_path(struct fp_cli_inputs *inputs, char *path)
{
	char **paths =
	        path ? fp_report_grow(inputs->paths, inputs->count, sizeof(*paths)) : NULL;

	if (!paths) {
		free(path);
		return out_of_memory();
	}
	inputs->paths = paths;
	paths[inputs->count++] = path;
	return 0;
}

static int add_directory(struct fp_cli_inputs *inputs, const char *directory)
{
	struct dirent **entries;
	int count = scandir(directory, &entries, NULL, alphasort);
	size_t before = inputs->count;
	int result = 0;

	if (count < 0)
		return fp_cli_fail(FP_SAY_CANNOT_READ_DIRECTORY, directory, strerror(errno));
	for (int i = 0; i < count; i++) {
		char *path = NULL;

		if (entries[i]->d_name[0] == '.')
			path = NULL;
		else if (asprintf(&path, "%s/%s", directory, entries[i]->d_name) < 0)
			result = out_of_memory();
		else if (result != 0 || !is_report(path))
			free(path);
		else
			result = add_path(inputs, path);
		free(entries[i]);
	}
	free(entries);
	if (result == 0 && inputs->count == before)
		return fp_cli_fail(FP_SAY_NO_EVENT_LOG, directory);
	return result;
}

static int add_plain(struct fp_cli_inputs *inputs, const char *argument)
{
	struct stat status;

	if (stat(argument, &status) == 0 && S_ISDIR(status.st_mode))
		return add_directory(inputs, argument);
	return add_path(inputs, strdup(argument));
}

static int add_list(struct fp_cli_inputs *inputs, const char *path)
{
	bool is_standard = strcmp(path, "-") == 0;
	FILE *list = is_standard ? stdin : fopen(path, "re");
	char *line = NULL;
	size_t room = 0;
	int result = 0;

	if (!list)
		return fp_cli_fail(FP_SAY_CANNOT_READ_LIST, path, strerror(errno));
	for (ssize_t length; result == 0 && (length = getline(&line, &room, list)) > 0;) {
		if (line[length - 1] == '\n')
			line[length - 1] = '\0';
		if (line[0] != '\0')
			result = add_plain(inputs, line);
	}
	if (result == 0 && ferror(list))
		result = fp_cli_fail(FP_SAY_CANNOT_READ_LIST_NAME, path);
	free(line);
	if (!is_standard)
		fclose(list);
	return result;
}

int fp_cli_inputs_add(struct fp_cli_inputs *inputs, const char *argument)
{
	if (argument[0] == '@')
		return add_list(inputs, argument + 1);
	return add_plain(inputs, argument);
}

static int add_reports(struct fp_report_merge *merge, const struct fp_cli_logs *logs,
                       const char *path)
{
	int result = 0;

	for (size_t i = 0; result == 0 && i < logs->count; i++) {
		struct fp_report *report = logs->logs[i].report;
		const struct fp_report_origin origin = {
		        .name = report->line.host ? report->line.host : path};

		result = fp_report_merge_add(merge, report, &origin);
	}
	return result;
}

static int note_unread(struct fp_report_merge *merge, const char *path)
{
	char *text;
	int result;

	if (asprintf(&text, FP_SAY_NOT_READ_TO_END, path) < 0)
		return -ENOMEM;
	result = fp_report_merge_note(merge, text);
	free(text);
	return result;
}

/* Returns how many files could be read, or -ENOMEM. */
static int merge_all(struct fp_report_merge *merge, const struct fp_cli_inputs *inputs)
{
	struct fp_cli_logs logs = {.merge = merge};
	int result = 0;
	int read = 0;

	for (size_t i = 0; result == 0 && i < inputs->count; i++) {
		if (fp_cli_logs_read(&logs, inputs->paths[i]) != 0) {
			result = note_unread(merge, inputs->paths[i]);
		} else {
			result = add_reports(merge, &logs, inputs->paths[i]);
			read++;
		}
		fp_cli_logs_clear(&logs);
	}
	fp_cli_logs_free(&logs);
	return result != 0 ? result : read;
}

int fp_cli_inputs_merge(const struct fp_cli_inputs *inputs, struct fp_report **report)
{
	struct fp_report_merge *merge;
	int read = fp_report_merge_new(false, &merge);

	*report = NULL;
	if (read == 0)
		read = merge_all(merge, inputs);
	if (read <= 0) {
		fp_report_merge_free(merge);
		return read < 0 ? out_of_memory() : FP_CLI_FAILED;
	}
	if (fp_report_merge_end(merge, report) != 0)
		return out_of_memory();
	return (size_t)read == inputs->count ? 0 : FP_CLI_FAILED;
}

int fp_cli_logs_merge(struct fp_cli_logs *logs, struct fp_report **report)
{
	struct fp_report_merge *merge = logs->merge;
	int result = 0;

	*report = NULL;
	logs->merge = NULL;
	if (merge && !fp_report_merge_is_empty(merge)) {
		result = add_reports(merge, logs, NULL);
		if (result == 0)
			return fp_report_merge_end(merge, report) == 0 ? 0 : out_of_memory();
	}
	fp_report_merge_free(merge);
	return result == 0 ? 0 : out_of_memory();
}

void fp_cli_inputs_free(struct fp_cli_inputs *inputs)
{
	for (size_t i = 0; i < inputs->count; i++)
		free(inputs->paths[i]);
	free(inputs->paths);
	*inputs = (struct fp_cli_inputs){0};
}

/* ---- Suppressions --------------------------------------------------------------------------
 *
 * The files that the option suppressions names. They are read before anything runs, so that a
 * mistake in one is told at once.
 */

static int explain(const struct fp_report_suppressions *suppressions, const char *path,
                   int error)
{
	if (error == -EINVAL)
		return fp_cli_fail("%s", suppressions->error);
	return fp_cli_fail(FP_SAY_NO_MEMORY_SUPPRESSIONS_OF, path);
}

static int read_file(struct fp_report_suppressions *suppressions, const char *path)
{
	FILE *in = fopen(path, "rbe");
	size_t size = 0;
	char *data = in ? fp_cli_read_stream(in, &size) : NULL;
	const struct fp_report_suppression_text text = {path, data, size};
	int result = 0;

	if (!data)
		fp_cli_fail(FP_SAY_CANNOT_READ_SUPPRESSIONS, path, strerror(errno));
	if (in)
		fclose(in);
	if (!data)
		return FP_CLI_FAILED;
	result = fp_report_suppressions_parse(suppressions, &text);
	free(data);
	return result == 0 ? 0 : explain(suppressions, path, result);
}

int fp_cli_prepare_reports(struct fp_report_suppressions *suppressions,
                           const struct fp_options *options)
{
	char paths[FP_OPTION_PATH_MAX];
	char *rest = paths;
	int result = 0;

	fp_report_name_allocators(options->alloc_fn);
	if (options->debuginfod)
		fp_symbol_allow_fetching();
	memcpy(paths, options->suppressions, sizeof(paths));
	for (char *path = strsep(&rest, ","); result == 0 && path; path = strsep(&rest, ",")) {
		if (*path != '\0')
			result = read_file(suppressions, path);
	}
	if (result != 0)
		fp_report_suppressions_free(suppressions);
	return result;
}

static bool has(const struct fp_report_suppressions *suppressions, struct fp_report_string line)
{
	for (size_t i = 0; i < suppressions->count; i++)
		if (strncmp(suppressions->items[i].name, line.bytes, line.size) == 0 &&
		    suppressions->items[i].name[line.size] == '\0')
			return true;
	return false;
}

/* What the program itself says, as it would to LeakSanitizer. A mistake there is nobody's here
 * to mend. */
static void add_known(const struct fp_report *report,
                      struct fp_report_suppressions *suppressions)
{
	for (size_t i = 0; i < report->known_count; i++) {
		const struct fp_report_suppression_text text = {"__lsan_default_suppressions",
		                                                report->known[i].bytes,
		                                                report->known[i].size};

		if (!has(suppressions, report->known[i]) &&
		    fp_report_suppressions_parse(suppressions, &text) == -EINVAL)
			fp_cli_say("note: %s", suppressions->error);
	}
}

int fp_cli_suppress(const struct fp_cli_log *logs, size_t count,
                    struct fp_report_suppressions *suppressions)
{
	struct fp_report **reports = calloc(count + 1, sizeof(struct fp_report *));
	time_t now = time(NULL);
	char today[16];
	struct tm day;

	if (!reports)
		return fp_cli_fail(FP_SAY_NO_MEMORY_SUPPRESSIONS);
	for (size_t i = 0; i < count; i++) {
		reports[i] = logs[i].report;
		add_known(reports[i], suppressions);
	}
	strftime(today, sizeof(today), "%Y-%m-%d", gmtime_r(&now, &day));
	if (suppressions->count > 0)
		fp_report_suppress(reports, count, suppressions, today);
	free(reports);
	return 0;
}
