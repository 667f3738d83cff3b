/* SPDX-License-Identifier: Apache-2.0
 *
 * Stacks with names: where they stop, what place they stand for, when two are the same. And the
 * strings and numbers that writers share.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "report/stack.h"
#include "report/fingerprint.h"
#include "report/finding.h"
#include "report/names.h"
#include "report/text/page.h"

enum { FRAMES_MAX = 8 };

static struct fp_symbol_frame symbols[2][FRAMES_MAX];
static struct fp_report_frame frames[2][FRAMES_MAX];
static struct fp_report_stack stacks[2];
static char *text;

/* Makes stack WHICH of "function file line" triples; "-" is unknown. */
static struct fp_report_stack *make_stack(size_t which, size_t count,
                                          const char *const (*lines)[3])
{
	for (size_t i = 0; i < count; i++) {
		const char *const *line = lines[i];
		struct fp_symbol_frame *symbol = &symbols[which][i];

		free(symbol->function);
		*symbol = (struct fp_symbol_frame){.line = (uint32_t)atoi(line[2])};
		if (strcmp(line[0], "-") != 0)
			symbol->function = strdup(line[0]);
		if (strcmp(line[1], "-") != 0)
			symbol->file = line[1];
		frames[which][i] = (struct fp_report_frame){.offset = 0x10 * (i + 1 + which),
		                                            .symbol = symbol};
	}
	stacks[which] = (struct fp_report_stack){.frames = frames[which], .count = count};
	stacks[which].shown = fp_report_count_shown(frames[which], count);
	return &stacks[which];
}

static void release(void)
{
	for (size_t i = 0; i < 2 * FRAMES_MAX; i++) {
		free(symbols[i / FRAMES_MAX][i % FRAMES_MAX].function);
		symbols[i / FRAMES_MAX][i % FRAMES_MAX].function = NULL;
	}
	free(text);
	text = NULL;
}

static struct fp_report_page begin_page(size_t *size)
{
	free(text);
	return (struct fp_report_page){.out = open_memstream(&text, size)};
}

static const char *const program[][3] = {{"engine_free", "-", "0"},
                                         {"drop_row", "/src/plant.c", "31"},
                                         {"main", "/src/plant.c", "99"},
                                         {"__libc_start_call_main", "-", "0"},
                                         {"_start", "-", "0"}};

START_TEST(stacks_are_shown_down_to_main)
{
	static const char *const thread[][3] = {
	        {"worker", "/src/w.c", "5"}, {"start_thread", "-", "0"}, {"clone3", "-", "0"}};

	ck_assert_uint_eq(make_stack(0, 5, program)->shown, 3);
	ck_assert_uint_eq(make_stack(1, 3, thread)->shown, 1);
	/* Something is always left to show. */
	ck_assert_uint_eq(make_stack(1, 2, thread + 1)->shown, 1);
	ck_assert_uint_eq(make_stack(1, 0, thread)->shown, 0);
}
END_TEST

START_TEST(the_place_is_the_innermost_frame_with_a_file)
{
	struct fp_report_stack *stack = make_stack(0, 5, program);

	ck_assert_ptr_eq(fp_report_stack_place(stack), &frames[0][1]);
	stack->shown = 1;
	ck_assert_ptr_eq(fp_report_stack_place(stack), &frames[0][0]);
	ck_assert_ptr_null(fp_report_stack_place(make_stack(1, 0, program)));
}
END_TEST

START_TEST(frames_are_printed_with_what_is_known)
{
	const struct fp_report_site site = {{"a.c", 3}, 7};
	struct fp_report_stack *stack = make_stack(0, 5, program);
	size_t size;
	struct fp_report_page page = begin_page(&size);

	symbols[0][1].inlined = true;
	symbols[0][0].function_offset = 0x2a;
	fp_report_print_stack(&page, stack);
	fp_report_print_place(&page, "at", stack, NULL);
	stack->shown = 1;
	fp_report_print_place(&page, "at", stack, NULL);
	fp_report_print_place(&page, "at", stack, &site);
	fclose(page.out);
	ck_assert_str_eq(text, "    #0 engine_free+0x2a  (0x10, JIT code)\n"
	                       "    #1 drop_row  /src/plant.c:31 [inlined]\n"
	                       "    #2 main  /src/plant.c:99\n"
	                       " at plant.c:31 in drop_row"
	                       " at 0x10, JIT code in engine_free+0x2a"
	                       " at a.c:7 (DebugAlloc)");
}
END_TEST

START_TEST(a_caller_in_another_file_is_named)
{
	static const char *const calls[][3] = {{"put", "/src/io.c", "3"},
	                                       {"put_line", "/src/io.c", "9"},
	                                       {"main", "/src/plant.c", "99"}};
	struct fp_report_stack *stack = make_stack(0, 3, calls);

	/* Who called it within the file is in the stack. */
	ck_assert_ptr_null(fp_report_stack_caller(stack));
	stack = make_stack(0, 2, calls + 1);
	ck_assert_ptr_eq(fp_report_stack_caller(stack), &frames[0][1]);
	/* What is not shown has called nothing; nor has what has no file. */
	stack->shown = 1;
	ck_assert_ptr_null(fp_report_stack_caller(stack));
	stack->shown = 2;
	symbols[0][1].file = NULL;
	ck_assert_ptr_null(fp_report_stack_caller(stack));
	ck_assert_ptr_null(fp_report_stack_caller(make_stack(0, 5, program)));
	ck_assert_ptr_null(fp_report_stack_caller(make_stack(1, 0, program)));
}
END_TEST

START_TEST(what_passes_on_a_block_is_no_place)
{
	static const char *const calls[][3] = {{"xmalloc", "/src/x.c", "3"},
	                                       {"row_new", "/src/row.c", "9"},
	                                       {"main", "/src/plant.c", "99"}};
	struct fp_report_stack *stack = make_stack(0, 3, calls);

	fp_report_pass_over(stack);
	ck_assert_uint_eq(stack->passed, 1);
	ck_assert_ptr_eq(fp_report_stack_place(stack), &frames[0][1]);
	fp_report_name_allocators("row,row_new");
	fp_report_pass_over(stack);
	ck_assert_ptr_eq(fp_report_stack_place(stack), &frames[0][2]);
	fp_report_name_allocators("row_ne,row_newer,main");
	fp_report_pass_over(stack);
	ck_assert_uint_eq(stack->passed, 1);
	frames[0][1].passes_on = true;
	fp_report_pass_over(stack);
	ck_assert_uint_eq(stack->passed, 2);
	/* Somebody is left. */
	stack = make_stack(1, 1, calls);
	fp_report_pass_over(stack);
	ck_assert_uint_eq(stack->passed, 0);
	fp_report_name_allocators("");
}
END_TEST

START_TEST(a_small_helper_stands_for_its_caller)
{
	static const char *const access[][3] = {{"put", "/src/io.c", "3"},
	                                        {"fill", "/src/plant.c", "9"},
	                                        {"main", "/src/plant.c", "99"}};
	static const char *const taken[][3] = {{"make", "/src/plant.c", "31"},
	                                       {"main", "/src/plant.c", "98"}};
	const struct fp_report_finding fresh = {.kind = FP_FINDING_HEAP_BUFFER_OVERFLOW,
	                                        .is_exact = true,
	                                        .has_block = true,
	                                        .stack = make_stack(0, 3, access),
	                                        .block.alloc_stack = make_stack(1, 2, taken)};
	struct fp_report_finding finding = fresh;
	struct fp_report report = {.findings = &finding, .finding_count = 1};

	/* Nobody knows how large it is; it is large; it is small, and the block is its file's.
	 */
	for (unsigned i = 0; i < 3; i++) {
		symbols[0][0].size = (const uint64_t[]){0, 4000, 60}[i];
		symbols[1][0].file = i == 2 ? "/src/io.c" : "/src/plant.c";
		ck_assert_int_eq(fp_report_find_helpers(&report), 0);
		ck_assert_ptr_eq(finding.stack, fresh.stack);
	}
	symbols[1][0].file = "/src/other.c";
	ck_assert_int_eq(fp_report_find_helpers(&report), 0);
	ck_assert_ptr_eq(fp_report_stack_place(finding.stack), &frames[0][1]);
	ck_assert_ptr_eq(fp_report_stack_helper(finding.stack), &frames[0][0]);
	ck_assert_ptr_null(fp_report_stack_caller(finding.stack));
	/* Other findings may have that stack. */
	ck_assert_uint_eq(fresh.stack->passed, 0);
	/* What reads a text to its end, whatever its size; not what is told how much. */
	finding = fresh;
	finding.is_by_call = true;
	finding.access = FP_ACCESS_READ;
	finding.access_size = 100;
	symbols[0][0].size = 4000;
	ck_assert_int_eq(fp_report_find_helpers(&report), 0);
	ck_assert_ptr_eq(finding.stack, fresh.stack);
	finding.access_size = 0;
	ck_assert_int_eq(fp_report_find_helpers(&report), 0);
	ck_assert_ptr_eq(fp_report_stack_place(finding.stack), &frames[0][1]);
	/* A destructor, too. */
	finding = fresh;
	finding.has_block = false;
	free(symbols[0][0].function);
	symbols[0][0].function = strdup("row::~row()");
	ck_assert_int_eq(fp_report_find_helpers(&report), 0);
	ck_assert_ptr_eq(fp_report_stack_place(finding.stack), &frames[0][1]);
	fp_report_arena_free(&report.arena);
}
END_TEST

START_TEST(templates_are_short_in_places)
{
	static const char *const names[][2] = {
	        {"f", "f"},
	        {"v<a<b>, c>::f(v<d>)", "v<...>::f(v<...>)"},
	        {"operator<< <int>", "operator<< <...>"},
	        {"operator<<<int>", "operator<<<...>"},
	        {"p::operator-><a>", "p::operator-><...>"},
	        {"p::operator<=(p<a>)", "p::operator<=(p<...>)"},
	        {"f<&p::operator->>", "f<...>"},
	        {"f<(a->b)>()", "f<...>()"},
	        {"<lambda()>", "<...>"},
	        {"f<", "f<"},
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *const line[][3] = {{names[i][0], "/src/plant.c", "7"}};
		const struct fp_report_stack *stack = make_stack(0, 1, line);
		char *wanted;
		size_t size;
		struct fp_report_page page = begin_page(&size);

		fp_report_print_place(&page, "at", stack, NULL);
		fclose(page.out);
		ck_assert_int_gt(asprintf(&wanted, " at plant.c:7 in %s", names[i][1]), 0);
		ck_assert_str_eq(text, wanted);
		free(wanted);
	}
}
END_TEST

/* The stack of a program that a runtime runs ends where that begins; what has the same name in
 * a module is no such program. */
START_TEST(what_leads_to_a_managed_main_is_left_out)
{
	static const char *const mono[][3] = {{"Ledger:Check ()", "/src/a.cs", "7"},
	                                      {"Demo:Main (string[])", "/src/a.cs", "9"},
	                                      {"(wrapper runtime-invoke)", "-", "0"},
	                                      {"mono_jit_exec", "-", "0"},
	                                      {"main", "/src/host.c", "3"}};
	static const char *const dotnet[][3] = {
	        {"int32 [app] Demo::Main(string[])[Tier0]", "-", "0"}, {"main", "-", "0"}};
	static const char *const other[][3] = {
	        {"Demo:MainLoop ()", "-", "0"}, {"main", "-", "0"}, {"_start", "-", "0"}};
	static const struct fp_report_module module;

	ck_assert_uint_eq(make_stack(0, 5, mono)->shown, 2);
	ck_assert_uint_eq(make_stack(0, 2, dotnet)->shown, 1);
	ck_assert_uint_eq(make_stack(0, 3, other)->shown, 2);
	make_stack(0, 5, mono);
	for (size_t i = 0; i < 5; i++)
		frames[0][i].module = &module;
	ck_assert_uint_eq(fp_report_count_shown(frames[0], 5), 5);
}
END_TEST

/* Two calls on one line return to two addresses, and are one place to a person. */
START_TEST(stacks_are_equal_by_line)
{
	static const char *const other[][3] = {{"drop_row", "/src/plant.c", "31"},
	                                       {"main", "/src/plant.c", "100"}};
	const struct fp_report_stack *a = make_stack(0, 2, program + 1);
	const struct fp_report_stack *b = make_stack(1, 2, program + 1);

	ck_assert_int_eq(fp_report_compare_stacks(a, b), 0);
	b = make_stack(1, 2, other);
	ck_assert_int_lt(fp_report_compare_stacks(a, b), 0);
	ck_assert_int_gt(fp_report_compare_stacks(b, a), 0);
	b = make_stack(1, 1, program + 1);
	ck_assert_int_gt(fp_report_compare_stacks(a, b), 0);
	/* Code that was made while the program ran stands anywhere. */
	a = make_stack(0, 1, program);
	b = make_stack(1, 1, program);
	ck_assert_int_eq(fp_report_compare_stacks(a, b), 0);
	symbols[1][0].function_offset = 8;
	ck_assert_int_ne(fp_report_compare_stacks(a, b), 0);
	/* Without names only the address tells. */
	frames[0][0].symbol = frames[1][0].symbol = NULL;
	ck_assert_int_ne(fp_report_compare_stacks(a, b), 0);
}
END_TEST

/* The double free of a block whose stacks are all STACK. */
static struct fp_report_finding make_finding(const struct fp_report_stack *stack)
{
	return (struct fp_report_finding){.kind = FP_FINDING_DOUBLE_FREE,
	                                  .access = FP_ACCESS_FREE,
	                                  .stack = stack,
	                                  .block.alloc_stack = stack};
}

static bool has_one_name(const struct fp_report_stack *a, const struct fp_report_stack *b)
{
	const struct fp_report_finding first = make_finding(a);
	const struct fp_report_finding second = make_finding(b);

	return fp_report_finding_fingerprint(&first) == fp_report_finding_fingerprint(&second);
}

static bool are_alike(const struct fp_report_stack *a, const struct fp_report_stack *b)
{
	const struct fp_report_finding first = make_finding(a);
	const struct fp_report_finding second = make_finding(b);

	return fp_report_finding_likeness(&first) == fp_report_finding_likeness(&second);
}

/* The same program with other lines, another libc below main and other addresses. */
START_TEST(fingerprints_ignore_lines_and_what_is_below_main)
{
	static const char *const edited[][3] = {{"engine_free.constprop.0", "-", "0"},
	                                        {"drop_row", "/home/plant.c", "32"},
	                                        {"main", "/home/plant.c", "105"},
	                                        {"_start", "-", "0"}};
	const struct fp_report_stack *a = make_stack(0, 5, program);
	const struct fp_report_stack *b = make_stack(1, 4, edited);

	ck_assert(has_one_name(a, b));
	symbols[1][1].function[0] = 'D';
	ck_assert(!has_one_name(a, b));
	ck_assert(!are_alike(a, b));
}
END_TEST

/* Moved with its function, a mistake is the same; two in one function are two. */
START_TEST(fingerprints_count_lines_from_the_function)
{
	struct fp_report_stack *a = make_stack(0, 2, program + 1);
	struct fp_report_stack *b = make_stack(1, 2, program + 1);

	symbols[0][0].function_line = 30;
	symbols[1][0].function_line = 40;
	symbols[1][0].line = 41;
	ck_assert(has_one_name(a, b));
	symbols[1][0].line = 42;
	ck_assert(!has_one_name(a, b));
	ck_assert(are_alike(a, b));
	/* Through a helper, who called it from where tells two mistakes apart. */
	symbols[1][0].line = 41;
	symbols[0][1].function_line = 90;
	symbols[1][1].function_line = 91;
	ck_assert(!has_one_name(a, b));
	symbols[1][1].line++;
	ck_assert(has_one_name(a, b));
}
END_TEST

START_TEST(fingerprints_ignore_versions_and_directories)
{
	static const char *const same[][2] = {{"/lib/libz.so.1.2.13", "/opt/libz.so.1.3"},
	                                      {"/lib/libc-2.31.so", "/usr/lib/libc.so.6"},
	                                      {"/home/a/plant", "/tmp/b/plant"}};
	static const char *const other[] = {"/lib/libzip.so.1", "/lib/libc++.so", "/bin/plan"};
	struct fp_report_module modules[2] = {{.bias = 1}, {.bias = 2}};
	struct fp_report_stack *a = make_stack(0, 2, program);
	struct fp_report_stack *b = make_stack(1, 2, program);

	frames[0][0].module = &modules[0];
	frames[1][0].module = &modules[1];
	for (size_t i = 0; i < 3; i++) {
		modules[0].path = fp_report_text(same[i][0]);
		modules[1].path = fp_report_text(same[i][1]);
		ck_assert_msg(has_one_name(a, b), "%s, %s", same[i][0], same[i][1]);
		modules[1].path = fp_report_text(other[i]);
		ck_assert_msg(!has_one_name(a, b), "%s, %s", same[i][0], other[i]);
		/* A program may be called otherwise from one build to the next; the system is
		 * known by nothing but its name. */
		ck_assert_int_eq(are_alike(a, b), i != 1);
	}
}
END_TEST

static size_t length_of(const char *bytes)
{
	return fp_report_utf8_length((struct fp_report_string){bytes, strlen(bytes)});
}

START_TEST(only_valid_utf8_has_a_length)
{
	ck_assert_uint_eq(length_of("a"), 1);
	ck_assert_uint_eq(length_of("\xc3\xa9"), 2);
	ck_assert_uint_eq(length_of("\xe2\x82\xac"), 3);
	ck_assert_uint_eq(length_of("\xf0\x9f\x98\x80"), 4);
	ck_assert_uint_eq(length_of("\x80"), 0);
	ck_assert_uint_eq(length_of("\xc3"), 0);
	ck_assert_uint_eq(length_of("\xc0\xaf"), 0);
	ck_assert_uint_eq(length_of("\xe0\x9f\xbf"), 0);
	ck_assert_uint_eq(length_of("\xed\xa0\x80"), 0);
	ck_assert_uint_eq(length_of("\xf0\x8f\xbf\xbf"), 0);
	ck_assert_uint_eq(length_of("\xf4\x90\x80\x80"), 0);
	ck_assert_uint_eq(length_of("\xf5\x80\x80\x80"), 0);
	ck_assert_uint_eq(length_of("\xe2\x82"), 0);
}
END_TEST

START_TEST(numbers_are_grouped)
{
	size_t size;
	struct fp_report_page page = begin_page(&size);

	fputs(FP_NUMBER(0), page.out);
	fputc(' ', page.out);
	fputs(FP_NUMBER(123456), page.out);
	fputc(' ', page.out);
	fputs(FP_NUMBER(UINT64_MAX), page.out);
	fputc(' ', page.out);
	fputs(FP_COUNT(1, "block"), page.out);
	fputc(' ', page.out);
	fputs(FP_COUNT(0, "block"), page.out);
	fclose(page.out);
	ck_assert_str_eq(text, "0 123,456 18,446,744,073,709,551,615 1 block 0 blocks");
}
END_TEST

START_TEST(results_have_names)
{
	ck_assert_str_eq(fp_report_hresult_name((int32_t)0x80131022),
	                 "HOST_E_INVALIDOPERATION");
	ck_assert_str_eq(fp_report_hresult_name(0), "S_OK");
	ck_assert_ptr_null(fp_report_hresult_name(0x1234));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("stack");
	TCase *tests = tcase_create("stack");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tests, NULL, release);
	tcase_add_test(tests, stacks_are_shown_down_to_main);
	tcase_add_test(tests, the_place_is_the_innermost_frame_with_a_file);
	tcase_add_test(tests, a_caller_in_another_file_is_named);
	tcase_add_test(tests, templates_are_short_in_places);
	tcase_add_test(tests, what_passes_on_a_block_is_no_place);
	tcase_add_test(tests, a_small_helper_stands_for_its_caller);
	tcase_add_test(tests, frames_are_printed_with_what_is_known);
	tcase_add_test(tests, what_leads_to_a_managed_main_is_left_out);
	tcase_add_test(tests, stacks_are_equal_by_line);
	tcase_add_test(tests, fingerprints_ignore_lines_and_what_is_below_main);
	tcase_add_test(tests, fingerprints_count_lines_from_the_function);
	tcase_add_test(tests, fingerprints_ignore_versions_and_directories);
	tcase_add_test(tests, only_valid_utf8_has_a_length);
	tcase_add_test(tests, numbers_are_grouped);
	tcase_add_test(tests, results_have_names);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
