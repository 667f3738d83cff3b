/* SPDX-License-Identifier: Apache-2.0
 *
 * A log and its records read back, for the tests of the writer.
 */
#ifndef TESTS_LOG_WRITTEN_H
#define TESTS_LOG_WRITTEN_H

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "log/writer.h"
#include "support/events.h"
#include "support/support.h"

static struct fp_log event_log;
static struct test_events events;
static struct test_event event;

static inline void setup(void)
{
	fp_log_open(&event_log, false);
}

/* A file without a name. */
static inline int scratch_file(void)
{
	int fd = memfd_create("events", MFD_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	return fd;
}

static inline char *read_back(int fd, size_t *size)
{
	off_t end = lseek(fd, 0, SEEK_END);
	char *bytes = malloc((size_t)end + 1);

	ck_assert_int_eq(pread(fd, bytes, (size_t)end, 0), end);
	*size = (size_t)end;
	return bytes;
}

/* EVENTS then stand before the log's first record. */
static inline void open_copy(struct fp_log *of)
{
	int fd = scratch_file();
	size_t size;

	ck_assert_int_eq(fp_log_copy(of, fd), 0);
	char *bytes = read_back(fd, &size);
	test_events_open(&events, bytes, size);
	close(fd);
}

static inline void expect_record(unsigned type)
{
	ck_assert(test_events_next(&events, &event));
	ck_assert_uint_eq(event.type, type);
}

static inline void expect_nothing_more(void)
{
	ck_assert(!test_events_next(&events, &event));
}

#endif
