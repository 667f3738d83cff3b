/* SPDX-License-Identifier: Apache-2.0
 *
 * Bad input of every kind ends in one line on standard error that names the remedy, and in an
 * exit status; never in a crash, and never in a default that nobody asked for.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness.h"

enum { EXIT_FAILED = 1, EXIT_USAGE = 2 };

/* FENCEPOST_OPTIONS, and two things the one line must say: what is wrong, and what is right. */
static const struct {
	const char *options;
	const char *problem;
	const char *remedy;
} bad_options[] = {
        {"nonsense=1", "\"nonsense\"", "fencepost --help=all"},
        {"bakend=guard", "bakend", "backend"},
        {"stack-dept=3", "stack-dept", "stack_depth"},
        {"backend=zzz", "zzz", "guard"},
        {"backend", "backend", "="},
        {"=guard", "unknown option \"\"", "fencepost --help=all"},
        {"align=3", "3", "16"},
        {"align=sixteen", "sixteen", "16"},
        {"align=", "align", "16"},
        {"guard_pages=0", "0", "1024"},
        {"guard_pages=99999999999999999999", "99999999999999999999", "1024"},
        {"stack_depth=-1", "-1", "256"},
        {"history=12q", "12q", "k"},
        {"quiet=maybe", "maybe", "yes"},
        {"json=/nonexistent/report.json", "/nonexistent/report.json", "No such file"},
        {"log=/nonexistent/report.txt", "/nonexistent/report.txt", "No such file"},
        {"events=/nonexistent/events", "/nonexistent/events", "No such file"},
        {"json=/", "json=/", "directory"},
        {"reporter=/nonexistent/fencepost", "/nonexistent/fencepost", "reporter"},
};

static const struct {
	const char *argv[4];
	const char *problem;
	const char *remedy;
} bad_arguments[] = {
        {{"examples/sqlite_host", NULL}, "no script", "usage"},
        {{"examples/lua_host", NULL}, "no script", "usage"},
        {{"examples/sqlite_host", "/nonexistent.sql", NULL}, "/nonexistent.sql", "No such"},
        {{"examples/lua_host", "/nonexistent.lua", NULL}, "/nonexistent.lua", "No such"},
        {{"examples/sqlite_host", "/", NULL}, "'/'", "regular file"},
        {{"examples/sqlite_host", "--verbose", "-", NULL}, "--verbose", "--plant="},
        {{"examples/lua_host", "--plant=overfow", "-", NULL}, "overfow", "overflow|"},
        {{"examples/lua_host", "--plant=", "-", NULL}, "''", "overflow|"},
};

static void check_one_line(const struct e2e_run *run, const char *problem, const char *remedy)
{
	size_t length = strlen(run->err);

	ck_assert_msg(length > 0 && strchr(run->err, '\n') == run->err + length - 1,
	              "not one line: %s", run->err);
	ck_assert_msg(strstr(run->err, problem) != NULL, "no \"%s\" in: %s", problem, run->err);
	ck_assert_msg(strstr(run->err, remedy) != NULL, "no \"%s\" in: %s", remedy, run->err);
	ck_assert_str_eq(run->out, "");
}

START_TEST(test_bad_option)
{
	static const char *const argv[] = {"examples/sqlite_host", "-", NULL};
	struct e2e_run run = {.input = "SELECT 1;"};

	e2e_run_raw(&run, bad_options[_i].options, argv);
	e2e_check_exit(&run, EXIT_FAILED);
	check_one_line(&run, bad_options[_i].problem, bad_options[_i].remedy);
	e2e_release(&run);
}
END_TEST

START_TEST(test_bad_argument)
{
	struct e2e_run run = {0};

	e2e_run(&run, NULL, bad_arguments[_i].argv);
	e2e_check_exit(&run, EXIT_USAGE);
	check_one_line(&run, bad_arguments[_i].problem, bad_arguments[_i].remedy);
	ck_assert_ptr_null(run.report);
	e2e_release(&run);
}
END_TEST

/* '-' and '_' are the same, and a later pair wins. */
START_TEST(test_good_options_are_effective)
{
	static const char *const argv[] = {"examples/sqlite_host", "-", NULL};
	struct e2e_run run = {.input = "SELECT 1;"};
	json_t *settings;

	e2e_run(&run, "backend=none:stack-depth=7:guard_pages=2:stack_depth=8", argv);
	e2e_check_exit(&run, 0);
	ck_assert_str_eq(run.out, "1\n");
	settings = e2e_get(run.report, "settings");
	ck_assert_str_eq(e2e_get_string(settings, "backend"), "none");
	ck_assert_msg(json_object_get(settings, "stack_depth") != NULL, "no stack_depth");
	e2e_release(&run);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("bad input");
	TCase *tcase = tcase_create("bad input");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tcase, test_bad_option, 0,
	                    sizeof(bad_options) / sizeof(bad_options[0]));
	tcase_add_loop_test(tcase, test_bad_argument, 0,
	                    sizeof(bad_arguments) / sizeof(bad_arguments[0]));
	tcase_add_test(tcase, test_good_options_are_effective);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
