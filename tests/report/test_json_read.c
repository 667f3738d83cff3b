/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON reports read back: every format of what was read is the format of the log it came from,
 * byte for byte, and what is no report is refused in one line.
 */
#include <check.h>
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "logs.h"
#include "report/json/read.h"
#include "report/merge/merge.h"
#include "report/writer.h"

static struct encoder log_bytes;
static char refusal[FP_REPORT_REFUSAL_MAX];

static int read_text(const char *text, size_t size, struct fp_report_list *list)
{
	FILE *in = fmemopen((char *)(uintptr_t)text, size, "r");
	int result = fp_report_read_json(in, NULL, list, refusal);

	fclose(in);
	return result;
}

static char *render(const char *format, const struct fp_report_list *list)
{
	const struct fp_report_view view = {.leaks = FP_REPORT_LEAKS_FULL};
	const struct fp_report_set set = {(const struct fp_report *const *)list->reports,
	                                  list->count};
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	ck_assert_int_eq(fp_report_write(fp_report_writer_find(format), &set, &view, out), 0);
	ck_assert_int_eq(fclose(out), 0);
	return text;
}

static void read_log(size_t i, struct fp_report **report)
{
	recorded_logs[i].encode(&log_bytes);
	ck_assert_int_eq(fp_report_read(log_bytes.bytes, log_bytes.size, report), 0);
	ck_assert_int_eq(fp_report_resolve(*report, FP_SYMBOL_DEBUG_DIR), 0);
	ck_assert_int_eq(fp_report_resolve_snapshots(*report, FP_SYMBOL_DEBUG_DIR), 0);
}

static void expect_same(const char *format, const struct fp_report_list *log,
                        const struct fp_report_list *json)
{
	char *first = render(format, log);
	char *second = render(format, json);
	size_t same = 0;

	while (first[same] != '\0' && first[same] == second[same])
		same++;
	/* Check cannot print strings this long. */
	ck_assert_msg(strcmp(first, second) == 0, "%s, from byte %zu: %.200s\nnot: %.200s",
	              format, same, second + same, first + same);
	free(first);
	free(second);
}

START_TEST(a_report_read_back_is_the_same_in_every_format)
{
	struct fp_report *report;
	struct fp_report_list list = {&report, 1};
	struct fp_report_list again;
	char *text;

	read_log((size_t)_i, &report);
	text = render("json", &list);
	ck_assert(fp_report_is_json(text, strlen(text)));
	ck_assert_msg(read_text(text, strlen(text), &again) == 0, "%s", refusal);
	ck_assert_uint_eq(again.count, 1);
	expect_same("json", &list, &again);
	/* In JSON, bytes that are no UTF-8 are lost; text shows them. */
	if (!strstr(text, "\xef\xbf\xbd"))
		expect_same("text", &list, &again);
	fp_report_list_free(&again);
	fp_report_free(report);
	free(text);
}
END_TEST

START_TEST(an_array_is_several_reports)
{
	struct fp_report *reports[2];
	struct fp_report_list list = {reports, 2};
	struct fp_report_list again;
	char *text;

	read_log(0, &reports[0]);
	text = render("text", &(struct fp_report_list){reports, 1});
	free(text);
	/* The bytes of a log must outlive its report, so both are of one. */
	ck_assert_int_eq(fp_report_read(log_bytes.bytes, log_bytes.size, &reports[1]), 0);
	ck_assert_int_eq(fp_report_resolve(reports[1], FP_SYMBOL_DEBUG_DIR), 0);
	text = render("json", &list);
	ck_assert_int_eq(read_text(text, strlen(text), &again), 0);
	ck_assert_uint_eq(again.count, 2);
	expect_same("text", &list, &again);
	fp_report_list_free(&again);
	fp_report_free(reports[0]);
	fp_report_free(reports[1]);
	free(text);
}
END_TEST

static void expect_refusal(const char *text, const char *reason)
{
	struct fp_report_list list;

	refusal[0] = '\0';
	ck_assert_msg(read_text(text, strlen(text), &list) == -EINVAL, "not refused: %s", text);
	ck_assert_ptr_null(list.reports);
	ck_assert_msg(strstr(refusal, reason) != NULL, "%s: refused because it %s", text,
	              refusal);
	ck_assert_ptr_null(strpbrk(refusal, "\n\033"));
}

START_TEST(what_is_no_report_is_refused)
{
	char *deep = malloc(100001);

	expect_refusal("", "is damaged JSON at line 1");
	expect_refusal("{\"schema\": \"\033[31m", "is damaged JSON at line 1");
	expect_refusal("{\n\"a\": 1,\n}", "is damaged JSON at line 3, column 1");
	expect_refusal("{\"a\": \"\xff\"}", "is damaged JSON");
	expect_refusal("{\"a\": 99999999999999999999}", "is damaged JSON");
	expect_refusal("{} {}", "no report of schema fencepost-report-1");
	expect_refusal("[]", "without a report");
	expect_refusal("[[]]", "no report of schema fencepost-report-1");
	expect_refusal("{\"schema\": \"fencepost-doctor-1\"}", "no report of schema");
	expect_refusal("[1, 2]", "no report of schema");
	memset(deep, '[', 100000);
	deep[100000] = '\0';
	expect_refusal(deep, "is damaged JSON");
	free(deep);
}
END_TEST

/* In the place of %s: what follows "schema". */
static void expect_wrong(const char *fields, const char *key)
{
	char text[512];
	char reason[128];

	snprintf(text, sizeof(text), "{\"schema\": \"fencepost-report-1\", %s}", fields);
	snprintf(reason, sizeof(reason), "a value of \"%s\" cannot be right", key);
	expect_refusal(text, reason);
}

START_TEST(wrong_values_are_named)
{
	expect_wrong("\"process\": 1", "process");
	expect_wrong("\"process\": {\"pid\": -1}", "pid");
	expect_wrong("\"process\": {\"pid\": 4294967296}", "pid");
	expect_wrong("\"process\": {\"argv\": [1]}", "argv");
	expect_wrong("\"settings\": {\"align\": []}", "settings");
	expect_wrong("\"settings\": []", "settings");
	expect_wrong("\"protection\": {\"reasons\": {\"memory\": \"much\"}}", "reasons");
	expect_wrong("\"notes\": [{}]", "notes");
	expect_wrong("\"findings\": {}", "findings");
	expect_wrong("\"leaks\": [{\"kind\": \"definite\", \"blocks\": \"two\"}]", "blocks");
	expect_wrong("\"leaks\": [{\"kind\": \"definite\", \"alloc_stack\": [7]}]",
	             "alloc_stack");
	expect_wrong("\"leaks\": [{\"kind\": \"definite\", \"alloc_stack\": [{\"source\": "
	             "{\"first\": 1, \"lines\": [1]}}]}]",
	             "lines");
	expect_wrong("\"leaks\": [{\"kind\": \"definite\", \"sources\": [{\"source\": 0}]}]",
	             "source");
	expect_wrong("\"findings\": [{\"kind\": \"double-free\", \"access\": \"free\", "
	             "\"address\": \"7000\"}]",
	             "address");
	expect_wrong("\"findings\": [{\"kind\": \"double-free\", \"access\": \"free\", "
	             "\"evidence\": {\"bytes\": \"0g\"}}]",
	             "bytes");
}
END_TEST

static struct fp_report *merge_alone(struct fp_report_list *list)
{
	const struct fp_report_origin origin = {.name = "a.json"};
	struct fp_report_merge *merge;
	struct fp_report *merged;

	ck_assert_int_eq(fp_report_merge_new(false, &merge), 0);
	ck_assert_int_eq(fp_report_merge_add(merge, list->reports[0], &origin), 0);
	fp_report_list_free(list);
	ck_assert_int_eq(fp_report_merge_end(merge, &merged), 0);
	return merged;
}

/* The files need not be there any more, nor the report that had the lines. */
START_TEST(lines_of_source_come_with_the_report)
{
	static const char text[] =
	        "{\"schema\": \"fencepost-report-1\", \"process\": {\"page_bytes\": 16384}, "
	        "\"findings\": [{\"kind\": \"double-free\", \"access\": \"free\", \"stack\": "
	        "[{\"function\": \"f\", \"file\": \"gone.c\", \"line\": 8, \"module\": "
	        "\"/gone\", \"source\": {\"first\": 7, \"lines\": [\"seven\", "
	        "\"eight\"]}}]}]}";
	struct fp_report_list list;
	struct fp_report *merged;
	char *rendered;

	ck_assert_int_eq(read_text(text, strlen(text), &list), 0);
	ck_assert_uint_eq(list.reports[0]->page_bytes, 16384);
	rendered = render("json", &list);
	ck_assert_ptr_nonnull(strstr(rendered, "\"page_bytes\": 16384"));
	free(rendered);
	merged = merge_alone(&list);
	list = (struct fp_report_list){&merged, 1};
	rendered = render("text", &list);
	ck_assert_ptr_nonnull(strstr(rendered, "        7 | seven\n  >     8 | eight\n"));
	free(rendered);
	rendered = render("json", &list);
	ck_assert_ptr_nonnull(strstr(rendered, "\"eight\""));
	free(rendered);
	fp_report_free(merged);
}
END_TEST

/* What a newer version adds is skipped, and said; little need be there. */
START_TEST(unknown_things_are_skipped)
{
	static const char text[] =
	        "{\"schema\": \"fencepost-report-1\", \"weather\": [{\"rain\": true}], "
	        "\"findings\": [{\"kind\": \"stack-smash\"}, {\"kind\": \"double-free\", "
	        "\"access\": \"free\", \"count\": 2, \"mood\": null, \"block\": {\"tier\": "
	        "\"guarded\", \"family\": \"malloc\", \"free_thread\": 1}}], \"leaks\": "
	        "[{\"kind\": \"lost\"}]}";
	struct fp_report_list list;
	char *rendered;

	ck_assert_int_eq(read_text(text, strlen(text), &list), 0);
	ck_assert_uint_eq(list.reports[0]->finding_count, 1);
	ck_assert_uint_eq(list.reports[0]->leak_count, 0);
	ck_assert_uint_eq(list.reports[0]->findings[0].count, 2);
	rendered = render("text", &list);
	ck_assert_ptr_nonnull(strstr(rendered, "note: 2 findings of kinds that this version "
	                                       "does not know were left out"));
	free(rendered);
	rendered = render("json", &list);
	free(rendered);
	fp_report_list_free(&list);
}
END_TEST

/* Cut anywhere, a report is refused, not half believed. */
START_TEST(a_cut_report_is_refused)
{
	struct fp_report *report;
	struct fp_report_list list = {&report, 1};
	struct fp_report_list again;
	char *text;
	size_t size;

	read_log(0, &report);
	text = render("json", &list);
	size = strlen(text);
	for (size_t cut = 1; cut < size - 2; cut += 97)
		ck_assert_int_eq(read_text(text, cut, &again), -EINVAL);
	/* Each byte damaged: refused or read, and nothing worse. */
	for (size_t i = 0; i < size; i += 13) {
		char before = text[i];

		text[i] = (char)(before ^ 0x11);
		if (read_text(text, size, &again) == 0)
			fp_report_list_free(&again);
		text[i] = before;
	}
	fp_report_free(report);
	free(text);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("json_read");
	TCase *tests = tcase_create("json_read");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tests, a_report_read_back_is_the_same_in_every_format, 0,
	                    RECORDED_LOGS);
	tcase_add_test(tests, an_array_is_several_reports);
	tcase_add_test(tests, what_is_no_report_is_refused);
	tcase_add_test(tests, wrong_values_are_named);
	tcase_add_test(tests, lines_of_source_come_with_the_report);
	tcase_add_test(tests, unknown_things_are_skipped);
	tcase_add_test(tests, a_cut_report_is_refused);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
