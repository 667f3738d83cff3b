/* SPDX-License-Identifier: Apache-2.0
 *
 * Regions of VirtualAlloc and what a report says of their misuse: kind, place, and the lines of
 * reserve, commit, decommit and release, whatever protects the blocks of heaps.
 */
#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "fault_runs.h"

#define SOURCE VICTIMS "regions.c"

enum { REGION = 4 * 4096 };

/* What a finding must be. A marker left out must be null. */
struct expected {
	const char *kind;
	const char *access;
	const char *call;  /* marker */
	const char *freed; /* marker of the decommit or release */
	bool has_commit;
	long offset;
	const char *state; /* of the page */
	const char *hresult;
	const char *words; /* of the description */
};

static void check_stack(const json_t *stack, const char *marker)
{
	if (marker == NULL)
		ck_assert(json_is_null(stack));
	else
		e2e_check_stack(stack, SOURCE, marker);
}

static void check_region(const json_t *finding, const struct expected *expected)
{
	const json_t *block = e2e_get(finding, "block");
	const json_t *region = e2e_get(finding, "region");

	if (expected->state == NULL) {
		ck_assert(json_is_null(block) && json_is_null(region));
		return;
	}
	ck_assert_int_eq(e2e_get_integer(block, "size"), REGION);
	ck_assert_int_eq(e2e_get_integer(block, "offset"), expected->offset);
	ck_assert_str_eq(e2e_get_string(block, "family"), "virtual");
	ck_assert_str_eq(e2e_get_string(block, "critical_level"), "appdomain");
	check_stack(e2e_get(block, "alloc_stack"), "reserve");
	check_stack(e2e_get(block, "free_stack"), expected->freed);
	ck_assert_str_eq(e2e_get_string(region, "page_state"), expected->state);
	check_stack(e2e_get(region, "commit_stack"), expected->has_commit ? "commit" : NULL);
}

static void check(const struct e2e_run *run, const struct expected *expected)
{
	const json_t *finding = fault_finding(run, 0);

	ck_assert_str_eq(e2e_get_string(finding, "kind"), expected->kind);
	ck_assert_str_eq(e2e_get_string(finding, "access"), expected->access);
	e2e_check_stack(e2e_get(finding, "stack"), SOURCE, expected->call);
	if (expected->hresult == NULL)
		ck_assert(json_is_null(e2e_get(finding, "hresult")));
	else
		ck_assert_str_eq(e2e_get_string(finding, "hresult"), expected->hresult);
	check_region(finding, expected);
	fault_check_description(run, expected->words);
}

/* ---- Accesses ------------------------------------------------------------------------------
 */

static const struct {
	const char *arguments[4];
	struct expected finding;
} accesses[] = {
        {{"write", "16396"},
         {"heap-buffer-overflow", "write", "write", NULL, false, 16396, "guard", NULL,
          "12 bytes past the end of a region of 16384 bytes"}},
        {{"read", "-8"},
         {"heap-buffer-underflow", "read", "read", NULL, false, -8, "guard", NULL,
          "8 bytes before a region of 16384 bytes"}},
        {{"write", "8208"},
         {"uncommitted-access", "write", "write", NULL, false, 8208, "reserved", NULL,
          "8208 bytes inside a region of 16384 bytes, in pages that were reserved and never "
          "committed"}},
        {{"read", "4196"},
         {"heap-use-after-free", "read", "read", "decommit", true, 4196, "decommitted", NULL,
          "4196 bytes inside a region of 16384 bytes, in pages that were decommitted"}},
        {{"write", "0", "released"},
         {"heap-use-after-free", "write", "write", "release", false, 0, "released", NULL,
          "0 bytes inside a region of 16384 bytes that was released"}},
        {{"read", "16384", "released"},
         {"heap-use-after-free", "read", "read", "release", false, 16384, "guard", NULL,
          "0 bytes past the end of a region of 16384 bytes that was released"}},
};

enum { ACCESSES = sizeof(accesses) / sizeof(accesses[0]) };

/* Loop index: access and back end. */
START_TEST(test_access_is_one_finding)
{
	const char *const *given = accesses[_i % ACCESSES].arguments;
	const char *const argv[] = {"regions", given[0], given[1], given[2], NULL};
	struct e2e_run run = {0};

	if (!e2e_can_run(_i / ACCESSES))
		return;
	fault_run(&run, _i / ACCESSES, NULL, argv);
	fault_check_signal(&run, SIGSEGV);
	e2e_check_counts(&run, 1, 0);
	check(&run, &accesses[_i % ACCESSES].finding);
	e2e_release(&run);
}
END_TEST

#ifdef __x86_64__
enum { GONE_PAST = ACCESSES };
#else
enum { GONE_PAST = 0 }; /* no instruction is stepped */
#endif

/* The program goes on, and what it wrote is lost. */
START_TEST(test_access_is_gone_past)
{
	const char *const *given = accesses[_i].arguments;
	const char *const argv[] = {"regions", given[0], given[1], given[2], NULL};
	struct e2e_run run = {0};

	fault_run(&run, E2E_MPROTECT, "continue=yes", argv);
	e2e_check_exit(&run, 0);
	e2e_check_counts(&run, 1, 0);
	check(&run, &accesses[_i].finding);
	e2e_release(&run);
}
END_TEST

/* ---- Calls ---------------------------------------------------------------------------------
 */

#define MISUSE "HOST_E_INVALIDOPERATION"

static const struct expected calls[] = {
        {"double-free", "free", "release_twice", "release", false, 0, "released", MISUSE,
         "MEM_RELEASE: the region was released before"},
        {"invalid-free", "free", "release_inside", "decommit", true, 4096, "decommitted",
         MISUSE, "the address is 4096 bytes inside a region of 16384 bytes, not its start"},
        {"region-misuse", "free", "release_with_size", NULL, true, 0, "committed",
         "E_INVALIDARG", "a size of 8192 bytes was passed; a release takes 0"},
        {"invalid-free", "free", "release_stack", NULL, false, 0, NULL, MISUSE,
         "the address is in no region; it points to a global variable"},
        {"region-misuse", "free", "decommit_beyond", NULL, false, 8192, "reserved", MISUSE,
         "12288 bytes from 8192 bytes inside a region of 16384 bytes are not all in it"},
        {"region-misuse", "unknown", "commit_beyond", NULL, false, 12288, "reserved", MISUSE,
         "MEM_COMMIT: 8192 bytes from 12288 bytes inside"},
        {"region-misuse", "unknown", "commit_released", "release", false, 0, "released", MISUSE,
         "MEM_COMMIT: the region was released before"},
        {"region-misuse", "unknown", "protect_decommitted", "decommit", true, 0, "decommitted",
         MISUSE, "the page 4096 bytes inside a region of 16384 bytes was decommitted"},
        {"heap-use-after-free", "write", "check_range", "decommit", true, 4096, "decommitted",
         NULL, "write of 4096 bytes by a call, 4096 bytes inside a region of 16384 bytes"},
};

enum { CALLS = sizeof(calls) / sizeof(calls[0]) };

START_TEST(test_call_is_one_finding)
{
	const char *const argv[] = {"regions", calls[_i % CALLS].call, NULL};
	struct e2e_run run = {0};

	if (!e2e_can_run(_i / CALLS))
		return;
	fault_run(&run, _i / CALLS, NULL, argv);
	e2e_check_exit(&run, 0);
	e2e_check_counts(&run, 1, 0);
	check(&run, &calls[_i % CALLS]);
	e2e_release(&run);
}
END_TEST

/* The text names the region and every stack. */
START_TEST(test_text_tells_of_the_region)
{
	static const char *const argv[] = {"regions", "read", "4196", NULL};
	static const char *const words[] = {
	        "heap-use-after-free of a 16,384-byte region at regions.c:",
	        "  read by thread ",
	        "  decommitted by thread ",
	        "  committed by thread ",
	        "  reserved by thread ",
	        "  the region: 16,384 bytes at 0x",
	        "number 1, of VirtualAlloc, critical level appdomain",
	};
	struct e2e_run run = {0};

	fault_run(&run, E2E_MPROTECT, NULL, argv);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		ck_assert_msg(strstr(run.err, words[i]) != NULL, "no \"%s\" in: %s", words[i],
		              run.err);
	e2e_release(&run);
}
END_TEST

/* ---- The end
 * --------------------------------------------------------------------------------- */

static void check_leak(const json_t *leak, const char *marker, long regions, long bytes)
{
	ck_assert_str_eq(e2e_get_string(leak, "kind"), "definite");
	ck_assert_int_eq(e2e_get_integer(leak, "blocks"), regions);
	ck_assert_int_eq(e2e_get_integer(leak, "bytes"), bytes);
	e2e_check_stack(e2e_get(leak, "alloc_stack"), SOURCE, marker);
}

START_TEST(test_regions_that_nothing_points_to_are_leaks)
{
	static const char *const argv[] = {"regions", "leak", NULL};
	struct e2e_run run = {0};
	const json_t *leaks;

	if (!e2e_can_run(_i))
		return;
	fault_run(&run, _i, NULL, argv);
	e2e_check_exit(&run, 0);
	/* What is still pointed to is none. */
	e2e_check_counts(&run, 0, 1);
	leaks = e2e_get(run.report, "leaks");
	check_leak(json_array_get(leaks, 0), "leak", 3, 3 * 16 * 4096);
	e2e_release(&run);
	fault_run(&run, _i, "leak_check=no", argv);
	e2e_check_counts(&run, 0, 0);
	e2e_release(&run);
}
END_TEST

START_TEST(test_child_leaks_only_its_own)
{
	static const char *const argv[] = {"regions", "leak_in_child", NULL};
	struct e2e_run run = {0};

	fault_run(&run, E2E_MPROTECT, NULL, argv);
	e2e_check_exit(&run, 0);
	/* The parent's report is the one that is read; the child's text stands beside it. */
	e2e_check_counts(&run, 0, 0);
	ck_assert_msg(strstr(run.err, "leak of 65,536 bytes in 1 block") != NULL, "%s",
	              run.err);
	ck_assert_msg(strstr(run.err, "leak of 16,384 bytes") == NULL, "%s", run.err);
	e2e_release(&run);
}
END_TEST

START_TEST(test_mappings_of_the_runtime_are_noted)
{
	static const char *const argv[] = {"regions", "announce", NULL};
	static const char *const words[] = {
	        "the runtime told the host of 2 mappings that it made itself (350 bytes); 1 of "
	        "them (300 bytes) were not given back",
	        "the runtime lacked address space 2 times; that of released regions was given "
	        "to "
	        "it 1 time",
	};
	struct e2e_run run = {0};
	const json_t *notes;

	fault_run(&run, E2E_MPROTECT, NULL, argv);
	e2e_check_exit(&run, 0);
	e2e_check_counts(&run, 0, 0);
	notes = e2e_get(run.report, "notes");
	for (size_t i = 0; i < 2; i++)
		ck_assert_str_eq(json_string_value(json_array_get(notes, i)), words[i]);
	e2e_release(&run);
}
END_TEST

START_TEST(test_a_guard_page_is_spent_by_one_access)
{
	static const char *const argv[] = {"regions", "guard_once", NULL};
	struct e2e_run run = {0};

	if (!e2e_can_run(_i))
		return;
	fault_run(&run, _i, NULL, argv);
	e2e_check_exit(&run, 0);
	e2e_check_counts(&run, 0, 0);
	e2e_release(&run);
}
END_TEST

START_TEST(test_an_unhandled_guard_page_kills)
{
	static const char *const argv[] = {"regions", "guard_unhandled", NULL};
	struct e2e_run run = {0};

	fault_run(&run, E2E_MPROTECT, "leak_check=no", argv);
	ck_assert(WIFSIGNALED(run.status) && WTERMSIG(run.status) == SIGSEGV);
	e2e_check_counts(&run, 1, 0);
	ck_assert_str_eq(e2e_get_string(fault_finding(&run, 0), "kind"), "crash");
	ck_assert_ptr_nonnull(strstr(e2e_get_string(fault_finding(&run, 0), "description"),
	                             "PAGE_READWRITE and PAGE_GUARD, whose exception nobody "
	                             "handles"));
	e2e_release(&run);
}
END_TEST

START_TEST(test_ends_without_a_guard_are_noted)
{
	static const char *const argv[] = {"regions", "beside", NULL};
	struct e2e_run run = {0};

	fault_run(&run, E2E_MPROTECT, NULL, argv);
	e2e_check_exit(&run, 0);
	e2e_check_counts(&run, 0, 0);
	const char *note = json_string_value(json_array_get(e2e_get(run.report, "notes"), 0));
	ck_assert_msg(note != NULL &&
	                      strstr(note, "1 end of regions reserved by address had no "
	                                   "room for a guard: 1 beside another region, "
	                                   "0 beside memory of others; the first was at "
	                                   "the region of 65536 bytes at 0x") == note,
	              "%s", run.err);
	e2e_release(&run);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("regions");
	TCase *tcase = tcase_create("regions");
	SRunner *runner = srunner_create(suite);
	int failed;

	e2e_add_shared_test(tcase, test_access_is_one_finding, ACCESSES, E2E_BACKEND_COUNT);
	tcase_add_loop_test(tcase, test_access_is_gone_past, 0, GONE_PAST);
	e2e_add_shared_test(tcase, test_call_is_one_finding, CALLS, E2E_BACKEND_COUNT);
	tcase_add_test(tcase, test_text_tells_of_the_region);
	e2e_add_shared_test(tcase, test_regions_that_nothing_points_to_are_leaks, 1,
	                    E2E_BACKEND_COUNT);
	tcase_add_test(tcase, test_child_leaks_only_its_own);
	tcase_add_test(tcase, test_mappings_of_the_runtime_are_noted);
	tcase_add_loop_test(tcase, test_a_guard_page_is_spent_by_one_access, 0,
	                    E2E_BACKEND_COUNT);
	tcase_add_test(tcase, test_an_unhandled_guard_page_kills);
	tcase_add_test(tcase, test_ends_without_a_guard_are_noted);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
