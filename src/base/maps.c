/* SPDX-License-Identifier: Apache-2.0
 *
 * A reader of /proc/self/maps on a fixed buffer: dl_iterate_phdr(3) would take the loader's
 * lock, which the thread we interrupted may hold.
 */
#include "base/maps.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/meta.h"

/* A line holds at most PATH_MAX bytes of path and 73 before it. The buffer is metadata memory:
 * this runs on stacks of a few KiB. */
enum { LINE_MAX_BYTES = 4096 + 128 };

static const char *parse_hex(const char *at, uint64_t *value)
{
	*value = 0;
	for (;; at++) {
		if (*at >= '0' && *at <= '9')
			*value = *value << 4 | (uint64_t)(*at - '0');
		else if (*at >= 'a' && *at <= 'f')
			*value = *value << 4 | (uint64_t)(*at - 'a' + 10);
		else
			return at;
	}
}

static const char *skip_field(const char *at)
{
	while (*at != '\0' && *at != ' ')
		at++;
	while (*at == ' ')
		at++;
	return at;
}

/* "55d0-55d4 r-xp 00001000 fd:01 1234   /usr/bin/true" */
static void parse_line(const char *line, struct fp_mapping *mapping)
{
	uint64_t start;
	uint64_t end;
	const char *at = parse_hex(line, &start);

	at = parse_hex(*at == '-' ? at + 1 : at, &end);
	at = skip_field(at);
	mapping->start = start;
	mapping->end = end;
	mapping->is_readable = at[0] == 'r';
	mapping->is_writable = at[0] != '\0' && at[1] == 'w';
	mapping->is_executable = at[0] != '\0' && at[1] != '\0' && at[2] == 'x';
	at = skip_field(at);
	parse_hex(at, &mapping->file_offset);
	mapping->path = skip_field(skip_field(skip_field(at)));
}

/* Visits the complete lines in BUFFER and moves the rest to its front. */
static bool visit_lines(char *buffer, size_t *used, fp_maps_visitor visit, void *user)
{
	char *line = buffer;
	char *newline;

	while ((newline = memchr(line, '\n', *used - (size_t)(line - buffer))) != NULL) {
		struct fp_mapping mapping;

		*newline = '\0';
		parse_line(line, &mapping);
		if (!visit(&mapping, user))
			return false;
		line = newline + 1;
	}
	*used -= (size_t)(line - buffer);
	memmove(buffer, line, *used);
	return true;
}

static int visit_all(int fd, char *buffer, fp_maps_visitor visit, void *user)
{
	size_t used = 0;

	while (used < LINE_MAX_BYTES) {
		ssize_t got = read(fd, buffer + used, LINE_MAX_BYTES - used);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		used += (size_t)got;
		if (got == 0 || !visit_lines(buffer, &used, visit, user))
			break;
	}
	return 0;
}

int fp_maps_each(fp_maps_visitor visit, void *user)
{
	char *buffer = fp_meta_alloc(LINE_MAX_BYTES);
	int status;

	if (buffer == NULL)
		return -ENOMEM;
	int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		status = -errno;
	} else {
		status = visit_all(fd, buffer, visit, user);
		close(fd);
	}
	fp_meta_free(buffer, LINE_MAX_BYTES);
	return status;
}
