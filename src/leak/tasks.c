/* SPDX-License-Identifier: Apache-2.0
 *
 * Parsers of /proc/self/task/TID/status and .../syscall. A thread in sigwait(3) has the signals
 * it waits for unblocked, so that the mask does not tell: the call's argument does.
 */
#include "leak/tasks.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>

#include "base/proc.h"
#include "base/sys.h"
#include "base/text.h"
#include "leak/memory.h"

enum { FILE_BYTES = 4096, PATH_BYTES = 64, DIRECTORY_BYTES = 4096 };

static uint64_t parse(const char *text, unsigned base)
{
	uint64_t value = 0;

	for (;; text++) {
		unsigned digit = *text >= '0' && *text <= '9'   ? (unsigned)(*text - '0')
		                 : *text >= 'a' && *text <= 'f' ? (unsigned)(*text - 'a') + 10
		                                                : base;

		if (digit >= base)
			return value;
		value = value * base + digit;
	}
}

static void visit_entries(const char *buffer, size_t size, void (*visit)(uint32_t, void *),
                          void *user)
{
	size_t at = 0;

	while (at < size) {
		const struct fp_sys_entry *entry = (const void *)(buffer + at);

		if (entry->name[0] >= '0' && entry->name[0] <= '9')
			visit((uint32_t)parse(entry->name, 10), user);
		at += entry->bytes;
	}
}

/* As somebody else sees them, who writes numbers of a fixed width. */
static int visit_elsewhere(char buffer[DIRECTORY_BYTES], void (*visit)(uint32_t, void *),
                           void *user)
{
	size_t offset = 0;
	ssize_t got;

	while ((got = fp_proc_read_elsewhere(FP_PROC_FILE_THREADS, offset, buffer,
	                                     DIRECTORY_BYTES)) > 0) {
		for (ssize_t at = 0; at + FP_PROC_NUMBER_BYTES <= got;
		     at += FP_PROC_NUMBER_BYTES)
			visit((uint32_t)parse(buffer + at, 10), user);
		offset += (size_t)got;
	}
	return (int)got;
}

int fp_leak_tasks_each(void (*visit)(uint32_t id, void *user), void *user)
{
	_Alignas(struct fp_sys_entry) char buffer[DIRECTORY_BYTES];
	int fd = fp_sys_open(FP_PROC_TASKS, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	long got;

	if (fd < 0)
		return visit_elsewhere(buffer, visit, user);
	while ((got = fp_sys(SYS_getdents64, fd, buffer, sizeof(buffer))) > 0)
		visit_entries(buffer, (size_t)got, visit, user);
	int status = got < 0 ? (int)got : 0;
	fp_sys_close(fd);
	return status;
}

/* The file NAME of thread ID, terminated; its length, or a negative errno. */
static ssize_t read_file(uint32_t id, const char *name, char text[FILE_BYTES])
{
	char path[PATH_BYTES];
	struct fp_text builder;

	fp_text_begin(&builder, path, sizeof(path));
	fp_text_string(&builder, FP_PROC_TASKS "/");
	fp_text_decimal(&builder, id);
	fp_text_string(&builder, name);
	int fd = fp_sys_open(path, O_RDONLY | O_CLOEXEC, 0);
	if (fd < 0)
		return fd;
	ssize_t got = fp_sys_read(fd, text, FILE_BYTES - 1);
	fp_sys_close(fd);
	text[got < 0 ? 0 : got] = '\0';
	return got;
}

/* What stands behind KEY at the start of a line. */
static const char *value_of(const char *text, const char *key)
{
	const char *found = strstr(text, key);

	return found == NULL ? "" : found + strlen(key);
}

static bool is_in(uint64_t set, int signal)
{
	return (set >> (signal - 1) & 1) != 0;
}

/* "128 0x7ffe... ...": the number of the call the thread is in, and its arguments. */
static bool is_waiting_for(uint32_t id, int signal)
{
	char text[FILE_BYTES] = "";
	struct fp_leak_memory memory;
	uint64_t set;

	if (read_file(id, "/syscall", text) <= 0 || parse(text, 10) != SYS_rt_sigtimedwait)
		return false;
	/* The set is in the caller's frame, which stands while it waits; should it go on at
	 * this moment, or end and its stack with it, a mistake either way costs an answer, not
	 * more. */
	fp_leak_memory_open(&memory);
	bool is_known = fp_leak_memory_word(&memory, parse(value_of(text, " 0x"), 16), &set);
	fp_leak_memory_close(&memory);
	return !is_known || is_in(set, signal);
}

enum fp_leak_task_state fp_leak_task_look(uint32_t id, int signal)
{
	char text[FILE_BYTES];
	ssize_t got = read_file(id, "/status", text);

	if (got == -ENOENT || got == -ESRCH)
		return FP_LEAK_TASK_GONE;
	if (got <= 0)
		return FP_LEAK_TASK_UNKNOWN;
	char state = value_of(text, "\nState:\t")[0];
	switch (state) {
	case 'Z':
	case 'X':
		return FP_LEAK_TASK_GONE;
	case 'D':
	case 'T':
	case 't':
		return FP_LEAK_TASK_DEAF;
	default:
		break;
	}
	if (is_in(parse(value_of(text, "\nSigBlk:\t"), 16), signal))
		return state == 'R' ? FP_LEAK_TASK_BUSY : FP_LEAK_TASK_DEAF;
	if (is_waiting_for(id, signal))
		return FP_LEAK_TASK_DEAF;
	return FP_LEAK_TASK_READY;
}
