/* SPDX-License-Identifier: Apache-2.0
 *
 * /proc/PID/fdinfo has of an epoll instance a line for each descriptor that it waits for
 * ("tfd: 5 events: 19 data: 55d0c8e8a2a0"), and /proc/PID/timers of a timer
 * "signal: 10/00007f1234567890". No call of the program's has to be seen for that.
 */
#include "base/held.h"

#include <fcntl.h>
#include <stdbool.h>
#include <string.h>

#include "base/proc.h"
#include "base/sys.h"
#include "base/text.h"

enum { PATH_BYTES = 64, BUFFER_BYTES = 1024 };

/* A hexadecimal number, which stands right behind LEAD somewhere behind KEY. */
struct pattern {
	const char *key;
	char lead;
};

struct reader {
	struct pattern pattern;
	size_t matched; /* bytes of the key */
	char last;
	bool is_number;
	uint64_t word;
	fp_held_visitor visit;
	void *user;
};

static int digit_of(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void take_key(struct reader *reader, char c)
{
	const char *key = reader->pattern.key;

	reader->matched = c == key[reader->matched] ? reader->matched + 1 : c == key[0];
	reader->word = 0;
}

static void take(struct reader *reader, char c)
{
	int digit = digit_of(c);
	bool is_next = reader->is_number || reader->last == reader->pattern.lead;

	if (reader->pattern.key[reader->matched] != '\0') {
		take_key(reader, c);
	} else if (digit >= 0 && is_next) {
		reader->is_number = true;
		reader->word = reader->word << 4 | (unsigned)digit;
	} else if (reader->is_number || c == '\n') {
		if (reader->is_number)
			reader->visit(reader->word, reader->user);
		reader->is_number = false;
		reader->matched = 0;
	}
	reader->last = c;
}

static int read_words(const char *path, struct reader *reader)
{
	char buffer[BUFFER_BYTES];
	int fd = fp_sys_open(path, O_RDONLY | O_CLOEXEC, 0);
	ssize_t got;

	if (fd < 0)
		return fd;
	while ((got = fp_sys_read(fd, buffer, sizeof(buffer))) > 0)
		for (ssize_t i = 0; i < got; i++)
			take(reader, buffer[i]);
	fp_sys_close(fd);
	return got < 0 ? (int)got : 0;
}

static const char *path_of(char path[PATH_BYTES], const char *directory, const char *file,
                           const char *number)
{
	struct fp_text text;

	fp_text_begin(&text, path, PATH_BYTES);
	fp_text_string(&text, directory);
	fp_text_string(&text, file);
	fp_text_string(&text, number);
	return path;
}

static bool waits_for_events(const char *path)
{
	static const char wanted[] = "anon_inode:[eventpoll]";
	char target[sizeof(wanted)];

	return fp_sys_readlink(path, target, sizeof(target)) == sizeof(wanted) - 1 &&
	       memcmp(target, wanted, sizeof(wanted) - 1) == 0;
}

static void read_descriptors(const char *buffer, size_t size, const char *directory,
                             const struct reader *reader)
{
	char path[PATH_BYTES];

	for (size_t at = 0; at < size;) {
		const struct fp_sys_entry *entry = (const void *)(buffer + at);
		struct reader copy = *reader;

		if (waits_for_events(path_of(path, directory, "fd/", entry->name)))
			read_words(path_of(path, directory, "fdinfo/", entry->name), &copy);
		at += entry->bytes;
	}
}

static void read_timers(pid_t pid, fp_held_visitor visit, void *user)
{
	struct reader reader = {.pattern = {"signal:", '/'}, .visit = visit, .user = user};
	char path[PATH_BYTES];
	struct fp_text text;

	fp_text_begin(&text, path, sizeof(path));
	fp_text_string(&text, "/proc/");
	fp_text_decimal(&text, (uint64_t)pid);
	fp_text_string(&text, "/timers");
	read_words(path, &reader);
}

int fp_held_each(pid_t pid, const char *directory, fp_held_visitor visit, void *user)
{
	const struct reader reader = {.pattern = {"data:", ' '}, .visit = visit, .user = user};
	_Alignas(struct fp_sys_entry) char buffer[BUFFER_BYTES];
	char path[PATH_BYTES];
	int fd = fp_sys_open(path_of(path, directory, "fd", ""),
	                     O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	long got;

	if (fd < 0)
		return fd;
	while ((got = fp_sys(SYS_getdents64, fd, buffer, sizeof(buffer))) > 0)
		read_descriptors(buffer, (size_t)got, directory, &reader);
	fp_sys_close(fd);
	read_timers(pid, visit, user);
	return got < 0 ? (int)got : 0;
}

void fp_held_here(fp_held_visitor visit, void *user)
{
	uint64_t words[BUFFER_BYTES / sizeof(uint64_t)];
	size_t offset = 0;
	ssize_t got;

	if (fp_held_each(fp_sys_getpid(), FP_PROC_SELF, visit, user) == 0)
		return;
	while ((got = fp_proc_read_elsewhere(FP_PROC_FILE_HELD, offset, (char *)words,
	                                     sizeof(words))) > 0) {
		for (size_t i = 0; i < (size_t)got / sizeof(words[0]); i++)
			visit(words[i], user);
		offset += (size_t)got;
	}
}
