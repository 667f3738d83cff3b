/* SPDX-License-Identifier: Apache-2.0
 *
 * A session's start and what it makes of findings: options and refusals, counts, callbacks.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "log/format.h"
#include "session/session.h"
#include "sessions.h"

static struct test_events events;
static struct test_event event;
static struct test_child child;

static void nothing(void)
{
}

/* ---- Options ----------------------------------------------------------------------------- */

/* That the environment is ignored under AT_SECURE is shown by tests/cli/installed.sh. */
START_TEST(the_environment_overrides_single_keys)
{
	const struct scenario scenario = {.options = "align=8:stack_depth=5", .body = nothing};

	setenv("FENCEPOST_OPTIONS", "align=2:leak-check=no", 1);
	run_scenario(&scenario, &child);
	ck_assert_int_eq(child.status, 0);
	open_given(&events);
	ck_assert_str_eq(setting_of(&events, "align"), "2");
	ck_assert_str_eq(setting_of(&events, "stack_depth"), "5");
	ck_assert_str_eq(setting_of(&events, "leak_check"), "no");
	ck_assert_str_eq(setting_of(&events, "placement"), "right");
}
END_TEST

/* The log names what is in use, not what was asked for. */
START_TEST(the_back_end_in_use_is_a_setting)
{
	const struct scenario scenario = {.options = "backend=none", .body = nothing};
	const struct scenario automatic = {.options = "", .body = nothing};

	run_scenario(&scenario, &child);
	open_given(&events);
	ck_assert_str_eq(setting_of(&events, "backend"), "none");
	run_scenario(&automatic, &child);
	open_given(&events);
	ck_assert_str_ne(setting_of(&events, "backend"), "auto");
}
END_TEST

static const struct {
	const char *host;
	const char *environment;
	const char *said;
} refusals[] = {
        {"bakend=none", NULL,
         "fencepost: options of the host: unknown option \"bakend\"; the nearest one is "
         "\"backend\"\n"},
        {NULL, "align=3",
         "fencepost: FENCEPOST_OPTIONS: align=3: use 1, 2, 4, 8, 16 or auto\n"},
        {"json=/nonexistent/r.json", NULL,
         "fencepost: json=/nonexistent/r.json: cannot write there: No such file or directory; "
         "name a file in a directory that exists and that you may write to\n"},
        {"log=/", NULL,
         "fencepost: log=/: cannot write there: Is a directory; "
         "name a file in a directory that exists and that you may write to\n"},
        {"events=/nonexistent/%p", NULL, "fencepost: events=/nonexistent/"},
        {"reporter=/nonexistent", NULL,
         "fencepost: reporter: /nonexistent is not a program that can be run\n"},
        {"reporter=/", "reporter=/nonexistent",
         "fencepost: reporter: /nonexistent is not a program that can be run\n"},
};

static void start_refused(void *user)
{
	const char *text = user;

	test_must(fp_session_start(text) == -EINVAL);
	test_must(!fp_session_is_started());
	test_must(fp_session_finding_count() == 0);
	test_must(fp_session_check_heap() == 0);
	test_must(fp_session_write_report(2, "text") == -ENODEV);
	fp_session_finish();
	/* A better try is as good as a first one. */
	unsetenv("FENCEPOST_OPTIONS");
	test_must(fp_session_start("quiet=yes") == 0);
	test_must(fp_session_is_started());
}

START_TEST(bad_options_are_one_line_and_no_session)
{
	if (refusals[_i].environment != NULL)
		setenv("FENCEPOST_OPTIONS", refusals[_i].environment, 1);
	test_run_child(start_refused, (void *)(uintptr_t)refusals[_i].host, &child);
	test_expect_success(child);
	ck_assert_mem_eq(child.text, refusals[_i].said, strlen(refusals[_i].said));
	ck_assert_ptr_eq(strchr(child.text, '\n'), child.text + strlen(child.text) - 1);
}
END_TEST

START_TEST(options_that_do_not_fit_are_refused)
{
	static char text[3000];

	memset(text, ':', sizeof(text) - 1);
	test_run_child(start_refused, text, &child);
	test_expect_success(child);
	ck_assert_str_eq(child.text, "fencepost: options of the host: longer than 2047 bytes; "
	                             "use FENCEPOST_OPTIONS for the rest\n");
}
END_TEST

static void start_again(void *unused)
{
	(void)unused;
	test_must(fp_session_start("quiet=yes:align=4") == 0);
	test_must(fp_session_start("quiet=yes:align=4") == 0);
	test_must(fp_session_start(NULL) == 0);
	test_must(fp_session_start("quiet=yes") == -EINVAL);
	test_must(fp_session_is_started());
}

START_TEST(a_second_start_changes_nothing)
{
	test_run_child(start_again, NULL, &child);
	test_expect_success(child);
	ck_assert_str_eq(
	        child.text,
	        "fencepost: the session's options are fixed by the first manager: pass "
	        "NULL or the same text to later ones\n");
}
END_TEST

/* ---- Findings ---------------------------------------------------------------------------- */

static volatile int repetitions = 100;

static void free_a_hundred_times_too_often(void)
{
	struct fp_heap *heap = must_create_heap();
	char *block = must_alloc(heap, 10);

	test_must(fp_heap_free(heap, block) == 0);
	for (int i = 0; i < repetitions; i++)
		test_must(fp_heap_free(heap, block) != 0);
	test_must(fp_session_finding_count() == 1);
}

START_TEST(the_same_misuse_at_the_same_place_is_one_finding_with_a_count)
{
	struct test_finding finding;
	const struct scenario scenario = {.options = "",
	                                  .body = free_a_hundred_times_too_often};
	run_scenario(&scenario, &child);
	test_expect_success(child);
	size_t size;
	char *bytes = test_read_file(copy_path, &size);
	test_events_open(&events, bytes, size);
	ck_assert_uint_eq(test_events_count(&events, FP_LOG_FINDING), 1);
	ck_assert_uint_eq(test_events_count(&events, FP_LOG_FINDING_COUNT_IS), 1);
	ck_assert_uint_eq(test_events_count(&events, FP_LOG_END), 1);
	ck_assert(test_events_find(&events, FP_LOG_FINDING, &event));
	test_event_finding(&event, &finding);
	ck_assert_uint_eq(finding.index, 0);
	ck_assert_uint_eq(finding.kind, FP_FINDING_DOUBLE_FREE);
	ck_assert_str_eq(finding.site_file, "s.c");
	ck_assert_uint_eq(finding.site_line, 3);
	ck_assert(test_events_find(&events, FP_LOG_FINDING_COUNT_IS, &event));
	ck_assert_uint_eq(test_event_u32(&event), 0);
	ck_assert_uint_eq(test_event_u64(&event), 100);
}
END_TEST

/* All code of this program counts as the session's own, which traces leave out, so that only
 * kinds and blocks tell findings apart here; places do in the tests of the shared library. */
static void misuse_in_three_ways(void)
{
	struct fp_heap *heap = must_create_heap();
	char *block = must_alloc(heap, 10);

	test_must(fp_heap_free(heap, block + 1) != 0);
	test_must(fp_heap_free(heap, &heap) != 0);
	test_must(fp_heap_free(heap, block) == 0);
	test_must(fp_heap_free(heap, block) != 0);
	test_must(fp_session_finding_count() == 3);
}

/* Every trace that a record names stands before it. */
static void expect_traces_first(void)
{
	struct test_events rest = events;
	bool is_known[4096] = {[0] = true};

	while (test_events_next(&rest, &event))
		if (event.type == FP_LOG_TRACE) {
			is_known[test_event_u32(&event) % 4096] = true;
		} else if (event.type == FP_LOG_FINDING) {
			struct test_finding finding;

			test_event_finding(&event, &finding);
			ck_assert(is_known[finding.trace]);
			ck_assert(is_known[finding.alloc_trace] &&
			          is_known[finding.free_trace]);
		}
}

START_TEST(other_ways_are_other_findings)
{
	const struct scenario scenario = {.options = "", .body = misuse_in_three_ways};

	run_scenario(&scenario, &child);
	test_expect_success(child);
	open_given(&events);
	ck_assert_uint_eq(test_events_count(&events, FP_LOG_FINDING), 3);
	ck_assert_uint_eq(test_events_count(&events, FP_LOG_FINDING_COUNT_IS), 0);
	expect_traces_first();
}
END_TEST

static unsigned told;
static const char *told_description;

static void tell(const struct fp_finding_info *finding, void *user)
{
	test_must(user == &told);
	told++;
	told_description = strdup(finding->description);
	/* No lock is held: a callback may even make a finding itself. */
	if (told == 1)
		fp_heap_free(must_create_heap(), &told);
}

static void misuse_with_a_callback(void)
{
	struct fp_heap *heap = must_create_heap();
	char *block = must_alloc(heap, 10);

	fp_session_set_callback(tell, &told);
	for (int i = 0; i < repetitions; i++)
		fp_heap_free(heap, block + 1);
	/* The finding that the callback makes is told as well, once. */
	test_must(told == 2);
	fp_session_set_callback(NULL, NULL);
	must_double_free(heap);
	test_must(told == 2);
	test_must(fp_session_finding_count() == 3);
	test_must(told_description != NULL);
}

START_TEST(the_callback_hears_of_each_finding_once)
{
	const struct scenario scenario = {.options = "", .body = misuse_with_a_callback};

	run_scenario(&scenario, &child);
	test_expect_success(child);
}
END_TEST

static void find_from_many_places(void)
{
	struct fp_heap *heap = must_create_heap();

	/* The allocation's trace is the same, the address is not: still one place each. */
	for (int i = 0; i < repetitions; i++)
		must_double_free(heap);
	test_must(fp_session_finding_count() == 1);
}

START_TEST(the_same_place_with_other_blocks_is_the_same_finding)
{
	const struct scenario scenario = {.options = "", .body = find_from_many_places};

	run_scenario(&scenario, &child);
	test_expect_success(child);
	open_given(&events);
	ck_assert(test_events_find(&events, FP_LOG_FINDING_COUNT_IS, &event));
	test_event_u32(&event);
	ck_assert_uint_eq(test_event_u64(&event), 100);
}
END_TEST

static void halt_soon(void)
{
	must_double_free(must_create_heap());
	_exit(0);
}

START_TEST(halt_on_error_aborts_after_the_report)
{
	const struct scenario scenario = {.options = "halt_on_error=yes", .body = halt_soon};

	run_scenario(&scenario, &child);
	ck_assert(WIFSIGNALED(child.status));
	ck_assert_int_eq(WTERMSIG(child.status), SIGABRT);
	open_given(&events);
	ck_assert_uint_eq(test_events_count(&events, FP_LOG_FINDING), 1);
	ck_assert_uint_eq(test_events_count(&events, FP_LOG_END), 1);
	ck_assert(test_events_find(&events, FP_LOG_EXIT, &event));
	ck_assert_uint_eq(test_event_u8(&event), FP_LOG_EXIT_SIGNAL);
	ck_assert_uint_eq(test_event_u8(&event), 1); /* the process says so itself */
	ck_assert_uint_eq(test_event_u8(&event) + test_event_u8(&event), 0);
	ck_assert_uint_eq(test_event_u32(&event), SIGABRT);
}
END_TEST

static void damage_and_check(void)
{
	char *block = must_alloc(must_create_heap(), 100);

	test_must(fp_session_check_heap() == 0);
	block[100] = 1;
	test_must(fp_session_check_heap() == 1);
	test_must(fp_session_check_heap() == 0);
	block[-1] = 1;
}

START_TEST(padding_is_checked_on_demand_and_at_the_end)
{
	const struct scenario scenario = {.options = "", .body = damage_and_check};
	struct test_finding finding;

	run_scenario(&scenario, &child);
	test_expect_success(child);
	open_given(&events);
	ck_assert_uint_eq(test_events_count(&events, FP_LOG_FINDING), 2);
	test_events_find(&events, FP_LOG_FINDING, &event);
	test_event_finding(&event, &finding);
	ck_assert_uint_eq(finding.kind, FP_FINDING_HEAP_BUFFER_OVERFLOW);
	ck_assert_uint_ne(finding.trace, 0);
	ck_assert_ptr_nonnull(strstr(finding.description, "when the heap was checked"));
	test_events_find(&events, FP_LOG_FINDING, &event);
	test_event_finding(&event, &finding);
	ck_assert_uint_eq(finding.kind, FP_FINDING_HEAP_BUFFER_UNDERFLOW);
	ck_assert_uint_eq(finding.trace, 0);
	ck_assert_ptr_nonnull(strstr(finding.description, "at exit"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("session");
	TCase *tests = tcase_create("session");

	tcase_add_checked_fixture(tests, make_reporter, remove_reporter);
	tcase_add_test(tests, the_environment_overrides_single_keys);
	tcase_add_test(tests, the_back_end_in_use_is_a_setting);
	tcase_add_loop_test(tests, bad_options_are_one_line_and_no_session, 0,
	                    sizeof(refusals) / sizeof(refusals[0]));
	tcase_add_test(tests, options_that_do_not_fit_are_refused);
	tcase_add_test(tests, a_second_start_changes_nothing);
	tcase_add_test(tests, the_same_misuse_at_the_same_place_is_one_finding_with_a_count);
	tcase_add_test(tests, other_ways_are_other_findings);
	tcase_add_test(tests, the_callback_hears_of_each_finding_once);
	tcase_add_test(tests, the_same_place_with_other_blocks_is_the_same_finding);
	tcase_add_test(tests, halt_on_error_aborts_after_the_report);
	tcase_add_test(tests, padding_is_checked_on_demand_and_at_the_end);
	suite_add_tcase(suite, tests);
	return test_run(suite);
}
