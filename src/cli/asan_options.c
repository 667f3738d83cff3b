/* SPDX-License-Identifier: Apache-2.0
 *
 * Where CTest and others tell AddressSanitizer to write: log_path in ASAN_OPTIONS. Only that is
 * taken from there; the rest is about another program.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

static const char separators[] = " ,:\n\t\r";

/* The value at VALUE, with or without quotes; *SIZE is its length. *NEXT is what follows. */
static const char *take_value(const char *value, size_t *size, const char **next)
{
	bool is_quoted = *value == '\'' || *value == '"';
	const char quote[] = {*value, '\0'};

	if (is_quoted)
		value++;
	*size = strcspn(value, is_quoted ? quote : separators);
	*next = value + *size + (is_quoted && value[*size] != '\0');
	return value;
}

char *fp_cli_asan_log_path(void)
{
	const char *options = getenv("ASAN_OPTIONS");
	char *path = NULL;

	while (options && *options != '\0') {
		const char *key = options + strspn(options, separators);
		size_t key_size = strcspn(key, "= ,:\n\t\r");
		const char *value;
		size_t size;

		options = key + key_size;
		if (*options != '=')
			continue;
		value = take_value(options + 1, &size, &options);
		if (key_size != strlen("log_path") || memcmp(key, "log_path", key_size) != 0)
			continue;
		free(path);
		path = strndup(value, size);
	}
	return path;
}
