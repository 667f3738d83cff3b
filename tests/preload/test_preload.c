/* SPDX-License-Identifier: Apache-2.0
 *
 * Programs that nobody built for Fencepost, run under it: they answer as they do without, and
 * what they do wrong is found.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "e2e/harness.h"

#define VICTIMS "tests/preload/victims/"

enum { ARGUMENTS_MAX = 8 };

static void run_under(struct e2e_run *run, const char *options, const char *const argv[])
{
	const char *all[ARGUMENTS_MAX + 4] = {"src/cli/fencepost", "run"};
	char path[1000];
	size_t count = 2;

	snprintf(path, sizeof(path), "%s/%s", getenv("FP_BUILDDIR"), argv[0]);
	all[count++] = path;
	for (size_t i = 1; argv[i] != NULL; i++)
		all[count++] = argv[i];
	memset(run, 0, sizeof(*run));
	e2e_run(run, options, all);
}

/* Of several processes, the first whose report has a finding. */
static void keep_finding(struct e2e_run *run)
{
	size_t index;
	json_t *report = NULL;

	if (!json_is_array(run->report))
		return;
	json_array_foreach(run->report, index, report)
	{
		if (json_array_size(e2e_get(report, "findings")) > 0)
			break;
	}
	ck_assert_msg(report != NULL, "no process has a finding:\n%s", run->err);
	json_incref(report);
	json_decref(run->report);
	run->report = report;
}

static void check_count(const struct e2e_run *run, size_t count)
{
	ck_assert_msg(run->report != NULL, "no report was written:\n%s", run->err);
	ck_assert_msg(json_array_size(e2e_get(run->report, "findings")) == count,
	              "not %zu findings:\n%s", count, run->err);
}

static const json_t *only_finding(const struct e2e_run *run, const char *kind)
{
	check_count(run, 1);
	const json_t *finding = json_array_get(e2e_get(run->report, "findings"), 0);
	ck_assert_str_eq(e2e_get_string(finding, "kind"), kind);
	return finding;
}

static void check_no_findings(const json_t *report)
{
	size_t index;
	json_t *one;

	if (json_is_object(report)) {
		ck_assert_uint_eq(json_array_size(e2e_get(report, "findings")), 0);
		return;
	}
	json_array_foreach(report, index, one)
	        ck_assert_uint_eq(json_array_size(e2e_get(one, "findings")), 0);
}

/* ---- Families -----------------------------------------------------------------------------
 */

static const struct {
	const char *made;
	const char *freed;
	const char *family; /* of the block; NULL: they fit */
	const char *description;
} pairs[] = {
        {"malloc", "free", NULL, NULL},
        {"memalign", "free", NULL, NULL},
        {"memalign", "realloc", NULL, NULL},
        {"new", "delete", NULL, NULL},
        {"new", "delete_sized", NULL, NULL},
        {"new_nothrow", "delete", NULL, NULL},
        {"new_array", "delete_array", NULL, NULL},
        {"new_aligned", "delete_aligned", NULL, NULL},
        {"new_array_aligned", "delete_array_aligned", NULL, NULL},
        {"malloc", "delete", "malloc",
         "made by malloc (family malloc) and freed by delete (family new)"},
        {"malloc", "delete_array", "malloc", "freed by delete[] (family new[])"},
        {"malloc", "delete_aligned", "malloc", "freed by aligned delete (family aligned)"},
        {"memalign", "delete", "malloc", "made by malloc"},
        {"new", "free", "new", "made by new (family new) and freed by free (family malloc)"},
        {"new", "realloc", "new", "freed by free"},
        {"new", "delete_array", "new", "freed by delete[]"},
        {"new", "delete_aligned", "new", "freed by aligned delete"},
        {"new_nothrow", "free", "new", "made by new"},
        {"new_array", "free", "new[]", "made by new[] (family new[])"},
        {"new_array", "delete", "new[]", "freed by delete (family new)"},
        {"new_array", "delete_sized", "new[]", "freed by delete"},
        {"new_aligned", "free", "aligned", "made by aligned new"},
        {"new_aligned", "delete", "aligned", "freed by delete"},
        {"new_aligned", "delete_array_aligned", "aligned",
         "made by aligned new (family aligned) and freed by aligned delete[]"},
        {"new_array_aligned", "delete_aligned", "aligned",
         "made by aligned new[] (family aligned) and freed by aligned delete "},
        {"new", "delete_wrong_size", "new", "as one of 16 bytes and not of 24"},
        {"new_aligned", "delete_aligned_sized", NULL, NULL},
        {"new_aligned", "delete_aligned_to_32", "aligned",
         " as one aligned to 32 and not to 64"},
        {"memalign", "free_aligned_sized", NULL, NULL},
        {"memalign", "free_aligned_to_128", "malloc", " as one aligned to 128 and not to 64"},
        {"malloc", "free_aligned_sized", "malloc",
         " as one aligned to 64, but no alignment was requested"},
};

/* The run time's own blocks that live to the end are of other sizes. */
static void check_no_leak_of(const struct e2e_run *run, json_int_t bytes)
{
	size_t index;
	json_t *leak;

	json_array_foreach(e2e_get(run->report, "leaks"), index, leak)
	        ck_assert_int_ne(e2e_get_integer(leak, "bytes"), bytes);
}

START_TEST(families_that_do_not_fit_are_findings)
{
	static const char source[] = VICTIMS "mismatch.cc";
	const char *const argv[] = {VICTIMS "mismatch", pairs[_i].made, pairs[_i].freed, NULL};
	struct e2e_run run;

	run_under(&run, "leak_check=full", argv);
	e2e_check_exit(&run, 0);
	if (pairs[_i].family == NULL) {
		check_count(&run, 0);
		e2e_release(&run);
		return;
	}
	check_no_leak_of(&run, 24); /* the block is freed all the same */
	const json_t *finding = only_finding(&run, "alloc-dealloc-mismatch");
	const json_t *block = e2e_get(finding, "block");
	ck_assert_str_eq(e2e_get_string(block, "family"), pairs[_i].family);
	ck_assert_int_eq(e2e_get_integer(block, "size"), 24);
	ck_assert_msg(strstr(e2e_get_string(finding, "description"), pairs[_i].description) !=
	                      NULL,
	              "%s", e2e_get_string(finding, "description"));
	e2e_check_stack(e2e_get(finding, "stack"), source, pairs[_i].freed);
	e2e_check_stack(e2e_get(block, "alloc_stack"), source, pairs[_i].made);
	e2e_release(&run);
}
END_TEST

/* ---- The same answers -----------------------------------------------------------------------
 */

static void compare(const char *options, const char *const argv[])
{
	struct e2e_run native = {.input = NULL};
	struct e2e_run run;

	e2e_run_raw(&native, "", argv);
	run_under(&run, options, argv);
	ck_assert_str_eq(run.out, native.out);
	ck_assert_msg(run.status == native.status, "status %x, not %x:\n%s",
	              (unsigned)run.status, (unsigned)native.status, run.err);
	e2e_release(&native);
	if (options == NULL || strstr(options, "sample") == NULL)
		ck_assert_ptr_nonnull(run.report);
	if (run.report != NULL && strstr(argv[0], "answers") == NULL &&
	    strstr(argv[0], "operators") == NULL)
		check_no_findings(run.report);
	e2e_release(&run);
}

static const char *const settings[] = {NULL, "sample=3", "max_memory=100k", "backend=guard",
                                       "placement=left"};

START_TEST(functions_answer_as_those_of_libc)
{
	static const char *const argv[] = {VICTIMS "answers", NULL};

	compare(settings[_i], argv);
}
END_TEST

START_TEST(operators_answer_as_those_of_libstdcxx)
{
	static const char *const argv[] = {VICTIMS "operators", NULL};

	compare(settings[_i], argv);
}
END_TEST

START_TEST(operators_of_the_program_are_called)
{
	static const char *const argv[] = {VICTIMS "own_operators", NULL};

	compare(settings[_i], argv);
}
END_TEST

static const char *const lives[] = {
        "thread-destructor",
        "atexit",
        "quick-exit",
        "immediate-exit",
        "dlopen",
        "fork",
        "vfork",
        "spawn",
        "limited",
        "closed-descriptors",
        "cleared-environment",
        "fork-content",
};

START_TEST(malloc_works_at_all_times)
{
	const char *const argv[] = {VICTIMS "lives", lives[_i], NULL};

	compare(NULL, argv);
	compare("sample=5", argv);
}
END_TEST

START_TEST(malloc_works_in_signal_handlers)
{
	static const char *const argv[] = {VICTIMS "lives", "signal-handler", NULL};
	struct e2e_run run;

	run_under(&run, NULL, argv);
	e2e_check_exit(&run, 0);
	only_finding(&run, "malloc-in-signal-handler");
	e2e_release(&run);
}
END_TEST

/* ---- Findings survive
 * ------------------------------------------------------------------------
 */

static const struct {
	const char *name;
	const char *kind;
	int status; /* of fencepost */
} wrongs[] = {
        {"wrong-atexit", "double-free", 0},
        {"wrong-immediate-exit", "double-free", 6},
        {"wrong-exit-in-handler", "double-free", 0},
        {"wrong-closed-descriptors", "double-free", 0},
        {"wrong-killed", "double-free", 128 + 9},
        {"wrong-exec", "double-free", 0},
        {"wrong-forked", "double-free", 0},
        {"wrong-libc-block", "invalid-free", 0},
};

START_TEST(findings_outlive_their_process)
{
	const char *const argv[] = {VICTIMS "lives", wrongs[_i].name, NULL};
	struct e2e_run run;

	run_under(&run, NULL, argv);
	e2e_check_exit(&run, wrongs[_i].status);
	keep_finding(&run);
	only_finding(&run, wrongs[_i].kind);
	ck_assert_ptr_nonnull(strstr(run.err, wrongs[_i].kind));
	e2e_release(&run);
	run_under(&run, "error_exitcode=42", argv);
	e2e_check_exit(&run, 42);
	e2e_release(&run);
}
END_TEST

START_TEST(a_malloc_of_the_program_is_named)
{
	static const char *const argv[] = {VICTIMS "own_malloc", NULL};
	struct e2e_run run;

	run_under(&run, NULL, argv);
	e2e_check_exit(&run, 0);
	ck_assert_str_eq(run.out, "done\n");
	ck_assert_msg(strstr(run.err, "the program brings its own malloc") != NULL, "%s",
	              run.err);
	e2e_release(&run);
}
END_TEST

#define TEST_OF(table, test)                                                                   \
	tcase_add_loop_test(tests, test, 0, (int)(sizeof(table) / sizeof(table[0])))

int main(void)
{
	Suite *suite = suite_create("preload");
	TCase *tests = tcase_create("preload");

	TEST_OF(pairs, families_that_do_not_fit_are_findings);
	TEST_OF(settings, functions_answer_as_those_of_libc);
	TEST_OF(settings, operators_answer_as_those_of_libstdcxx);
	TEST_OF(settings, operators_of_the_program_are_called);
	TEST_OF(lives, malloc_works_at_all_times);
	tcase_add_test(tests, malloc_works_in_signal_handlers);
	tcase_add_test(tests, a_malloc_of_the_program_is_named);
	TEST_OF(wrongs, findings_outlive_their_process);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
