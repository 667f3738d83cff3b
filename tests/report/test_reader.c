/* SPDX-License-Identifier: Apache-2.0
 *
 * The reader: the whole of a good log, as much as there is of a bad one, and never more than
 * that. Logs stand in memory that ends where they end, so that a sanitizer sees each byte read
 * beyond.
 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "report/report.h"
#include "sample.h"

static struct encoder log_bytes;
static struct fp_report *report;
static uint8_t *copy;

static void setup(void)
{
	encode_sample(&log_bytes);
}

static void release(void)
{
	fp_report_free(report);
	free(copy);
	report = NULL;
	copy = NULL;
}

/* Reads the first SIZE bytes of the log. */
static int read_bytes(size_t size)
{
	release();
	copy = malloc(size > 0 ? size : 1);
	ck_assert_ptr_nonnull(copy);
	memcpy(copy, log_bytes.bytes, size);
	return fp_report_read(copy, size, &report);
}

static void read_all(void)
{
	ck_assert_int_eq(read_bytes(log_bytes.size), 0);
	ck_assert_int_eq(fp_report_resolve(report, FP_SYMBOL_DEBUG_DIR), 0);
}

static bool has_note(const char *part)
{
	for (size_t i = 0; i < report->note_count; i++) {
		struct fp_report_string text = report->notes[i];

		if (memmem(text.bytes, text.size, part, strlen(part)))
			return true;
	}
	return false;
}

static bool is_text(struct fp_report_string string, const char *text)
{
	return string.size == strlen(text) && memcmp(string.bytes, text, string.size) == 0;
}

START_TEST(a_whole_log_is_read_as_it_was_written)
{
	read_all();
	ck_assert_uint_eq(report->pid, 4242);
	ck_assert_uint_eq(report->argument_count, 2);
	ck_assert(is_text(report->arguments[0], "plant"));
	ck_assert_uint_eq(report->setting_count, 2);
	ck_assert_uint_eq(report->module_count, 3);
	ck_assert_uint_eq(report->trace_count, SAMPLE_TRACES);
	ck_assert_uint_eq(report->finding_count, 2);
	ck_assert_uint_eq(report->findings[0].count, 3);
	ck_assert_uint_eq(report->findings[1].count, 1);
	ck_assert_uint_eq(report->findings[1].block.site.line, 12);
	ck_assert(is_text(report->findings[1].evidence, "AA\x01"));
	ck_assert_uint_eq(report->protection.padded, 34);
	ck_assert_uint_eq(report->protection.reason_count, 2);
	ck_assert_uint_eq(report->heap.peak_bytes, 66);
	ck_assert_int_eq(report->exit, FP_LOG_EXIT_SIGNAL);
	ck_assert_int_eq(report->exit_value, 11);
}
END_TEST

START_TEST(fencepost_leads_no_stack)
{
	const struct fp_report_stack *stack;

	read_all();
	stack = report->findings[0].stack;
	ck_assert_uint_eq(stack->count, 2);
	ck_assert(is_text(stack->frames[0].module->path, "[engine]"));
	ck_assert_uint_eq(stack->frames[0].offset, 1);
	ck_assert_uint_eq(report->findings[1].stack->count, 0);
	ck_assert_uint_eq(report->findings[1].block.alloc_stack->count, 2);
	ck_assert_ptr_null(report->findings[1].block.free_stack);
}
END_TEST

START_TEST(leaks_of_one_stack_are_merged_and_sorted)
{
	read_all();
	ck_assert_uint_eq(report->leak_count, 3);
	ck_assert_uint_eq(report->leaks[0].bytes, 5000);
	ck_assert_uint_eq(report->leaks[1].bytes, 300);
	ck_assert_uint_eq(report->leaks[1].blocks, 3);
	ck_assert_uint_eq(report->leaks[2].bytes, 7);
}
END_TEST

/* Cut anywhere: what stands before the cut is there, the rest is missing and noted. */
START_TEST(a_cut_log_is_read_up_to_the_cut)
{
	size_t findings = 0;

	for (size_t size = 0; size < FP_LOG_HEADER_BYTES; size++)
		ck_assert_int_eq(read_bytes(size), -EINVAL);
	for (size_t size = FP_LOG_HEADER_BYTES; size < log_bytes.size; size++) {
		ck_assert_int_eq(read_bytes(size), 0);
		/* Behind the record of its end it is that of a process that was killed. */
		ck_assert(has_note("cut off") || has_note("ends early") ||
		          has_note("the process was killed; what it had not told"));
		ck_assert_uint_ge(report->finding_count, findings);
		findings = report->finding_count;
		ck_assert_int_eq(fp_report_resolve(report, FP_SYMBOL_DEBUG_DIR), 0);
	}
	ck_assert_uint_eq(findings, 2);
	read_all();
	ck_assert(!has_note("cut off") && !has_note("ends early"));
}
END_TEST

/* Each byte made extreme in turn, then many at random. */
START_TEST(damage_never_leads_astray)
{
	static const uint8_t extremes[] = {0x00, 0x01, 0x7f, 0xff};

	for (size_t i = 0; i < log_bytes.size * sizeof(extremes); i++) {
		uint8_t *byte = &log_bytes.bytes[i / sizeof(extremes)];
		uint8_t kept = *byte;

		*byte = extremes[i % sizeof(extremes)];
		if (read_bytes(log_bytes.size) == 0)
			ck_assert_int_eq(fp_report_resolve(report, FP_SYMBOL_DEBUG_DIR), 0);
		*byte = kept;
	}
	srand(1);
	for (int round = 0; round < 2000; round++) {
		encode_sample(&log_bytes);
		for (int i = 0; i < 8; i++)
			log_bytes.bytes[16 + (size_t)rand() % (log_bytes.size - 16)] =
			        (uint8_t)rand();
		ck_assert_int_eq(read_bytes(log_bytes.size), 0);
		ck_assert_int_eq(fp_report_resolve(report, FP_SYMBOL_DEBUG_DIR), 0);
	}
}
END_TEST

START_TEST(a_bad_record_does_not_hide_the_next_one)
{
	encode_header(&log_bytes);
	encode_begin(&log_bytes, FP_LOG_SETTING);
	encode_u32(&log_bytes, 1000); /* a string longer than its record */
	encode_end(&log_bytes);
	encode_begin(&log_bytes, FP_LOG_TRACE);
	encode_u32(&log_bytes, 1);
	encode_u32(&log_bytes, UINT32_MAX);
	encode_end(&log_bytes);
	encode_finding(&log_bytes, &(struct sample_finding){.kind = FP_FINDING_COUNT,
	                                                    .thread_name = "",
	                                                    .description = ""});
	encode_leak(&log_bytes, FP_LEAK_CLASS_COUNT, 1, 1, 0);
	encode_begin(&log_bytes, 999); /* a type of a later version */
	encode_u64(&log_bytes, 5);
	encode_end(&log_bytes);
	encode_leak(&log_bytes, FP_LEAK_DEFINITE, 1, 64, 77);
	encode_begin(&log_bytes, FP_LOG_END);
	encode_end(&log_bytes);
	read_all();
	ck_assert_uint_eq(report->setting_count + report->trace_count + report->finding_count,
	                  0);
	ck_assert_uint_eq(report->leak_count, 1);
	ck_assert_uint_eq(report->leaks[0].stack->count, 0);
	ck_assert(has_note("4 damaged"));
}
END_TEST

/* A library unloaded and another loaded at its addresses: each trace means what was there then.
 */
START_TEST(a_later_module_replaces_an_earlier_one)
{
	const uint64_t address = 0x5800;

	encode_header(&log_bytes);
	encode_module(&log_bytes, 0x5000, 0x6000, "[first]", 0);
	encode_module(&log_bytes, 0x6000, 0x7000, "[beside]", 0);
	encode_trace(&log_bytes, 1, &address, 1);
	encode_module(&log_bytes, 0x4000, 0x5900, "[second]", 0);
	encode_trace(&log_bytes, 2, &address, 1);
	encode_trace(&log_bytes, 3, (const uint64_t[]){0x5950, 0x6000, 0x7000, 0x3fff}, 4);
	for (uint32_t id = 1; id <= 3; id++)
		encode_leak(&log_bytes, FP_LEAK_DEFINITE, 1, 10 - id, id);
	read_all();
	ck_assert_uint_eq(report->leak_count, 3);
	ck_assert(is_text(report->leaks[0].stack->frames[0].module->path, "[first]"));
	ck_assert_uint_eq(report->leaks[0].stack->frames[0].offset, 0x800);
	ck_assert(is_text(report->leaks[1].stack->frames[0].module->path, "[second]"));
	ck_assert_ptr_null(report->leaks[2].stack->frames[0].module);
	ck_assert(is_text(report->leaks[2].stack->frames[1].module->path, "[beside]"));
	ck_assert_ptr_null(report->leaks[2].stack->frames[2].module);
	ck_assert_ptr_null(report->leaks[2].stack->frames[3].module);
}
END_TEST

START_TEST(other_files_are_refused)
{
	memcpy(log_bytes.bytes, "{ \"schema", 9);
	ck_assert_int_eq(read_bytes(log_bytes.size), -EINVAL);
	ck_assert_ptr_null(report);
	encode_sample(&log_bytes);
	log_bytes.bytes[8]++;
	ck_assert_int_eq(read_bytes(log_bytes.size), -ENOTSUP);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("reader");
	TCase *tests = tcase_create("reader");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tests, setup, release);
	tcase_add_test(tests, a_whole_log_is_read_as_it_was_written);
	tcase_add_test(tests, fencepost_leads_no_stack);
	tcase_add_test(tests, leaks_of_one_stack_are_merged_and_sorted);
	tcase_add_test(tests, a_cut_log_is_read_up_to_the_cut);
	tcase_add_test(tests, damage_never_leads_astray);
	tcase_add_test(tests, a_bad_record_does_not_hide_the_next_one);
	tcase_add_test(tests, a_later_module_replaces_an_earlier_one);
	tcase_add_test(tests, other_files_are_refused);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
