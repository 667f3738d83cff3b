/* SPDX-License-Identifier: Apache-2.0
 *
 * Bad accesses from everywhere: other threads, signal handlers, forked processes, the end of
 * threads and of the process, the C library, and long after the free.
 */
#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fault_runs.h"

enum { PROTECTING = E2E_NONE };

static const struct {
	const char *victim;
	const char *argument;
	long offset;
} freed[] = {
        {"use_after_free_thread", NULL, 500},
        {"use_after_free_signal_handler", NULL, 500},
        {"use_after_free_signal_handler", "stack", 500},
        {"use_after_free_fork", "parent", 500},
        {"use_after_free_thread_exit", NULL, 500},
        {"use_after_free_thread_exit", "early", 500},
        {"use_after_free_at_exit", NULL, 500},
        {"use_after_free_at_exit", "early", 500},
        {"use_after_free_much_later", "1000", 999},
};

enum { FREED = sizeof(freed) / sizeof(freed[0]) };

static struct e2e_finding freed_finding(const char *source, long offset)
{
	return (struct e2e_finding){
	        .kind = "heap-use-after-free",
	        .access = "read",
	        .source = source,
	        .call = "access",
	        .allocation = "allocation",
	        .first_free = "free",
	        .size = 1000,
	        .offset = offset,
	};
}

/* Loop index: place and back end. */
START_TEST(test_use_after_free_is_one_finding_anywhere)
{
	int at = _i % FREED;
	int backend = _i / FREED;
	const char *const argv[] = {freed[at].victim, freed[at].argument, NULL};
	char source[100];
	struct e2e_finding expected = freed_finding(source, freed[at].offset);
	struct e2e_run run = {0};

	if (!e2e_can_run(backend))
		return;
	snprintf(source, sizeof(source), VICTIMS "%s.c", freed[at].victim);
	fault_run(&run, backend, NULL, argv);
	fault_check_signal(&run, SIGSEGV);
	e2e_check_counts(&run, 1, 0);
	e2e_check_finding(&run, &expected);
	e2e_release(&run);
}
END_TEST

/* The kernel kills whoever faults with the signal blocked, without asking a handler: under the
 * preload library it is never really blocked, not even for a host of the other one. */
START_TEST(test_blocked_signals_do_not_hide_a_fault)
{
	char program[4096];
	const char *const argv[] = {"src/cli/fencepost", "run", program, "blocked", NULL};
	struct e2e_run run = {0};

	if (!e2e_can_run(_i))
		return;
	snprintf(program, sizeof(program), "%s/" VICTIMS "use_after_free_signal_handler",
	         getenv("FP_BUILDDIR"));
	e2e_run(&run, e2e_backend_option(_i), argv);
	const json_t *findings = e2e_get(run.report, "findings");
	ck_assert_uint_eq(json_array_size(findings), 1);
	e2e_check_stack(e2e_get(json_array_get(findings, 0), "stack"),
	                VICTIMS "use_after_free_signal_handler.c", "access");
	e2e_release(&run);
}
END_TEST

/* Who is named in the report. */
START_TEST(test_threads_are_told_apart)
{
	static const char *const argv[] = {"use_after_free_thread", NULL};
	struct e2e_run run = {0};
	json_t *thread;
	json_t *block;

	if (!e2e_can_run(_i))
		return;
	fault_run(&run, _i, NULL, argv);
	e2e_check_counts(&run, 1, 0);
	thread = e2e_get(fault_finding(&run, 0), "thread");
	block = e2e_get(fault_finding(&run, 0), "block");
	ck_assert_str_eq(e2e_get_string(thread, "name"), "reads");
	ck_assert_int_ne(e2e_get_integer(thread, "id"), e2e_get_integer(block, "free_thread"));
	ck_assert_int_ne(e2e_get_integer(thread, "id"), e2e_get_integer(block, "alloc_thread"));
	ck_assert_int_ne(e2e_get_integer(block, "alloc_thread"),
	                 e2e_get_integer(block, "free_thread"));
	e2e_release(&run);
}
END_TEST

/* ---- Forked processes -------------------------------------------------------------------- */

/* The report of the child whose process id the victim wrote; a file beside its parent's. */
static void take_childs_report(struct e2e_run *run)
{
	char path[4096];
	json_error_t error;

	snprintf(path, sizeof(path), "%s/tests/e2e/report-%d.json.%ld", getenv("FP_BUILDDIR"),
	         (int)getpid(), atol(run->out));
	json_decref(run->report);
	run->report = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
	ck_assert_msg(run->report != NULL, "%s: %s; standard error:\n%s", path, error.text,
	              run->err);
	unlink(path);
}

/* Loop index: whose block it is, and back end. */
START_TEST(test_child_of_a_fork_is_protected)
{
	static const char *const whose[] = {"child", "own"};
	int backend = _i / 2;
	const char *const argv[] = {"use_after_free_fork", whose[_i % 2], NULL};
	struct e2e_finding expected = freed_finding(VICTIMS "use_after_free_fork.c", 500);
	struct e2e_run run = {0};

	if (!e2e_can_run(backend))
		return;
	fault_run(&run, backend, NULL, argv);
	e2e_check_exit(&run, 128 + SIGSEGV);
	/* A block that the child freed is still the parent's, which holds it. */
	e2e_check_counts(&run, 0, 0);
	take_childs_report(&run);
	e2e_check_counts(&run, 1, 0);
	e2e_check_finding(&run, &expected);
	e2e_release(&run);
}
END_TEST

/* ---- The C library ----------------------------------------------------------------------- */

static const struct {
	const char *function;
	const char *access;
} calls[] = {
        {"memcpy", "write"},  {"memcpy-read", "read"}, {"memcpy-long", "write"},
        {"memmove", "write"}, {"memset", "write"},     {"strlen", "read"},
        {"strcpy", "write"},  {"memcmp", "read"},      {"memchr", "read"},
};

enum { CALLS = sizeof(calls) / sizeof(calls[0]) };

/* Loop index: function and back end. */
START_TEST(test_caller_of_the_c_library_comes_first)
{
	int at = _i % CALLS;
	int backend = _i / CALLS;
	const char *const argv[] = {"overflow_memcpy", calls[at].function, NULL};
	const struct e2e_finding expected = {
	        .kind = "heap-buffer-overflow",
	        .access = calls[at].access,
	        .source = VICTIMS "overflow_memcpy.c",
	        .call = calls[at].function,
	        .allocation = "allocation",
	        .size = 256,
	        .offset = 256,
	};
	struct e2e_run run = {0};

	if (!e2e_can_run(backend))
		return;
	fault_run(&run, backend, NULL, argv);
	fault_check_signal(&run, SIGSEGV);
	e2e_check_counts(&run, 1, 0);
	e2e_check_finding(&run, &expected);
	e2e_release(&run);
}
END_TEST

/* ---- Much later -------------------------------------------------------------------------- */

static const char *blocks_in_between(void)
{
	return getenv("FP_TEST_LONG") != NULL ? "10000000" : "300000";
}

static void check_much_later(int backend, const char *options, bool is_remembered)
{
	const char *const argv[] = {"use_after_free_much_later", blocks_in_between(), NULL};
	struct e2e_finding expected = freed_finding(VICTIMS "use_after_free_much_later.c", 999);
	struct e2e_run run = {0};

	if (!is_remembered)
		expected.allocation = NULL;
	fault_run(&run, backend, options, argv);
	/* The slot lies in a chunk that gave its page tables back. */
	fault_check_signal(&run, SIGSEGV);
	e2e_check_counts(&run, 1, 0);
	e2e_check_finding(&run, &expected);
	fault_check_description(&run, is_remembered ? "999 bytes inside" : "so long ago");
	e2e_release(&run);
}

/* Slots are never used again, however long it takes. */
START_TEST(test_use_after_free_is_seen_for_ever)
{
	if (e2e_can_run(E2E_MOVE))
		check_much_later(E2E_MOVE, "history=4g", true);
}
END_TEST

START_TEST(test_use_after_free_is_seen_when_the_record_is_gone)
{
	if (e2e_can_run(E2E_MOVE))
		check_much_later(E2E_MOVE, "history=1m", false);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("fault places");
	TCase *tcase = tcase_create("fault places");
	SRunner *runner = srunner_create(suite);
	int failed;

	e2e_add_shared_test(tcase, test_use_after_free_is_one_finding_anywhere, FREED,
	                    PROTECTING);
	tcase_add_loop_test(tcase, test_blocked_signals_do_not_hide_a_fault, 0, PROTECTING);
	tcase_add_loop_test(tcase, test_threads_are_told_apart, 0, PROTECTING);
	tcase_add_loop_test(tcase, test_child_of_a_fork_is_protected, 0, 2 * PROTECTING);
	e2e_add_shared_test(tcase, test_caller_of_the_c_library_comes_first, CALLS, PROTECTING);
	tcase_add_test(tcase, test_use_after_free_is_seen_for_ever);
	tcase_add_test(tcase, test_use_after_free_is_seen_when_the_record_is_gone);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
