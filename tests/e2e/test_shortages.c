/* SPDX-License-Identifier: Apache-2.0
 *
 * Memory that cannot be had: which limit a finding names, and what the caller was told. Whether
 * blocks are guarded or not by then, the limit is the same.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness.h"

#define SHORTAGES "tests/e2e/victims/shortages"

static const struct {
	const char *cause;
	size_t findings;
	const char *marker; /* of the first one's call */
	const char *words[2];
} limits[] = {
        {"address-space",
         3,
         "alloc",
         {"no memory for 67108864 bytes at level process: RLIMIT_AS (ulimit -v) is 1073741824 "
          "bytes, and ",
          " are in use"}},
        {"data",
         1,
         "alloc",
         {"no memory for 67108864 bytes at level appdomain: RLIMIT_DATA (ulimit -d) is ",
          " bytes, and "}},
        {"heaps",
         1,
         "create",
         {"no memory for a heap: RLIMIT_AS (ulimit -v) is ", " are in use"}},
        {"mappings",
         1,
         "alloc",
         {"no memory for 67108864 bytes at level task: vm.max_map_count is ",
          " mappings, and "}},
        {"space",
         2,
         "alloc",
         {"no memory for 140737488355328 bytes at level task: the address space of a process "
          "is ",
          " bytes, and "}},
};

enum { LIMITS = sizeof(limits) / sizeof(limits[0]) };

static void check_finding(const json_t *finding, const char *hresult, const char *marker)
{
	ck_assert_str_eq(e2e_get_string(finding, "hresult"), hresult);
	e2e_check_stack(e2e_get(finding, "stack"), SHORTAGES ".c", marker);
}

/* Loop index: limit and back end. */
START_TEST(test_the_limit_is_named)
{
	const size_t i = (size_t)_i % LIMITS;
	const char *const argv[] = {SHORTAGES, limits[i].cause, NULL};
	char options[100] = "leak_check=no:";
	struct e2e_run run = {0};

	if (!e2e_can_run(_i / LIMITS))
		return;
	e2e_run(&run, strcat(options, e2e_backend_option(_i / LIMITS)), argv);
	e2e_check_exit(&run, 0);
	e2e_check_counts(&run, limits[i].findings, 0);
	const json_t *finding = json_array_get(e2e_get(run.report, "findings"), 0);
	ck_assert_str_eq(e2e_get_string(finding, "kind"), "out-of-memory");
	ck_assert_str_eq(e2e_get_string(finding, "severity"), "warning");
	check_finding(finding, "E_OUTOFMEMORY", limits[i].marker);
	for (size_t word = 0; word < 2; word++)
		ck_assert_msg(strstr(e2e_get_string(finding, "description"),
		                     limits[i].words[word]) != NULL,
		              "%s", e2e_get_string(finding, "description"));
	e2e_release(&run);
}
END_TEST

static const struct {
	const char *cause;
	const char *marker;
	size_t findings;
	const char *words;
} forbidden[] = {
        {"code-forbidden", "alloc", 5, "(EACCES)"},
        {"debug-forbidden", "debug", 5, "(EACCES)"},
        {"code-filtered", "alloc", 5, "(EPERM)"},
};

/* A protection that cannot be undone: the end of that heap, with both stacks. */
START_TEST(test_what_is_forbidden_ends_the_heap)
{
	const size_t i = (size_t)_i % 3;
	const char *const argv[] = {SHORTAGES, forbidden[i].cause, NULL};
	char options[100] = "leak_check=no:";
	struct e2e_run run = {0};

	if (!e2e_can_run(_i / 3))
		return;
	e2e_run(&run, strcat(options, e2e_backend_option(_i / 3)), argv);
	e2e_check_exit(&run, 0);
	if (strstr(run.out, "SKIPPED") != NULL) {
		fputs(run.out, stdout);
		e2e_release(&run);
		return;
	}
	e2e_check_counts(&run, forbidden[i].findings, 0);
	const json_t *findings = e2e_get(run.report, "findings");
	const json_t *finding = json_array_get(findings, 0);
	ck_assert_str_eq(e2e_get_string(finding, "kind"), "heap-unusable");
	check_finding(finding, "E_FAIL", forbidden[i].marker);
	ck_assert_ptr_nonnull(
	        strstr(e2e_get_string(finding, "description"), forbidden[i].words));
	finding = json_array_get(findings, 1);
	ck_assert_str_eq(e2e_get_string(finding, "hresult"), "HOST_E_CLRNOTAVAILABLE");
	ck_assert_ptr_nonnull(strstr(e2e_get_string(finding, "description"),
	                             "had found that heap 1 is not usable any more"));
	const json_t *other = e2e_get(finding, "other");
	ck_assert_str_eq(e2e_get_string(other, "role"), "finder");
	e2e_check_stack(e2e_get(other, "stack"), SHORTAGES ".c", forbidden[i].marker);
	e2e_release(&run);
}
END_TEST

/* No program can be loaded under that filter: the report is made from outside. */
START_TEST(test_a_filter_that_leaves_another_way_is_survived)
{
	static const char *const argv[] = {SHORTAGES, "no-protection", NULL};
	struct e2e_run run = {0};

	if (!e2e_can_run(_i))
		return;
	e2e_run(&run, e2e_backend_option(_i), argv);
	e2e_check_exit(&run, 0);
	ck_assert_ptr_null(strstr(run.err, "the event log is kept"));
	ck_assert_uint_eq(json_array_size(e2e_get(run.report, "findings")), 0);
	e2e_release(&run);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("shortages");
	TCase *tcase = tcase_create("shortages");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tcase, test_the_limit_is_named, 0, LIMITS * E2E_BACKEND_COUNT);
	tcase_add_loop_test(tcase, test_what_is_forbidden_ends_the_heap, 0, 3 * E2E_NONE);
	tcase_add_loop_test(tcase, test_a_filter_that_leaves_another_way_is_survived, 0,
	                    E2E_BACKEND_COUNT);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
