/* SPDX-License-Identifier: Apache-2.0
 *
 * Arguments into files, and files into one report. A directory may hold other things too; what
 * is named has to be a report.
 */
#include "cli/inputs.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/tool_messages.h"
#include "report/merge/merge.h"

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
		else if (result != 0 || !fp_cli_is_report(path))
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
