/* SPDX-License-Identifier: Apache-2.0
 *
 * The results that have another thread, or the end of everything, as their cause: each victim
 * looks at the HRESULT, and the report names both parties with their stacks.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"

#define PARTIES "tests/e2e/victims/two_parties"
#define LIFETIMES "tests/e2e/victims/lifetimes"
#define PROTECTED "tests/e2e/victims/protected_blocks"
#define OVERWRITTEN "tests/e2e/victims/overwritten"

static const char *const calls[] = {"alloc", "debug", "free", "realloc", "lock"};

enum { CALLS = sizeof(calls) / sizeof(calls[0]) };

static const struct {
	const char *scenario;
	const char *kind;
	const char *hresult;
	const char *role;
	const char *marker; /* of what the other party did; NULL: no place of its own */
	const char *description;
} meetings[] = {
        {"locked", "lock-timeout", "HOST_E_TIMEOUT", "holder", "holder", " had locked, for 60"},
        {"walked", "lock-timeout", "HOST_E_TIMEOUT", "holder", "walker", " had locked, for 60"},
        {"inside", "unsynchronized-use", "HOST_E_NOT_OWNER", "inside", "inside",
         "created without MALLOC_THREADSAFE"},
        {"holder-died", "abandoned-wait", "HOST_E_ABANDONED", "holder", "dying holder",
         "which ended without unlocking it"},
        {"died-inside", "abandoned-wait", "HOST_E_ABANDONED", "inside", "inside",
         "which ended inside it"},
        {"released", "abandoned-wait", "HOST_E_ABANDONED", "releaser", "releaser",
         " released it"},
};

enum { MEETINGS = sizeof(meetings) / sizeof(meetings[0]) };

/* The report's one finding of that kind. */
static const json_t *only(const struct e2e_run *run, const char *kind)
{
	const json_t *findings = e2e_get(run->report, "findings");
	const json_t *found = NULL;

	for (size_t i = 0; i < json_array_size(findings); i++) {
		const json_t *finding = json_array_get(findings, i);

		if (strcmp(e2e_get_string(finding, "kind"), kind) != 0)
			continue;
		ck_assert_msg(found == NULL, "two findings of kind %s", kind);
		found = finding;
	}
	ck_assert_msg(found != NULL, "no finding of kind %s", kind);
	return found;
}

static void check_other(const json_t *finding, const char *role, const char *source,
                        const char *marker)
{
	const json_t *other = e2e_get(finding, "other");

	ck_assert_str_eq(e2e_get_string(other, "role"), role);
	ck_assert_int_ne(e2e_get_integer(other, "thread"),
	                 e2e_get_integer(e2e_get(finding, "thread"), "id"));
	e2e_check_stack(e2e_get(other, "stack"), source, marker);
}

START_TEST(test_both_parties_are_named)
{
	const char *name = calls[_i % CALLS];
	const size_t meeting = (size_t)_i / CALLS;
	const char *const argv[] = {PARTIES, meetings[meeting].scenario, name, NULL};
	const bool waits_long = strcmp(meetings[meeting].role, "releaser") == 0;
	struct e2e_run run = {0};

	e2e_run(&run, waits_long ? "leak_check=no" : "leak_check=no:lock_timeout_ms=60", argv);
	e2e_check_exit(&run, 0);
	const json_t *finding = only(&run, meetings[meeting].kind);
	ck_assert_str_eq(e2e_get_string(finding, "hresult"), meetings[meeting].hresult);
	ck_assert_ptr_nonnull(
	        strstr(e2e_get_string(finding, "description"), meetings[meeting].description));
	e2e_check_stack(e2e_get(finding, "stack"), PARTIES ".c", name);
	check_other(finding, meetings[meeting].role, PARTIES ".c", meetings[meeting].marker);
	e2e_release(&run);
}
END_TEST

/* There is no heap yet that anybody could have. */
START_TEST(test_who_creates_a_heap_meets_nobody)
{
	const char *const argv[] = {PARTIES, meetings[_i].scenario, "create", NULL};
	struct e2e_run run = {0};

	e2e_run(&run, "leak_check=no:lock_timeout_ms=60", argv);
	e2e_check_exit(&run, 0);
	const json_t *findings = e2e_get(run.report, "findings");
	for (size_t i = 0; i < json_array_size(findings); i++)
		ck_assert(json_is_null(e2e_get(json_array_get(findings, i), "other")));
	e2e_release(&run);
}
END_TEST

START_TEST(test_an_unlock_by_a_stranger_names_the_holder)
{
	const char *const argv[] = {PARTIES, "locked", "unlock", NULL};
	struct e2e_run run = {0};

	e2e_run(&run, "leak_check=no", argv);
	e2e_check_exit(&run, 0);
	const json_t *finding = only(&run, "unsynchronized-use");
	ck_assert_str_eq(e2e_get_string(finding, "hresult"), "HOST_E_NOT_OWNER");
	e2e_check_stack(e2e_get(finding, "stack"), PARTIES ".c", "unlock");
	check_other(finding, "holder", PARTIES ".c", "holder");
	e2e_release(&run);
}
END_TEST

START_TEST(test_a_lock_does_not_outlive_a_fork)
{
	const char *const argv[] = {PARTIES, "forked", calls[_i], NULL};
	struct e2e_run run = {0};

	e2e_run(&run, "leak_check=no:lock_timeout_ms=5000", argv);
	e2e_check_exit(&run, 0);
	e2e_check_counts(&run, 0, 0);
	e2e_release(&run);
}
END_TEST

START_TEST(test_threads_that_take_no_turns_are_found)
{
	const char *const argv[] = {PARTIES, "overlapping", "alloc", NULL};
	struct e2e_run run = {0};

	e2e_run(&run, "leak_check=no", argv);
	e2e_check_exit(&run, 0);
	const json_t *finding = json_array_get(e2e_get(run.report, "findings"), 0);
	ck_assert_str_eq(e2e_get_string(finding, "kind"), "unsynchronized-use");
	ck_assert_str_eq(e2e_get_string(e2e_get(finding, "other"), "role"), "inside");
	e2e_release(&run);
}
END_TEST

static const char *const overwritten[] = {"live", "spare", "heap", "checked"};

START_TEST(test_overwritten_records_end_all_heaps)
{
	const char *const argv[] = {OVERWRITTEN, overwritten[_i], NULL};
	struct e2e_run run = {0};

	e2e_run(&run, "leak_check=no", argv);
	e2e_check_exit(&run, 0);
	const json_t *findings = e2e_get(run.report, "findings");
	const json_t *finding = json_array_get(findings, 0);
	ck_assert_uint_eq(json_array_size(findings), 6);
	ck_assert_str_eq(e2e_get_string(finding, "kind"), "heap-unusable");
	ck_assert_str_eq(e2e_get_string(finding, "hresult"), "E_FAIL");
	ck_assert(json_is_null(e2e_get(finding, "other")));
	e2e_check_stack(e2e_get(finding, "stack"), OVERWRITTEN ".c", overwritten[_i]);
	finding = json_array_get(findings, 1);
	ck_assert_str_eq(e2e_get_string(finding, "kind"), "heap-unusable");
	ck_assert_str_eq(e2e_get_string(finding, "hresult"), "HOST_E_CLRNOTAVAILABLE");
	e2e_check_stack(e2e_get(finding, "stack"), OVERWRITTEN ".c", "later call");
	ck_assert_str_eq(e2e_get_string(e2e_get(finding, "other"), "role"), "finder");
	e2e_check_stack(e2e_get(e2e_get(finding, "other"), "stack"), OVERWRITTEN ".c",
	                overwritten[_i]);
	e2e_release(&run);
}
END_TEST

START_TEST(test_blocks_that_the_host_protected_are_freed)
{
	const char *const argv[] = {PROTECTED, "freed", NULL};
	struct e2e_run run = {0};

	if (!e2e_can_run(_i))
		return;
	e2e_run(&run, e2e_backend_option(_i), argv);
	e2e_check_exit(&run, 0);
	e2e_check_counts(&run, 0, 0);
	e2e_release(&run);
}
END_TEST

START_TEST(test_blocks_that_the_host_protected_are_checked)
{
	const char *const argv[] = {PROTECTED, "checked", NULL};
	char options[100] = "leak_check=no:";
	struct e2e_run run = {0};

	if (!e2e_can_run(_i))
		return;
	e2e_run(&run, strcat(options, e2e_backend_option(_i)), argv);
	e2e_check_exit(&run, 0);
	e2e_check_counts(&run, 0, 0);
	e2e_release(&run);
}
END_TEST

/* Only the back end that fills blocks has to write to them. */
START_TEST(test_a_block_that_cannot_be_opened_ends_its_heap)
{
	const char *const argv[] = {PROTECTED, "sealed", NULL};
	struct e2e_run run = {0};

	if (!e2e_can_run(E2E_MOVE))
		return;
	e2e_run(&run, "leak_check=no:backend=move", argv);
	e2e_check_exit(&run, 0);
	if (strstr(run.out, "SKIPPED") != NULL) {
		fputs(run.out, stdout);
		e2e_release(&run);
		return;
	}
	e2e_check_counts(&run, 2, 0);
	const json_t *finding = json_array_get(e2e_get(run.report, "findings"), 0);
	ck_assert_str_eq(e2e_get_string(finding, "kind"), "heap-unusable");
	ck_assert_str_eq(e2e_get_string(finding, "hresult"), "E_FAIL");
	e2e_check_stack(e2e_get(finding, "stack"), PROTECTED ".c", "free");
	finding = json_array_get(e2e_get(run.report, "findings"), 1);
	ck_assert_str_eq(e2e_get_string(finding, "hresult"), "HOST_E_CLRNOTAVAILABLE");
	e2e_check_stack(e2e_get(e2e_get(finding, "other"), "stack"), PROTECTED ".c", "free");
	e2e_release(&run);
}
END_TEST

/* The published runtime never releases anything. */
START_TEST(test_leaks_are_told_without_any_release)
{
	const char *const argv[] = {LIFETIMES, "unreleased", NULL};
	struct e2e_run run = {0};

	e2e_run(&run, NULL, argv);
	e2e_check_exit(&run, 0);
	e2e_check_counts(&run, 0, 1);
	const json_t *leak = json_array_get(e2e_get(run.report, "leaks"), 0);
	ck_assert_int_eq(e2e_get_integer(leak, "bytes"), 77);
	e2e_check_stack(e2e_get(leak, "alloc_stack"), LIFETIMES ".c", "unreleased");
	e2e_release(&run);
}
END_TEST

START_TEST(test_heaps_end_with_memory_and_go_on_with_it)
{
	const char *const argv[] = {LIFETIMES, "many", NULL};
	struct e2e_run run = {0};

	e2e_run(&run, NULL, argv);
	e2e_check_exit(&run, 0);
	e2e_check_counts(&run, 1, 0);
	const json_t *finding = only(&run, "out-of-memory");
	ck_assert_str_eq(e2e_get_string(finding, "hresult"), "E_OUTOFMEMORY");
	e2e_check_stack(e2e_get(finding, "stack"), LIFETIMES ".c", "many");
	e2e_release(&run);
}
END_TEST

/* What a person reads. */
START_TEST(test_the_text_shows_both_stacks)
{
	const char *const argv[] = {PARTIES, "locked", "free", NULL};
	struct e2e_run run = {0};

	e2e_run(&run, "leak_check=no:lock_timeout_ms=60", argv);
	e2e_check_exit(&run, 0);
	ck_assert_ptr_nonnull(strstr(run.err, "the caller got HOST_E_TIMEOUT"));
	ck_assert_ptr_nonnull(strstr(run.err, "  the heap had been locked by thread "));
	ck_assert_ptr_nonnull(strstr(run.err, "#0 call_free"));
	ck_assert_ptr_nonnull(strstr(run.err, "#0 lock_and_stay"));
	e2e_release(&run);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("results");
	TCase *tcase = tcase_create("results");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tcase, test_both_parties_are_named, 0, MEETINGS * CALLS);
	tcase_add_loop_test(tcase, test_who_creates_a_heap_meets_nobody, 0, MEETINGS);
	tcase_add_test(tcase, test_an_unlock_by_a_stranger_names_the_holder);
	tcase_add_loop_test(tcase, test_a_lock_does_not_outlive_a_fork, 0, CALLS);
	tcase_add_test(tcase, test_threads_that_take_no_turns_are_found);
	tcase_add_loop_test(tcase, test_overwritten_records_end_all_heaps, 0, 4);
	tcase_add_loop_test(tcase, test_blocks_that_the_host_protected_are_freed, 0,
	                    E2E_BACKEND_COUNT);
	tcase_add_loop_test(tcase, test_blocks_that_the_host_protected_are_checked, 0,
	                    E2E_BACKEND_COUNT);
	tcase_add_test(tcase, test_a_block_that_cannot_be_opened_ends_its_heap);
	tcase_add_test(tcase, test_leaks_are_told_without_any_release);
	tcase_add_test(tcase, test_heaps_end_with_memory_and_go_on_with_it);
	tcase_add_test(tcase, test_the_text_shows_both_stacks);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
