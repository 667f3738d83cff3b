/* SPDX-License-Identifier: Apache-2.0
 *
 * fp_check_range(): the answers are the victim's to check, the findings are checked here. It
 * works on every back end, for it faults on none.
 */
#include <check.h>
#include <stdlib.h>

#include "fault_runs.h"

#define SOURCE VICTIMS "check_range.c"

static const struct {
	const char *kind;
	const char *access;
	const char *call;
	int count;
	long offset;
} findings[] = {
        {"heap-buffer-overflow", "write", "past write", 1, 1000},
        {"heap-buffer-overflow", "read", "past read", 1, 1000},
        {"heap-buffer-overflow", "read", "past all", 1, 1000},
        {"heap-buffer-underflow", "read", "before", 1, -1},
        {"heap-use-after-free", "write", "freed", 5, 0},
        {"heap-use-after-free", "read", "freed end", 1, 999},
};

enum { FINDINGS = sizeof(findings) / sizeof(findings[0]), OF_LIVE = 4 };

static void check_findings(const struct e2e_run *run, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const json_t *finding = fault_finding(run, i);
		const json_t *block = e2e_get(finding, "block");

		ck_assert_str_eq(e2e_get_string(finding, "kind"), findings[i].kind);
		ck_assert_str_eq(e2e_get_string(finding, "access"), findings[i].access);
		ck_assert_int_eq(e2e_get_integer(finding, "count"), findings[i].count);
		ck_assert_int_eq(e2e_get_integer(block, "offset"), findings[i].offset);
		ck_assert_int_eq(e2e_get_integer(block, "size"), 1000);
		e2e_check_stack(e2e_get(finding, "stack"), SOURCE, findings[i].call);
		e2e_check_stack(e2e_get(block, "alloc_stack"), SOURCE, "allocation");
		if (i >= OF_LIVE)
			e2e_check_stack(e2e_get(block, "free_stack"), SOURCE, "free");
	}
}

START_TEST(test_ranges_are_checked_on_every_back_end)
{
	static const char *const argv[] = {"check_range", NULL};
	struct e2e_run run = {0};

	if (!e2e_can_run(_i))
		return;
	fault_run(&run, _i, NULL, argv);
	e2e_check_exit(&run, 0);
	e2e_check_counts(&run, FINDINGS, 0);
	check_findings(&run, FINDINGS);
	e2e_release(&run);
}
END_TEST

/* Blocks without guards have records, too. */
START_TEST(test_ranges_of_padded_blocks_are_checked)
{
	static const char *const argv[] = {"check_range", "padded", NULL};
	struct e2e_run run = {0};
	json_t *block;

	if (!e2e_can_run(_i))
		return;
	fault_run(&run, _i, "sample=2:leak_check=no", argv);
	e2e_check_exit(&run, 0);
	e2e_check_counts(&run, OF_LIVE, 0);
	check_findings(&run, OF_LIVE);
	block = e2e_get(fault_finding(&run, 0), "block");
	ck_assert_str_eq(e2e_get_string(block, "tier"), "padded");
	e2e_release(&run);
}
END_TEST

/* The question is answered without handlers, too. */
START_TEST(test_ranges_are_checked_without_handlers)
{
	static const char *const argv[] = {"check_range", NULL};
	struct e2e_run run = {0};

	fault_run(&run, E2E_MPROTECT, "fault_handler=no", argv);
	e2e_check_exit(&run, 0);
	e2e_check_counts(&run, FINDINGS, 0);
	check_findings(&run, FINDINGS);
	e2e_release(&run);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("check range");
	TCase *tcase = tcase_create("check range");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tcase, test_ranges_are_checked_on_every_back_end, 0,
	                    E2E_BACKEND_COUNT);
	tcase_add_loop_test(tcase, test_ranges_of_padded_blocks_are_checked, 0,
	                    E2E_BACKEND_COUNT);
	tcase_add_test(tcase, test_ranges_are_checked_without_handlers);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
