/* SPDX-License-Identifier: Apache-2.0
 *
 * fail_alloc: which allocations fail, what the program is told, and what the report lists.
 */
#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "preload_runs.h"

#define SOURCE VICTIMS "fail_alloc.c"

static void run_with(struct e2e_run *run, const char *rule)
{
	const char *const argv[] = {VICTIMS "fail_alloc", NULL};
	char options[200];

	memset(run, 0, sizeof(*run));
	snprintf(options, sizeof(options), "fail_alloc=%s", rule);
	e2e_run(run, options, argv);
	e2e_check_exit(run, 0);
	e2e_check_counts(run, 0, 0);
}

static long count_failed(const struct e2e_run *run)
{
	const json_t *failed = e2e_get(run->report, "failed_allocations");
	long count = 0;

	for (size_t i = 0; i < json_array_size(failed); i++)
		count += e2e_get_integer(json_array_get(failed, i), "count");
	return count;
}

static long count_letters(const char *text)
{
	long count = 0;

	for (; *text != '\0'; text++)
		count += *text == 'X';
	return count;
}

static const struct {
	const char *rule;
	const char *answers;
	size_t places; /* of the report's list */
} rules[] = {
        {"at:5", "....X.......", 1},
        {"at:13", "............", 0},
        {"every:1", "XXXXXXXXXXXX", 2},
        {"every:4", "...X...X...X", 1},
        {"every:5", "....X....X..", 2},
        {"probability:0", "............", 0},
        {"probability:1", "XXXXXXXXXXXX", 2},
        {"level:task", "X..X..X..X..", 2},
        {"level:appdomain", ".X..X..X..X.", 2},
        {"level:process", "..X..X..X..X", 2},
        {"stack:make_row", "X.X.X.X.X.X.", 1},
        {"stack:make_cell", "X.X.X.X.X.X.", 1},
        {"stack:make_other", ".X.X.X.X.X.X", 1},
        {"stack:main", "XXXXXXXXXXXX", 2},
        {"stack:strlen", "............", 0},
        {"stack:make_ro", "............", 0},
};

START_TEST(test_the_chosen_ones_fail_and_are_listed)
{
	struct e2e_run run;

	run_with(&run, rules[_i].rule);
	ck_assert_str_eq(run.out, rules[_i].answers);
	ck_assert_uint_eq(json_array_size(e2e_get(run.report, "failed_allocations")),
	                  rules[_i].places);
	ck_assert_int_eq(count_failed(&run), count_letters(run.out));
	ck_assert_str_eq(e2e_get_string(e2e_get(run.report, "settings"), "fail_alloc"),
	                 rules[_i].rule);
	e2e_release(&run);
}
END_TEST

START_TEST(test_the_report_says_what_failed_where)
{
	struct e2e_run run;

	run_with(&run, "level:process");
	const json_t *failed = e2e_get(run.report, "failed_allocations");
	const json_t *first = json_array_get(failed, 0);
	ck_assert_int_eq(e2e_get_integer(first, "count"), 2);
	ck_assert_int_eq(e2e_get_integer(first, "size"), 10);
	ck_assert_int_eq(e2e_get_integer(first, "serial"), 3);
	ck_assert_int_eq(e2e_get_integer(first, "heap"), 1);
	ck_assert_str_eq(e2e_get_string(first, "family"), "host");
	ck_assert_str_eq(e2e_get_string(first, "critical_level"), "process");
	ck_assert_str_eq(
	        e2e_get_string(json_array_get(e2e_get(first, "alloc_stack"), 1), "function"),
	        "make_cell");
	ck_assert_ptr_nonnull(strstr(run.err, "2 allocations failed as fail_alloc asks at "
	                                      "fail_alloc.c:"));
	ck_assert_ptr_nonnull(strstr(run.err, "critical level process"));
	e2e_release(&run);
}
END_TEST

/* The same seed chooses the same ones, another seed others. */
START_TEST(test_a_seed_chooses_the_same_ones_again)
{
	static const char *const seeds[] = {"probability:0.5,1", "probability:0.5,2",
	                                    "probability:0.5,3"};
	char answers[3][20];

	for (size_t i = 0; i < 3; i++) {
		struct e2e_run run;
		struct e2e_run again;

		run_with(&run, seeds[i]);
		run_with(&again, seeds[i]);
		ck_assert_str_eq(run.out, again.out);
		ck_assert_int_gt(count_letters(run.out), 0);
		ck_assert_int_lt(count_letters(run.out), 12);
		snprintf(answers[i], sizeof(answers[i]), "%s", run.out);
		e2e_release(&run);
		e2e_release(&again);
	}
	ck_assert(strcmp(answers[0], answers[1]) != 0 || strcmp(answers[0], answers[2]) != 0);
}
END_TEST

START_TEST(test_an_unknown_function_is_told)
{
	struct e2e_run run;

	run_with(&run, "stack:no_such_function");
	ck_assert_str_eq(run.out, "............");
	ck_assert_ptr_nonnull(
	        strstr(run.err, "no symbol table has a function no_such_function"));
	e2e_release(&run);
}
END_TEST

START_TEST(test_malloc_fails_as_malloc_does)
{
	const char *const argv[] = {VICTIMS "fail_malloc", NULL};
	struct e2e_run run;

	preload_run(&run, E2E_MOVE, "leak_check=no:fail_alloc=stack:answer", argv);
	e2e_check_exit(&run, 0);
	ck_assert_str_eq(run.out, "XXXXX\n");
	ck_assert_int_eq(count_failed(&run), 5);
	const json_t *failed = e2e_get(run.report, "failed_allocations");
	ck_assert_str_eq(e2e_get_string(json_array_get(failed, 0), "family"), "malloc");
	ck_assert(json_is_null(e2e_get(json_array_get(failed, 0), "critical_level")));
	e2e_release(&run);
	preload_run(&run, E2E_MOVE, "leak_check=no:fail_alloc=level:task", argv);
	ck_assert_str_eq(run.out, ".....\n");
	e2e_release(&run);
}
END_TEST

static size_t count_words(const char *text, const char *words)
{
	size_t count = 0;

	for (; (text = strstr(text, words)) != NULL; text++)
		count++;
	return count;
}

/* Nobody is asked at the end: what stands in the log was told when it happened. */
START_TEST(test_what_failed_outlives_the_process)
{
	const char *const argv[] = {VICTIMS "fail_alloc", "killed", NULL};
	char events[100];
	char options[200];
	const char *const report[] = {"src/cli/fencepost", "report", events, NULL};
	struct e2e_run run = {0};

	snprintf(events, sizeof(events), "tests/e2e/killed.%d.events", (int)getpid());
	snprintf(options, sizeof(options), "fail_alloc=%s:events=%s", rules[_i].rule, events);
	e2e_run_raw(&run, options, argv);
	ck_assert(WIFSIGNALED(run.status) && WTERMSIG(run.status) == SIGKILL);
	ck_assert_str_eq(run.out, rules[_i].answers);
	e2e_release(&run);
	/* Its watcher writes the log when it is gone. */
	while (access(events, R_OK) != 0)
		usleep(10000);
	e2e_run_raw(&run, "", report);
	unlink(events);
	ck_assert_msg(count_words(run.err, " failed as fail_alloc asks at fail_alloc.c:") ==
	                      rules[_i].places,
	              "%s", run.err);
	e2e_release(&run);
}
END_TEST

/* A real engine tells its user, and stays whole. */
START_TEST(test_sqlite_survives_without_memory)
{
	const char *const argv[] = {"examples/sqlite_host", e2e_source("examples/demo.sql"),
	                            NULL};
	char options[64];
	struct e2e_run run = {0};

	snprintf(options, sizeof(options), "fail_alloc=at:%d", 1 << _i);
	e2e_run(&run, options, argv);
	ck_assert_int_eq(count_failed(&run), 1);
	e2e_check_counts(&run, 0, 0);
	e2e_release(&run);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("fail_alloc");
	TCase *tcase = tcase_create("fail_alloc");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tcase, test_the_chosen_ones_fail_and_are_listed, 0,
	                    sizeof(rules) / sizeof(rules[0]));
	tcase_add_loop_test(tcase, test_what_failed_outlives_the_process, 0, 9);
	tcase_add_test(tcase, test_the_report_says_what_failed_where);
	tcase_add_test(tcase, test_a_seed_chooses_the_same_ones_again);
	tcase_add_test(tcase, test_an_unknown_function_is_told);
	tcase_add_test(tcase, test_malloc_fails_as_malloc_does);
	tcase_add_loop_test(tcase, test_sqlite_survives_without_memory, 0, 10);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
