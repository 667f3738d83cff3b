/* SPDX-License-Identifier: Apache-2.0
 *
 * What a run did not see: programs executed without our library, from the lines that its
 * processes left, and allocators that are no malloc.
 */
#include <stdlib.h>
#include <string.h>

#include "base/tool_messages.h"
#include "cli/image.h"
#include "cli/pools.h"
#include "cli/run.h"
#include "report/stack.h"

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

static void print_kind(const struct fp_cli_unseen_kind *kind)
{
	if (kind->count > 1)
		fp_cli_say(FP_SAY_NOT_SEEN_TIMES, kind->line, kind->count);
	else
		fp_cli_say(FP_SAY_NOT_SEEN, kind->line);
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
		print_kind(&unseen->kinds[i]);
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

/* Of a malloc the library in the program has said so; of pools there is more to say. */
static bool is_worth_saying(const char *allocator)
{
	return strcmp(allocator, FP_CLI_OWN_MALLOC) != 0 && !fp_cli_is_pool(allocator);
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

	if (allocator && is_worth_saying(allocator))
		say(allocator, executed);
	print_runtimes(logs, allocator);
	fp_cli_image_close(image);
	free(executed);
}
