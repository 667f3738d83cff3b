/* SPDX-License-Identifier: Apache-2.0
 *
 * `fencepost run --gdb PROGRAM`: gdb, which gives its program the environment of a watched one,
 * and knows Fencepost's commands. gdb itself is not watched, and no shell is: the program
 * reports for itself, through the watcher that it starts.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/tool_messages.h"
#include "cli/run.h"

enum { OWN_ARGUMENTS = 16 };

static const char script[] = "fencepost-gdb.py"; /* beside the library */

static char *join(const char *a, const char *b)
{
	char *text;

	return asprintf(&text, "%s%s", a, b) < 0 ? NULL : text;
}

/* The variables that a watched program has and we have not, as gdb sets them. */
static size_t append_variables(char **arguments, char *const *environment)
{
	size_t count = 0;

	for (; *environment; environment++) {
		if (strncmp(*environment, "LD_PRELOAD=", strlen("LD_PRELOAD=")) != 0 &&
		    strncmp(*environment, "FENCEPOST_OPTIONS=", strlen("FENCEPOST_OPTIONS=")) !=
		            0)
			continue;
		arguments[count++] = (char *)(uintptr_t) "-ex";
		arguments[count++] = join("set environment ", *environment);
	}
	return count;
}

/* What the pools of other allocators are told is for all that is started. */
static void set_others(char *const *environment)
{
	for (; *environment; environment++)
		if (strncmp(*environment, "LD_PRELOAD=", strlen("LD_PRELOAD=")) != 0 &&
		    strncmp(*environment, "FENCEPOST_OPTIONS=", strlen("FENCEPOST_OPTIONS=")) !=
		            0)
			putenv(*environment);
}

int fp_cli_debug(char **command, const char *given, bool has_pools)
{
	char *library = fp_cli_find_library();
	char **environment =
	        library ? fp_cli_make_environment(library, given, has_pools) : NULL;
	char *directory = library ? strdup(library) : NULL;
	size_t count = 0;
	size_t used = 0;

	if (!environment || !directory)
		return FP_CLI_FAILED;
	*(strrchr(directory, '/') + 1) = '\0';
	while (command[count])
		count++;
	char **arguments = calloc(count + OWN_ARGUMENTS, sizeof(*arguments));
	if (!arguments)
		return fp_cli_fail(FP_SAY_NO_MEMORY_START);
	arguments[used++] = (char *)(uintptr_t) "gdb";
	arguments[used++] = (char *)(uintptr_t) "-ex";
	arguments[used++] = (char *)(uintptr_t) "set startup-with-shell off";
	used += append_variables(arguments + used, environment);
	arguments[used++] = (char *)(uintptr_t) "-x";
	arguments[used++] = join(directory, script);
	arguments[used++] = (char *)(uintptr_t) "--args";
	memcpy(arguments + used, command, count * sizeof(*command));
	set_others(environment);
	fp_cli_restore_process();
	execvp(arguments[0], arguments);
	return fp_cli_fail(FP_SAY_CANNOT_RUN_GDB, strerror(errno));
}
