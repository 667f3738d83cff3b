/* SPDX-License-Identifier: Apache-2.0
 *
 * Bad accesses in trouble: many threads at once, small stacks, callbacks that fault themselves,
 * no descriptors.
 */
#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "fault_runs.h"

#define THREADS_SOURCE VICTIMS "fault_threads.c"

enum { PROTECTING = E2E_NONE, THREADS = 8 };

/* Every finding is whole: its three stacks and its block are there. */
static void check_threads_finding(const json_t *finding)
{
	const json_t *block = e2e_get(finding, "block");

	ck_assert_str_eq(e2e_get_string(finding, "kind"), "heap-use-after-free");
	ck_assert_int_eq(e2e_get_integer(finding, "count"), 1);
	e2e_check_stack(e2e_get(finding, "stack"), THREADS_SOURCE, "access");
	e2e_check_stack(e2e_get(block, "alloc_stack"), THREADS_SOURCE, "allocation");
	e2e_check_stack(e2e_get(block, "free_stack"), THREADS_SOURCE, "free");
	ck_assert_int_eq(e2e_get_integer(block, "offset"), 0);
}

START_TEST(test_threads_that_fault_at_once_have_a_finding_each)
{
	static const char *const argv[] = {"fault_threads", "8", "leap", NULL};
	struct e2e_run run = {0};

	if (!e2e_can_run(_i))
		return;
	fault_run(&run, _i, NULL, argv);
	e2e_check_exit(&run, 0);
	e2e_check_counts(&run, THREADS, 0);
	for (size_t i = 0; i < THREADS; i++)
		check_threads_finding(fault_finding(&run, i));
	e2e_release(&run);
}
END_TEST

/* Which threads come in time is theirs to settle; there is one report, and it is whole. */
START_TEST(test_threads_that_die_at_once_leave_one_report)
{
	static const char *const argv[] = {"fault_threads", "8", NULL};
	struct e2e_run run = {0};
	size_t count;

	if (!e2e_can_run(_i))
		return;
	fault_run(&run, _i, NULL, argv);
	fault_check_signal(&run, SIGSEGV);
	count = json_array_size(e2e_get(run.report, "findings"));
	ck_assert_uint_ge(count, 1);
	ck_assert_uint_le(count, THREADS);
	for (size_t i = 0; i < count; i++)
		check_threads_finding(fault_finding(&run, i));
	e2e_release(&run);
}
END_TEST

START_TEST(test_stack_of_a_thread_may_be_small)
{
	static const char *const argv[] = {"fault_threads", "1", "small", NULL};
	struct e2e_run run = {0};

	if (!e2e_can_run(_i))
		return;
	fault_run(&run, _i, NULL, argv);
	fault_check_signal(&run, SIGSEGV);
	e2e_check_counts(&run, 1, 0);
	check_threads_finding(fault_finding(&run, 0));
	e2e_release(&run);
}
END_TEST

/* Loop index: what the callback reads, on which occasion, and the back end. */
START_TEST(test_callback_that_faults_ends_the_process_once)
{
	bool is_null = _i % 2 == 0;
	bool is_call = _i / 2 % 2 == 0;
	int backend = _i / 4;
	const char *const argv[] = {"fault_in_callback", is_null ? "null" : "freed",
	                            is_call ? "call" : NULL, NULL};
	struct e2e_run run = {0};
	const char *kind;

	if (!e2e_can_run(backend))
		return;
	fault_run(&run, backend, NULL, argv);
	if (is_null)
		fault_check_signal(&run, SIGSEGV);
	else
		fault_check_signal(&run, SIGSEGV);
	/* What the callback was called for, and what it then did in the call of a program. */
	e2e_check_counts(&run, is_call ? 2 : 1, 0);
	if (is_call && is_null)
		ck_assert_str_eq(e2e_get_string(fault_finding(&run, 1), "kind"), "crash");
	kind = e2e_get_string(fault_finding(&run, 0), "kind");
	ck_assert_str_eq(kind, is_call ? "double-free" : "heap-use-after-free");
	e2e_release(&run);
}
END_TEST

START_TEST(test_report_needs_no_free_descriptor)
{
	static const char *const argv[] = {"fault_without_descriptors", NULL};
	static const struct e2e_finding expected = {
	        .kind = "heap-use-after-free",
	        .access = "read",
	        .source = VICTIMS "fault_without_descriptors.c",
	        .call = "access",
	        .allocation = "allocation",
	        .first_free = "free",
	        .size = 1000,
	        .offset = 500,
	};
	struct e2e_run run = {0};

	if (!e2e_can_run(_i))
		return;
	fault_run(&run, _i, NULL, argv);
	fault_check_signal(&run, SIGSEGV);
	e2e_check_counts(&run, 1, 0);
	e2e_check_finding(&run, &expected);
	e2e_release(&run);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("fault trouble");
	TCase *tcase = tcase_create("fault trouble");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tcase, test_threads_that_fault_at_once_have_a_finding_each, 0,
	                    PROTECTING);
	tcase_add_loop_test(tcase, test_threads_that_die_at_once_leave_one_report, 0,
	                    PROTECTING);
	tcase_add_loop_test(tcase, test_stack_of_a_thread_may_be_small, 0, PROTECTING);
	tcase_add_loop_test(tcase, test_callback_that_faults_ends_the_process_once, 0,
	                    4 * PROTECTING);
	tcase_add_loop_test(tcase, test_report_needs_no_free_descriptor, 0, PROTECTING);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
