/* SPDX-License-Identifier: Apache-2.0
 *
 * What a program is refused in mid-run, by a filter that it installs or a limit that it sets:
 * it ends as it does without Fencepost, and the report is there and says what was refused.
 */
#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "harness.h"

#define REFUSED "tests/e2e/victims/refused"

enum { BACKENDS = E2E_NONE, NOTE_BYTES = 100 };

/* Which back ends lose guards by it. */
enum { MOVE = 1 << E2E_MOVE, GUARD = 1 << E2E_GUARD, MPROTECT = 1 << E2E_MPROTECT };

static const struct {
	const char *what;
	unsigned losers;
	const char *calls[2]; /* refused, and told of by those who lose guards */
} refusals[] = {
        {"no-mprotect", MOVE | GUARD, {"mprotect"}},
        {"no-madvise", MOVE | GUARD, {"madvise"}},
        {"no-ioctl", 0, {NULL}}, /* others do as well */
        {"no-inaccessible-maps", 0, {NULL}},
        {"no-fixed-maps", 0, {NULL}},
        {"no-mapping-or-protecting", MOVE | GUARD | MPROTECT, {"mprotect", "mmap"}},
        {"no-mremap", 0, {NULL}},
};

enum { REFUSALS = sizeof(refusals) / sizeof(refusals[0]) };

static void run_refused(struct e2e_run *run, enum e2e_backend backend, const char *what,
                        const char *error, const char *end)
{
	char program[4096];
	const char *const argv[] = {
	        "src/cli/fencepost", "run", program, what, error, end, NULL};

	snprintf(program, sizeof(program), "%s/" REFUSED, getenv("FP_BUILDDIR"));
	memset(run, 0, sizeof(*run));
	e2e_run(run, e2e_backend_option(backend), argv);
	ck_assert_msg(run->report != NULL, "%s, %s: no report\n%s", what, error, run->err);
}

static void check_output(const struct e2e_run *run, const char *what, const char *error,
                         const char *end)
{
	const char *const argv[] = {REFUSED, what, error, end, NULL};
	struct e2e_run native = {0};

	e2e_run_raw(&native, "", argv);
	ck_assert_str_eq(run->out, native.out);
	ck_assert_int_eq(WEXITSTATUS(run->status), WIFSIGNALED(native.status)
	                                                   ? 128 + WTERMSIG(native.status)
	                                                   : WEXITSTATUS(native.status));
	e2e_release(&native);
}

static bool has_note(const json_t *report, const char *text)
{
	const json_t *notes = e2e_get(report, "notes");

	for (size_t i = 0; i < json_array_size(notes); i++)
		if (strstr(json_string_value(json_array_get(notes, i)), text) != NULL)
			return true;
	return false;
}

static void check_notes(const struct e2e_run *run, size_t row, bool is_loser, const char *error)
{
	const char *why = strcmp(error, "EPERM") == 0 ? "Operation not permitted"
	                                              : "Function not implemented";
	long unguarded = e2e_get_integer(e2e_get(run->report, "protection"), "allocations") -
	                 e2e_get_integer(e2e_get(run->report, "protection"), "guarded");
	char note[NOTE_BYTES];

	ck_assert_msg((unguarded > 0) == is_loser, "%s: %ld blocks are not guarded:\n%s",
	              refusals[row].what, unguarded, run->err);
	for (size_t i = 0; i < 2 && refusals[row].calls[i] != NULL; i++) {
		snprintf(note, sizeof(note), "the kernel refused %s (%s) for the first time ",
		         refusals[row].calls[i], why);
		ck_assert_msg(!is_loser || has_note(run->report, note), "%s", run->err);
	}
}

/* Loop index: row and back end. Of one row a back end meets one error and the next the other.
 */
START_TEST(test_what_is_refused_does_not_end_the_program)
{
	size_t row = (size_t)_i % REFUSALS;
	int backend = _i / REFUSALS;
	const char *error = (_i / REFUSALS + _i % REFUSALS) % 2 == 0 ? "EPERM" : "ENOSYS";
	struct e2e_run run;

	if (!e2e_can_run(backend))
		return;
	run_refused(&run, backend, refusals[row].what, error, NULL);
	check_output(&run, refusals[row].what, error, NULL);
	e2e_check_counts(&run, 0, 0);
	check_notes(&run, row, (refusals[row].losers & 1U << backend) != 0, error);
	e2e_release(&run);
}
END_TEST

static const struct {
	const char *what;
	const char *end; /* NULL: main returns */
} ends[] = {{"no-exit-group", NULL},
            {"no-exit-group", "_exit"},
            {"no-exit", NULL},
            {"no-exit", "_exit"}};

enum { ENDS = sizeof(ends) / sizeof(ends[0]) };

/* Nobody waits for ever: it is what libc makes of it. */
START_TEST(test_an_end_that_is_refused_is_the_one_of_libc)
{
	const char *what = ends[_i % ENDS].what;
	const char *end = ends[_i % ENDS].end;
	struct e2e_run run;

	if (!e2e_can_run(_i / ENDS))
		return;
	run_refused(&run, _i / ENDS, what, "EPERM", end);
	check_output(&run, what, "EPERM", end);
	e2e_check_counts(&run, 0, 0);
	e2e_release(&run);
}
END_TEST

static const char *const limits[] = {"data", "no-data", "exhaust"};

enum { LIMITS = sizeof(limits) / sizeof(limits[0]) };

/* RLIMIT_DATA counts the program's memory and none of ours. */
START_TEST(test_a_limit_of_data_is_the_programs)
{
	const char *what = limits[_i % LIMITS];
	struct e2e_run run;

	if (!e2e_can_run(_i / LIMITS))
		return;
	run_refused(&run, _i / LIMITS, what, "EPERM", NULL);
	check_output(&run, what, "EPERM", NULL);
	e2e_check_counts(&run, 0, 0);
	e2e_release(&run);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("refused");
	TCase *tcase = tcase_create("refused");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tcase, test_what_is_refused_does_not_end_the_program, 0,
	                    REFUSALS * BACKENDS);
	tcase_add_loop_test(tcase, test_an_end_that_is_refused_is_the_one_of_libc, 0,
	                    ENDS * BACKENDS);
	tcase_add_loop_test(tcase, test_a_limit_of_data_is_the_programs, 0, LIMITS * BACKENDS);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
