/* SPDX-License-Identifier: Apache-2.0
 *
 * What brought us here, and how what the program executes is spared it. With trace_children=no
 * the program's environment loses it: strings are shortened and entries removed in place, so a
 * program that counts on its environment's address keeps it. Nothing is allocated.
 */
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "preload/door.h"

static const char preload[] = "LD_PRELOAD=";
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
	if (starts_with(variable, "FENCEPOST_OPTIONS="))
		return false;
	return !starts_with(variable, preload) || leave_others(variable + strlen(preload));
}

/* Whether the program that gets ENVIRONMENT joins the channel at ADDRESS: the last one counts.
 */
bool fp_preload_joins(char *const *environment, const char *address)
{
	for (; environment != NULL && *environment != NULL; environment++) {
		const char *last = NULL;

		if (!starts_with(*environment, "FENCEPOST_OPTIONS="))
			continue;
		for (const char *at = *environment; *at != '\0'; at++)
			if (starts_with(at, "channel="))
				last = at + strlen("channel=");
		if (last != NULL)
			last += *last == '\'' || *last == '"';
		return last != NULL && starts_with(last, address);
	}
	return false;
}

bool fp_preload_is_in(char *const *environment)
{
	for (; environment != NULL && *environment != NULL; environment++) {
		const char *at = *environment + strlen(preload);

		if (!starts_with(*environment, preload))
			continue;
		for (; *at != '\0'; at += first_length(at) + (at[first_length(at)] != '\0'))
			if (is_library(at, first_length(at)))
				return true;
	}
	return false;
}

static size_t count_of(char *const *environment)
{
	size_t count = 0;

	while (environment[count] != NULL)
		count++;
	return count;
}

bool fp_preload_copy_environment(char *const *environment, void *memory, size_t bytes)
{
	char **copy = memory;
	size_t used = (count_of(environment) + 1) * sizeof(*copy);

	if (used > bytes)
		return false;
	for (; *environment != NULL; environment++) {
		size_t length = strlen(*environment) + 1;

		if (!starts_with(*environment, preload)) {
			*copy++ = *environment;
			continue;
		}
		if (used + length > bytes)
			return false;
		char *own = memcpy((char *)memory + used, *environment, length);
		if (leave_others(own + strlen(preload)))
			*copy++ = own;
		used += length;
	}
	*copy = NULL;
	return true;
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
