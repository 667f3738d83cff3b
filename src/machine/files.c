/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading of small files, line by line, on a fixed buffer.
 */
#include "machine/files.h"

#include <fcntl.h>
#include <string.h>

#include "base/sys.h"
#include "base/text.h"
#include "machine/machine.h"

enum { BUFFER_BYTES = 4096 };

static char root[FP_MACHINE_PATH_MAX / 2];

void fp_machine_set_root(const char *new_root)
{
	struct fp_text text;

	fp_text_begin(&text, root, sizeof(root));
	fp_text_string(&text, new_root);
}

int fp_machine_open(const char *path, int flags)
{
	char whole[sizeof(root) + FP_MACHINE_PATH_MAX];
	struct fp_text text;

	fp_text_begin(&text, whole, sizeof(whole));
	fp_text_string(&text, root);
	fp_text_string(&text, path);
	return fp_sys_open(whole, flags | O_CLOEXEC, 0);
}

/* Visits the complete lines in BUFFER and moves the rest to its front. */
static bool visit_lines(char *buffer, size_t *used, bool (*visit)(char *, void *), void *user)
{
	char *line = buffer;
	char *newline;

	while ((newline = memchr(line, '\n', *used - (size_t)(line - buffer))) != NULL) {
		*newline = '\0';
		if (!visit(line, user))
			return false;
		line = newline + 1;
	}
	*used -= (size_t)(line - buffer);
	memmove(buffer, line, *used);
	return true;
}

bool fp_machine_each_line(const char *path, bool (*visit)(char *line, void *user), void *user)
{
	char buffer[BUFFER_BYTES + 1];
	size_t used = 0;
	ssize_t got;
	int fd = fp_machine_open(path, O_RDONLY);

	if (fd < 0)
		return false;
	while ((got = fp_sys_read(fd, buffer + used, BUFFER_BYTES - used)) > 0) {
		used += (size_t)got;
		if (used == BUFFER_BYTES && memchr(buffer, '\n', used) == NULL)
			buffer[used - 1] = '\n';
		if (!visit_lines(buffer, &used, visit, user))
			break;
	}
	/* A last line without an end. */
	if (got == 0 && used > 0) {
		buffer[used] = '\0';
		visit(buffer, user);
	}
	fp_sys_close(fd);
	return got >= 0;
}

struct search {
	const char *key;
	uint64_t number;
	bool is_found;
};

static bool match(char *line, void *user)
{
	struct search *search = user;
	size_t length = strlen(search->key);

	if (strncmp(line, search->key, length) != 0)
		return true;
	const char *at = line + length;
	while (*at == ' ' || *at == '\t')
		at++;
	search->is_found = *at >= '0' && *at <= '9';
	for (; *at >= '0' && *at <= '9'; at++)
		search->number = search->number * 10 + (uint64_t)(*at - '0');
	return false;
}

bool fp_machine_number(const char *path, const char *key, uint64_t *number)
{
	struct search search = {.key = key};

	if (!fp_machine_each_line(path, match, &search) || !search.is_found)
		return false;
	*number = search.number;
	return true;
}
