/* SPDX-License-Identifier: Apache-2.0
 *
 * Processes and threads: a child is as protected as its parent, cannot reach the parent's
 * memory through what it inherited, and reports what it finds itself; blocks go from thread to
 * thread.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness.h"
#include "support/times.h"

static const struct {
	const char *name;
	int children; /* that make a report of their own */
} ways[] = {
        {"fork", 1},  {"twice", 2}, {"side-by-side", 1}, {"no-descriptors", 1}, {"raw", 0},
        {"vfork", 0}, {"spawn", 0}, {"threads", 0},      {"loaders", 0},
};

enum { WAYS = sizeof(ways) / sizeof(ways[0]) };

static void check_double_free(const json_t *report)
{
	const json_t *findings = e2e_get(report, "findings");
	const json_t *finding = json_array_get(findings, 0);

	ck_assert_uint_eq(json_array_size(findings), 1);
	ck_assert_str_eq(e2e_get_string(finding, "kind"), "double-free");
	ck_assert_int_eq(e2e_get_integer(finding, "count"), 1);
	ck_assert_uint_eq(json_array_size(e2e_get(report, "leaks")), 0);
}

/* What could not be protected is said, and nothing else. */
static void check_note(const json_t *report, bool is_exposed)
{
	const json_t *notes = e2e_get(report, "notes");
	bool is_said = false;

	for (size_t i = 0; i < json_array_size(notes); i++)
		if (strstr(json_string_value(json_array_get(notes, i)), "was forked") != NULL)
			is_said = true;
	ck_assert(is_said == is_exposed);
}

/* A child adds its process id to the name of the report. */
static void check_child(long pid, bool is_exposed)
{
	char path[4096];
	json_error_t error;
	json_t *report;

	snprintf(path, sizeof(path), "%s/tests/e2e/report-%d.json.%ld", getenv("FP_BUILDDIR"),
	         (int)getpid(), pid);
	report = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
	ck_assert_msg(report != NULL, "%s: %s", path, error.text);
	ck_assert_int_eq(e2e_get_integer(e2e_get(report, "process"), "pid"), pid);
	check_double_free(report);
	check_note(report, is_exposed);
	json_decref(report);
	unlink(path);
}

/* Loop index: way and back end. */
START_TEST(a_child_is_as_protected_as_its_parent)
{
	int way = _i % WAYS;
	int backend = _i / WAYS;
	const char *const argv[] = {"tests/e2e/victims/forks", ways[way].name,
	                            backend == E2E_NONE ? "unprotected" : NULL, NULL};
	bool is_exposed = backend == E2E_MOVE && strcmp(ways[way].name, "no-descriptors") == 0;
	struct e2e_run run = {0};
	int children = 0;

	if (!e2e_can_run(backend))
		return;
	e2e_run(&run, e2e_backend_option(backend), argv);
	e2e_check_exit(&run, 0);
	e2e_check_counts(&run, 1, 0);
	check_double_free(run.report);
	for (char *line = run.out; *line != '\0'; line = strchr(line, '\n') + 1, children++)
		check_child(atol(line), is_exposed);
	ck_assert_int_eq(children, ways[way].children);
	e2e_release(&run);
}
END_TEST

START_TEST(blocks_go_from_thread_to_thread)
{
	static const char *const argv[] = {"tests/e2e/victims/relay", NULL};
	struct e2e_run run = {0};
	const json_t *heap;
	long blocks = 3 * 64 * test_times(400, 100);

	if (!e2e_can_run(_i))
		return;
	e2e_run(&run, e2e_backend_option(_i), argv);
	e2e_check_exit(&run, 0);
	e2e_check_counts(&run, 0, 0);
	heap = e2e_get(run.report, "heap");
	ck_assert_int_eq(e2e_get_integer(heap, "allocations"), blocks);
	ck_assert_int_eq(e2e_get_integer(heap, "frees"), blocks);
	e2e_release(&run);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("processes and threads");
	TCase *tcase = tcase_create("processes and threads");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tcase, a_child_is_as_protected_as_its_parent, 0,
	                    WAYS * E2E_BACKEND_COUNT);
	tcase_add_loop_test(tcase, blocks_go_from_thread_to_thread, 0, E2E_BACKEND_COUNT);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
