/* SPDX-License-Identifier: Apache-2.0
 *
 * Suppressions: both syntaxes, what they match, what becomes of those that should not any more,
 * and the blocks that are made to be pasted.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "report/leaks.h"
#include "report/stack.h"
#include "report/suppress/suppress.h"

enum { FRAMES = 5 };

static struct fp_report_module program_module = {.path = {"/srv/bin/plant", 14}};
static struct fp_report_module library_module = {.path = {"/usr/lib/libengine.so.1", 23}};
static struct fp_symbol_frame symbols[FRAMES] = {
        {.function = (char *)(uintptr_t) "engine_copy", .file = "/e/copy.c", .line = 9},
        {.function = (char *)(uintptr_t) "plant::write(Row const&)",
         .linkage = (char *)(uintptr_t) "_ZN5plant5writeERK3Row",
         .file = "../src/rows.cc",
         .line = 57},
        {.function = (char *)(uintptr_t) "main", .file = "../src/main.cc", .line = 31},
        {.function = (char *)(uintptr_t) "__libc_start_call_main"},
        {0}};
static struct fp_report_frame frames[FRAMES] = {{&library_module, 0x10, &symbols[0], false},
                                                {&program_module, 0x20, &symbols[1], false},
                                                {&program_module, 0x30, &symbols[2], false},
                                                {&program_module, 0x40, &symbols[3], false},
                                                {&program_module, 0x50, NULL, false}};
static struct fp_report_stack stack = {.frames = frames, .count = FRAMES, .shown = 3};
static struct fp_report_stack empty;
static struct fp_report_suppressions suppressions;
static struct fp_report report;
static struct fp_report_finding findings[4];
static struct fp_report_leak leaks[4];

/* An access that is described as DESCRIPTION, or a free. */
/* Of a misuse that is no access SIZE is 0. */
static void add_access(enum fp_finding_kind kind, uint64_t size, bool is_by_call)
{
	findings[report.finding_count++] = (struct fp_report_finding){
	        .kind = kind, .stack = &stack, .access_size = size, .is_by_call = is_by_call};
}

static void add_leak(enum fp_leak_class class, uint64_t blocks)
{
	leaks[report.leak_count++] =
	        (struct fp_report_leak){.class = class, .blocks = blocks, .stack = &stack};
}

static void setup(void)
{
	report = (struct fp_report){.findings = findings, .leaks = leaks};
	stack.within[0] = '\0';
}

static void teardown(void)
{
	fp_report_suppressions_free(&suppressions);
}

static int parse(const char *bytes)
{
	const struct fp_report_suppression_text text = {"a.supp", bytes, strlen(bytes)};

	fp_report_suppressions_free(&suppressions);
	return fp_report_suppressions_parse(&suppressions, &text);
}

static void apply(const char *bytes)
{
	struct fp_report *const reports[] = {&report};

	ck_assert_msg(parse(bytes) == 0, "%s", suppressions.error);
	fp_report_suppress(reports, 1, &suppressions, "2026-06-30");
}

/* Whether BYTES takes out one finding of KIND. */
static bool takes_finding(enum fp_finding_kind kind, const char *bytes)
{
	setup();
	add_access(kind, 4, false);
	apply(bytes);
	ck_assert_uint_eq(report.suppressed, 1 - report.finding_count);
	return report.finding_count == 0;
}

static bool takes_leak(enum fp_leak_class class, const char *bytes)
{
	setup();
	add_leak(class, 2);
	apply(bytes);
	return report.leak_count == 0;
}

START_TEST(lines_are_found_anywhere_in_names)
{
	static const char *const good[] = {
	        "leak:engine",        "leak:copy.c",   "leak:libengine",   "leak:^main$",
	        "leak:plant::write",  "leak:en*_co",   "leak:Row const&)", "leak:*",
	        "# a\n\nleak:main\n", "leak:main\r\n", "  leak:main  "};
	static const char *const bad[] = {
	        "leak:enginex",     "leak:^ain",   "leak:mai$", "leak:m?in",
	        "double-free:main", "# leak:main", ""};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		ck_assert_msg(takes_leak(FP_LEAK_DEFINITE, good[i]), "%s", good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(!takes_leak(FP_LEAK_DEFINITE, bad[i]), "%s", bad[i]);
	ck_assert(takes_finding(FP_FINDING_DOUBLE_FREE, "double-free:main"));
	ck_assert(!takes_finding(FP_FINDING_INVALID_FREE, "double-free:main"));
	ck_assert(!takes_finding(FP_FINDING_DOUBLE_FREE, "leak:main"));
	ck_assert(takes_finding(FP_FINDING_ALLOC_DEALLOC_MISMATCH,
	                        "alloc_dealloc_mismatch:main"));
}
END_TEST

/* Only what a function of the C library does, as in AddressSanitizer. */
START_TEST(interceptors_are_the_c_librarys_functions)
{
	enum fp_finding_kind kind = FP_FINDING_HEAP_BUFFER_OVERFLOW;

	ck_assert(!takes_finding(kind, "interceptor_via_fun:main"));
	ck_assert(!takes_finding(kind, "interceptor_name:memcpy"));
	setup();
	add_access(kind, 1, false);
	strcpy(stack.within, "memcpy");
	apply("interceptor_name:memcpy");
	ck_assert_uint_eq(report.finding_count, 0);
	for (size_t i = 0; i < 2; i++) {
		setup();
		add_access(kind, 4, true);
		apply(i ? "interceptor_via_lib:libengine" : "interceptor_via_fun:plant::write");
		ck_assert_uint_eq(report.finding_count, 0);
	}
}
END_TEST

#define BLOCK(kind, frames) "{\n  a name\n  " kind "\n" frames "}\n"

START_TEST(blocks_are_frames_in_order)
{
	static const char *const good[] = {
	        BLOCK("Memcheck:Leak", "fun:engine_copy\n"),
	        BLOCK("Memcheck:Leak", "fun:malloc\nfun:engine_copy\n"),
	        BLOCK("Memcheck:Leak",
	              "match-leak-kinds: definite,possible\nfun:_Zn?m\n...\nfun:main\n"),
	        BLOCK("Memcheck:Leak", "fun:*_copy\nfun:_ZN5plant*\nfun:main\n"),
	        BLOCK("Memcheck:Leak", "obj:/usr/lib/libengine.so*\nobj:*/plant\n"),
	        BLOCK("Memcheck:Leak", "obj:*\nobj:*\nobj:*\n"),
	        BLOCK("Memcheck:Leak", "src:copy.c\nsrc:rows.cc:57\nsrc:../src/main.cc\n"),
	        BLOCK("Memcheck:Leak", "...\n"),
	        BLOCK("Memcheck:Leak", "...\nfun:main\n...\n"),
	        BLOCK("Memcheck:Leak", "fun:engine_copy\n...\nfun:__libc_start*\n"),
	        BLOCK("Memcheck,Helgrind:Leak", "fun:engine_copy\n"),
	        BLOCK("Fencepost:Leak", "fun:engine_copy\n"),
	        BLOCK("Fencepost:Leak",
	              "fun:plant::write(Row const&)\n...\n") "leak:engine_copy\n"};
	static const char *const bad[] = {
	        BLOCK("Memcheck:Leak", "fun:main\n"),
	        BLOCK("Memcheck:Leak", "fun:engine\n"),
	        BLOCK("Memcheck:Leak", "match-leak-kinds: reachable\n...\n"),
	        BLOCK("Memcheck:Leak", "match-leak-kinds: none\n...\n"),
	        BLOCK("Memcheck:Leak", "fun:engine_copy\nfun:main\n"),
	        BLOCK("Memcheck:Leak", "fun:main\n...\nfun:engine_copy\n"),
	        BLOCK("Memcheck:Leak", "src:rows.cc:58\n"),
	        BLOCK("Memcheck:Leak", "...\nfun:no\n"),
	        BLOCK("Memcheck:Addr4", "...\n"),
	        BLOCK("Memcheck:Cond", "...\n"),
	        BLOCK("Helgrind:Race", "...\n")};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		ck_assert_msg(takes_leak(FP_LEAK_DEFINITE, good[i]), "%s", good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(!takes_leak(FP_LEAK_DEFINITE, bad[i]), "%s", bad[i]);
}
END_TEST

START_TEST(kinds_of_memcheck_are_kinds_of_findings)
{
	enum fp_finding_kind read = FP_FINDING_HEAP_USE_AFTER_FREE;

	ck_assert(takes_finding(read, BLOCK("Memcheck:Addr4", "...\n")));
	ck_assert(!takes_finding(read, BLOCK("Memcheck:Addr8", "...\n")));
	ck_assert(!takes_finding(read, BLOCK("Memcheck:Free", "...\n")));
	ck_assert(takes_finding(FP_FINDING_DOUBLE_FREE,
	                        BLOCK("Memcheck:Free", "fun:free\nfun:engine_copy\n")));
	ck_assert(takes_finding(FP_FINDING_INVALID_FREE,
	                        BLOCK("Fencepost:invalid-free", "fun:engine_copy\n")));
	ck_assert(!takes_finding(read, BLOCK("Memcheck:Param", "write(buf)\n...\n")));
	setup();
	add_access(read, 100, true);
	apply(BLOCK("Memcheck:Param", "write(buf)\nfun:__write_nocancel\nfun:engine_copy\n"));
	ck_assert_uint_eq(report.finding_count, 0);
}
END_TEST

/* What only showed at the end is told by where the block came from. */
START_TEST(without_a_stack_the_allocation_counts)
{
	setup();
	add_access(FP_FINDING_HEAP_BUFFER_OVERFLOW, 0, false);
	findings[0].stack = &empty;
	findings[0].block.alloc_stack = &stack;
	apply("heap-buffer-overflow:engine_copy");
	ck_assert_uint_eq(report.finding_count, 0);
	ck_assert_uint_eq(suppressions.items[0].used, 1);
}
END_TEST

START_TEST(more_than_max_are_reported)
{
	setup();
	add_leak(FP_LEAK_DEFINITE, 3);
	add_leak(FP_LEAK_DEFINITE, 2);
	apply("leak:main max=5");
	ck_assert_uint_eq(report.leak_count, 0);
	ck_assert_uint_eq(report.suppressed, 2);
	ck_assert_uint_eq(suppressions.items[0].matched, 5);
	setup();
	add_leak(FP_LEAK_DEFINITE, 3);
	add_leak(FP_LEAK_DEFINITE, 3);
	add_access(FP_FINDING_DOUBLE_FREE, 0, false);
	apply("leak:main max=5\ndouble-free:main max=1 until=2026-07-01");
	ck_assert_uint_eq(report.leak_count, 2);
	ck_assert_uint_eq(report.finding_count, 0);
	ck_assert_uint_eq(suppressions.items[0].matched, 6);
	ck_assert_int_eq(suppressions.items[0].state, FP_REPORT_SUPPRESSION_EXCEEDED);
	/* What is left behind one that is exceeded is the next one's. */
	setup();
	add_leak(FP_LEAK_DEFINITE, 3);
	apply("leak:main max=2\n" BLOCK("Memcheck:Leak", "max=4\n...\nuntil=2027-01-01\n"));
	ck_assert_uint_eq(report.leak_count, 0);
	ck_assert_uint_eq(suppressions.items[1].used, 1);
}
END_TEST

/* As it is told with it; but blocks of its own it is not. */
START_TEST(what_hangs_from_a_leak_goes_with_it)
{
	add_leak(FP_LEAK_DEFINITE, 1);
	add_leak(FP_LEAK_INDIRECT, 100);
	leaks[1].stack = &empty;
	leaks[1].leader_stack = &stack;
	apply(BLOCK("Fencepost:Leak", "match-leak-kinds: definite\nmax=1\nfun:engine_copy\n"));
	ck_assert_uint_eq(report.leak_count, 0);
	ck_assert_uint_eq(suppressions.items[0].matched, 1);
	ck_assert_uint_eq(report.suppressed, 2);
}
END_TEST

START_TEST(after_until_it_is_reported)
{
	ck_assert(takes_leak(FP_LEAK_DEFINITE, "leak:main until=2026-06-30"));
	ck_assert(!takes_leak(FP_LEAK_DEFINITE, "leak:main until=2026-06-29"));
	ck_assert_int_eq(suppressions.items[0].state, FP_REPORT_SUPPRESSION_EXPIRED);
	ck_assert_uint_eq(suppressions.items[0].matched, 2);
}
END_TEST

START_TEST(mistakes_have_their_line)
{
	static const char *const mistakes[][2] = {
	        {"foo", "a.supp:1: \"foo\" is no suppression; "},
	        {"leak:a\n\nlaek:b", "a.supp:3: \"laek:b\" is no suppression; "},
	        {"leak:", "a.supp:1: \"leak:\" has no pattern; "},
	        {"leak: max=3", "a.supp:1: \"leak: max=3\" has no pattern; "},
	        {"leak:a max=", "a.supp:1: \"max=\" has no number; "},
	        {"leak:a max=99999999999999999999", "a.supp:1: "},
	        {"leak:a until=2026-02-30", "a.supp:1: \"until=2026-02-30\" has no date; "},
	        {"leak:a until=tomorrow", "a.supp:1: "},
	        {"{\n\x1b[31m\nx\n}", "a.supp:3: \"x\" names no tool and kind; "},
	        {"{\na\n\x1b[31m\n}", "a.supp:3: \"?[31m\" names no tool and kind; "},
	        {"{\na\nMemcheck:Lek\n}", "a.supp:3: Memcheck has no kind \"Lek\"; "},
	        {"{\na\nFencepost:Addr4\n}", "a.supp:3: Fencepost has no kind \"Addr4\"; "},
	        {"{\na\nMemcheck:Leak\nfun:a",
	         "a.supp:4: the block that began above does not end; "},
	        {"{\na\nMemcheck:Leak\nfun:\n}", "a.supp:4: \"fun:\" is no frame; "},
	        {"{\na\nMemcheck:Leak\n}", "a.supp:4: the block has no frame; "},
	        {"{", "a.supp:1: the block that began above does not end; "},
	        {"}", "a.supp:1: \"}\" is no suppression; "}};

	for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
		ck_assert_msg(parse(mistakes[i][0]) == -22, "%s", mistakes[i][0]);
		ck_assert_msg(strncmp(suppressions.error, mistakes[i][1],
		                      strlen(mistakes[i][1])) == 0,
		              "%s", suppressions.error);
	}
}
END_TEST

/* What is pasted suppresses what it was made from, and not what is elsewhere. */
START_TEST(a_block_that_was_made_suppresses)
{
	char *block;

	add_access(FP_FINDING_DOUBLE_FREE, 0, false);
	ck_assert_int_eq(fp_report_suppression_of_finding(&findings[0], &block), 0);
	ck_assert_str_eq(block, "{\n   double-free in engine_copy\n   Fencepost:double-free\n"
	                        "   fun:engine_copy\n   fun:_ZN5plant5writeERK3Row\n"
	                        "   fun:main\n}\n");
	ck_assert(takes_finding(FP_FINDING_DOUBLE_FREE, block));
	ck_assert(!takes_finding(FP_FINDING_INVALID_FREE, block));
	free(block);
	add_leak(FP_LEAK_INDIRECT, 1);
	ck_assert_int_eq(fp_report_suppression_of_leak(&leaks[0], &block), 0);
	ck_assert(takes_leak(FP_LEAK_INDIRECT, block));
	ck_assert(!takes_leak(FP_LEAK_DEFINITE, block));
	free(block);
}
END_TEST

START_TEST(a_hostile_name_stays_a_name)
{
	char *function = symbols[0].function;
	char *block;

	symbols[0].function = (char *)(uintptr_t) " a\n}\nleak:* ";
	frames[1].symbol = NULL;
	add_leak(FP_LEAK_DEFINITE, 1);
	ck_assert_int_eq(fp_report_suppression_of_leak(&leaks[0], &block), 0);
	ck_assert_ptr_nonnull(strstr(block, "   fun:?a?}?leak:*?\n   obj:/srv/bin/plant\n"));
	ck_assert(takes_leak(FP_LEAK_DEFINITE, block));
	ck_assert_uint_eq(suppressions.count, 1);
	free(block);
	symbols[0].function = function;
	frames[1].symbol = &symbols[1];
}
END_TEST

/* Memory that can be reached: a suppression of leaks that names no class, or this one. */
START_TEST(growth_is_suppressed_as_what_is_reachable)
{
	static const char *const texts[] = {
	        "leak:engine_copy\n",
	        "{\n  a\n  Memcheck:Leak\n  match-leak-kinds: reachable\n  fun:engine_copy\n"
	        "  ...\n}\n",
	        "{\n  a\n  Memcheck:Leak\n  match-leak-kinds: definite\n  fun:engine_copy\n"
	        "  ...\n}\n",
	};
	struct fp_report_point points[2] = {0};
	struct fp_report_growing growing = {
	        .stack = &stack, .points = points, .point_count = 2};

	report.growth.stacks = &growing;
	report.growth.count = 1;
	apply(texts[_i]);
	ck_assert_uint_eq(report.growth.count, _i == 2 ? 1 : 0);
	ck_assert_uint_eq(report.suppressed, _i == 2 ? 0 : 1);
	ck_assert_uint_eq(suppressions.items[0].used, _i == 2 ? 0 : 1);
	ck_assert_uint_eq(suppressions.items[0].matched, 0);
	report.growth.count = 0;
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("suppress");
	TCase *tests = tcase_create("suppress");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, lines_are_found_anywhere_in_names);
	tcase_add_test(tests, interceptors_are_the_c_librarys_functions);
	tcase_add_test(tests, blocks_are_frames_in_order);
	tcase_add_test(tests, kinds_of_memcheck_are_kinds_of_findings);
	tcase_add_test(tests, without_a_stack_the_allocation_counts);
	tcase_add_test(tests, more_than_max_are_reported);
	tcase_add_test(tests, what_hangs_from_a_leak_goes_with_it);
	tcase_add_test(tests, after_until_it_is_reported);
	tcase_add_loop_test(tests, growth_is_suppressed_as_what_is_reachable, 0, 3);
	tcase_add_test(tests, mistakes_have_their_line);
	tcase_add_test(tests, a_block_that_was_made_suppresses);
	tcase_add_test(tests, a_hostile_name_stays_a_name);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
