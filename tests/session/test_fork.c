/* SPDX-License-Identifier: Apache-2.0
 *
 * A session and fork: parent and child report what each did itself, and no lock is left held,
 * whatever other threads were doing.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "log/format.h"
#include "session/session.h"
#include "sessions.h"
#include "support/times.h"

static struct test_events events;
static struct test_event event;
static struct test_child child;

static pid_t forked;
static char child_copy_path[300];
static char child_arguments_path[300];

static void misuse_in_parent_and_child(void)
{
	struct fp_heap *heap = must_create_heap();
	char *block = must_alloc(heap, 10);
	int status;

	must_double_free(heap);
	must_alloc(heap, 1000);
	forked = fork();
	if (forked == 0) {
		setenv("FP_TEST_COPY", child_copy_path, 1);
		setenv("FP_TEST_ARGUMENTS", child_arguments_path, 1);
		test_must(fp_session_finding_count() == 0);
		must_alloc(heap, 77);
		/* The last call's result must not be the block: Clang aligns a stack by pushing
		 * the register of results, and a search finds what is there. */
		test_must(fp_heap_free(heap, block + 1) != 0);
		test_must(fp_session_finding_count() == 1);
		fp_session_finish();
		_exit(0);
	}
	test_must(waitpid(forked, &status, 0) == forked && status == 0);
	test_must(fp_heap_free(heap, block) == 0);
	fprintf(stderr, "%d", (int)forked);
}

static void expect_one_finding(unsigned kind)
{
	struct test_events rest = events;
	struct test_finding finding;

	ck_assert_uint_eq(test_events_count(&events, FP_LOG_FINDING), 1);
	ck_assert_uint_eq(test_events_count(&events, FP_LOG_END), 1);
	test_events_find(&rest, FP_LOG_FINDING, &event);
	test_event_finding(&event, &finding);
	ck_assert_uint_eq(finding.kind, kind);
}

static uint64_t leaked_bytes(void)
{
	struct test_events rest = events;
	uint64_t bytes = 0;

	while (test_events_find(&rest, FP_LOG_LEAK, &event)) {
		test_event_u32(&event);
		test_event_u32(&event);
		test_event_u64(&event);
		bytes += test_event_u64(&event);
	}
	return bytes;
}

START_TEST(a_forked_child_reports_its_own_and_its_parent_its_own)
{
	char options[400];
	char path[400];
	size_t size;

	strcpy(child_copy_path, test_path("child"));
	strcpy(child_arguments_path, test_path("child-arguments"));
	snprintf(options, sizeof(options), "json=%s:log=%s%%p", test_path("j"), test_path("t"));
	const struct scenario scenario = {.options = options,
	                                  .body = misuse_in_parent_and_child};
	run_scenario(&scenario, &child);
	ck_assert_msg(child.status == 0, "%s", child.text);
	/* "PID" of the child, after the noise of its reporter. */
	long pid = strtol(strstr(child.text, "noise\n") + 6, NULL, 10);
	open_given(&events);
	expect_one_finding(FP_FINDING_DOUBLE_FREE);
	ck_assert_uint_eq(leaked_bytes(), 1000);
	char *bytes = test_read_file(child_copy_path, &size);
	unlink(child_copy_path);
	test_events_open(&events, bytes, size);
	expect_one_finding(FP_FINDING_INVALID_FREE);
	ck_assert_uint_eq(leaked_bytes(), 77);
	ck_assert(test_events_find(&events, FP_LOG_PROCESS, &event));
	ck_assert_uint_eq(test_event_u32(&event), pid);
	/* Two processes never write one file. */
	char *arguments = test_read_file(child_arguments_path, NULL);
	unlink(child_arguments_path);
	snprintf(path, sizeof(path), "--json=%s.%ld\n", test_path("j"), pid);
	ck_assert_ptr_nonnull(strstr(arguments, path));
	snprintf(path, sizeof(path), "--log=%s%ld\n", test_path("t"), pid);
	ck_assert_ptr_nonnull(strstr(arguments, path));
}
END_TEST

static void fork_quietly(void)
{
	int status;

	must_alloc(must_create_heap(), 10);
	unlink(copy_path);
	forked = fork();
	if (forked == 0) {
		fp_session_finish();
		_exit(access(copy_path, F_OK) == 0);
	}
	test_must(waitpid(forked, &status, 0) == forked && status == 0);
}

START_TEST(a_forked_child_with_nothing_to_say_is_silent)
{
	const struct scenario scenario = {.options = "", .body = fork_quietly};

	run_scenario(&scenario, &child);
	test_expect_success(child);
	ck_assert(has_reporter_run());
}
END_TEST

enum { FORKS = 200, WORKERS = 4 };

static _Atomic bool is_over;

static void *allocate_on(void *heap)
{
	char *blocks[20] = {NULL};

	for (unsigned i = 0; !is_over; i++) {
		test_must(fp_heap_free(heap, blocks[i % 20]) == 0);
		blocks[i % 20] = must_alloc(heap, i % 3000);
	}
	for (unsigned i = 0; i < 20; i++)
		test_must(fp_heap_free(heap, blocks[i]) == 0);
	return NULL;
}

static void live_in_child(struct fp_heap *heap, char *inherited)
{
	test_must(strcmp(inherited, "inherited") == 0);
	test_must(fp_heap_free(heap, inherited) == 0);
	for (int i = 0; i < 10; i++) {
		char *block = must_alloc(heap, 500);

		memset(block, 1, 500);
		test_must(fp_heap_free(heap, block) == 0);
	}
	test_must(fp_session_finding_count() == 0);
	_exit(0);
}

static void fork_among_threads(void)
{
	struct fp_heap *heap = must_create_heap();
	char *inherited = strcpy(must_alloc(heap, 10), "inherited");
	pthread_t threads[WORKERS];

	for (int i = 0; i < WORKERS; i++)
		test_must(pthread_create(&threads[i], NULL, allocate_on, heap) == 0);
	for (long i = test_times(FORKS, 30); i > 0; i--) {
		int status = -1;
		pid_t pid = fork();

		if (pid == 0)
			live_in_child(heap, inherited);
		test_must(waitpid(pid, &status, 0) == pid);
		test_must(status == 0);
	}
	is_over = true;
	for (int i = 0; i < WORKERS; i++)
		pthread_join(threads[i], NULL);
	test_must(fp_heap_free(heap, inherited) == 0);
	test_must(fp_session_finding_count() == 0);
}

static const char *const backends[] = {"auto", "backend=guard", "backend=mprotect",
                                       "backend=none"};

START_TEST(forks_among_allocating_threads_go_on)
{
	const struct scenario scenario = {.options = _i == 0 ? "quiet=yes" : backends[_i],
	                                  .body = fork_among_threads};

	run_scenario(&scenario, &child);
	if (strstr(child.text, "does not work here") != NULL)
		return;
	test_expect_success(child);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("session: fork");
	TCase *tests = tcase_create("fork");

	tcase_add_checked_fixture(tests, make_reporter, remove_reporter);
	tcase_add_test(tests, a_forked_child_reports_its_own_and_its_parent_its_own);
	tcase_add_test(tests, a_forked_child_with_nothing_to_say_is_silent);
	tcase_add_loop_test(tests, forks_among_allocating_threads_go_on, 0,
	                    sizeof(backends) / sizeof(backends[0]));
	suite_add_tcase(suite, tests);
	return test_run(suite);
}
