/* SPDX-License-Identifier: Apache-2.0
 *
 * The journal under ThreadSanitizer: the findings, the event log, the list of modules and the
 * channel, from the library's own sources, with everything that writes and reads them at the
 * same time. What it reports ends the test; the log has to be whole and its counts exact.
 */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crowd.h"
#include "session/session.h"
#include "session/state.h"
#include "stand_ins.h"
#include "support/events.h"
#include "support/support.h"
#include "support/times.h"

enum { ROUNDS = 100, ROUNDS_LEAST = 10 };

static int rounds;

static const char *suppressions(void)
{
	return "leak:known";
}

/* Without a channel the first finding makes one, and a watcher. */
static void start(bool has_channel)
{
	const struct fp_session_lsan lsan = {.default_suppressions = suppressions};
	char options[sizeof("channel=") + FP_CHANNEL_ADDRESS_MAX] = "channel=";
	char *address = options + strlen(options);
	int status;
	int fd;

	rounds = (int)test_times(ROUNDS, ROUNDS_LEAST);
	test_must(!has_channel ||
	          fp_channel_make(fp_channel_bytes(), &fd, address, &status) != NULL);
	fp_session_set_lsan(&lsan);
	crowd_listen();
	test_must(fp_session_start(options) == 0);
	test_must(has_channel == (fp_session_channel_memory() != NULL));
}

static void find_all(unsigned finder, void *unused)
{
	(void)unused;
	crowd_find(finder, rounds);
}

/* The newest log of this process, as it is read when the process is gone. */
static void open_log(struct test_events *events)
{
	struct fp_channel *channel = fp_session_channel_memory();
	struct fp_channel_log *own = NULL;
	struct fp_channel_log *log;

	for (size_t i = 0; (log = fp_channel_log_at(channel, i)) != NULL; i++)
		if (fp_channel_status(log).pid == getpid())
			own = log;
	ck_assert_ptr_nonnull(own);
	const struct fp_channel_status status = fp_channel_status(own);
	uint8_t *bytes = malloc(status.bytes);
	ck_assert_int_eq(status.state, FP_CHANNEL_ENDED);
	ck_assert(!status.is_lossy);
	ck_assert_uint_eq(fp_channel_read(channel, own, bytes, status.bytes), status.bytes);
	test_events_open(events, bytes, status.bytes);
}

/* How often the log's findings were made, in all. */
static uint64_t count_all(const struct test_events *events)
{
	struct test_events rest = *events;
	struct test_event event;
	uint64_t count = test_events_count(events, FP_LOG_FINDING);

	while (test_events_find(&rest, FP_LOG_FINDING_COUNT_IS, &event)) {
		test_event_u32(&event);
		count += test_event_u64(&event) - 1;
	}
	return count;
}

static void expect_each_once(struct test_events events)
{
	bool is_there[DISTINCT] = {false};
	struct test_finding finding;
	struct test_event event;

	while (test_events_find(&events, FP_LOG_FINDING, &event)) {
		test_event_finding(&event, &finding);
		test_that(finding.index < DISTINCT && !is_there[finding.index]);
		is_there[finding.index] = true;
	}
}

/* What a check has to say comes in one piece; how many there were. */
static size_t expect_whole_checks(struct test_events events)
{
	struct test_event event;
	size_t count = 0;

	for (; test_events_find(&events, FP_LOG_LEAK_CHECK, &event); count++)
		for (int i = 0; i < STAND_IN_LEAKS; i++) {
			test_that(test_events_next(&events, &event) &&
			          event.type == FP_LOG_TRACE);
			test_that(test_events_next(&events, &event) &&
			          event.type == FP_LOG_LEAK);
		}
	return count;
}

START_TEST(what_all_threads_do_at_once_is_no_race_and_is_counted_exactly)
{
	struct test_events events;

	start(true);
	crowd_start_others();
	test_run_threads(FINDERS, find_all, NULL);
	fp_channel_give_reserve_back();
	crowd_end_others();
	fp_session_finish();
	open_log(&events);
	expect_each_once(events);
	ck_assert_uint_eq(test_events_count(&events, FP_LOG_FINDING), DISTINCT);
	ck_assert_uint_eq(count_all(&events),
	                  (uint64_t)FINDERS * (SHARED + OWN) * (uint64_t)rounds + CONFINED);
	ck_assert_uint_eq(atomic_load(&crowd_counts.told), DISTINCT);
	ck_assert_uint_eq(test_events_count(&events, FP_LOG_FAILED_ALLOC), REFUSED);
	ck_assert_uint_eq(test_events_count(&events, FP_LOG_SUPPRESSION), 1);
	ck_assert_uint_eq(test_events_count(&events, FP_LOG_END), 1);
	/* One of the two last ones may have come too late. */
	ck_assert_uint_ge(expect_whole_checks(events), atomic_load(&crowd_counts.checks) + 1);
	ck_assert_uint_le(expect_whole_checks(events), atomic_load(&crowd_counts.checks) + 2);
	/* Nobody had nothing to do. */
	ck_assert_uint_gt(atomic_load(&crowd_counts.views), 0);
	ck_assert_uint_gt(atomic_load(&crowd_counts.answers), 0);
	ck_assert_uint_gt(atomic_load(&crowd_counts.errands), 0);
	ck_assert_uint_gt(stand_in_unmaps(), 0);
}
END_TEST

static void await_half(void)
{
	while (atomic_load(&crowd_counts.told) < DISTINCT / 2)
		crowd_pause();
}

static void *end_by_exit(void *unused)
{
	await_half();
	fp_session_set_exit(1);
	fp_session_finish();
	return unused;
}

static void *end_by_signal(void *unused)
{
	await_half();
	fp_session_finish_terminated(SIGTERM, NULL, false);
	return unused;
}

/* Goes on in the child of a fork, which has a log once it has something to say. */
static void go_on_forked(void)
{
	pid_t pid = fork();
	int status;

	test_must(pid >= 0);
	if (pid == 0)
		return;
	test_must(waitpid(pid, &status, 0) == pid);
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILURE);
}

enum { FORKED, WITH_A_WATCHER, PROCESSES };

/* Two threads end it, each in its way. */
START_TEST(the_end_of_the_process_amidst_it_all_is_no_race)
{
	struct test_events events;
	pthread_t one;
	pthread_t other;

	start(_i != WITH_A_WATCHER);
	if (_i == FORKED)
		go_on_forked();
	crowd_start_others();
	test_must(pthread_create(&one, NULL, end_by_exit, NULL) == 0);
	test_must(pthread_create(&other, NULL, end_by_signal, NULL) == 0);
	test_run_threads(FINDERS, find_all, NULL);
	test_must(pthread_join(one, NULL) == 0);
	test_must(pthread_join(other, NULL) == 0);
	crowd_end_others();
	open_log(&events);
	expect_each_once(events);
	ck_assert_uint_eq(test_events_count(&events, FP_LOG_END), 1);
}
END_TEST

/* With an argument only to see whether ThreadSanitizer comes up here. */
int main(int argc, char **argv)
{
	Suite *suite = suite_create("session: races");
	TCase *tests = tcase_create("races");

	(void)argv;
	if (argc > 1)
		return 0;
	tcase_add_test(tests, what_all_threads_do_at_once_is_no_race_and_is_counted_exactly);
	tcase_add_loop_test(tests, the_end_of_the_process_amidst_it_all_is_no_race, 0,
	                    PROCESSES);
	suite_add_tcase(suite, tests);
	return test_run(suite);
}
