/* SPDX-License-Identifier: Apache-2.0
 *
 * A heap is not the only owner of its pages: what a program does to its own blocks with the
 * kernel's help is no finding, and works as it does without Fencepost.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "preload_runs.h"

static const char *const ways[] = {"given back", "given back raw", "mapped",
                                   "unmapped",   "moved",          "protected",
                                   "locked",     "forked",         "sparse"};

enum { WAYS = sizeof(ways) / sizeof(ways[0]), SECONDS = 600 };

static void run_own_pages(enum e2e_backend backend, const char *way)
{
	const char *const argv[] = {VICTIMS "own_pages", way, NULL};
	struct e2e_run run;

	preload_run(&run, backend, NULL, argv);
	ck_assert_msg(run.status == 0, "%s: %s%s", way, run.out, run.err);
	e2e_check_counts(&run, 0, 0);
	e2e_release(&run);
}

START_TEST(test_pages_of_blocks_are_the_programs)
{
	if (!e2e_can_run(_i / WAYS))
		return;
	run_own_pages(_i / WAYS, ways[_i % WAYS]);
}
END_TEST

/* The search for leaks reads what was written, and finds pointers there. */
START_TEST(test_a_sparse_block_is_searched_for_pointers)
{
	static const char *const argv[] = {VICTIMS "own_pages", "sparse", NULL};
	struct e2e_run run;

	if (!e2e_can_run(_i))
		return;
	preload_run(&run, _i, "leak_check=full:show_reachable=yes", argv);
	e2e_check_exit(&run, 0);
	json_t *leaks = e2e_get(run.report, "leaks");
	for (size_t i = 0; i < json_array_size(leaks); i++)
		ck_assert_str_eq(e2e_get_string(json_array_get(leaks, i), "kind"), "reachable");
	e2e_release(&run);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("own pages");
	TCase *tcase = tcase_create("own pages");
	SRunner *runner;

	tcase_set_timeout(tcase, SECONDS);
	tcase_add_loop_test(tcase, test_pages_of_blocks_are_the_programs, 0,
	                    WAYS * E2E_BACKEND_COUNT);
	tcase_add_loop_test(tcase, test_a_sparse_block_is_searched_for_pointers, 0,
	                    E2E_BACKEND_COUNT);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
