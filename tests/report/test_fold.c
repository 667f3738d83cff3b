/* SPDX-License-Identifier: Apache-2.0
 *
 * What text makes of stacks for people: runs of frames that one line stands for, and the frame
 * that is the place.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "report/stack.h"
#include "report/text/page.h"

enum { FRAMES_MAX = 16 };

static struct fp_report_module modules[FRAMES_MAX];
static struct fp_symbol_frame symbols[FRAMES_MAX];
static struct fp_report_frame frames[FRAMES_MAX];
static struct fp_report_stack stack;
static char *text;

/* Makes a stack of "module function file" triples; "-" is unknown. */
static void make_stack(const char *const (*lines)[3], size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const char *const *line = lines[i];

		modules[i] = (struct fp_report_module){.path = fp_report_text(line[0])};
		symbols[i] = (struct fp_symbol_frame){0};
		if (strcmp(line[1], "-") != 0)
			symbols[i].function = strdup(line[1]);
		if (strcmp(line[2], "-") != 0)
			symbols[i].file = line[2];
		symbols[i].line = symbols[i].file ? 7 : 0;
		frames[i] = (struct fp_report_frame){.module = line[0][0] == '-' ? NULL
		                                                                 : &modules[i],
		                                     .offset = 16 * i,
		                                     .symbol = &symbols[i]};
	}
	stack = (struct fp_report_stack){.frames = frames, .count = count, .shown = count};
}

static void release(void)
{
	for (size_t i = 0; i < FRAMES_MAX; i++) {
		free(symbols[i].function);
		symbols[i].function = NULL;
	}
	free(text);
	text = NULL;
}

static const char *print(bool has_all_frames)
{
	size_t size;

	free(text);
	const struct fp_report_page page = {.out = open_memstream(&text, &size),
	                                    .has_all_frames = has_all_frames};
	fp_report_print_stack(&page, &stack);
	fclose(page.out);
	return text;
}

#define HEADER "/usr/include/c++/12/bits/stl_vector.h"

START_TEST(the_call_into_the_library_is_shown)
{
	static const char *const lines[][3] = {
	        {"/p/a", "allocate", HEADER}, {"/p/a", "_M_allocate", HEADER},
	        {"/p/a", "grow", HEADER},     {"/p/a", "push_back", HEADER},
	        {"/p/a", "fill", "a.cc"},     {"/p/a", "main", "a.cc"}};

	make_stack(lines, 6);
	ck_assert_str_eq(print(false), "    ... 3 frames of the C++ library\n"
	                               "    #3 push_back  " HEADER ":7\n"
	                               "    #4 fill  a.cc:7\n"
	                               "    #5 main  a.cc:7\n");
	ck_assert_ptr_eq(fp_report_stack_place(&stack), &frames[4]);
	ck_assert_ptr_nonnull(strstr(print(true), "    #0 allocate"));
	ck_assert_ptr_null(strstr(text, "..."));
}
END_TEST

START_TEST(how_the_library_began_a_thread_is_not)
{
	static const char *const lines[][3] = {
	        {"/p/a", "work", "a.cc"},
	        {"/p/a", "__invoke_impl", "/usr/include/c++/12/bits/invoke.h"},
	        {"/p/a", "_M_run", "/usr/include/c++/12/bits/std_thread.h"},
	        {"/usr/lib/libstdc++.so.6", "execute_native_thread_routine", "-"}};

	make_stack(lines, 4);
	ck_assert_str_eq(print(false), "    #0 work  a.cc:7\n"
	                               "    ... 3 frames of the C++ library\n");
}
END_TEST

START_TEST(a_stack_of_library_frames_alone_is_shown)
{
	static const char *const lines[][3] = {{"/usr/lib/libstdc++.so.6", "one", "-"},
	                                       {"/usr/lib/libstdc++.so.6", "two", "-"},
	                                       {"/usr/lib/libstdc++.so.6", "three", "-"}};

	make_stack(lines, 3);
	ck_assert_str_eq(print(false), "    #0 one+0x0  (libstdc++.so.6+0x0)\n"
	                               "    #1 two+0x0  (libstdc++.so.6+0x10)\n"
	                               "    #2 three+0x0  (libstdc++.so.6+0x20)\n");
	/* Without a file the build-id leads to one. */
	modules[0].build_id = (struct fp_report_string){"\x01\xfe", 2};
	ck_assert_ptr_nonnull(strstr(print(false), "(libstdc++.so.6+0x0, build-id 01fe)\n"));
}
END_TEST

/* Code that a machine compiled as it ran is in no module. */
START_TEST(an_extension_is_shown_and_its_interpreter_is_not)
{
	static const char *const lines[][3] = {{"/x/_ext.so", "ext_copy", "ext.c"},
	                                       {"/usr/bin/python3.11", "one", "-"},
	                                       {"-", "-", "-"},
	                                       {"/usr/bin/python3.11", "two", "-"},
	                                       {"/usr/bin/python3.11", "main", "-"}};

	make_stack(lines, 5);
	ck_assert_str_eq(print(false), "    #0 ext_copy  ext.c:7\n"
	                               "    ... 3 frames of Python\n"
	                               "    #4 main+0x0  (python3.11+0x40)\n");
}
END_TEST

START_TEST(an_interpreter_that_is_wrong_itself_keeps_its_innermost_frames)
{
	static const char *const lines[][3] = {{"/b/node", "a", "-"},   {"/b/node", "b", "-"},
	                                       {"/b/node", "c", "-"},   {"/b/node", "d", "-"},
	                                       {"/b/node", "e", "-"},   {"/b/node", "f", "-"},
	                                       {"/b/node", "main", "-"}};
	const char *owner;

	make_stack(lines, 7);
	for (size_t i = 0; i < 4; i++)
		ck_assert_uint_eq(fp_report_fold(&stack, i, &owner), 0);
	ck_assert_uint_eq(fp_report_fold(&stack, 4, &owner), 2);
	ck_assert_str_eq(owner, "Node.js");
	ck_assert_uint_eq(fp_report_fold(&stack, 6, &owner), 0);
}
END_TEST

START_TEST(a_recursion_is_shown_once)
{
	static const char *const lines[][3] = {
	        {"/b/parser", "fail", "f"}, {"/b/parser", "term", "t"},
	        {"/b/parser", "sum", "s"},  {"/b/parser", "term", "t"},
	        {"/b/parser", "sum", "s"},  {"/b/parser", "term", "t"},
	        {"/b/parser", "sum", "s"},  {"/b/parser", "term", "t"},
	        {"/b/parser", "sum", "s"},  {"/b/parser", "main", "m"}};
	size_t period;

	make_stack(lines, 10);
	for (size_t i = 3; i < 9; i++)
		frames[i] = frames[i - 2];
	ck_assert_uint_eq(fp_report_fold_recursion(&stack, 0, &period), 0);
	ck_assert_uint_eq(fp_report_fold_recursion(&stack, 1, &period), 8);
	ck_assert_uint_eq(period, 2);
	/* Three times is what a person reads. */
	ck_assert_uint_eq(fp_report_fold_recursion(&stack, 3, &period), 0);
	ck_assert_uint_eq(fp_report_fold_recursion(&stack, 9, &period), 0);
}
END_TEST

/* A name that only begins like one of them is a program's. */
START_TEST(machines_are_known_by_their_whole_name)
{
	static const char *const line[1][3] = {{"/b/nodes", "a", "-"}};

	make_stack(line, 1);
	ck_assert_ptr_null(fp_report_frame_owner(&frames[0]));
	modules[0].path = fp_report_text("/b/python3.11");
	ck_assert_str_eq(fp_report_frame_owner(&frames[0]), "Python");
	modules[0].path = fp_report_text("libcoreclr.so");
	ck_assert_str_eq(fp_report_frame_owner(&frames[0]), ".NET");
	symbols[0].file = "/usr/lib/go-1.19/src/runtime/proc.go";
	ck_assert_str_eq(fp_report_frame_owner(&frames[0]), "the Go library");
	symbols[0].file = "/home/u/go/src/app/main.go";
	ck_assert_str_eq(fp_report_frame_owner(&frames[0]), ".NET");
	symbols[0].file = "/rustc/9fc6b43/library/core/src/ops/function.rs";
	ck_assert_str_eq(fp_report_frame_owner(&frames[0]), "the Rust library");
	symbols[0].file = "library/alloc/src/boxed.rs";
	ck_assert_str_eq(fp_report_frame_owner(&frames[0]), "the Rust library");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("fold");
	TCase *tests = tcase_create("fold");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tests, NULL, release);
	tcase_add_test(tests, the_call_into_the_library_is_shown);
	tcase_add_test(tests, how_the_library_began_a_thread_is_not);
	tcase_add_test(tests, a_stack_of_library_frames_alone_is_shown);
	tcase_add_test(tests, an_extension_is_shown_and_its_interpreter_is_not);
	tcase_add_test(tests, an_interpreter_that_is_wrong_itself_keeps_its_innermost_frames);
	tcase_add_test(tests, a_recursion_is_shown_once);
	tcase_add_test(tests, machines_are_known_by_their_whole_name);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
