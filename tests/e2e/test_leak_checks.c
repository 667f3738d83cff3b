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

static void check_lost(const struct e2e_run *run)
{
	const json_t *leak = json_array_get(e2e_get(run->report, "leaks"), 0);

	e2e_check_counts(run, 0, 1);
	ck_assert_str_eq(e2e_get_string(leak, "kind"), "definite");
	ck_assert_int_eq(e2e_get_integer(leak, "blocks"), 1);
	ck_assert_int_eq(e2e_get_integer(leak, "bytes"), 24);
	e2e_check_stack(e2e_get(leak, "alloc_stack"), SOURCE, "lost");
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

int main(void)
{
	Suite *suite = suite_create("leak checks");
	TCase *tcase = tcase_create("leak checks");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, test_every_end_tells_of_leaks, 0, ENDS);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
