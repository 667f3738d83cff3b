/* SPDX-License-Identifier: Apache-2.0
 *
 * When leaks are looked for: also in servers that end by a signal or without a word, and in the
 * midst of their work when somebody asks.
 */
#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "preload_runs.h"

#define SERVER VICTIMS "served"
#define SOURCE VICTIMS "served.c"

static const struct {
	const char *way;
	int signal; /* 0: it ends with 4 */
} ends[] = {
        {"_exit", 0},       {"handler", 0},    {"raise", SIGTERM},
        {"pause", SIGALRM}, {"busy", SIGALRM}, {"threads", SIGALRM},
};

enum { ENDS = sizeof(ends) / sizeof(ends[0]) };

/* Of a host that is linked with the library. */
static const struct {
	const char *way;
	const char *options;
	int status; /* -1: not told */
	int signal; /* or 0 */
	bool is_reported;
} hosted_ends[] = {
        {"_exit", "", 4, 0, true},
        {"children", "", 4, 0, true},
        {"quick_exit", "", -1, 0, true},
        {"handler", "", 4, 0, true},
        {"pause", "", 0, SIGALRM, false},
        {"pause", "catch_signals=yes", 0, SIGALRM, true},
        {"busy", "catch_signals=yes", 0, SIGALRM, true},
        {"threads", "catch_signals=yes", 0, SIGALRM, true},
        {"handler", "catch_signals=yes", 4, 0, true},
        {"ignored", "catch_signals=yes", 4, 0, true},
};

enum { HOSTED_ENDS = sizeof(hosted_ends) / sizeof(hosted_ends[0]) };

static void check_lost_at(const struct e2e_run *run, const char *source)
{
	const json_t *leak = json_array_get(e2e_get(run->report, "leaks"), 0);

	e2e_check_counts(run, 0, 1);
	ck_assert_str_eq(e2e_get_string(leak, "kind"), "definite");
	ck_assert_int_eq(e2e_get_integer(leak, "blocks"), 1);
	ck_assert_int_eq(e2e_get_integer(leak, "bytes"), 24);
	e2e_check_stack(e2e_get(leak, "alloc_stack"), source, "lost");
}

static void check_lost(const struct e2e_run *run)
{
	check_lost_at(run, SOURCE);
}

START_TEST(test_every_end_tells_of_leaks)
{
	const char *const argv[] = {SERVER, ends[_i].way, NULL};
	struct e2e_run run;

	preload_run(&run, E2E_MPROTECT, "leak_check=full", argv);
	if (ends[_i].signal == 0)
		e2e_check_exit(&run, 4);
	else
		ck_assert(WIFSIGNALED(run.status) && WTERMSIG(run.status) == ends[_i].signal);
	check_lost(&run);
	e2e_release(&run);
}
END_TEST

static void check_end(const struct e2e_run *run, int status)
{
	const json_t *end = e2e_get(e2e_get(run->report, "process"), "exit");

	if (status >= 0)
		ck_assert_int_eq(e2e_get_integer(end, "code"), status);
}

/* Loop index: row of the table. */
START_TEST(test_a_linked_host_tells_of_leaks_however_it_ends)
{
	const char *const argv[] = {VICTIMS "hosted_ends", hosted_ends[_i].way, NULL};
	struct e2e_run run = {0};

	e2e_run(&run, hosted_ends[_i].options, argv);
	if (hosted_ends[_i].signal != 0) {
		ck_assert(WIFSIGNALED(run.status) &&
		          WTERMSIG(run.status) == hosted_ends[_i].signal);
	} else {
		e2e_check_exit(&run, 4);
		check_end(&run, hosted_ends[_i].status);
	}
	if (hosted_ends[_i].is_reported)
		check_lost_at(&run, VICTIMS "hosted_ends.c");
	else
		ck_assert_ptr_nonnull(strstr(run.err, "; leaks not checked"));
	e2e_release(&run);
}
END_TEST

/* Signals that the host raises itself: what it found until then is reported, and the crash, no
 * leaks. Loop index: row of the table. */
static const struct {
	const char *way;
	const char *options;
	int signal;
	int findings;
} own_deaths[] = {
        {"abort", "", SIGABRT, 2},
        {"abort", "catch_signals=yes", SIGABRT, 2},
        {"abort", "fault_handler=no", SIGABRT, 2},
        {"trap", "", SIGTRAP, 1},
        {"trap", "catch_signals=yes", SIGTRAP, 1},
        {"trap", "fault_handler=no", SIGTRAP, 1},
};

enum { OWN_DEATHS = sizeof(own_deaths) / sizeof(own_deaths[0]) };

START_TEST(test_a_linked_host_that_aborts_keeps_its_findings)
{
	const char *const argv[] = {VICTIMS "hosted_ends", own_deaths[_i].way, NULL};
	struct e2e_run run = {0};

	e2e_run(&run, own_deaths[_i].options, argv);
	ck_assert(WIFSIGNALED(run.status) && WTERMSIG(run.status) == own_deaths[_i].signal);
	e2e_check_counts(&run, (size_t)own_deaths[_i].findings, 0);
	if (strcmp(own_deaths[_i].way, "abort") == 0)
		ck_assert_ptr_nonnull(
		        strstr(run.err, "fencepost: double-free of a 1-byte block"));
	else
		ck_assert_ptr_null(strstr(run.err, "double-free"));
	e2e_release(&run);
}
END_TEST

static const struct {
	const char *way;
	int status;
} hosted_runs[] = {
        {"_exit", 4}, {"quick_exit", 4}, {"pause", 128 + SIGALRM}, {"abort", 128 + SIGABRT}};

enum { HOSTED_RUNS = sizeof(hosted_runs) / sizeof(hosted_runs[0]) };

/* Behind the preloaded library there is one session, which sees how the host ends. Loop index:
 * row of the table. */
START_TEST(test_a_linked_host_tells_of_leaks_under_run_too)
{
	const char *const argv[] = {"src/cli/fencepost", "run", VICTIMS "hosted_ends",
	                            hosted_runs[_i].way, NULL};
	struct e2e_run run = {0};

	e2e_run(&run, NULL, argv);
	e2e_check_exit(&run, hosted_runs[_i].status);
	const char *said = hosted_runs[_i].status == 128 + SIGABRT
	                           ? "double-free of a 1-byte block at hosted_ends.c"
	                           : "leak of 24 bytes in 1 block at hosted_ends.c";
	ck_assert_msg(strstr(run.err, said) != NULL, "%s", run.err);
	e2e_release(&run);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("leak checks");
	TCase *tcase = tcase_create("leak checks");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tcase, test_every_end_tells_of_leaks, 0, ENDS);
	tcase_add_loop_test(tcase, test_a_linked_host_tells_of_leaks_however_it_ends, 0,
	                    HOSTED_ENDS);
	tcase_add_loop_test(tcase, test_a_linked_host_that_aborts_keeps_its_findings, 0,
	                    OWN_DEATHS);
	tcase_add_loop_test(tcase, test_a_linked_host_tells_of_leaks_under_run_too, 0,
	                    HOSTED_RUNS);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
