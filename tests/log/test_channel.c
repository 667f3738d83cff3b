/* SPDX-License-Identifier: Apache-2.0
 *
 * The channel: what processes append is read whole and in order, whoever else appends and
 * whatever they do to their descriptors; what they are killed in the midst of is not there.
 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "log/channel.h"
#include "support/support.h"

enum { WRITERS = 16, RECORDS = 3000, RECORD_BYTES = 40 };

static struct fp_channel *channel;
static char address[FP_CHANNEL_ADDRESS_MAX];
static int fd;

static void make(void)
{
	int status;

	channel = fp_channel_make(fp_channel_bytes(), &fd, address, &status);
	ck_assert_int_eq(status, 0);
	ck_assert_ptr_nonnull(channel);
}

static void fill(uint8_t record[RECORD_BYTES], uint32_t writer, uint32_t number)
{
	memset(record, (int)(writer + number), RECORD_BYTES);
	memcpy(record, &writer, sizeof(writer));
	memcpy(record + sizeof(writer), &number, sizeof(number));
}

/* Checks of Check are written to files. */
static bool publish(uint32_t writer)
{
	struct fp_channel_log *log = fp_channel_open_log(channel, (pid_t)writer);
	uint8_t record[RECORD_BYTES];
	bool is_right = log != NULL;

	for (uint32_t i = 0; is_right && i < RECORDS; i++) {
		fill(record, writer, i);
		is_right = fp_channel_append(channel, log, record, sizeof(record));
		fp_channel_tell(channel, log);
	}
	return is_right && fp_channel_end(channel, log);
}

static void *write_all(void *user)
{
	ck_assert(publish((uint32_t)(uintptr_t)user));
	return NULL;
}

static void expect_whole(const struct fp_channel_log *log)
{
	static uint8_t bytes[RECORDS * RECORD_BYTES + 1];
	const struct fp_channel_status status = fp_channel_status(log);
	uint8_t record[RECORD_BYTES];

	ck_assert_int_eq(status.state, FP_CHANNEL_ENDED);
	ck_assert(status.is_told && !status.is_lossy);
	ck_assert_uint_eq(status.bytes, RECORDS * RECORD_BYTES);
	ck_assert_uint_eq(fp_channel_read(channel, log, bytes, status.bytes), status.bytes);
	for (uint32_t i = 0; i < RECORDS; i++) {
		fill(record, (uint32_t)status.pid, i);
		ck_assert_mem_eq(bytes + i * RECORD_BYTES, record, sizeof(record));
	}
}

START_TEST(logs_of_many_threads_are_whole)
{
	pthread_t threads[WRITERS];
	uint32_t seen = 0;

	make();
	for (uintptr_t i = 0; i < WRITERS; i++)
		pthread_create(&threads[i], NULL, write_all, (void *)(i + 1));
	for (int i = 0; i < WRITERS; i++)
		pthread_join(threads[i], NULL);
	for (size_t i = 0; i < WRITERS; i++) {
		expect_whole(fp_channel_log_at(channel, i));
		seen |= 1u << fp_channel_status(fp_channel_log_at(channel, i)).pid;
	}
	ck_assert_uint_eq(seen, ((1u << WRITERS) - 1) << 1);
	ck_assert_ptr_null(fp_channel_log_at(channel, WRITERS));
	fp_channel_drop(channel, fd);
}
END_TEST

/* A process that maps the channel as an executed program does, with its descriptor closed when
 * IS_CLOSED, and ends without a word. */
static void run_process(bool is_closed)
{
	pid_t pid = fork();

	if (pid == 0) {
		int status = 0;

		if (is_closed)
			close(fd);
		channel = fp_channel_attach(address, fp_channel_bytes(), &status);
		if (channel == NULL)
			_exit(1);
		/* Nothing of this is needed any more. */
		const struct rlimit none = {0, 0};
		setrlimit(RLIMIT_NOFILE, &none);
		setrlimit(RLIMIT_FSIZE, &none);
		fp_channel_count(channel, getpid());
		if (publish((uint32_t)getpid()))
			kill(getpid(), SIGKILL);
		_exit(2);
	}
	int status;
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

START_TEST(logs_of_processes_outlive_them)
{
	make();
	run_process(false);
	run_process(true);
	expect_whole(fp_channel_log_at(channel, 0));
	expect_whole(fp_channel_log_at(channel, 1));
	ck_assert_uint_eq(fp_channel_processes(channel), 2);
	fp_channel_drop(channel, fd);
}
END_TEST

START_TEST(a_channel_is_nowhere_else)
{
	int status = 0;

	make();
	ck_assert_ptr_null(fp_channel_attach("399.1.1", fp_channel_bytes(), &status));
	ck_assert_int_lt(status, 0);
	ck_assert_ptr_null(fp_channel_attach("", fp_channel_bytes(), &status));
	ck_assert_int_lt(status, 0);
	ck_assert_ptr_null(fp_channel_attach("no.such.thing", fp_channel_bytes(), &status));
	ck_assert_int_lt(status, 0);
	fp_channel_drop(channel, fd);
}
END_TEST

/* SECURITY.md promises it. */
START_TEST(nobody_else_can_open_a_channel)
{
	struct rlimit small;
	struct stat status;
	struct shmid_ds segment;
	int id;

	make();
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fstat(fd, &status), 0);
	ck_assert_uint_eq(status.st_nlink, 0);
	fp_channel_drop(channel, fd);
	/* Where there may be no such file it is a segment, which goes with its last user. */
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &small), 0);
	small.rlim_cur = 4096;
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
	make();
	ck_assert_int_eq(fd, -1);
	ck_assert_int_eq(sscanf(address, "0.0.%d", &id), 1);
	ck_assert_int_eq(shmctl(id, IPC_STAT, &segment), 0);
	ck_assert_uint_eq(segment.shm_perm.mode & 0777, 0600);
	ck_assert_uint_ne(segment.shm_perm.mode & SHM_DEST, 0);
	fp_channel_drop(channel, fd);
	ck_assert_int_ne(shmctl(id, IPC_STAT, &segment), 0);
}
END_TEST

START_TEST(who_comes_too_late_is_told)
{
	make();
	struct fp_channel_log *early = fp_channel_open_log(channel, 1);
	struct fp_channel_log *running = fp_channel_open_log(channel, 2);
	ck_assert(fp_channel_end(channel, early));
	fp_channel_close(channel);
	ck_assert(!fp_channel_leave(early));
	ck_assert(fp_channel_leave(running));
	ck_assert(!fp_channel_end(channel, running));
	ck_assert(!fp_channel_end(channel, fp_channel_open_log(channel, 3)));
	fp_channel_drop(channel, fd);
}
END_TEST

START_TEST(what_finds_no_room_is_said_to_be_missing)
{
	static uint8_t bytes[10 << 10];
	int status;

	make();
	fp_channel_drop(channel, fd);
	/* As much of it as a limit of the address space allows. */
	channel = fp_channel_make(fp_channel_bytes(), &fd, address, &status);
	struct fp_channel *part = fp_channel_attach(address, 1, &status);
	ck_assert_ptr_nonnull(part);
	struct fp_channel_log *log = fp_channel_open_log(part, 1);
	size_t appended = 0;
	while (fp_channel_append(part, log, bytes, sizeof(bytes)))
		appended += sizeof(bytes);
	ck_assert(fp_channel_status(log).is_lossy);
	ck_assert_uint_eq(fp_channel_status(log).bytes, appended);
	ck_assert(!fp_channel_append(part, log, bytes, 1));
}
END_TEST

START_TEST(lines_are_collected)
{
	size_t size;

	make();
	fp_channel_note_unseen(channel, "one\n");
	fp_channel_note_unseen(channel, "another\n");
	const char *lines = fp_channel_unseen(channel, &size);
	ck_assert_uint_eq(size, sizeof("one\n") + sizeof("another\n"));
	ck_assert_str_eq(lines, "one\n");
	ck_assert_str_eq(lines + sizeof("one\n"), "another\n");
	fp_channel_drop(channel, fd);
}
END_TEST

/* A program may write over it. */
START_TEST(nonsense_is_read_and_ends)
{
	static uint8_t bytes[1 << 16];
	uint32_t random = 1;

	make();
	write_all((void *)1);
	uint8_t *memory = (uint8_t *)channel;
	for (size_t i = 0; i < 1 << 16; i++) {
		random = random * 1664525u + 1013904223u;
		memory[64 + random % (3u << 20)] = (uint8_t)(random >> 24);
	}
	for (size_t i = 0; i < 1 << 10; i++) {
		const struct fp_channel_log *log = fp_channel_log_at(channel, i);

		if (log != NULL)
			ck_assert_uint_le(fp_channel_read(channel, log, bytes, sizeof(bytes)),
			                  sizeof(bytes));
	}
}
END_TEST

/* How a process ended that could not say so: only of those that were there and did not pass. */
START_TEST(deaths_are_noted)
{
	static const struct fp_channel_death noted = {4711, 4700, SIGKILL};
	static const struct fp_channel_death passed = {4712, 4700, SIGABRT};
	static const struct fp_channel_death stranger = {4713, 4700, SIGSEGV};
	struct fp_channel_death death;

	make();
	ck_assert(!fp_channel_death_at(channel, 0, &death));
	fp_channel_count(channel, noted.pid);
	fp_channel_count(channel, passed.pid);
	fp_channel_pass(channel, passed.pid);
	fp_channel_note_death(channel, &passed);
	fp_channel_note_death(channel, &noted);
	fp_channel_note_death(channel, &stranger);
	ck_assert(fp_channel_death_at(channel, 0, &death));
	ck_assert_int_eq(death.pid, noted.pid);
	ck_assert_int_eq(death.parent, noted.parent);
	ck_assert_int_eq(death.status, noted.status);
	ck_assert(!fp_channel_death_at(channel, 1, &death));
	for (int i = 0; i < 1 << 13; i++)
		fp_channel_note_death(channel, &noted);
	ck_assert(fp_channel_death_at(channel, 1, &death));
	ck_assert(!fp_channel_death_at(channel, 1 << 13, &death));
	fp_channel_drop(channel, fd);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("channel");
	TCase *tests = tcase_create("channel");

	tcase_add_test(tests, logs_of_many_threads_are_whole);
	tcase_add_test(tests, logs_of_processes_outlive_them);
	tcase_add_test(tests, a_channel_is_nowhere_else);
	tcase_add_test(tests, nobody_else_can_open_a_channel);
	tcase_add_test(tests, who_comes_too_late_is_told);
	tcase_add_test(tests, what_finds_no_room_is_said_to_be_missing);
	tcase_add_test(tests, lines_are_collected);
	tcase_add_test(tests, deaths_are_noted);
	tcase_add_test(tests, nonsense_is_read_and_ends);
	suite_add_tcase(suite, tests);
	return test_run(suite);
}
