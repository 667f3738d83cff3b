/* SPDX-License-Identifier: Apache-2.0
 *
 * Sessions of programs that treat descriptors roughly: close them all, allow themselves none,
 * reuse the number of standard error. The report is made all the same, and nothing of ours ever
 * goes to a file of the program's.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "log/format.h"
#include "session/session.h"
#include "sessions.h"

static struct test_events events;
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

static void close_everything_high(void)
{
	misuse();
	test_must(close_range(3, ~0U, 0) == 0);
}

static void allow_three_descriptors(void)
{
	struct rlimit limit;

	misuse();
	test_must(close_range(3, ~0U, 0) == 0);
	test_must(getrlimit(RLIMIT_NOFILE, &limit) == 0);
	limit.rlim_cur = 3;
	test_must(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	test_must(dup(0) == -1 && errno == EMFILE);
}

static void close_standard_input_and_output(void)
{
	misuse();
	close(STDIN_FILENO);
	close(STDOUT_FILENO);
}

static void use_up_all_descriptors(void)
{
	misuse();
	while (dup(STDERR_FILENO) >= 0)
		;
}

static void (*const descriptor_losses[])(void) = {
        close_everything_high,
        allow_three_descriptors,
        close_standard_input_and_output,
        use_up_all_descriptors,
};

START_TEST(a_report_needs_no_descriptor_of_the_program)
{
	const struct scenario scenario = {.options = "", .body = descriptor_losses[_i]};

	run_scenario(&scenario, &child);
	test_expect_success(child);
	expect_complete_report();
	ck_assert_str_eq(child.text, "noise\n");
}
END_TEST

/* Not even a double free can be told without a descriptor to read the modules with; that is
 * said, and all the rest is there. */
static void find_without_descriptors(void)
{
	allow_three_descriptors();
	test_must(fp_heap_free(must_create_heap(), &events) != 0);
}

START_TEST(findings_made_without_descriptors_are_reported)
{
	const struct scenario scenario = {.options = "", .body = find_without_descriptors};

	run_scenario(&scenario, &child);
	test_expect_success(child);
	open_given(&events);
	ck_assert_uint_eq(test_events_count(&events, FP_LOG_FINDING), 2);
	ck_assert_uint_eq(test_events_count(&events, FP_LOG_END), 1);
}
END_TEST

/* The unwinder has descriptors of its own, which a program that closes everything closes too;
 * their numbers then are the program's files'. */
static char victim_path[300];

__attribute__((noinline)) static char *allocate_deep(struct fp_heap *heap, int depth)
{
	char room[5000];

	room[0] = (char)depth;
	__asm__ volatile("" : : "r"(room) : "memory");
	return depth == 0 ? must_alloc(heap, 10) : allocate_deep(heap, depth - 1);
}

static int compare_and_allocate(const void *heap, const void *unused)
{
	(void)unused;
	allocate_deep((struct fp_heap *)(uintptr_t)heap, 20);
	return 0;
}

static void reuse_all_numbers(void)
{
	struct fp_heap *heap = must_create_heap();
	char *key = (char *)heap;

	must_double_free(heap);
	test_must(close_range(3, ~0U, 0) == 0);
	int fd = open(victim_path, O_RDWR | O_CREAT | O_EXCL, 0600);
	test_must(fd == 3);
	test_must(write(fd, "0123456789", 10) == 10);
	test_must(lseek(fd, 0, SEEK_SET) == 0);
	while (dup(fd) < 100)
		;
	for (int depth = 1; depth < 100; depth++)
		allocate_deep(heap, depth);
	/* By a way the unwinder has not seen. */
	test_must(bsearch(key, key, 1, 1, compare_and_allocate) == key);
	test_must(lseek(fd, 0, SEEK_CUR) == 0);
}

START_TEST(files_under_the_numbers_of_closed_descriptors_are_left_alone)
{
	const struct scenario scenario = {.options = "", .body = reuse_all_numbers};

	strcpy(victim_path, test_path("victim"));
	run_scenario(&scenario, &child);
	char *content = test_read_file(victim_path, NULL);
	unlink(victim_path);
	test_expect_success(child);
	ck_assert_str_eq(content, "0123456789");
	expect_complete_report();
}
END_TEST

/* ---- Standard error ---------------------------------------------------------------------- */

/* A file of the program's takes the number of standard error. */
static void reuse_standard_error(void)
{
	misuse();
	close(STDERR_FILENO);
	test_must(open(victim_path, O_RDWR | O_CREAT | O_EXCL, 0600) == STDERR_FILENO);
}

static void reuse_standard_error_and_lose_reporter(void)
{
	reuse_standard_error();
	unlink(reporter_path);
}

static void reuse_standard_error_with_three_descriptors(void)
{
	allow_three_descriptors();
	close(STDERR_FILENO);
	test_must(open(victim_path, O_RDWR | O_CREAT | O_EXCL, 0600) == STDERR_FILENO);
}

static const struct {
	void (*body)(void);
	bool is_reported;
} reuses[] = {
        {reuse_standard_error, true},
        {reuse_standard_error_and_lose_reporter, false},
        {reuse_standard_error_with_three_descriptors, true},
};

START_TEST(a_file_under_standard_errors_number_is_never_written)
{
	const struct scenario scenario = {.options = "", .body = reuses[_i].body};

	strcpy(victim_path, test_path("victim"));
	run_scenario(&scenario, &child);
	test_expect_success(child);
	char *written = test_read_file(victim_path, NULL);
	unlink(victim_path);
	ck_assert_str_eq(written, "");
	ck_assert_str_eq(child.text, "");
	ck_assert_int_eq(has_reporter_run(), reuses[_i].is_reported);
	if (reuses[_i].is_reported)
		expect_complete_report();
}
END_TEST

/* Never open at all: the first file the program opens gets the number. */
static void start_without_standard_error(void *unused)
{
	(void)unused;
	close(STDERR_FILENO);
	must_start("");
	int fd = open(victim_path, O_RDWR | O_CREAT | O_EXCL, 0600);
	test_must(dup2(fd, STDERR_FILENO) == STDERR_FILENO);
	misuse();
	fp_session_finish();
}

START_TEST(a_program_without_standard_error_is_reported_on)
{
	strcpy(victim_path, test_path("victim"));
	test_run_child(start_without_standard_error, NULL, &child);
	ck_assert_int_eq(child.status, 0);
	char *written = test_read_file(victim_path, NULL);
	unlink(victim_path);
	ck_assert_str_eq(written, "");
	expect_complete_report();
}
END_TEST

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

int main(void)
{
	Suite *suite = suite_create("session: descriptors");
	TCase *tests = tcase_create("descriptors");

	tcase_add_checked_fixture(tests, make_reporter, remove_reporter);
	tcase_add_loop_test(tests, a_report_needs_no_descriptor_of_the_program, 0,
	                    COUNT(descriptor_losses));
	tcase_add_test(tests, files_under_the_numbers_of_closed_descriptors_are_left_alone);
	tcase_add_test(tests, findings_made_without_descriptors_are_reported);
	tcase_add_loop_test(tests, a_file_under_standard_errors_number_is_never_written, 0,
	                    COUNT(reuses));
	tcase_add_test(tests, a_program_without_standard_error_is_reported_on);
	suite_add_tcase(suite, tests);
	return test_run(suite);
}
