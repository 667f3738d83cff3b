/* SPDX-License-Identifier: Apache-2.0
 *
 * The environment of a program that is watched: ours, with the library in it and what it is to
 * do. Nothing else is changed unless an option asks for it.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/tool_messages.h"
#include "cli/pools.h"
#include "cli/run.h"

enum { EXTRA_VARIABLES = 2 + FP_CLI_POOLS };

static char *variable(const char *name, const char *first, const char *second)
{
	const char *separator = first[0] != '\0' && second[0] != '\0' ? ":" : "";
	char *text;

	return asprintf(&text, "%s=%s%s%s", name, first, separator, second) < 0 ? NULL : text;
}

static bool is_ours(const char *text)
{
	return strncmp(text, "LD_PRELOAD=", strlen("LD_PRELOAD=")) == 0 ||
	       strncmp(text, "FENCEPOST_OPTIONS=", strlen("FENCEPOST_OPTIONS=")) == 0;
}

char **fp_cli_make_environment(const char *library, const char *given, bool has_pools)
{
	const char *preload = getenv("LD_PRELOAD");
	const char *options = getenv("FENCEPOST_OPTIONS");
	size_t count = 0;
	size_t used = 0;

	if (access(library, R_OK) != 0 || strpbrk(library, ": ")) {
		fp_cli_fail(FP_SAY_CANNOT_USE_INSTALL, library);
		return NULL;
	}
	while (environ[count])
		count++;
	char **environment = calloc(count + EXTRA_VARIABLES + 1, sizeof(*environment));
	if (!environment) {
		fp_cli_fail(FP_SAY_NO_MEMORY_START);
		return NULL;
	}
	for (size_t i = 0; i < count; i++) {
		if (!is_ours(environ[i]))
			environment[used++] = environ[i];
	}
	if (!has_pools)
		used += fp_cli_pools_leave(environment + used);
	environment[used++] = variable("LD_PRELOAD", library, preload ? preload : "");
	environment[used++] = variable("FENCEPOST_OPTIONS", options ? options : "", given);
	return environment;
}
