/* SPDX-License-Identifier: Apache-2.0
 *
 * trace_children=no: the program's environment loses what brought us here, so that what it
 * executes runs as if nobody watched. Strings are shortened and entries removed in place:
 * nothing is allocated, and a program that counts on its environment's address keeps it.
 */
#include <string.h>
#include <unistd.h>

#include "preload/door.h"

static const char library[] = "libfencepost-preload.so";

/* The length of the first path of PATHS, which separates them by ':' or ' '. */
static size_t first_length(const char *paths)
{
	return strcspn(paths, ": ");
}

static bool is_library(const char *path, size_t length)
{
	size_t own = sizeof(library) - 1;

	return length >= own && memcmp(path + length - own, library, own) == 0;
}

/* Takes our library out of PATHS; whether any other is left. */
static bool leave_others(char *paths)
{
	char *at = paths;

	while (*at != '\0') {
		size_t length = first_length(at);
		size_t skip = length + (at[length] != '\0');

		if (is_library(at, length))
			memmove(at, at + skip, strlen(at + skip) + 1);
		else
			at += skip;
	}
	return at != paths;
}

static bool starts_with(const char *variable, const char *name)
{
	return strncmp(variable, name, strlen(name)) == 0;
}

static bool is_to_stay(char *variable)
{
	static const char preload[] = "LD_PRELOAD=";

	if (starts_with(variable, "FENCEPOST_OPTIONS="))
		return false;
	return !starts_with(variable, preload) || leave_others(variable + strlen(preload));
}

void fp_preload_leave_children(void)
{
	char **kept = environ;

	for (char **variable = environ; *variable != NULL; variable++) {
		if (is_to_stay(*variable))
			*kept++ = *variable;
	}
	*kept = NULL;
}
