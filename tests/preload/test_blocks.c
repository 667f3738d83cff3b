/* SPDX-License-Identifier: Apache-2.0
 *
 * Blocks that reach malloc's functions by ways of their own: modules that bind to libc, blocks
 * of libc's, operators that nobody can interpose, and requests that no allocator can meet.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "e2e/harness.h"

#define VICTIMS "tests/preload/victims/"

static const char source[] = VICTIMS "blocks.c";

/* The one that goes with the program. */
static void name_module(const char *program, char *path, size_t size)
{
	snprintf(path, size, "%s/" VICTIMS ".libs/%smodule.so", getenv("FP_BUILDDIR"),
	         strstr(program, "operators") != NULL ? "operators_" : "");
}

static void run_with(struct e2e_run *run, const char *options, const char *const argv[],
                     const char *module)
{
	char path[1000];
	const char *all[] = {"src/cli/fencepost", "run", path, argv[1], module, NULL};

	snprintf(path, sizeof(path), "%s/%s", getenv("FP_BUILDDIR"), argv[0]);
	memset(run, 0, sizeof(*run));
	e2e_run(run, options, all);
	e2e_check_exit(run, 0);
	ck_assert_msg(run->report != NULL, "no report was written:\n%s", run->err);
}

static void run_under(struct e2e_run *run, const char *options, const char *const argv[])
{
	char module[1000];

	name_module(argv[0], module, sizeof(module));
	run_with(run, options, argv, module);
}

/* What the program prints without us. */
static void check_as_without(struct e2e_run *run, const char *const argv[])
{
	char module[1000];
	const char *all[] = {argv[0], argv[1], module, NULL};
	struct e2e_run native = {.input = NULL};

	name_module(argv[0], module, sizeof(module));
	e2e_run_raw(&native, "", all);
	e2e_check_exit(&native, 0);
	ck_assert_str_eq(run->out, native.out);
	e2e_release(&native);
}

static json_t *finding_at(const struct e2e_run *run, size_t index, const char *kind,
                          const char *description)
{
	json_t *finding = json_array_get(e2e_get(run->report, "findings"), index);

	ck_assert_msg(finding != NULL, "no finding %zu:\n%s", index, run->err);
	ck_assert_str_eq(e2e_get_string(finding, "kind"), kind);
	ck_assert_msg(strstr(e2e_get_string(finding, "description"), description) != NULL, "%s",
	              e2e_get_string(finding, "description"));
	return finding;
}

static void check_finding_count(const struct e2e_run *run, size_t count)
{
	ck_assert_msg(json_array_size(e2e_get(run->report, "findings")) == count,
	              "not %zu findings:\n%s", count, run->err);
}

/* ---- Ways across --------------------------------------------------------------------------
 */

static const struct {
	const char *way;
	const char *options;
} ways[] = {
        {"deepbind", NULL},          {"deepbind", "sample=3"},
        {"deepbind-lazy", NULL},     {"by-name", NULL},
        {"by-name", "sample=3"},     {"namespace", NULL},
        {"namespace", "sample=3"},   {"libc-malloc", NULL},
        {"libc-malloc", "sample=3"}, {"alignments", NULL},
        {"alignments", "align=1"},   {"alignments", "max_memory=100k"},
        {"alignments", "sample=3"},  {"machine", NULL},
        {"machine", "backend=none"}, {"machine", "max_memory=100k"},
};

START_TEST(blocks_go_where_they_go_without_us)
{
	const char *const argv[] = {VICTIMS "blocks", ways[_i].way};
	struct e2e_run run;

	run_under(&run, ways[_i].options, argv);
	check_finding_count(&run, 0);
	check_as_without(&run, argv);
	e2e_release(&run);
}
END_TEST

START_TEST(blocks_of_a_deepbound_module_are_guarded)
{
	const char *const argv[] = {VICTIMS "blocks", "deepbind"};
	struct e2e_run run;

	run_under(&run, "leak_check=no", argv);
	const json_t *heap = e2e_get(run.report, "heap");
	/* Two of the module, one each of malloc, strdup, the module's strdup, and realloc. */
	ck_assert_int_ge(e2e_get_integer(heap, "frees"), 6);
	ck_assert_ptr_null(strstr(run.err, "RTLD_DEEPBIND"));
	e2e_release(&run);
}
END_TEST

START_TEST(a_namespace_is_noted)
{
	const char *const argv[] = {VICTIMS "blocks", "namespace"};
	struct e2e_run run;

	run_under(&run, NULL, argv);
	ck_assert_msg(strstr(run.err, "namespace of their own (dlmopen)") != NULL, "%s",
	              run.err);
	e2e_release(&run);
}
END_TEST

START_TEST(blocks_of_a_namespace_are_guarded)
{
	const char *const argv[] = {VICTIMS "blocks", "wrong-in-namespace"};
	struct e2e_run run;

	run_under(&run, NULL, argv);
	ck_assert_str_eq(run.out, "done\n");
	check_finding_count(&run, 1);
	e2e_check_stack(e2e_get(finding_at(&run, 0, "double-free", "freed before"), "stack"),
	                VICTIMS "module.c", "release");
	e2e_release(&run);
}
END_TEST

START_TEST(wild_pointers_are_no_blocks_of_libc)
{
	const char *const argv[] = {VICTIMS "blocks", "wrong-wild"};
	struct e2e_run run;

	run_under(&run, NULL, argv);
	ck_assert_str_eq(run.out, "done\n");
	check_finding_count(&run, 3);
	e2e_check_stack(e2e_get(finding_at(&run, 0, "invalid-free", "not a block"), "stack"),
	                source, "mapped");
	e2e_check_stack(e2e_get(finding_at(&run, 1, "invalid-free", "not a block"), "stack"),
	                source, "inside");
	e2e_release(&run);
}
END_TEST

/* ---- Operators ----------------------------------------------------------------------------
 */

static void run_operators(struct e2e_run *run, const char *name)
{
	const char *const argv[] = {VICTIMS "operators_host", name};

	run_under(run, "leak_check=no", argv);
	ck_assert_str_eq(run->out, "done\n");
}

START_TEST(operators_of_a_module_are_a_pair_with_those_of_the_program)
{
	struct e2e_run run;

	run_operators(&run, "pairs");
	check_finding_count(&run, 0);
	e2e_release(&run);
}
END_TEST

/* Of a stripped module, only what it wants of others tells that it has operators. */
START_TEST(operators_need_no_names)
{
	static const char *const argv[] = {VICTIMS "operators_host", "pairs"};
	char module[1000];
	struct e2e_run run;

	snprintf(module, sizeof(module), "%s/" VICTIMS ".libs/operators_stripped.so",
	         getenv("FP_BUILDDIR"));
	run_with(&run, "leak_check=no", argv, module);
	ck_assert_str_eq(run.out, "done\n");
	check_finding_count(&run, 0);
	e2e_release(&run);
}
END_TEST

START_TEST(operators_of_a_module_have_forms)
{
	struct e2e_run run;

	run_operators(&run, "wrong-form");
	check_finding_count(&run, 1);
	const json_t *finding =
	        finding_at(&run, 0, "alloc-dealloc-mismatch", "freed by delete (family new)");
	e2e_check_stack(e2e_get(finding, "stack"), VICTIMS "operators_host.cc", "delete");
	e2e_release(&run);
}
END_TEST

START_TEST(free_is_no_operator_of_a_module)
{
	struct e2e_run run;

	run_operators(&run, "wrong-free");
	check_finding_count(&run, 1);
	const json_t *finding =
	        finding_at(&run, 0, "alloc-dealloc-mismatch", "made by new[] (family new[])");
	e2e_check_stack(e2e_get(finding, "stack"), VICTIMS "operators_module.cc", "free_array");
	e2e_check_stack(e2e_get(e2e_get(finding, "block"), "alloc_stack"),
	                VICTIMS "operators_host.cc", "new");
	e2e_release(&run);
}
END_TEST

/* ---- What is promised as a finding ---------------------------------------------------------
 */

START_TEST(products_that_wrap_are_found_by_every_function)
{
	static const char *const calls[] = {"calloc", "reallocarray", "pvalloc",
	                                    "aligned_alloc"};
	const char *const argv[] = {VICTIMS "blocks", "wrong-products"};
	struct e2e_run run;

	run_under(&run, _i == 0 ? NULL : "sample=1000", argv);
	check_as_without(&run, argv);
	for (size_t i = 0; i < (_i == 0 ? 4 : 2); i++) {
		const json_t *finding = finding_at(&run, i, "allocation-too-large",
		                                   i < 2 ? "4611686018427387904 times 8 bytes"
		                                         : "bytes were asked for");

		e2e_check_stack(e2e_get(finding, "stack"), source, calls[i]);
	}
	e2e_release(&run);
}
END_TEST

START_TEST(sizes_are_asked_of_live_blocks)
{
	const char *const argv[] = {VICTIMS "blocks", "wrong-sizes"};
	struct e2e_run run;

	run_under(&run, NULL, argv);
	check_finding_count(&run, 2);
	const json_t *finding =
	        finding_at(&run, 0, "invalid-free", "malloc_usable_size was asked");
	e2e_check_stack(e2e_get(finding, "stack"), source, "inside_asked");
	ck_assert_int_eq(e2e_get_integer(e2e_get(finding, "block"), "offset"), 16);
	finding = finding_at(&run, 1, "heap-use-after-free", "malloc_usable_size was asked");
	e2e_check_stack(e2e_get(finding, "stack"), source, "freed_asked");
	e2e_check_stack(e2e_get(e2e_get(finding, "block"), "alloc_stack"), source, "allocated");
	ck_assert_int_eq(e2e_get_integer(e2e_get(finding, "block"), "offset"), 0);
	e2e_release(&run);
}
END_TEST

/* ---- Reports all the same -------------------------------------------------------------------
 */

START_TEST(a_report_needs_no_address_space)
{
	const char *const argv[] = {VICTIMS "blocks", "wrong-limited"};
	struct e2e_run run;

	run_under(&run, NULL, argv);
	ck_assert_str_eq(run.out, "NULL\n");
	check_finding_count(&run, 1);
	const json_t *finding = finding_at(&run, 0, "double-free", "freed before");
	e2e_check_stack(e2e_get(finding, "stack"), source, "second_free");
	e2e_release(&run);
}
END_TEST

START_TEST(a_report_needs_no_main_thread)
{
	const char *const argv[] = {VICTIMS "blocks", "wrong-without-main"};
	struct e2e_run run;

	run_under(&run, NULL, argv);
	ck_assert_str_eq(run.out, "done\n");
	check_finding_count(&run, 1);
	const json_t *finding = finding_at(&run, 0, "double-free", "freed before");
	e2e_check_stack(e2e_get(finding, "stack"), source, "second_free");
	ck_assert_uint_eq(json_array_size(e2e_get(run.report, "leaks")), 0);
	ck_assert_ptr_nonnull(
	        strstr(e2e_get_string(e2e_get(run.report, "process"), "executable"), "blocks"));
	e2e_release(&run);
}
END_TEST

START_TEST(samples_of_threads_that_ended_are_counted)
{
	const char *const argv[] = {VICTIMS "blocks", "threads"};
	struct e2e_run run;

	run_under(&run, "sample=1000:leak_check=no", argv);
	const json_t *protection = e2e_get(run.report, "protection");
	long all = e2e_get_integer(protection, "allocations");
	/* Beside the 50 times 400 each thread has a few of libc's. */
	ck_assert_msg(all >= 20000 && all <= 20000 + 50 * 4 + 20, "%ld", all);
	ck_assert_int_eq(e2e_get_integer(protection, "plain"),
	                 e2e_get_integer(e2e_get(protection, "reasons"), "sampling"));
	e2e_release(&run);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("blocks");
	TCase *tests = tcase_create("blocks");

	tcase_add_loop_test(tests, blocks_go_where_they_go_without_us, 0,
	                    (int)(sizeof(ways) / sizeof(ways[0])));
	tcase_add_test(tests, blocks_of_a_deepbound_module_are_guarded);
	tcase_add_test(tests, a_namespace_is_noted);
	tcase_add_test(tests, blocks_of_a_namespace_are_guarded);
	tcase_add_test(tests, wild_pointers_are_no_blocks_of_libc);
	tcase_add_test(tests, operators_of_a_module_are_a_pair_with_those_of_the_program);
	tcase_add_test(tests, operators_need_no_names);
	tcase_add_test(tests, operators_of_a_module_have_forms);
	tcase_add_test(tests, free_is_no_operator_of_a_module);
	tcase_add_loop_test(tests, products_that_wrap_are_found_by_every_function, 0, 2);
	tcase_add_test(tests, sizes_are_asked_of_live_blocks);
	tcase_add_test(tests, a_report_needs_no_address_space);
	tcase_add_test(tests, a_report_needs_no_main_thread);
	tcase_add_test(tests, samples_of_threads_that_ended_are_counted);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
