/* SPDX-License-Identifier: Apache-2.0
 *
 * A bad access is a SIGSEGV, whatever the back end gets from the kernel: to the program's
 * handlers and to its parent. One access is one finding, however often the program's handler
 * has it tried.
 */
#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "preload_runs.h"

#define SOURCE VICTIMS "fault_signals.c"
#define SAID "11, code right, address right, blocked SIGUSR1\nhandler of 11\n"
#define THRICE(line) line line line
#define HANDLER "handler of 11\n"

enum { PROTECTING = E2E_NONE, ANY_COUNT = -1, IN_HANDLER = -2 };

static const struct {
	const char *way;
	const char *out;
	int signal; /* 0: it ends by itself */
	int count;  /* of the one finding; 0: there is none */
} ways[] = {
        {"by-action", THRICE(SAID) "3 calls\n", 0, 3},
        {"by-action-not-deferred", THRICE(SAID) "3 calls\n", 0, 3},
        {"by-action-on-stack", THRICE(SAID) "3 calls\n", 0, 3},
        {"by-signal", THRICE(HANDLER) "3 calls\n", 0, 3},
        {"by-both", THRICE(HANDLER) "3 calls\n", 0, 3},
        {"by-thread", HANDLER HANDLER "2 calls\n", 0, 2},
        {"by-kernel", HANDLER HANDLER "2 calls\n", 0, ANY_COUNT},
        {"own-bus", "handler of 7\n1 calls\n", 0, 0},
        {"own-bus-in-block", "handler of 7\n1 calls\n", 0, 0},
        {"own-bus-of-child", "child: 7\n", 0, 0},
        {"no-handler", "", SIGSEGV, 1},
        {"handler-of-bus", "", SIGSEGV, 1},
        {"ignored", "", SIGSEGV, 1},
        {"handler-once", HANDLER, SIGSEGV, 2},
        {"blocked", "", SIGSEGV, 1},
        {"handler-leaves", HANDLER, SIGSEGV, 1},
        {"handler-leaves-once", HANDLER, SIGSEGV, 1},
        {"handler-crashes", HANDLER, SIGSEGV, IN_HANDLER},
        {"after-vfork", "child: 11\n", SIGSEGV, 1},
};

enum { WAYS = sizeof(ways) / sizeof(ways[0]) };

static void check_end(const struct e2e_run *run, int number)
{
	if (number == 0) {
		e2e_check_exit(run, 0);
		return;
	}
	ck_assert_msg(WIFSIGNALED(run->status) && WTERMSIG(run->status) == number,
	              "status %#x: %s", (unsigned)run->status, run->err);
	ck_assert_str_eq(
	        e2e_get_string(e2e_get(e2e_get(run->report, "process"), "exit"), "signal"),
	        "SIGSEGV");
}

static void check_finding(const json_t *finding, int count)
{
	ck_assert_str_eq(e2e_get_string(finding, "kind"), "heap-use-after-free");
	ck_assert_int_eq(e2e_get_integer(finding, "count"), count);
	ck_assert_int_eq(e2e_get_integer(e2e_get(finding, "block"), "offset"), 3);
	e2e_check_stack(e2e_get(finding, "stack"), SOURCE, "access");
}

/* A handler that nobody was told of is called before us: then there may be none. */
static void check_findings(const struct e2e_run *run, int count)
{
	const json_t *findings = e2e_get(run->report, "findings");
	const json_t *finding;
	size_t index;

	if (count == ANY_COUNT)
		return;
	e2e_check_counts(run, count == IN_HANDLER ? 2 : count > 0, 0);
	json_array_foreach(findings, index, finding)
	{
		check_finding(finding, count == IN_HANDLER ? 1 : count);
	}
}

/* Loop index: way and back end. */
START_TEST(test_bad_access_is_a_segmentation_fault)
{
	int at = _i % WAYS;
	int backend = _i / WAYS;
	const char *const argv[] = {VICTIMS "fault_signals", ways[at].way, NULL};
	struct e2e_run run;

	if (!e2e_can_run(backend))
		return;
	preload_run(&run, backend, NULL, argv);
	check_end(&run, ways[at].signal);
	ck_assert_str_eq(run.out, ways[at].out);
	check_findings(&run, ways[at].count);
	e2e_release(&run);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("fault signals");
	TCase *tcase = tcase_create("fault signals");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tcase, test_bad_access_is_a_segmentation_fault, 0,
	                    WAYS * PROTECTING);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
