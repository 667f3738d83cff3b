/* SPDX-License-Identifier: Apache-2.0
 *
 * The writer of the event log at its limits: what is cut, what is lost, and that it says so.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/inject.h"
#include "base/meta.h"
#include "written.h"

/* ---- Limits ---------------------------------------------------------------------------- */

START_TEST(long_strings_are_cut_and_the_record_stays_whole)
{
	static char text[10000];
	uint32_t length;

	memset(text, 'x', sizeof(text) - 1);
	fp_log_note(&event_log, text);
	fp_log_setting(&event_log, text, "kept");
	fp_log_end(&event_log);
	open_copy(&event_log);
	expect_record(10);
	ck_assert_mem_eq(test_event_bytes(&event, &length), text, FP_LOG_STRING_MAX);
	ck_assert_uint_eq(length, FP_LOG_STRING_MAX);
	test_event_end(&event);
	expect_record(2);
	test_event_bytes(&event, &length);
	ck_assert_uint_eq(length, FP_LOG_STRING_MAX);
	test_event_expect(&event, "kept");
	test_event_end(&event);
	expect_record(12);
	expect_nothing_more();
}
END_TEST

static uint32_t log_arguments(const char *arguments, size_t bytes)
{
	const struct fp_log_process process = {.version = "1",
	                                       .executable = "e",
	                                       .arguments = arguments,
	                                       .arguments_bytes = bytes,
	                                       .started = 7};

	fp_log_process(&event_log, &process);
	fp_log_end(&event_log);
	open_copy(&event_log);
	expect_record(1);
	for (int i = 0; i < 3; i++)
		test_event_u32(&event);
	test_event_expect(&event, "1");
	test_event_expect(&event, "e");
	return test_event_u32(&event);
}

START_TEST(as_many_arguments_are_kept_as_fit)
{
	static char arguments[40000];

	for (size_t i = 0; i < sizeof(arguments); i += 8)
		memcpy(arguments + i, "seven-7", 8);
	uint32_t count = log_arguments(arguments, sizeof(arguments));
	ck_assert_uint_gt(count, 1000);
	ck_assert_uint_lt(count, sizeof(arguments) / 8);
	for (uint32_t i = 0; i < count; i++)
		test_event_expect(&event, "seven-7");
	ck_assert_uint_eq(test_event_u64(&event), 7);
	test_event_end(&event);
	expect_record(12);
}
END_TEST

START_TEST(one_long_argument_is_cut_and_the_next_is_kept)
{
	static char arguments[6000 + 5];
	uint32_t length;

	memset(arguments, 'y', 6000);
	arguments[5999] = '\0';
	memcpy(arguments + 6000, "next", 5);
	ck_assert_uint_eq(log_arguments(arguments, sizeof(arguments)), 2);
	test_event_bytes(&event, &length);
	ck_assert_uint_eq(length, FP_LOG_STRING_MAX);
	test_event_expect(&event, "next");
	ck_assert_uint_eq(test_event_u64(&event), 7);
	test_event_end(&event);
}
END_TEST

START_TEST(no_arguments_are_none)
{
	ck_assert_uint_eq(log_arguments("", 0), 0);
	ck_assert_uint_eq(test_event_u64(&event), 7);
	test_event_end(&event);
}
END_TEST

START_TEST(the_deepest_trace_fits)
{
	uintptr_t frames[FP_TRACE_DEPTH_MAX];

	for (size_t i = 0; i < FP_TRACE_DEPTH_MAX; i++)
		frames[i] = i * 3;
	fp_log_trace(&event_log, 1, frames, FP_TRACE_DEPTH_MAX);
	open_copy(&event_log);
	expect_record(4);
	test_event_u32(&event);
	ck_assert_uint_eq(test_event_u32(&event), FP_TRACE_DEPTH_MAX);
	for (size_t i = 0; i < FP_TRACE_DEPTH_MAX; i++)
		ck_assert_uint_eq(test_event_u64(&event), i * 3);
	test_event_end(&event);
}
END_TEST

START_TEST(a_lossy_log_has_no_end)
{
	fp_inject_arm(FP_INJECT_META, 1, false);
	for (int i = 0; i < 3000; i++)
		fp_log_note(&event_log, "a note of some thirty characters");
	fp_inject_arm(FP_INJECT_META, 0, false);
	fp_log_note(&event_log, "after the loss");
	fp_log_exit(&event_log, FP_LOG_EXIT_CODE, 0);
	fp_log_end(&event_log);
	ck_assert(event_log.is_lossy);
	open_copy(&event_log);
	ck_assert_uint_lt(test_events_count(&events, 10), 3001);
	ck_assert_uint_gt(test_events_count(&events, 10), 2990);
	ck_assert_uint_eq(test_events_count(&events, 11), 1);
	ck_assert_uint_eq(test_events_count(&events, 12), 0);
}
END_TEST

START_TEST(without_any_memory_the_log_is_empty)
{
	static struct fp_log other;

	fp_inject_arm(FP_INJECT_META, 1, true);
	fp_log_open(&other, false);
	fp_log_note(&other, "lost");
	fp_log_end(&other);
	fp_inject_arm(FP_INJECT_META, 0, false);
	ck_assert(other.is_lossy);
	int fd = scratch_file();
	ck_assert_int_eq(fp_log_copy(&other, fd), 0);
	ck_assert_int_eq(lseek(fd, 0, SEEK_END), 0);
}
END_TEST

/* ---- Files, memory, threads ------------------------------------------------------------ */

START_TEST(a_long_log_is_copied_whole)
{
	for (int i = 0; i < 5000; i++)
		fp_log_note(&event_log, "a note of some thirty characters");
	fp_log_end(&event_log);
	open_copy(&event_log);
	ck_assert_uint_eq(test_events_count(&events, 10), 5000);
	ck_assert_uint_eq(test_events_count(&events, 12), 1);
}
END_TEST

START_TEST(a_full_disk_costs_the_copy_and_not_the_log)
{
	int full = open("/dev/full", O_WRONLY);

	fp_log_note(&event_log, "kept");
	ck_assert_int_eq(fp_log_copy(&event_log, full), -ENOSPC);
	ck_assert_int_eq(fp_log_copy(&event_log, -1), -EBADF);
	fp_log_end(&event_log);
	open_copy(&event_log);
	ck_assert_uint_eq(test_events_count(&events, 12), 1);
}
END_TEST

START_TEST(a_tail_follows_another_log)
{
	static struct fp_log tail;
	int fd = scratch_file();
	size_t size;

	fp_log_note(&event_log, "main");
	fp_log_open(&tail, true);
	fp_log_note(&tail, "tail");
	fp_log_end(&tail);
	ck_assert_int_eq(fp_log_copy(&event_log, fd), 0);
	ck_assert_int_eq(fp_log_copy(&tail, fd), 0);
	char *bytes = read_back(fd, &size);
	test_events_open(&events, bytes, size);
	expect_record(10);
	test_event_expect(&event, "main");
	expect_record(10);
	test_event_expect(&event, "tail");
	expect_record(12);
	expect_nothing_more();
}
END_TEST

START_TEST(a_log_opened_again_starts_anew_and_gives_its_memory_back)
{
	size_t before = fp_meta_footprint();

	for (int round = 0; round < 20; round++) {
		for (int i = 0; i < 20000; i++)
			fp_log_note(&event_log, "a note of some thirty characters");
		fp_log_open(&event_log, false);
	}
	ck_assert_uint_le(fp_meta_footprint(), before + (1 << 20));
	open_copy(&event_log);
	expect_nothing_more();
}
END_TEST

static void write_notes(unsigned index, void *unused)
{
	char note[] = "from thread ?";

	(void)unused;
	note[sizeof(note) - 2] = (char)('0' + index);
	for (int i = 0; i < 2000; i++)
		fp_log_note(&event_log, note);
}

START_TEST(records_of_eight_threads_do_not_mix)
{
	unsigned counts[8] = {0};

	test_run_threads(8, write_notes, NULL);
	fp_log_end(&event_log);
	open_copy(&event_log);
	for (int i = 0; i < 16000; i++) {
		expect_record(10);
		const char *note = test_event_string(&event);
		ck_assert_mem_eq(note, "from thread ", 12);
		counts[note[12] - '0']++;
		test_event_end(&event);
	}
	for (int i = 0; i < 8; i++)
		ck_assert_uint_eq(counts[i], 2000);
	expect_record(12);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("log: limits");
	TCase *tests = tcase_create("limits");

	tcase_add_checked_fixture(tests, setup, NULL);
	tcase_add_test(tests, long_strings_are_cut_and_the_record_stays_whole);
	tcase_add_test(tests, as_many_arguments_are_kept_as_fit);
	tcase_add_test(tests, one_long_argument_is_cut_and_the_next_is_kept);
	tcase_add_test(tests, no_arguments_are_none);
	tcase_add_test(tests, the_deepest_trace_fits);
	tcase_add_test(tests, a_lossy_log_has_no_end);
	tcase_add_test(tests, without_any_memory_the_log_is_empty);
	tcase_add_test(tests, a_long_log_is_copied_whole);
	tcase_add_test(tests, a_full_disk_costs_the_copy_and_not_the_log);
	tcase_add_test(tests, a_tail_follows_another_log);
	tcase_add_test(tests, a_log_opened_again_starts_anew_and_gives_its_memory_back);
	tcase_add_test(tests, records_of_eight_threads_do_not_mix);
	suite_add_tcase(suite, tests);
	return test_run(suite);
}
