/* SPDX-License-Identifier: Apache-2.0
 *
 * Programs that know nothing of Fencepost and have their own ideas about signals, masks,
 * threads and cancellation: they print and end as they do without it. And whatever they do
 * about signals, a bad access of theirs is reported and kills.
 */
#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "preload_runs.h"

static const char *const ways[][2] = {
        {"signals", "recover-sigaction"},
        {"signals", "recover-signal"},
        {"signals", "remember"},
        {"signals", "real-time"},
        {"signals", "reset-hand"},
        {"signals", "fall-in-handler"},
        {"signals", "send-to-itself"},
        {"signals", "errors"},
        {"signals", "masks"},
        {"signals", "masks-of-threads"},
        {"old_signals", "recover-sigset"},
        {"old_signals", "dispositions"},
        {"old_signals", "masks"},
        {"raw_signals", "waited-for"},
        {"raw_signals", "by-number"},
        {"answers", "interrupted"},
        {"answers", "answers"},
        {"answers", "cancelled"},
        {"answers", "broken-pipe"},
        {"answers", "refused"},
};

static const char *const bad_ways[][2] = {
        {"signals", "bad-access"},
        {"signals", "bad-small-stack"},
        {"signals", "bad-handler-small-stack"},
        {"signals", "bad-c11-thread"},
        {"signals", "bad-blocked"},
        {"signals", "bad-blocked-in-thread"},
        {"signals", "bad-blocked-by-attribute"},
        {"signals", "bad-full-mask"},
        {"signals", "bad-suspended"},
        {"signals", "bad-polled"},
        {"signals", "bad-executed"},
        {"signals", "bad-in-own-handler"},
        {"old_signals", "bad-sigset"},
        {"old_signals", "bad-sigblock"},
        {"old_signals", "bad-sigsetmask"},
        {"old_signals", "bad-sigpause"},
        {"raw_signals", "bad-blocked-by-number"},
};

enum {
	WAYS = sizeof(ways) / sizeof(ways[0]),
	BAD_WAYS = sizeof(bad_ways) / sizeof(bad_ways[0]),
	PROTECTING = E2E_NONE
};

static void check_same(const char *program, const char *way, int backend, const char *options)
{
	const char *const argv[] = {program, way, NULL};
	struct e2e_run without;
	struct e2e_run with;

	if (!e2e_can_run(backend))
		return;
	preload_run_without(&without, argv);
	preload_run(&with, backend, options, argv);
	ck_assert_str_eq(with.out, without.out);
	ck_assert_msg(with.status == without.status, "%s: status %#x, not %#x: %s", way,
	              (unsigned)with.status, (unsigned)without.status, with.err);
	/* A signal that is no fault leaves no time for a report. */
	if (with.report != NULL)
		e2e_check_counts(
		        &with, WIFSIGNALED(with.status) && WTERMSIG(with.status) != SIGPIPE, 0);
	else
		ck_assert(WIFSIGNALED(with.status) && WTERMSIG(with.status) == SIGPIPE);
	e2e_release(&with);
	e2e_release(&without);
}

/* Loop index: way and back end. */
START_TEST(test_programs_get_what_they_expect)
{
	const char *const *way = ways[_i % WAYS];
	char program[100];

	snprintf(program, sizeof(program), VICTIMS "%s", way[0]);
	check_same(program, way[1], _i / WAYS, NULL);
}
END_TEST

/* Loop index: back end. */
START_TEST(test_a_handler_that_was_set_by_number_is_called_after_the_finding)
{
	static const char *const argv[] = {VICTIMS "raw_signals", "handled-by-number", NULL};
	struct e2e_run run;

	if (!e2e_can_run(_i))
		return;
	preload_run(&run, _i, NULL, argv);
	e2e_check_exit(&run, 0);
	ck_assert_str_eq(run.out, "0 default 1\nback 1 1\nseen 1\n");
	e2e_check_counts(&run, 1, 0);
	e2e_check_stack(e2e_get(json_array_get(e2e_get(run.report, "findings"), 0), "stack"),
	                VICTIMS "raw_signals.c", "access");
	e2e_release(&run);
}
END_TEST

/* Loop index: way that does not end with a fault. Signals are the program's alone. */
START_TEST(test_programs_without_our_handlers)
{
	static const char *const quiet[] = {"recover-sigaction", "remember", "errors", "masks",
	                                    "masks-of-threads"};

	check_same(VICTIMS "signals", quiet[_i], E2E_MPROTECT, "fault_handler=no");
}
END_TEST

/* Loop index: way and back end. */
START_TEST(test_bad_access_is_reported)
{
	const char *const *way = bad_ways[_i % BAD_WAYS];
	char program[100];
	char source[100];
	const char *const argv[] = {program, way[1], NULL};
	int backend = _i / BAD_WAYS;
	const json_t *finding;
	const json_t *block;
	struct e2e_run run;

	if (!e2e_can_run(backend))
		return;
	snprintf(program, sizeof(program), VICTIMS "%s", way[0]);
	snprintf(source, sizeof(source), VICTIMS "%s.c", way[0]);
	preload_run(&run, backend, NULL, argv);
	ck_assert_msg(WIFSIGNALED(run.status) && WTERMSIG(run.status) == SIGSEGV,
	              "status %#x: %s", (unsigned)run.status, run.err);
	e2e_check_counts(&run, 1, 0);
	finding = json_array_get(e2e_get(run.report, "findings"), 0);
	ck_assert_str_eq(e2e_get_string(finding, "kind"), "heap-buffer-overflow");
	ck_assert_str_eq(e2e_get_string(finding, "access"), "read");
	ck_assert_int_eq(e2e_get_integer(finding, "count"), 1);
	e2e_check_stack(e2e_get(finding, "stack"), source, "access");
	block = e2e_get(finding, "block");
	ck_assert_int_eq(e2e_get_integer(block, "size"), 16);
	ck_assert_int_eq(e2e_get_integer(block, "offset"), 16);
	e2e_check_stack(e2e_get(block, "alloc_stack"), source, "allocation");
	ck_assert_str_eq(
	        e2e_get_string(e2e_get(e2e_get(run.report, "process"), "exit"), "signal"),
	        "SIGSEGV");
	e2e_release(&run);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("signals");
	TCase *tcase = tcase_create("signals");
	SRunner *runner = srunner_create(suite);
	int failed;

	e2e_add_shared_test(tcase, test_programs_get_what_they_expect, WAYS, E2E_BACKEND_COUNT);
	tcase_add_loop_test(tcase, test_programs_without_our_handlers, 0, 5);
	tcase_add_loop_test(tcase, test_bad_access_is_reported, 0, BAD_WAYS * PROTECTING);
	tcase_add_loop_test(tcase,
	                    test_a_handler_that_was_set_by_number_is_called_after_the_finding,
	                    0, PROTECTING);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
