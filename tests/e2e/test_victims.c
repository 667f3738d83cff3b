/* SPDX-License-Identifier: Apache-2.0
 *
 * The victims, each on every back end: what they do wrong, and nothing else, is in the report.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"

#define VICTIMS "tests/e2e/victims/"

static const struct {
	const char *name; /* of the program and its source */
	const char *argument;
	const char *description; /* is part of the finding's */
	size_t leaks;
	struct e2e_finding finding;
} victims[] = {
        {"double_free_repeated",
         NULL,
         "freed before",
         0,
         {.kind = "double-free",
          .access = "free",
          .count = 100,
          .call = "second free",
          .allocation = "allocation",
          .first_free = "first free",
          .size = 24,
          .is_refused = true}},
        {"double_free_debug_alloc",
         NULL,
         "freed before",
         0,
         {.kind = "double-free",
          .access = "free",
          .call = "second free",
          .allocation = "alloc",
          .first_free = "first free",
          .size = 9,
          .is_refused = true}},
        {"overflow_at_exit",
         NULL,
         "3 padding bytes overwritten, 2 bytes past the end of a block of 20 bytes; found at "
         "exit",
         1,
         {.kind = "heap-buffer-overflow",
          .access = "write",
          .allocation = "allocation",
          .size = 20,
          .offset = 22}},
        {"overflow_checked",
         NULL,
         "1 padding byte overwritten, 0 bytes past the end of a block of 20 bytes",
         0,
         {.kind = "heap-buffer-overflow",
          .access = "write",
          .call = "check",
          .allocation = "allocation",
          .size = 20,
          .offset = 20}},
        {"use_after_release_alloc",
         NULL,
         "Alloc was called on heap 1 after its last Release",
         0,
         {.kind = "use-after-release",
          .access = "unknown",
          .call = "call",
          .is_refused = true}},
        {"use_after_release_free",
         NULL,
         "Free was called on heap 1 after its last Release",
         1,
         {.kind = "use-after-release",
          .access = "unknown",
          .call = "call",
          .is_refused = true}},
        {"wrong_heap_released",
         NULL,
         "belongs to heap 1 and was passed to heap 2",
         0, /* whose free was refused is no leak besides */
         {.kind = "wrong-heap",
          .access = "free",
          .call = "call",
          .allocation = "allocation",
          .size = 24,
          .is_refused = true}},
        {"invalid_free_anywhere",
         "stack",
         "the stack of the calling thread",
         0,
         {.kind = "invalid-free", .access = "free", .call = "call", .is_refused = true}},
        {"invalid_free_anywhere",
         "global",
         "a global variable of /",
         0,
         {.kind = "invalid-free", .access = "free", .call = "call", .is_refused = true}},
        {"invalid_free_anywhere",
         "zeroed",
         "a global variable of /",
         0,
         {.kind = "invalid-free", .access = "free", .call = "call", .is_refused = true}},
        {"invalid_free_anywhere",
         "code",
         "code of /",
         0,
         {.kind = "invalid-free", .access = "free", .call = "call", .is_refused = true}},
        {"invalid_free_anywhere",
         "malloc",
         "the C library's malloc",
         0,
         {.kind = "invalid-free", .access = "free", .call = "call", .is_refused = true}},
        {"invalid_free_anywhere",
         "nothing",
         "nothing",
         0,
         {.kind = "invalid-free", .access = "free", .call = "call", .is_refused = true}},
};

enum { VICTIM_COUNT = sizeof(victims) / sizeof(victims[0]) };

static void run_victim(struct e2e_run *run, const char *name, const char *argument, int backend)
{
	char program[200];
	const char *const argv[] = {program, argument, NULL};

	snprintf(program, sizeof(program), VICTIMS "%s", name);
	e2e_run(run, e2e_backend_option(backend), argv);
	e2e_check_exit(run, 0);
}

static json_t *first(const struct e2e_run *run, const char *key)
{
	return json_array_get(json_object_get(run->report, key), 0);
}

static void check_site(const json_t *object, const char *file, long line)
{
	const json_t *site = e2e_get(object, "site");

	ck_assert_str_eq(e2e_get_string(site, "file"), file);
	ck_assert_int_eq(e2e_get_integer(site, "line"), line);
}

/* Loop index: victim and back end. */
START_TEST(test_victim_is_one_finding)
{
	int victim = _i % VICTIM_COUNT;
	int backend = _i / VICTIM_COUNT;
	struct e2e_finding expected = victims[victim].finding;
	const char *description;
	struct e2e_run run = {0};
	char source[200];

	if (!e2e_can_run(backend))
		return;
	snprintf(source, sizeof(source), VICTIMS "%s.c", victims[victim].name);
	expected.source = source;
	run_victim(&run, victims[victim].name, victims[victim].argument, backend);
	/* A heap that is released may hold what leaks then, or is freed in vain. */
	ck_assert_uint_le(e2e_take_findings(&run, "heap-released-in-use"), 1);
	e2e_check_counts(&run, 1, victims[victim].leaks);
	e2e_check_finding(&run, &expected);
	description = e2e_get_string(first(&run, "findings"), "description");
	ck_assert_msg(strstr(description, victims[victim].description) != NULL, "%s",
	              description);
	e2e_release(&run);
}
END_TEST

/* What DebugAlloc was told stands in the JSON report and in the text. */
START_TEST(test_site_of_debug_alloc_is_reported)
{
	struct e2e_run run = {0};

	if (!e2e_can_run(_i))
		return;
	run_victim(&run, "double_free_debug_alloc", NULL, _i);
	check_site(e2e_get(first(&run, "findings"), "block"), "Managed/Cache.cs", 77);
	ck_assert_msg(strstr(run.err, "Managed/Cache.cs:77") != NULL, "%s", run.err);
	e2e_release(&run);
}
END_TEST

/* The heap is released while it holds them: a finding for each place, the largest first. */
static void check_held(struct e2e_run *run, const char *source)
{
	static const struct {
		const char *marker;
		const char *amount;
	} expected[] = {{"large", "1 block (5000 bytes) was"},
	                {"three", "3 blocks (300 bytes) were"}};

	for (size_t i = 0; i < 2; i++) {
		json_t *finding = json_array_get(e2e_get(run->report, "findings"), i);
		json_t *block = e2e_get(finding, "block");

		ck_assert_str_eq(e2e_get_string(finding, "kind"), "heap-released-in-use");
		ck_assert_str_eq(e2e_get_string(finding, "severity"), "warning");
		ck_assert_ptr_nonnull(strstr(e2e_get_string(finding, "description"),
		                             "held 4 blocks (5300 bytes)"));
		ck_assert_ptr_nonnull(
		        strstr(e2e_get_string(finding, "description"), expected[i].amount));
		e2e_check_stack(e2e_get(finding, "stack"), source, "release");
		e2e_check_stack(e2e_get(block, "alloc_stack"), source, expected[i].marker);
		ck_assert_str_eq(e2e_get_string(block, "critical_level"), "task");
		if (i == 0)
			check_site(block, "Managed/Cache.cs", 88);
	}
	ck_assert_uint_eq(e2e_take_findings(run, "heap-released-in-use"), 2);
}

/* One leak for each allocation stack, the one with the most bytes first. */
START_TEST(test_leaks_are_grouped_and_largest_first)
{
	const char *source = VICTIMS "leak_grouped.c";
	struct e2e_run run = {0};
	json_t *summary;
	json_t *leak;

	if (!e2e_can_run(_i))
		return;
	run_victim(&run, "leak_grouped", NULL, _i);
	check_held(&run, source);
	e2e_check_counts(&run, 0, 2);
	leak = first(&run, "leaks");
	ck_assert_int_eq(e2e_get_integer(leak, "blocks"), 1);
	ck_assert_int_eq(e2e_get_integer(leak, "bytes"), 5000);
	check_site(leak, "Managed/Cache.cs", 88);
	e2e_check_stack(e2e_get(leak, "alloc_stack"), source, "large");
	leak = json_array_get(json_object_get(run.report, "leaks"), 1);
	ck_assert_int_eq(e2e_get_integer(leak, "blocks"), 3);
	ck_assert_int_eq(e2e_get_integer(leak, "bytes"), 300);
	e2e_check_stack(e2e_get(leak, "alloc_stack"), source, "three");
	summary = e2e_get(run.report, "summary");
	ck_assert_int_eq(e2e_get_integer(summary, "leaked_blocks"), 4);
	ck_assert_int_eq(e2e_get_integer(summary, "leaked_bytes"), 5300);
	ck_assert_int_eq(e2e_get_integer(summary, "errors"), 0);
	e2e_release(&run);
}
END_TEST

/* What the host could not have, the report still gets. */
START_TEST(test_report_of_a_process_out_of_memory)
{
	struct e2e_run run = {0};

	if (!e2e_can_run(_i))
		return;
	run_victim(&run, "leak_out_of_memory", NULL, _i);
	ck_assert_uint_eq(e2e_take_findings(&run, "out-of-memory"), 2);
	e2e_check_counts(&run, 0, 1);
	ck_assert_int_gt(atol(run.out), 1000);
	ck_assert_int_eq(e2e_get_integer(first(&run, "leaks"), "blocks"), atol(run.out));
	e2e_release(&run);
}
END_TEST

START_TEST(test_allocation_too_large_is_a_warning)
{
	struct e2e_run run = {0};
	json_t *finding;

	if (!e2e_can_run(_i))
		return;
	run_victim(&run, "allocation_too_large", NULL, _i);
	e2e_check_counts(&run, 1, 0);
	finding = first(&run, "findings");
	ck_assert_str_eq(e2e_get_string(finding, "kind"), "allocation-too-large");
	ck_assert_str_eq(e2e_get_string(finding, "severity"), "warning");
	ck_assert_str_eq(e2e_get_string(finding, "hresult"), "E_OUTOFMEMORY");
	e2e_check_stack(e2e_get(finding, "stack"), VICTIMS "allocation_too_large.c", "call");
	e2e_release(&run);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("victims");
	TCase *tcase = tcase_create("victims");
	SRunner *runner = srunner_create(suite);
	int failed;

	e2e_add_shared_test(tcase, test_victim_is_one_finding, VICTIM_COUNT, E2E_BACKEND_COUNT);
	e2e_add_shared_test(tcase, test_site_of_debug_alloc_is_reported, 1, E2E_BACKEND_COUNT);
	e2e_add_shared_test(tcase, test_leaks_are_grouped_and_largest_first, 1,
	                    E2E_BACKEND_COUNT);
	tcase_add_loop_test(tcase, test_report_of_a_process_out_of_memory, 0,
	                    E2E_BACKEND_COUNT);
	e2e_add_shared_test(tcase, test_allocation_too_large_is_a_warning, 1,
	                    E2E_BACKEND_COUNT);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
