/* SPDX-License-Identifier: Apache-2.0
 *
 * Lines of source: which are shown, and which files are not even opened.
 */
#include <check.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "report/source.h"
#include "report/stack.h"
#include "report/text/page.h"

enum { OLD = 1000, NEW = 2000 };

static char directory[64];
static char module_path[128];
static struct fp_report_module module;
static struct fp_symbol_frame symbol;
static struct fp_report_frame frame = {.module = &module, .symbol = &symbol};
static struct fp_report_excerpt excerpt;

static const char *path_of(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	return path;
}

static void set_time(const char *name, time_t modified)
{
	const struct timespec times[2] = {{modified, 0}, {modified, 0}};

	ck_assert_int_eq(utimensat(AT_FDCWD, path_of(name), times, 0), 0);
}

static void write_file(const char *name, const char *bytes)
{
	FILE *out = fopen(path_of(name), "w");

	ck_assert_ptr_nonnull(out);
	fputs(bytes, out);
	ck_assert_int_eq(fclose(out), 0);
	set_time(name, OLD);
}

static void setup(void)
{
	strcpy(directory, "/tmp/fp-test-source-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(directory));
	strcpy(module_path, path_of("module"));
	write_file("module", "");
	set_time("module", NEW);
	module = (struct fp_report_module){.path = fp_report_text(module_path),
	                                   .has_sources = true};
	write_file("a.c", "one\n\ttwo\nthree\r\nfour");
	symbol = (struct fp_symbol_frame){.file = "a.c", .directory = directory, .line = 2};
}

static void teardown(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", directory);
	ck_assert_int_eq(system(command), 0);
}

static void expect_line(size_t i, const char *text)
{
	ck_assert_uint_lt(i, excerpt.count);
	ck_assert_uint_eq(excerpt.lines[i].size, strlen(text));
	ck_assert_mem_eq(excerpt.lines[i].bytes, text, strlen(text));
}

START_TEST(the_lines_around_are_read)
{
	ck_assert(fp_report_source_lines(&frame, 1, &excerpt));
	ck_assert_uint_eq(excerpt.first, 1);
	ck_assert_uint_eq(excerpt.count, 3);
	expect_line(0, "one");
	expect_line(1, "\ttwo");
	expect_line(2, "three");
	symbol.line = 4;
	ck_assert(fp_report_source_lines(&frame, 1, &excerpt));
	ck_assert_uint_eq(excerpt.first, 3);
	ck_assert_uint_eq(excerpt.marked, 4);
	ck_assert_uint_eq(excerpt.count, 2);
	expect_line(1, "four");
	symbol.file = path_of("a.c");
	symbol.directory = NULL;
	ck_assert(fp_report_source_lines(&frame, 1000, &excerpt));
	ck_assert_uint_eq(excerpt.count, 4);
}
END_TEST

START_TEST(lines_that_came_with_the_report_are_shown)
{
	struct fp_report_string kept[] = {fp_report_text("six"), fp_report_text("seven"),
	                                  fp_report_text("eight")};
	struct fp_report_lines lines = {.first = 6, .lines = kept, .count = 3};
	struct fp_report_stack stack = {.frames = &frame, .count = 1, .shown = 1};

	ck_assert(fp_report_stack_source(&stack, 1, &excerpt));
	expect_line(1, "\ttwo");
	stack.source = &lines;
	symbol.line = 7;
	ck_assert(fp_report_stack_source(&stack, 1, &excerpt));
	ck_assert_uint_eq(excerpt.first, 6);
	ck_assert_uint_eq(excerpt.marked, 7);
	ck_assert_uint_eq(excerpt.count, 3);
	expect_line(2, "eight");
	symbol.line = 8;
	ck_assert(fp_report_stack_source(&stack, 0, &excerpt));
	ck_assert_uint_eq(excerpt.first, 8);
	ck_assert_uint_eq(excerpt.count, 1);
	expect_line(0, "eight");
	for (uint32_t line = 0; line < 12; line += line == 5 ? 4 : 1) {
		symbol.line = line;
		ck_assert(!fp_report_stack_source(&stack, 1, &excerpt));
	}
	lines.first = UINT32_MAX;
	symbol.line = 1;
	ck_assert(!fp_report_stack_source(&stack, 1, &excerpt));
	symbol.line = UINT32_MAX;
	ck_assert(fp_report_stack_source(&stack, 1, &excerpt));
	ck_assert_uint_eq(excerpt.count, 2);
	ck_assert(!fp_report_stack_source(NULL, 1, &excerpt));
}
END_TEST

static void expect_nothing(const char *what)
{
	ck_assert_msg(!fp_report_source_lines(&frame, 1, &excerpt), "%s", what);
}

START_TEST(without_knowing_better_nothing_is_shown)
{
	symbol.line = 5;
	expect_nothing("no such line");
	symbol.line = UINT32_MAX;
	expect_nothing("no such line");
	symbol.line = 0;
	expect_nothing("no line");
	symbol.line = 1;
	symbol.directory = NULL;
	expect_nothing("a relative file without a directory");
	symbol.directory = directory;
	module.has_sources = false;
	expect_nothing("a module that was not looked at");
	module.has_sources = true;
	set_time("a.c", NEW + 1);
	expect_nothing("a file newer than the module");
	set_time("a.c", NEW);
	ck_assert(fp_report_source_lines(&frame, 1, &excerpt));
	module.path = fp_report_text("/nonexistent");
	expect_nothing("a module that is gone");
	ck_assert(!fp_report_source_lines(NULL, 1, &excerpt));
}
END_TEST

START_TEST(what_is_no_source_file_is_not_opened)
{
	char command[256];

	write_file("shadow", "secret\n");
	ck_assert_int_eq(mkfifo(path_of("pipe.c"), 0600), 0);
	ck_assert_int_eq(symlink("/dev/zero", path_of("zero.c")), 0);
	snprintf(command, sizeof(command), "mkdir %s/d.c", directory);
	ck_assert_int_eq(system(command), 0);
	symbol.line = 1;
	for (size_t i = 0; i < 6; i++) {
		static const char *const files[] = {"shadow", "pipe.c", "zero.c",
		                                    "d.c",    "gone.c", "a.c/"};

		symbol.file = files[i];
		expect_nothing(files[i]);
	}
}
END_TEST

/* A line of a megabyte, and no line ends at all. */
START_TEST(long_lines_are_cut)
{
	FILE *out = fopen(path_of("long.c"), "w");

	for (int i = 0; i < 1000000; i++)
		fputc('x', out);
	fputs("\nsecond", out);
	fclose(out);
	set_time("long.c", OLD);
	symbol.file = "long.c";
	ck_assert(fp_report_source_lines(&frame, 1, &excerpt));
	ck_assert_uint_eq(excerpt.count, 2);
	ck_assert_uint_eq(excerpt.lines[0].size, FP_REPORT_EXCERPT_LINE_BYTES);
	expect_line(1, "second");
}
END_TEST

START_TEST(text_shows_three_lines)
{
	const struct fp_report_stack stack = {.frames = &frame, .count = 1, .shown = 1};
	char *text;
	size_t size;
	const struct fp_report_page page = {.out = open_memstream(&text, &size)};

	write_file("a.c", "one\n\ttw\x1b[0mo\n\xff\n");
	fp_report_print_excerpt(&page, &stack);
	fclose(page.out);
	ck_assert_str_eq(text, "        1 | one\n"
	                       "  >     2 |         tw\\x1b[0mo\n"
	                       "        3 | \\xff\n");
	free(text);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("source");
	TCase *tests = tcase_create("source");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, the_lines_around_are_read);
	tcase_add_test(tests, lines_that_came_with_the_report_are_shown);
	tcase_add_test(tests, without_knowing_better_nothing_is_shown);
	tcase_add_test(tests, what_is_no_source_file_is_not_opened);
	tcase_add_test(tests, long_lines_are_cut);
	tcase_add_test(tests, text_shows_three_lines);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
