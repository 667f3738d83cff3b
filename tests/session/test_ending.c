/* SPDX-License-Identifier: Apache-2.0
 *
 * The end of a session: what the reporter is given, what becomes of the events when there is no
 * report, and that the host's signals and errno stay its own.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "log/format.h"
#include "session/session.h"
#include "sessions.h"

static struct test_events events;
static struct test_event event;
static struct test_child child;

static void misuse(void)
{
	must_double_free(must_create_heap());
}

static void expect_complete_report(void)
{
	open_given(&events);
	ck_assert_uint_eq(test_events_count(&events, FP_LOG_FINDING), 1);
	ck_assert_uint_eq(test_events_count(&events, FP_LOG_END), 1);
}

static void expect_argument(const char *argument, bool is_wanted)
{
	char line[500];
	char *arguments = test_read_file(arguments_path, NULL);

	snprintf(line, sizeof(line), "%s\n", argument);
	ck_assert_msg((strstr(arguments, line) != NULL) == is_wanted, "%s in:\n%s", argument,
	              arguments);
	free(arguments);
}

/* ---- What the reporter is given ---------------------------------------------------------- */

static void preload_something(void)
{
	misuse();
	setenv("LD_PRELOAD", "/nonexistent.so", 1);
}

START_TEST(the_reporter_gets_the_log_the_outputs_and_no_preload)
{
	char options[600];
	char json[300];
	const struct scenario scenario = {.options = options, .body = preload_something};

	strcpy(json, test_path("json"));
	snprintf(options, sizeof(options),
	         "json=%s:leak_check=summary:quiet=yes:source_root=repository", json);
	run_scenario(&scenario, &child);
	test_expect_success(child);
	expect_complete_report();
	char wanted[400];
	snprintf(wanted, sizeof(wanted), "report\n--json=%s\n", json);
	char *arguments = test_read_file(arguments_path, NULL);
	ck_assert_mem_eq(arguments, wanted, strlen(wanted));
	expect_argument("--leak_check=summary", true);
	expect_argument("--quiet=yes", true);
	/* The program may be in another directory by then. */
	char root[4400];
	char here[4096];
	ck_assert_ptr_nonnull(getcwd(here, sizeof(here)));
	snprintf(root, sizeof(root), "=%s/repository", here);
	ck_assert_ptr_nonnull(strstr(arguments, root));
	expect_argument("preload=", true);
	ck_assert_ptr_nonnull(strstr(arguments, "\n-\npreload="));
	ck_assert_str_eq(child.text, "noise\n");
}
END_TEST

static void exit_with_seven(void)
{
	exit(7);
}

START_TEST(the_exit_status_is_told_and_kept)
{
	const struct scenario scenario = {
	        .options = "", .body = exit_with_seven, .ends_by_exit = true};

	run_scenario(&scenario, &child);
	ck_assert(WIFEXITED(child.status));
	ck_assert_int_eq(WEXITSTATUS(child.status), 7);
	open_given(&events);
	ck_assert(test_events_find(&events, FP_LOG_EXIT, &event));
	ck_assert_uint_eq(test_event_u8(&event), FP_LOG_EXIT_CODE);
	ck_assert_uint_eq(test_event_u8(&event), 1); /* the process says so itself */
	ck_assert_uint_eq(test_event_u8(&event) + test_event_u8(&event), 0);
	ck_assert_uint_eq(test_event_u32(&event), 7);
}
END_TEST

static void leak_three(void)
{
	struct fp_heap *heap = must_create_heap();

	for (volatile int i = 0; i < 3; i++)
		must_alloc(heap, 100);
}

static const struct {
	const char *options;
	void (*body)(void);
	bool is_run;
	size_t leaks;
} endings[] = {
        {"", leak_three, true, 1},
        {"leak_check=summary", leak_three, true, 1},
        {"leak_check=no", leak_three, true, 0},
        {"quiet=yes", leak_three, true, 1},
        {"quiet=yes", misuse, true, 0},
};

START_TEST(what_is_left_is_reported)
{
	const struct scenario scenario = {.options = endings[_i].options,
	                                  .body = endings[_i].body};

	run_scenario(&scenario, &child);
	test_expect_success(child);
	ck_assert_int_eq(has_reporter_run(), endings[_i].is_run);
	open_given(&events);
	ck_assert_uint_eq(test_events_count(&events, FP_LOG_LEAK), endings[_i].leaks);
	if (endings[_i].leaks == 0)
		return;
	ck_assert(test_events_find(&events, FP_LOG_LEAK, &event));
	ck_assert_uint_eq(test_event_u32(&event), FP_LEAK_DEFINITE);
	ck_assert_uint_eq(test_event_u32(&event), 1);
	ck_assert_uint_eq(test_event_u64(&event), 3);
	ck_assert_uint_eq(test_event_u64(&event), 300);
}
END_TEST

static void use_properly(void)
{
	struct fp_heap *heap = must_create_heap();

	test_must(fp_heap_free(heap, must_alloc(heap, 10)) == 0);
	fp_session_finish();
	fp_session_finish();
}

START_TEST(a_quiet_session_without_anything_to_say_runs_nothing)
{
	const struct scenario scenario = {.options = "quiet=yes", .body = use_properly};

	run_scenario(&scenario, &child);
	test_expect_success(child);
	ck_assert(!has_reporter_run());
	ck_assert_str_eq(child.text, "");
}
END_TEST

/* ---- Reports asked for ------------------------------------------------------------------- */

static char asked_path[300];

static void ask_for_reports(void)
{
	int fd = open(asked_path, O_RDWR | O_CREAT | O_EXCL, 0600);

	misuse();
	test_must(fp_session_write_report(fd, "yaml") == -EINVAL);
	test_must(fp_session_write_report(fd, "") == -EINVAL);
	test_must(access(copy_path, F_OK) != 0);
	test_must(fp_session_write_report(fd, "json") == 0);
	test_must(access(copy_path, F_OK) == 0);
	/* The descriptor is open still, and at what it was. */
	test_must(lseek(fd, 0, SEEK_CUR) == (off_t)strlen("asked for\n"));
	setenv("FP_TEST_STATUS", "3", 1);
	test_must(fp_session_write_report(fd, "text") == -EIO);
	unlink(reporter_path);
	test_must(fp_session_write_report(fd, "text") == -ENOENT);
	_exit(0);
}

START_TEST(a_report_asked_for_goes_to_its_descriptor)
{
	const struct scenario scenario = {.options = "", .body = ask_for_reports};

	strcpy(asked_path, test_path("asked"));
	run_scenario(&scenario, &child);
	test_expect_success(child);
	expect_complete_report();
	char *said = test_read_file(asked_path, NULL);
	unlink(asked_path);
	ck_assert_str_eq(said, "asked for\nasked for\n");
	/* Whoever asked is told by the result; nothing but the reporter's own noise is said. */
	ck_assert_str_eq(child.text, "noise\nnoise\n");
}
END_TEST

/* ---- No reporter ------------------------------------------------------------------------- */

static void lose_reporter(void)
{
	misuse();
	unlink(reporter_path);
}

static void fail_reporter(void)
{
	misuse();
	setenv("FP_TEST_STATUS", "3", 1);
}

static void kill_reporter(void)
{
	misuse();
	setenv("FP_TEST_KILL", "yes", 1);
}

static const struct {
	void (*body)(void);
	const char *reason;
} failures[] = {
        {lose_reporter, "No such file or directory"},
        {fail_reporter, "its message is above"},
        {kill_reporter, "a signal killed it"},
};

START_TEST(without_a_report_the_events_are_kept_and_the_line_says_where)
{
	const struct scenario scenario = {.options = "", .body = failures[_i].body};
	char wanted[600];
	size_t size;

	run_scenario(&scenario, &child);
	test_expect_success(child);
	int length = snprintf(wanted, sizeof(wanted),
	                      "fencepost: %s could not make the report (%s); the event log is "
	                      "kept: fencepost report ",
	                      reporter_path, failures[_i].reason);
	char *line = strstr(child.text, "fencepost: ");
	ck_assert_ptr_nonnull(line);
	ck_assert_mem_eq(line, wanted, (size_t)length);
	char *path = line + length;
	*strchr(path, '\n') = '\0';
	char *bytes = test_read_file(path, &size);
	unlink(path);
	test_events_open(&events, bytes, size);
	ck_assert_uint_eq(test_events_count(&events, FP_LOG_FINDING), 1);
	ck_assert_uint_eq(test_events_count(&events, FP_LOG_END), 1);
}
END_TEST

/* ---- Signals ----------------------------------------------------------------------------- */

static volatile sig_atomic_t signals_seen;

static void count_signal(int number)
{
	(void)number;
	signals_seen++;
}

static void handle_children(void)
{
	const struct sigaction counted = {.sa_handler = count_signal};

	misuse();
	sigaction(SIGCHLD, &counted, NULL);
	fp_session_finish();
	test_must(signals_seen == 0);
	test_must(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD);
}

static void ignore_children(void)
{
	misuse();
	signal(SIGCHLD, SIG_IGN);
}

static void block_everything(void)
{
	sigset_t all;

	misuse();
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	fp_session_finish();
	sigset_t after;
	sigprocmask(SIG_SETMASK, NULL, &after);
	test_must(sigismember(&after, SIGTERM) == 1);
}

static void keep_errno(void)
{
	misuse();
	errno = 4242;
	fp_session_finish();
	test_must(errno == 4242);
}

static void (*const habits[])(void) = {handle_children, ignore_children, block_everything,
                                       keep_errno};

START_TEST(the_programs_signals_and_errno_are_its_own)
{
	const struct scenario scenario = {.options = "", .body = habits[_i]};

	run_scenario(&scenario, &child);
	test_expect_success(child);
	expect_complete_report();
	ck_assert_str_eq(child.text, "noise\n");
}
END_TEST

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

int main(void)
{
	Suite *suite = suite_create("session: ending");
	TCase *tests = tcase_create("ending");

	tcase_add_checked_fixture(tests, make_reporter, remove_reporter);
	tcase_add_test(tests, the_reporter_gets_the_log_the_outputs_and_no_preload);
	tcase_add_test(tests, the_exit_status_is_told_and_kept);
	tcase_add_loop_test(tests, what_is_left_is_reported, 0, COUNT(endings));
	tcase_add_test(tests, a_quiet_session_without_anything_to_say_runs_nothing);
	tcase_add_test(tests, a_report_asked_for_goes_to_its_descriptor);
	tcase_add_loop_test(tests, without_a_report_the_events_are_kept_and_the_line_says_where,
	                    0, COUNT(failures));
	tcase_add_loop_test(tests, the_programs_signals_and_errno_are_its_own, 0,
	                    COUNT(habits));
	suite_add_tcase(suite, tests);
	return test_run(suite);
}
