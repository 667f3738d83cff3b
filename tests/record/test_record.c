/* SPDX-License-Identifier: Apache-2.0
 *
 * The recorder, read back by the reader of examples, which was written from the manual alone:
 * what was told is what is read, in its order, whatever the numbers; nothing is lost at a fork,
 * and a file that cannot be written ends the recording and no more.
 */
#include <check.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/lock.h"
#include "record/format.h"
#include "record/record.h"
#include "recording.h"

enum { MANY = 100000 };

static char path[64];
static struct recording recording;

static void setup(void)
{
	snprintf(path, sizeof(path), "record-test.%d", (int)getpid());
	unlink(path);
}

static void teardown(void)
{
	recording_free(&recording);
	unlink(path);
}

static void start_with(const struct fp_record_config *config)
{
	ck_assert_int_eq(fp_record_start(config), 0);
	ck_assert(fp_record_is_on);
}

static void start(void)
{
	start_with(&(struct fp_record_config){.path = path});
}

static struct fp_block block(uint64_t serial, size_t size)
{
	return (struct fp_block){.serial = serial,
	                         .size = size,
	                         .heap = 1,
	                         .family = FP_FAMILY_MALLOC,
	                         .level = FP_LEVEL_NONE};
}

static void tell_alloc(uint64_t serial, size_t size)
{
	const struct fp_block made = block(serial, size);

	fp_record_alloc(&made, 0, 0);
}

static void tell_free(uint64_t serial)
{
	const struct fp_block dead = block(serial, 0);

	fp_record_free(&dead);
}

static void finish_and_read(void)
{
	const char *error;

	fp_record_end(true);
	ck_assert(!fp_record_is_on);
	ck_assert_int_eq(fp_record_failure(), 0);
	error = recording_read(&recording, path);
	ck_assert_msg(error == NULL, "%s", error);
	ck_assert(recording.is_complete);
}

static void expect(size_t index, enum recording_kind kind, uint64_t number, uint64_t size)
{
	const struct recording_event *event = &recording.events[index];

	ck_assert_uint_lt(index, recording.event_count);
	ck_assert_int_eq(event->kind, kind);
	ck_assert_uint_eq(event->block, number);
	ck_assert_uint_eq(event->size, size);
}

START_TEST(test_events_come_back)
{
	struct fp_block special = block(3, 70000);

	start();
	tell_alloc(1, 0);
	tell_alloc(2, SIZE_MAX);
	special.family = FP_FAMILY_HOST;
	special.level = FP_LEVEL_APPDOMAIN;
	special.heap = 300;
	fp_record_alloc(&special, 4096, 1);
	tell_free(1);
	tell_free(3);
	finish_and_read();
	ck_assert_uint_eq(recording.event_count, 5);
	ck_assert_uint_eq(recording.pid, (uint32_t)getpid());
	expect(0, RECORDING_ALLOC, 1, 0);
	expect(1, RECORDING_ALLOC, 2, SIZE_MAX);
	expect(2, RECORDING_REALLOC, 3, 70000);
	ck_assert_uint_eq(recording.events[2].origin, 1);
	ck_assert_uint_eq(recording.events[2].align, 12);
	ck_assert_uint_eq(recording.events[2].family, FP_FAMILY_HOST);
	ck_assert_uint_eq(recording.events[2].level, FP_LEVEL_APPDOMAIN);
	ck_assert_uint_eq(recording.events[1].family, FP_FAMILY_MALLOC);
	ck_assert_uint_eq(recording.events[1].align, 0);
	expect(3, RECORDING_FREE, 1, 0);
	expect(4, RECORDING_FREE, 3, 0);
}
END_TEST

/* Threads get their serials before they get to the recorder; refused allocations spend one. */
START_TEST(test_numbers_out_of_order)
{
	start();
	tell_alloc(4, 40);
	tell_alloc(2, 20);
	tell_alloc(3, 30);
	tell_free(4);
	tell_alloc(900, 9);
	tell_free(2);
	finish_and_read();
	expect(0, RECORDING_ALLOC, 4, 40);
	expect(1, RECORDING_ALLOC, 2, 20);
	expect(2, RECORDING_ALLOC, 3, 30);
	expect(3, RECORDING_FREE, 4, 0);
	expect(4, RECORDING_ALLOC, 900, 9);
	expect(5, RECORDING_FREE, 2, 0);
	ck_assert_uint_eq(recording.newest, 900);
}
END_TEST

static pthread_barrier_t meeting;

/* Blocks of its own, and those of the other half freed. */
static void *work(void *user)
{
	uint64_t base = *(const uint64_t *)user;

	for (uint64_t i = 1; i <= MANY; i++)
		tell_alloc(base + i, i);
	pthread_barrier_wait(&meeting);
	for (uint64_t i = 1; i <= MANY; i++)
		tell_free(MANY - base + i);
	return NULL;
}

START_TEST(test_threads_keep_their_order)
{
	uint64_t bases[2] = {0, MANY};
	pthread_t threads[2];
	uint64_t last[3] = {0};

	pthread_barrier_init(&meeting, NULL, 2);
	start();
	for (int i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, work, &bases[i]);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	finish_and_read();
	ck_assert_uint_eq(recording.event_count, 4 * MANY);
	for (size_t i = 0; i < recording.event_count; i++) {
		const struct recording_event *event = &recording.events[i];

		if (event->kind != RECORDING_ALLOC)
			continue;
		ck_assert_uint_eq(event->size,
		                  event->block > MANY ? event->block - MANY : event->block);
		ck_assert_uint_gt(event->block, last[event->thread]);
		last[event->thread] = event->block;
	}
	for (size_t i = 0; i < recording.thread_count; i++) {
		size_t count = 0;

		for (size_t at = recording.threads[i].first; at < recording.event_count;
		     at = recording.events[at].next)
			count++;
		ck_assert(count == 0 || count == 2 * MANY);
	}
}
END_TEST

/* A child has a file of its own, where its parent's blocks are block 0; what the parent had in
 * the buffer stays the parent's. */
START_TEST(test_child_of_a_fork)
{
	char child_path[80];
	int status;
	pid_t pid;

	snprintf(child_path, sizeof(child_path), "%s.child", path);
	start();
	tell_alloc(1, 10);
	fp_lock_acquire_ranks(FP_RANKS_ALL);
	pid = fork();
	fp_lock_release_ranks(FP_RANKS_ALL);
	if (pid == 0) {
		fp_record_start_in_child(
		        &(struct fp_record_config){.path = child_path, .first_serial = 1});
		tell_alloc(2, 20);
		tell_free(1);
		fp_record_end(false);
		_exit(fp_record_failure() != 0);
	}
	waitpid(pid, &status, 0);
	ck_assert_int_eq(status, 0);
	tell_alloc(2, 30);
	finish_and_read();
	ck_assert_uint_eq(recording.event_count, 2);
	expect(0, RECORDING_ALLOC, 1, 10);
	expect(1, RECORDING_ALLOC, 2, 30);
	recording_free(&recording);
	ck_assert(recording_read(&recording, child_path) == NULL);
	unlink(child_path);
	ck_assert(recording.is_complete);
	ck_assert_uint_eq(recording.event_count, 2);
	expect(0, RECORDING_ALLOC, 1, 20);
	expect(1, RECORDING_FREE, 0, 0);
	ck_assert_uint_eq(recording.pid, (uint32_t)pid);
}
END_TEST

START_TEST(test_a_child_that_does_nothing_makes_no_file)
{
	start();
	fp_record_end(false);
	ck_assert_int_ne(access(path, F_OK), 0);
}
END_TEST

START_TEST(test_what_stands_there_is_kept)
{
	char second[80];

	snprintf(second, sizeof(second), "%s.1", path);
	for (int i = 0; i < 2; i++) {
		start_with(&(struct fp_record_config){.path = path, .is_kept = true});
		tell_alloc(1, 10 + (size_t)i);
		fp_record_end(true);
	}
	ck_assert_str_eq(fp_record_path(), second);
	ck_assert(recording_read(&recording, second) == NULL);
	unlink(second);
	expect(0, RECORDING_ALLOC, 1, 11);
	recording_free(&recording);
	ck_assert(recording_read(&recording, path) == NULL);
	expect(0, RECORDING_ALLOC, 1, 10);
}
END_TEST

/* The program may close all descriptors and number its own as it likes. */
START_TEST(test_nothing_is_kept_open)
{
	int lowest = dup(0);

	close(lowest);
	start();
	for (uint64_t i = 1; i <= MANY; i++) {
		tell_alloc(i, 1);
		if (i % 1000 == 0) {
			ck_assert_int_eq(dup(0), lowest);
			close(lowest);
		}
	}
	finish_and_read();
	ck_assert_uint_eq(recording.event_count, MANY);
}
END_TEST

START_TEST(test_full_disk_ends_the_recording)
{
	start_with(&(struct fp_record_config){.path = "/dev/full"});
	for (uint64_t i = 1; i <= MANY; i++)
		tell_alloc(i, 1);
	ck_assert(!fp_record_is_on);
	ck_assert_int_eq(fp_record_failure(), -ENOSPC);
	ck_assert_str_eq(fp_record_path(), "/dev/full");
}
END_TEST

/* Where the default action would be the end of the program. */
START_TEST(test_limit_of_files_ends_the_recording)
{
	const struct rlimit limit = {.rlim_cur = 1000, .rlim_max = RLIM_INFINITY};
	const char *error;

	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	start();
	for (uint64_t i = 1; i <= MANY; i++)
		tell_alloc(i, 1);
	ck_assert_int_eq(fp_record_failure(), -EFBIG);
	error = recording_read(&recording, path);
	ck_assert_msg(error == NULL, "%s", error);
	ck_assert(!recording.is_complete);
	/* Two bytes an event, but for the first. */
	ck_assert_uint_ge(recording.event_count, (1000 - FP_RECORD_HEADER_BYTES) / 2 - 2);
}
END_TEST

/* Cut anywhere, the whole events are read; other bytes anywhere are read or refused. */
START_TEST(test_damaged_files)
{
	char bytes[4096];
	size_t size;
	size_t events = 0;
	FILE *file;

	start();
	for (uint64_t i = 1; i <= 200; i++) {
		tell_alloc(i, i * 1000);
		if (i % 3 == 0)
			tell_free(i - 1);
	}
	finish_and_read();
	recording_free(&recording);
	file = fopen(path, "rb");
	size = fread(bytes, 1, sizeof(bytes), file);
	fclose(file);
	for (size_t cut = FP_RECORD_HEADER_BYTES; cut < size; cut++) {
		ck_assert_int_eq(truncate(path, 0), 0);
		file = fopen(path, "wb");
		fwrite(bytes, 1, cut, file);
		fclose(file);
		ck_assert(recording_read(&recording, path) == NULL);
		ck_assert(!recording.is_complete);
		ck_assert_uint_ge(recording.event_count, events);
		events = recording.event_count;
		recording_free(&recording);
	}
	ck_assert_uint_eq(events, 200 + 66);
	for (size_t at = 0; at < size; at++) {
		bytes[at] ^= (char)0x95;
		file = fopen(path, "wb");
		fwrite(bytes, 1, size, file);
		fclose(file);
		bytes[at] ^= (char)0x95;
		if (recording_read(&recording, path) == NULL)
			ck_assert(at >= 12);
		recording_free(&recording);
	}
}
END_TEST

/* A block numbered 2^40, in a file of a few bytes. */
START_TEST(test_numbers_without_end)
{
	static const char bytes[] = "FENCEPRC\1\0\0\0\1\0\0\0\1\0\0\0\0\0\0\0"
	                            "\x09\x80\x80\x80\x80\x80\x40\x01";
	FILE *file = fopen(path, "wb");

	fwrite(bytes, 1, sizeof(bytes) - 1, file);
	fclose(file);
	ck_assert(recording_read(&recording, path) != NULL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("record");
	TCase *tcase = tcase_create("record");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, test_events_come_back);
	tcase_add_test(tcase, test_numbers_out_of_order);
	tcase_add_test(tcase, test_threads_keep_their_order);
	tcase_add_test(tcase, test_child_of_a_fork);
	tcase_add_test(tcase, test_a_child_that_does_nothing_makes_no_file);
	tcase_add_test(tcase, test_what_stands_there_is_kept);
	tcase_add_test(tcase, test_nothing_is_kept_open);
	tcase_add_test(tcase, test_full_disk_ends_the_recording);
	tcase_add_test(tcase, test_limit_of_files_ends_the_recording);
	tcase_add_test(tcase, test_damaged_files);
	tcase_add_test(tcase, test_numbers_without_end);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
