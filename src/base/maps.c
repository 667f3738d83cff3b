/* SPDX-License-Identifier: Apache-2.0
 *
 * A reader of /proc/thread-self/maps on a fixed buffer: dl_iterate_phdr(3) would take the
 * loader's lock, which the thread we interrupted may hold.
 */
#include "base/maps.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>

#include "base/lock.h"
#include "base/proc.h"
#include "base/sys.h"

/* A line holds at most PATH_MAX bytes of path and 73 before it. The buffer is neither on the
 * stack, which may have a few KiB, nor in memory mapped for it, which would change what is
 * read. */
enum { LINE_MAX_BYTES = 4096 + 128 };

static struct fp_lock lock = FP_LOCK_INITIALIZER(FP_RANK_MAPS);
FP_HELD_ACROSS_FORK(FP_RANK_MAPS, &lock);
static char buffer[LINE_MAX_BYTES];

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
	mapping->is_shared = strnlen(at, 4) == 4 && at[3] == 's';
	at = skip_field(at);
	parse_hex(at, &mapping->file_offset);
	mapping->path = skip_field(skip_field(skip_field(at)));
}

/* Visits the complete lines in BUFFER and moves the rest to its front. */
static bool visit_lines(size_t *used, fp_maps_visitor visit, void *user)
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

/* By FD, or by somebody else where that is not open or cannot be read. */
static ssize_t read_on(int fd, size_t offset, char *bytes, size_t size)
{
	ssize_t own = fd < 0 ? -ENOENT : fp_sys_read(fd, bytes, size);

	if (own >= 0 || own == -EINTR)
		return own;
	ssize_t got = fp_proc_read_elsewhere(FP_PROC_FILE_MAPS, offset, bytes, size);
	return got == -ENOENT ? own : got;
}

static int visit_all(int fd, fp_maps_visitor visit, void *user)
{
	size_t offset = 0;
	size_t used = 0;

	while (used < LINE_MAX_BYTES) {
		ssize_t got = read_on(fd, offset, buffer + used, LINE_MAX_BYTES - used);

		if (got == -EINTR)
			continue;
		if (got < 0)
			return (int)got;
		offset += (size_t)got;
		used += (size_t)got;
		if (got == 0 || !visit_lines(&used, visit, user))
			break;
	}
	return 0;
}

static int open_maps(void)
{
	return fp_sys_open(FP_PROC_SELF "maps", O_RDONLY | O_CLOEXEC, 0);
}

/* For a process that has used up its descriptors: one more than it may have. */
static int open_beyond_limit(void)
{
	struct rlimit limit;

	if (fp_sys_get_limit(RLIMIT_NOFILE, &limit) != 0)
		return -EMFILE;
	struct rlimit raised = {.rlim_cur = limit.rlim_cur + 1, .rlim_max = limit.rlim_max};
	if (raised.rlim_max < raised.rlim_cur)
		raised.rlim_max = raised.rlim_cur;
	if (fp_sys_set_limit(RLIMIT_NOFILE, &raised) != 0)
		return -EMFILE;
	int fd = open_maps();
	fp_sys_set_limit(RLIMIT_NOFILE, &limit);
	return fd;
}

int fp_maps_each(fp_maps_visitor visit, void *user)
{
	int status;
	int fd = open_maps();

	if (fd == -EMFILE)
		fd = open_beyond_limit();
	fp_lock_acquire(&lock);
	status = visit_all(fd, visit, user);
	fp_lock_release(&lock);
	if (fd >= 0)
		fp_sys_close(fd);
	return fd < 0 && status == -ENOENT ? fd : status;
}

bool fp_maps_is_idle(void)
{
	return fp_lock_is_free(&lock);
}
