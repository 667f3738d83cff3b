/* SPDX-License-Identifier: Apache-2.0
 *
 * Programs that execute others, and programs among other preloaded libraries: both go on as
 * they do without us.
 */
#include <check.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "e2e/preload_runs.h"

#define PRELOAD_VICTIMS "tests/preload/victims/"

/* A program with a sanitizer is left alone by whichever function it is executed, from a stack
 * of two pages in a child that shares our memory, too; and the kernel's refusals come through.
 */
START_TEST(programs_are_executed_as_without_us)
{
	static const char *const argv[] = {PRELOAD_VICTIMS "programs", NULL};
	struct e2e_run without;
	struct e2e_run with;

	preload_run_without(&without, argv);
	preload_run(&with, E2E_MPROTECT, NULL, argv);
	e2e_check_exit(&without, 0);
	e2e_check_exit(&with, 0);
	ck_assert_ptr_nonnull(strstr(without.out, "alone"));
	ck_assert_str_eq(with.out, without.out);
	ck_assert_msg(strstr(with.err, "programs (linked with a sanitizer)") != NULL, "%s",
	              with.err);
	e2e_release(&with);
	e2e_release(&without);
}
END_TEST

static void run_among_hooks(struct e2e_run *run, int backend, const char *end)
{
	const char *const argv[] = {PRELOAD_VICTIMS "hooked", end, NULL};
	char libraries[2 * PATH_MAX];

	snprintf(libraries, sizeof(libraries), "%s/" PRELOAD_VICTIMS ".libs/hooks.so",
	         getenv("FP_BUILDDIR"));
	preload_run_behind(run, libraries, backend, argv);
}

static const struct {
	const char *end;
	const char *kind;
} ends[] = {{"well", NULL}, {"double-free", "double-free"}, {"fault", "heap-buffer-overflow"}};

enum { ENDS = sizeof(ends) / sizeof(ends[0]) };

/* Loop index: how it ends, and back end. */
START_TEST(functions_that_others_replaced_are_not_called)
{
	const char *kind = ends[_i % ENDS].kind;
	int backend = _i / ENDS;
	struct e2e_run run;

	if (!e2e_can_run(backend))
		return;
	run_among_hooks(&run, backend, ends[_i % ENDS].end);
	ck_assert_msg(strcmp(run.out, "done\n") == 0, "%s%s", run.out, run.err);
	ck_assert_msg(run.report != NULL, "%s", run.err);
	e2e_check_counts(&run, kind != NULL, 0);
	if (kind != NULL)
		ck_assert_str_eq(
		        e2e_get_string(json_array_get(e2e_get(run.report, "findings"), 0),
		                       "kind"),
		        kind);
	ck_assert_msg(WIFSIGNALED(run.status) == (strcmp(ends[_i % ENDS].end, "fault") == 0),
	              "%x: %s", (unsigned)run.status, run.err);
	e2e_release(&run);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("programs");
	TCase *tcase = tcase_create("programs");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tcase, 240);
	tcase_add_test(tcase, programs_are_executed_as_without_us);
	tcase_add_loop_test(tcase, functions_that_others_replaced_are_not_called, 0,
	                    ENDS * E2E_NONE);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
