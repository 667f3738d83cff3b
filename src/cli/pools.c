/* SPDX-License-Identifier: Apache-2.0
 *
 * A file has such an allocator when it has the name of its variable, which only the code that
 * asks for it needs: GLib has neither since 2.76. A program's constants can be many megabytes:
 * they are read only where its symbols have the allocator's name too.
 */
#include "cli/pools.h"

#include <stdlib.h>
#include <string.h>

#include "base/tool_messages.h"
#include "cli/doctor.h"
#include "cli/image.h"
#include "report/stack.h"

/* A command longer than this is nothing to paste. */
enum { COMMAND_MAX = 2000 };

static const struct pool {
	const char *name;
	const char *library;  /* how the name of its file starts, unless it is in the program */
	const char *function; /* of the allocator */
	const char *variable;
	const char *value;
} pools[FP_CLI_POOLS] = {
        {"GLib's slices", "libglib-2.0.so", "g_slice_alloc", "G_SLICE", "always-malloc"},
        {FP_CLI_PHP_HEAP, "libphp", "_emalloc", "USE_ZEND_ALLOC", "0"},
        {FP_CLI_PYTHON_HEAP, "libpython", "PyObject_Malloc", "PYTHONMALLOC", "malloc"},
};

static bool starts_with(struct fp_report_string text, const char *start)
{
	return text.size >= strlen(start) && strncmp(text.bytes, start, strlen(start)) == 0;
}

static bool has_pool(struct fp_report_string path, const struct pool *pool, bool is_program)
{
	char *name = strndup(path.bytes, path.size);
	struct fp_cli_image *image = name ? fp_cli_image_open(name) : NULL;
	bool has_it = image && (!is_program || fp_cli_image_has_name(image, pool->function)) &&
	              fp_cli_image_has_text(image, pool->variable);

	fp_cli_image_close(image);
	free(name);
	return has_it;
}

static void look_at_module(struct fp_cli_pools *found, const struct fp_report *report,
                           struct fp_report_string path)
{
	bool is_program = fp_report_compare_strings(path, report->executable) == 0;

	for (size_t i = 0; i < FP_CLI_POOLS; i++) {
		const struct pool *pool = &pools[i];

		if (found->files[i] || getenv(pool->variable) ||
		    !(is_program || starts_with(fp_report_base_name(path), pool->library)))
			continue;
		if (has_pool(path, pool, is_program))
			found->files[i] = strndup(path.bytes, path.size);
	}
}

/* Many processes execute the same. */
static bool was_met(const struct fp_cli_logs *logs, size_t index)
{
	for (size_t i = 0; i < index; i++) {
		if (fp_report_compare_strings(logs->logs[i].report->executable,
		                              logs->logs[index].report->executable) == 0)
			return true;
	}
	return false;
}

void fp_cli_pools_look(struct fp_cli_pools *found, const struct fp_cli_logs *logs)
{
	for (size_t i = 0; i < logs->count; i++) {
		const struct fp_report *report = logs->logs[i].report;

		if (!was_met(logs, i))
			look_at_module(found, report, report->executable);
		for (size_t j = 0; j < report->module_count; j++)
			look_at_module(found, report, report->modules[j].path);
	}
}

/* ARGUMENTS without the option that they are to have another value of. New memory, or NULL. */
static char *command_of(char *const *arguments)
{
	bool is_option = true;
	char *command = NULL;
	size_t size;
	FILE *out = open_memstream(&command, &size);

	if (!out)
		return NULL;
	fputs(FP_SAY_RUN_POOLS_OFF, out);
	for (; *arguments; arguments++) {
		is_option = is_option && strncmp(*arguments, "--", 2) == 0 &&
		            strcmp(*arguments, "--") != 0;
		if (is_option && strncmp(*arguments, "--pools", strlen("--pools")) == 0)
			continue;
		char *quoted = fp_cli_quote(*arguments);

		fprintf(out, " %s", quoted ? quoted : "...");
		free(quoted);
	}
	if (fclose(out) == 0 && size <= COMMAND_MAX)
		return command;
	free(command);
	return NULL;
}

void fp_cli_pools_print(const struct fp_cli_pools *found, char *const *arguments)
{
	char *command = command_of(arguments);

	for (size_t i = 0; i < FP_CLI_POOLS; i++) {
		if (found->files[i])
			fp_cli_say(FP_SAY_NOTE_CUSTOM_ALLOCATOR, pools[i].name, found->files[i],
			           command ? command : FP_SAY_RUN_POOLS_OFF);
	}
	free(command);
}

void fp_cli_pools_free(struct fp_cli_pools *found)
{
	for (size_t i = 0; i < FP_CLI_POOLS; i++)
		free(found->files[i]);
	*found = (struct fp_cli_pools){0};
}

bool fp_cli_is_pool(const char *allocator)
{
	for (size_t i = 0; i < FP_CLI_POOLS; i++) {
		if (strcmp(pools[i].name, allocator) == 0)
			return true;
	}
	return false;
}

size_t fp_cli_pools_leave(char **environment)
{
	size_t used = 0;

	for (size_t i = 0; i < FP_CLI_POOLS; i++) {
		char *text;

		if (!getenv(pools[i].variable) &&
		    asprintf(&text, "%s=%s", pools[i].variable, pools[i].value) >= 0)
			environment[used++] = text;
	}
	return used;
}
