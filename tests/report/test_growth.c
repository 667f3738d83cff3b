/* SPDX-License-Identifier: Apache-2.0
 *
 * Stacks that only grew: what the formats tell of them, what points come to that make no sense,
 * and what becomes of them, and of the heap over time, in a merge.
 */
#include <check.h>
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "report/leaks.h"
#include "report/merge/merge.h"
#include "report/writer.h"
#include "sample.h"

static struct encoder log_bytes;

static void encode_start(void)
{
	encode_header(&log_bytes);
	encode_module(&log_bytes, SAMPLE_PROGRAM, SAMPLE_PROGRAM + 0x1000, "/nonexistent/plant",
	              0);
	for (uint32_t id = 2; id <= 4; id += 2)
		encode_trace(&log_bytes, id, (uint64_t[]){SAMPLE_PROGRAM + 16 * id}, 1);
}

static void encode_judgement(bool is_judged, uint32_t snapshots)
{
	encode_begin(&log_bytes, FP_LOG_GROWTH);
	encode_u32(&log_bytes, is_judged);
	encode_u32(&log_bytes, snapshots);
	encode_u64(&log_bytes, 0);
	encode_end(&log_bytes);
}

/* TRACE rose from FIRST to LAST within a second. */
static void encode_rise(uint32_t trace, uint64_t first, uint64_t last)
{
	encode_begin(&log_bytes, FP_LOG_GROWING);
	encode_u32(&log_bytes, trace);
	encode_u32(&log_bytes, 2);
	for (int i = 0; i < 2; i++) {
		encode_u64(&log_bytes, 1000 * (uint64_t)i);
		encode_u64(&log_bytes, 1);
		encode_u64(&log_bytes, i == 0 ? first : last);
	}
	encode_end(&log_bytes);
}

static void encode_grown(void)
{
	encode_start();
	encode_growth(&log_bytes);
	encode_exit(&log_bytes, FP_LOG_EXIT_CODE, 0);
}

static struct fp_report *read_report(void)
{
	struct fp_report *report;

	ck_assert_int_eq(fp_report_read(log_bytes.bytes, log_bytes.size, &report), 0);
	ck_assert_int_eq(fp_report_resolve(report, FP_SYMBOL_DEBUG_DIR), 0);
	return report;
}

static char *render(const char *format, const struct fp_report *report, bool is_quiet)
{
	const struct fp_report_view view = {.leaks = FP_REPORT_LEAKS_FULL,
	                                    .is_quiet = is_quiet};
	const struct fp_report_set set = {&report, 1};
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	ck_assert_int_eq(fp_report_write(fp_report_writer_find(format), &set, &view, out), 0);
	ck_assert_int_eq(fclose(out), 0);
	return text;
}

/* FORMAT of the log. */
static char *write_log(const char *format, bool is_quiet)
{
	struct fp_report *report = read_report();
	char *text = render(format, report, is_quiet);

	fp_report_free(report);
	return text;
}

START_TEST(text_tells_what_grows)
{
	encode_grown();
	/* Quiet is for who has nothing to tell. */
	char *text = write_log("text", true);
	ck_assert_str_eq(
	        text,
	        "fencepost: growth of 120,000 bytes at plant+0x40\n"
	        "  from 0 bytes in 0 blocks after 30.0 s\n"
	        "  to   120,000 bytes in 12,000 blocks after 2 min 0 s,\n"
	        "  80,000 bytes a minute; never less in any of 4 heap snapshots; it last rose "
	        "after 2 min 0 s\n"
	        "    #0 (plant+0x40, build-id abcd)\n\n"
	        "fencepost: growth of 200 bytes at plant+0x20\n"
	        "  from 100 bytes in 10 blocks after 30.0 s\n"
	        "  to   300 bytes in 30 blocks after 2 min 0 s,\n"
	        "  133 bytes a minute; never less in any of 4 heap snapshots; it last rose "
	        "after 1 min 30 s\n"
	        "    #0 (plant+0x20, build-id abcd)\n\n"
	        "fencepost: note: 3 more stacks grew, less than those that are listed\n"
	        "fencepost: note: /nonexistent/plant cannot be read any more: its frames have "
	        "no names\n"
	        "fencepost: no errors, no leaks, 5 stacks that only grow; exited 0\n");
	free(text);
}
END_TEST

START_TEST(json_tells_what_grows)
{
	json_int_t snapshots;
	json_int_t left_out;
	json_int_t grown;
	json_int_t rate;
	json_int_t last_rise;
	json_int_t blocks;
	json_int_t bytes;
	int judged;

	encode_grown();
	char *text = write_log("json", false);
	json_t *json = json_loads(text, 0, NULL);
	ck_assert_int_eq(json_unpack(json, "{s:{s:b, s:I, s:I}}", "growth", "judged", &judged,
	                             "pictures", &snapshots, "left_out", &left_out),
	                 0);
	ck_assert(judged && snapshots == 9 && left_out == 3);
	json_t *stacks = json_object_get(json_object_get(json, "growth"), "stacks");
	ck_assert_uint_eq(json_array_size(stacks), 2);
	ck_assert_int_eq(json_unpack(json_array_get(stacks, 1), "{s:I, s:I, s:I, s:I, s:I}",
	                             "grown_bytes", &grown, "bytes_per_minute", &rate,
	                             "last_rise_milliseconds", &last_rise, "blocks", &blocks,
	                             "bytes", &bytes),
	                 0);
	ck_assert(grown == 200 && rate == 133 && last_rise == 90000);
	ck_assert(blocks == 30 && bytes == 300);
	ck_assert_uint_eq(
	        json_array_size(json_object_get(json_array_get(stacks, 1), "pictures")), 4);
	json_decref(json);
	free(text);
}
END_TEST

START_TEST(growth_that_nothing_is_known_of_is_none)
{
	encode_start();
	encode_exit(&log_bytes, FP_LOG_EXIT_CODE, 0);
	char *text = write_log("text", false);
	ck_assert_ptr_null(strstr(text, "grow"));
	free(text);
	text = write_log("json", false);
	ck_assert_ptr_nonnull(strstr(text, "\"growth\": null"));
	free(text);
}
END_TEST

START_TEST(growth_that_was_not_judged_is_not_none)
{
	for (int judged = 0; judged < 2; judged++) {
		encode_start();
		encode_judgement(judged, 2);
		encode_exit(&log_bytes, FP_LOG_EXIT_CODE, 0);
		char *text = write_log("text", false);
		ck_assert_ptr_nonnull(
		        strstr(text, judged ? "no leaks, no growth; exited 0\n"
		                            : "no leaks, growth not judged; exited 0\n"));
		free(text);
		text = write_log("json", false);
		ck_assert_ptr_nonnull(
		        strstr(text, judged ? "\"judged\": true" : "\"judged\": false"));
		free(text);
	}
}
END_TEST

START_TEST(points_that_make_no_sense_do_no_harm)
{
	struct fp_report_point points[] = {{9000, 1, UINT64_MAX}, {8000, 1, 10}};
	struct fp_report_growing growing = {.points = points, .point_count = 2};

	ck_assert_uint_eq(fp_report_rise_of(&growing).bytes, 0);
	ck_assert_uint_eq(fp_report_rise_of(&growing).per_minute, 0);
	points[0] = (struct fp_report_point){0, 1, 0};
	points[1] = (struct fp_report_point){1, 1, UINT64_MAX};
	ck_assert_uint_eq(fp_report_rise_of(&growing).per_minute, UINT64_MAX);
	points[1].milliseconds = 60000;
	ck_assert_uint_ge(fp_report_rise_of(&growing).per_minute, UINT64_MAX - 60000);
}
END_TEST

/* Records that nothing came before, or that have fewer points than they say. */
START_TEST(damaged_records_are_left_out)
{
	encode_start();
	encode_rise(2, 0, 100);
	encode_judgement(true, 9);
	encode_rise(2, 0, 200);
	encode_begin(&log_bytes, FP_LOG_GROWING);
	encode_u32(&log_bytes, 4);
	encode_u32(&log_bytes, UINT32_MAX);
	encode_u64(&log_bytes, 0);
	encode_end(&log_bytes);
	encode_begin(&log_bytes, FP_LOG_GROWING);
	encode_u32(&log_bytes, 4);
	encode_u32(&log_bytes, 0);
	encode_end(&log_bytes);
	struct fp_report *report = read_report();
	ck_assert_uint_eq(report->growth.count, 1);
	ck_assert_uint_eq(fp_report_rise_of(&report->growth.stacks[0]).bytes, 200);
	fp_report_free(report);
}
END_TEST

/* Two logs with one stack in common. */
START_TEST(a_merge_keeps_where_it_grew_most)
{
	const struct fp_report_origin origins[] = {{"one.log", NULL}, {"two.log", NULL}};
	struct fp_report_merge *merge;
	struct fp_report *merged;

	ck_assert_int_eq(fp_report_merge_new(false, &merge), 0);
	for (int i = 0; i < 2; i++) {
		encode_start();
		encode_judgement(true, 9);
		encode_rise(2, 100, i == 0 ? 500 : 900);
		if (i == 1)
			encode_rise(4, 0, 10);
		encode_exit(&log_bytes, FP_LOG_EXIT_CODE, 0);
		struct fp_report *report = read_report();
		ck_assert_int_eq(fp_report_merge_add(merge, report, &origins[i]), 0);
		fp_report_free(report);
	}
	ck_assert_int_eq(fp_report_merge_end(merge, &merged), 0);
	ck_assert(merged->growth.is_looked_for && merged->growth.is_judged);
	ck_assert_uint_eq(merged->growth.count, 2);
	const struct fp_report_growing *common = &merged->growth.stacks[0];
	ck_assert_uint_eq(fp_report_rise_of(common).bytes, 800);
	ck_assert_uint_eq(common->shares.count, 2);
	ck_assert_uint_eq(common->shares.items[0].bytes, 400);
	ck_assert_uint_eq(common->shares.items[1].bytes, 800);
	ck_assert_uint_eq(merged->growth.stacks[1].shares.items[0].source, 1);
	char *text = render("text", merged, false);
	ck_assert_ptr_nonnull(strstr(text, "  in 2 of 2 reports: one.log, two.log\n"));
	free(text);
	fp_report_free(merged);
}
END_TEST

/* Two logs, of which the first has the larger heap. */
START_TEST(a_merge_has_the_timeline_of_the_largest_heap)
{
	const struct fp_report_origin origins[] = {{"one.log", NULL}, {"two.log", NULL}};
	struct fp_report_merge *merge;
	struct fp_report *merged;

	ck_assert_int_eq(fp_report_merge_new(false, &merge), 0);
	for (int i = 0; i < 3; i++) {
		encode_start();
		if (i != 2)
			encode_snapshots(&log_bytes);
		encode_begin(&log_bytes, FP_LOG_HEAP);
		for (uint64_t j = 0; j < 6; j++)
			encode_u64(&log_bytes, i == 1 ? 6000 : 5300);
		encode_end(&log_bytes);
		encode_exit(&log_bytes, FP_LOG_EXIT_CODE, 0);
		struct fp_report *report = read_report();
		ck_assert_int_eq(fp_report_merge_add(merge, report, &origins[i == 1]), 0);
		fp_report_free(report);
	}
	ck_assert_int_eq(fp_report_merge_end(merge, &merged), 0);
	ck_assert_uint_eq(merged->snapshot_count, 2);
	ck_assert_uint_eq(merged->snapshot_source, 1);
	ck_assert_uint_eq(fp_report_peak(merged)->live_bytes, 5300);
	ck_assert_uint_eq(fp_report_peak(merged)->groups[1].stack->count, 1);
	char *text = render("json", merged, false);
	ck_assert_ptr_nonnull(strstr(text, "\"snapshots_source\": 1"));
	free(text);
	fp_report_free(merged);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("growth");
	TCase *tests = tcase_create("growth");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tests, text_tells_what_grows);
	tcase_add_test(tests, json_tells_what_grows);
	tcase_add_test(tests, growth_that_nothing_is_known_of_is_none);
	tcase_add_test(tests, growth_that_was_not_judged_is_not_none);
	tcase_add_test(tests, points_that_make_no_sense_do_no_harm);
	tcase_add_test(tests, damaged_records_are_left_out);
	tcase_add_test(tests, a_merge_keeps_where_it_grew_most);
	tcase_add_test(tests, a_merge_has_the_timeline_of_the_largest_heap);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
