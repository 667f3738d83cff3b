/* SPDX-License-Identifier: Apache-2.0
 *
 * malloc in handlers of signals: a warning where the signal can come while malloc runs, and
 * silence in every other case.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "e2e/preload_runs.h"

#define HANDLERS "tests/preload/victims/handlers"

static const struct {
	const char *way;
	const char *description;
	const char *innermost;
} wrongs[] = {
        {"wrong-timer", "malloc was called in the handler of SIGALRM, ", "malloc"},
        {"wrong-thread", "malloc was called in the handler of SIGALRM, ", "malloc"},
        {"wrong-free", "free was called in the handler of SIGALRM, ", "free"},
        {"wrong-sent", "malloc was called in the handler of signal 36, ", "malloc"},
        {"wrong-alternate-stack", "malloc was called in the handler of SIGALRM, ", "malloc"},
};

static const char *const rights[] = {"flag-only",       "raised",          "broken-pipe",
                                     "faults",          "blocked",         "waiting",
                                     "left-by-jump",    "left-by-context", "left-into-handler",
                                     "ended-in-handler"};

enum {
	WRONGS = sizeof(wrongs) / sizeof(wrongs[0]),
	RIGHTS = sizeof(rights) / sizeof(rights[0])
};

/* Loop index: way and back end. */
START_TEST(malloc_that_may_interrupt_malloc_is_a_warning)
{
	const char *const argv[] = {HANDLERS, wrongs[_i % WRONGS].way, NULL};
	const json_t *finding;
	const json_t *stack;
	struct e2e_run run;

	if (!e2e_can_run(_i / WRONGS))
		return;
	preload_run(&run, _i / WRONGS, NULL, argv);
	e2e_check_exit(&run, 0);
	ck_assert_str_eq(run.out, "handled\n");
	e2e_check_counts(&run, 1, 0);
	finding = json_array_get(e2e_get(run.report, "findings"), 0);
	ck_assert_str_eq(e2e_get_string(finding, "kind"), "malloc-in-signal-handler");
	ck_assert_str_eq(e2e_get_string(finding, "severity"), "warning");
	ck_assert_int_eq(e2e_get_integer(finding, "cwe"), 479);
	const char *description = e2e_get_string(finding, "description");
	ck_assert_msg(strncmp(description, wrongs[_i % WRONGS].description,
	                      strlen(wrongs[_i % WRONGS].description)) == 0,
	              "%s", description);
	/* It ends with the handler: what was interrupted is another thing each time. */
	stack = e2e_get(finding, "stack");
	e2e_check_stack(stack, HANDLERS ".c", wrongs[_i % WRONGS].innermost);
	size_t frames = json_array_size(stack);
	ck_assert_uint_ge(frames, 1);
	ck_assert_uint_le(frames, 4); /* one is there twice where it is inlined */
	const char *outermost = e2e_get_string(json_array_get(stack, frames - 1), "function");
	ck_assert_msg(strcmp(outermost, "handle") == 0 || strcmp(outermost, "release") == 0 ||
	                      strcmp(outermost, "handle_by_action") == 0,
	              "%s", outermost);
	e2e_release(&run);
}
END_TEST

/* Loop index: way and back end. */
START_TEST(malloc_that_is_safe_is_no_finding)
{
	const char *const argv[] = {HANDLERS, rights[_i % RIGHTS], NULL};
	struct e2e_run run;

	if (!e2e_can_run(_i / RIGHTS))
		return;
	preload_run(&run, _i / RIGHTS, NULL, argv);
	e2e_check_exit(&run, 0);
	if (strcmp(argv[1], "ended-in-handler") != 0)
		ck_assert_str_eq(run.out, "handled\n");
	e2e_check_counts(&run, 0, 0);
	e2e_release(&run);
}
END_TEST

static const char *const jumps[] = {"jump", "jump-once", "jump-thread", "count-thread"};

enum { JUMPS = sizeof(jumps) / sizeof(jumps[0]) };

/* The thread is not thought to be in malloc for ever, and holds nothing that others wait for.
 */
START_TEST(malloc_is_watched_after_a_jump_out_of_it)
{
	const char *const argv[] = {"tests/preload/victims/jumps", jumps[_i % JUMPS], NULL};
	struct e2e_run run;

	if (!e2e_can_run(_i / JUMPS))
		return;
	preload_run(&run, _i / JUMPS, "leak_check=no", argv);
	e2e_check_exit(&run, 0);
	ck_assert_str_eq(run.out, "jumped\n");
	e2e_check_counts(&run, 1, 0);
	const json_t *finding = json_array_get(e2e_get(run.report, "findings"), 0);
	ck_assert_str_eq(e2e_get_string(finding, "kind"), "double-free");
	e2e_check_stack(e2e_get(finding, "stack"), "tests/preload/victims/jumps.c",
	                "double free");
	e2e_release(&run);
}
END_TEST

/* Loop index: back end. */
START_TEST(what_comes_while_we_are_at_work_is_done_later)
{
	static const char *const argv[] = {"tests/preload/victims/inside", NULL};
	struct e2e_run run;

	if (!e2e_can_run(_i))
		return;
	preload_run(&run, _i, "leak_check=full", argv);
	e2e_check_exit(&run, 0);
	ck_assert_str_eq(run.out, "12 of 12 handled, 0 of them inside, 0 blocked\n");
	/* What was not freed would be lost. */
	e2e_check_counts(&run, 1, 0);
	ck_assert_int_eq(e2e_get_integer(e2e_get(run.report, "heap"), "frees"), 5012);
	const json_t *finding = json_array_get(e2e_get(run.report, "findings"), 0);
	ck_assert_str_eq(e2e_get_string(finding, "kind"), "double-free");
	e2e_check_stack(e2e_get(finding, "stack"), "tests/preload/victims/inside.c",
	                "double free");
	e2e_release(&run);
}
END_TEST

/* The handlers are the program's alone. */
START_TEST(without_our_handlers_nothing_is_said)
{
	const char *const argv[] = {HANDLERS, "wrong-timer", NULL};
	struct e2e_run run;

	preload_run(&run, E2E_MPROTECT, "fault_handler=no", argv);
	e2e_check_exit(&run, 0);
	e2e_check_counts(&run, 0, 0);
	e2e_release(&run);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("handlers");
	TCase *tests = tcase_create("handlers");
	SRunner *runner = srunner_create(suite);

	tcase_add_loop_test(tests, malloc_that_may_interrupt_malloc_is_a_warning, 0,
	                    WRONGS * E2E_BACKEND_COUNT);
	tcase_add_loop_test(tests, malloc_that_is_safe_is_no_finding, 0,
	                    RIGHTS * E2E_BACKEND_COUNT);
	tcase_add_loop_test(tests, malloc_is_watched_after_a_jump_out_of_it, 0,
	                    JUMPS * E2E_BACKEND_COUNT);
	e2e_add_shared_test(tests, what_comes_while_we_are_at_work_is_done_later, 1,
	                    E2E_BACKEND_COUNT);
	tcase_add_test(tests, without_our_handlers_nothing_is_said);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
