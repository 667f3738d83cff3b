/* SPDX-License-Identifier: Apache-2.0
 *
 * What many threads find at the same time, while others look for leaks and libraries
 * come and go: all of it is in the
 * event log, once.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "log/format.h"
#include "session/session.h"
#include "sessions.h"
#include "support/times.h"

enum {
	THREADS = 16,
	PLACES = 15,
	ROUNDS = 30,
	ROUNDS_LEAST = 3,
	OWN_FRAMES = 12 /* more than are left out: the test is Fencepost itself */
};

static struct test_child child;
static struct test_events events;
static struct test_event event;
static struct fp_heap *heap;
static atomic_bool is_over;
static int rounds;

/* Each depth is a place of its own. */
__attribute__((noinline)) static void misuse_at(int depth)
{
	if (depth > 0)
		misuse_at(depth - 1);
	else
		must_double_free(heap);
	__asm__ volatile("");
}

static void *misuse(void *unused)
{
	for (int i = 0; i < rounds * PLACES; i++)
		misuse_at(OWN_FRAMES + i % PLACES);
	return unused;
}

static void *look_for_leaks(void *unused)
{
	while (!atomic_load(&is_over))
		fp_session_check_leaks();
	return unused;
}

/* The list of modules changes all the time. */
static void *load_and_unload(void *unused)
{
	while (!atomic_load(&is_over)) {
		void *library = dlopen("libresolv.so.2", RTLD_NOW);

		test_must(library != NULL);
		dlclose(library);
	}
	return unused;
}

enum { OTHERS = 3 };

static void misuse_and_look(void)
{
	void *(*const others[OTHERS])(void *) = {look_for_leaks, look_for_leaks,
	                                         load_and_unload};
	pthread_t threads[THREADS];
	pthread_t lookers[OTHERS];

	heap = must_create_heap();
	for (int i = 0; i < OTHERS; i++)
		test_must(pthread_create(&lookers[i], NULL, others[i], NULL) == 0);
	for (int i = 0; i < THREADS; i++)
		test_must(pthread_create(&threads[i], NULL, misuse, NULL) == 0);
	for (int i = 0; i < THREADS; i++)
		test_must(pthread_join(threads[i], NULL) == 0);
	atomic_store(&is_over, true);
	for (int i = 0; i < OTHERS; i++)
		test_must(pthread_join(lookers[i], NULL) == 0);
}

/* How often the log's findings were made, in all. */
static uint64_t count_all(void)
{
	struct test_events rest = events;
	uint64_t count = test_events_count(&events, FP_LOG_FINDING);

	while (test_events_find(&rest, FP_LOG_FINDING_COUNT_IS, &event)) {
		test_event_u32(&event);
		count += test_event_u64(&event) - 1;
	}
	return count;
}

START_TEST(findings_of_many_threads_beside_searches_for_leaks_are_counted_exactly)
{
	const struct scenario scenario = {.options = "", .body = misuse_and_look};

	rounds = test_times(ROUNDS, ROUNDS_LEAST);
	run_scenario(&scenario, &child);
	test_expect_success(child);
	open_given(&events);
	ck_assert_uint_eq(test_events_count(&events, FP_LOG_FINDING), PLACES);
	ck_assert_uint_eq(test_events_count(&events, FP_LOG_END), 1);
	ck_assert_uint_eq(count_all(), (uint64_t)THREADS * PLACES * (uint64_t)rounds);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("session: journal");
	TCase *tests = tcase_create("journal");

	tcase_add_checked_fixture(tests, make_reporter, remove_reporter);
	tcase_add_test(tests,
	               findings_of_many_threads_beside_searches_for_leaks_are_counted_exactly);
	suite_add_tcase(suite, tests);
	return test_run(suite);
}
