/* SPDX-License-Identifier: Apache-2.0
 *
 * Coroutines have stacks of a page or two: what stands between a program and libc takes no more
 * of them than a KiB.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "e2e/preload_runs.h"

enum { ALLOWED_BYTES = 1024 };

struct use {
	char name[40];
	long first;
	long second;
};

/* The line at *TEXT, which is moved behind it. */
static bool read_use(const char **text, struct use *use)
{
	int length = 0;

	if (sscanf(*text, "%39s %ld %ld\n%n", use->name, &use->first, &use->second, &length) !=
	    3)
		return false;
	*text += length;
	return true;
}

/* Loop index: back end. */
START_TEST(calls_need_little_stack)
{
	static const char *const argv[] = {"tests/preload/victims/stack_use", NULL};
	struct e2e_run without;
	struct e2e_run with;
	struct use own;
	struct use ours;
	int rows = 0;

	if (!e2e_can_run(_i))
		return;
	preload_run_without(&without, argv);
	preload_run(&with, _i, NULL, argv);
	e2e_check_exit(&without, 0);
	e2e_check_exit(&with, 0);
	const char *native = without.out;
	for (const char *text = with.out; read_use(&text, &ours); rows++) {
		ck_assert(read_use(&native, &own));
		ck_assert_str_eq(own.name, ours.name);
		ck_assert_msg(ours.first < ALLOWED_BYTES && ours.second < ALLOWED_BYTES,
		              "%s: %ld and then %ld bytes, natively %ld and %ld", ours.name,
		              ours.first, ours.second, own.first, own.second);
	}
	ck_assert_int_ge(rows, 30);
	e2e_release(&with);
	e2e_release(&without);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("stacks");
	TCase *tcase = tcase_create("stacks");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tcase, 240);
	tcase_add_loop_test(tcase, calls_need_little_stack, 0, E2E_BACKEND_COUNT);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
