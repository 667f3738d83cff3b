/* SPDX-License-Identifier: Apache-2.0
 *
 * The writers on the sample log: the text byte for byte, the JSON field by field.
 */
#include <check.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "report/writer.h"
#include "sample.h"

static struct encoder log_bytes;
static struct fp_report *report;
static char *written;
static json_t *json;

static void release(void)
{
	json_decref(json);
	fp_report_free(report);
	free(written);
	json = NULL;
	report = NULL;
	written = NULL;
}

static void write_view(const char *format, const struct fp_report_view *view)
{
	const struct fp_report_writer *writer = fp_report_writer_find(format);
	const struct fp_report_set set = {(const struct fp_report *const *)&report, 1};
	size_t size;
	FILE *out;

	release();
	ck_assert_ptr_nonnull(writer);
	ck_assert_int_eq(fp_report_read(log_bytes.bytes, log_bytes.size, &report), 0);
	ck_assert_int_eq(fp_report_resolve(report, FP_SYMBOL_DEBUG_DIR), 0);
	ck_assert_int_eq(fp_report_resolve_snapshots(report, FP_SYMBOL_DEBUG_DIR), 0);
	out = open_memstream(&written, &size);
	ck_assert_int_eq(fp_report_write(writer, &set, view, out), 0);
	ck_assert_int_eq(fclose(out), 0);
}

static void write_text(enum fp_report_leaks leaks, bool is_quiet)
{
	write_view("text", &(struct fp_report_view){.leaks = leaks, .is_quiet = is_quiet});
}

static void write_json(enum fp_report_leaks leaks)
{
	json_error_t error;

	write_view("json", &(struct fp_report_view){.leaks = leaks});
	json = json_loads(written, 0, &error);
	ck_assert_msg(json != NULL, "%s in %s", error.text, written);
}

/* The value at PATH, "findings/0/block/size". */
static json_t *value_at(const char *path)
{
	json_t *value = json;
	char *steps = strdup(path);

	for (char *step = strtok(steps, "/"); step; step = strtok(NULL, "/"))
		value = json_is_array(value) ? json_array_get(value, strtoul(step, NULL, 10))
		                             : json_object_get(value, step);
	free(steps);
	ck_assert_msg(value != NULL, "no %s", path);
	return value;
}

static void expect_string(const char *path, const char *text)
{
	const char *string = json_string_value(value_at(path));

	ck_assert_msg(string && strcmp(string, text) == 0, "%s is %s, not %s", path,
	              string ? string : "no string", text);
}

static void expect_number(const char *path, long long number)
{
	json_t *value = value_at(path);

	ck_assert_msg(json_is_integer(value) && json_integer_value(value) == number,
	              "%s is not %lld", path, number);
}

static void expect_null(const char *path)
{
	ck_assert_msg(json_is_null(value_at(path)), "%s is not null", path);
}

/* Exactly the keys named, in this order. */
static void expect_keys(const char *path, const char *keys)
{
	const char *key;
	json_t *value;
	char found[512] = "";

	json_object_foreach(value_at(path), key, value)
	{
		strcat(found, key);
		strcat(found, " ");
	}
	ck_assert_str_eq(found, keys);
}

static void setup(void)
{
	encode_sample(&log_bytes);
}

static const char sample_text[] =
        "fencepost: double-free of a 24-byte block at [engine]+0x1 (3 times)\n"
        "  the block was freed before\n"
        "  the caller got HOST_E_INVALIDOPERATION\n"
        "  freed again by thread 4242 (sqlite_host):\n"
        "    #0 ([engine]+0x1, build-id abcd)\n"
        "    #1 (plant+0x10, build-id abcd)\n"
        "  first freed by thread 4244:\n"
        "    #0 ([engine]+0x3, build-id abcd)\n"
        "    #1 (plant+0x30, build-id abcd)\n"
        "  allocated by thread 4243:\n"
        "    #0 ([engine]+0x2, build-id abcd)\n"
        "    #1 (plant+0x20, build-id abcd)\n"
        "  the block: 24 bytes at 0x7000, serial 17, heap 1, family host, guarded, "
        "critical level task\n"
        "\n"
        "fencepost: heap-buffer-overflow of a 24-byte block, written between the allocation "
        "at engine.c:12 (DebugAlloc) and the end of the process\n"
        "  padding found changed\n"
        "  the caller got HOST_E_INVALIDOPERATION\n"
        "  found when the process ended\n"
        "  allocated by thread 4243:\n"
        "    #0 ([engine]+0x2, build-id abcd)\n"
        "    #1 (plant+0x20, build-id abcd)\n"
        "  the block: 24 bytes at 0x7000, serial 17, heap 1, family host, guarded, "
        "critical level task, asked for at engine.c:12 (DebugAlloc)\n"
        "  changed bytes, 0 past the end: 41 41 01 |AA.|\n"
        "  to see who writes: fencepost run --placement=right --align=auto -- plant "
        "$'caf\\351'\n"
        "\n"
        "fencepost: indirect leak of 5,000 bytes in 1 block at [engine]+0x4\n"
        "  heap 1, critical level task\n"
        "    #0 ([engine]+0x4, build-id abcd)\n"
        "    #1 (plant+0x40, build-id abcd)\n"
        "\n"
        "fencepost: leak of 300 bytes in 3 blocks at [engine]+0x2\n"
        "  heap 1, critical level task\n"
        "    #0 ([engine]+0x2, build-id abcd)\n"
        "    #1 (plant+0x20, build-id abcd)\n"
        "\n"
        "fencepost: reachable memory, never freed, of 7 bytes in 1 block at "
        "[engine]+0x3\n"
        "  heap 1, critical level task\n"
        "    #0 ([engine]+0x3, build-id abcd)\n"
        "    #1 (plant+0x30, build-id abcd)\n"
        "\n"
        "fencepost: note: the history was full; raise history=SIZE\n"
        "fencepost: note: /nonexistent/plant cannot be read any more: its frames have "
        "no "
        "names\n"
        "fencepost: note: 34 blocks were not guarded: 30 for memory, 4 for mappings\n"
        "fencepost: 2 errors, 4 leaks (5,300 bytes); killed by SIGSEGV; 2 % of blocks "
        "not guarded: memory\n";

START_TEST(text_is_written_for_people)
{
	size_t same = 0;

	write_text(FP_REPORT_LEAKS_FULL, false);
	while (sample_text[same] != '\0' && sample_text[same] == written[same])
		same++;
	/* Check cannot print strings this long. */
	ck_assert_msg(strcmp(sample_text, written) == 0, "from byte %zu: %.300s", same,
	              written + same);
}
END_TEST

/* A log of a process that did nothing wrong. */
static void encode_clean(void)
{
	encode_header(&log_bytes);
	encode_begin(&log_bytes, FP_LOG_PROTECTION);
	for (int i = 0; i < 2; i++)
		encode_u64(&log_bytes, 1);
	for (int i = 0; i < 2; i++)
		encode_u64(&log_bytes, 0);
	encode_u32(&log_bytes, 0);
	encode_end(&log_bytes);
	encode_begin(&log_bytes, FP_LOG_END);
	encode_end(&log_bytes);
}

START_TEST(a_clean_run_is_one_line_or_none)
{
	encode_clean();
	write_text(FP_REPORT_LEAKS_FULL, false);
	ck_assert_str_eq(written, "fencepost: no errors, no leaks\n");
	write_text(FP_REPORT_LEAKS_NONE, false);
	ck_assert_str_eq(written, "fencepost: no errors; leaks not checked\n");
	write_text(FP_REPORT_LEAKS_FULL, true);
	ck_assert_str_eq(written, "");
}
END_TEST

START_TEST(leaks_can_be_summed_or_left_out)
{
	write_text(FP_REPORT_LEAKS_SUMMARY, true);
	ck_assert_ptr_null(strstr(written, "leak of"));
	ck_assert_ptr_nonnull(strstr(written, "2 errors, 4 leaks (5,300 bytes);"));
	write_text(FP_REPORT_LEAKS_NONE, true);
	ck_assert_ptr_null(strstr(written, "leak of"));
	ck_assert_ptr_nonnull(
	        strstr(written, "2 errors; killed by SIGSEGV; leaks not checked;"));
	write_json(FP_REPORT_LEAKS_NONE);
	ck_assert_uint_eq(json_array_size(value_at("leaks")), 0);
	expect_number("summary/leaked_bytes", 0);
}
END_TEST

START_TEST(colour_is_only_for_terminals)
{
	write_text(FP_REPORT_LEAKS_FULL, false);
	ck_assert_ptr_null(strchr(written, '\033'));
	write_view("text",
	           &(struct fp_report_view){.leaks = FP_REPORT_LEAKS_FULL, .has_colour = true});
	ck_assert_ptr_nonnull(strstr(written, "fencepost: \033[1;31mdouble-free\033[0m of"));
}
END_TEST

/* Names from a log can neither break lines nor speak to the terminal. */
START_TEST(control_characters_are_escaped)
{
	encode_header(&log_bytes);
	encode_finding(&log_bytes,
	               &(struct sample_finding){.kind = FP_FINDING_INVALID_FREE,
	                                        .access = FP_ACCESS_FREE,
	                                        .thread_name = "\033[2J\xc2\x9b\xc3\xa9",
	                                        .description = "a\nb\x7f\xff",
	                                        .trace = 9});
	write_text(FP_REPORT_LEAKS_FULL, false);
	ck_assert_ptr_nonnull(strstr(written, "fencepost: invalid-free of 0x7000\n"));
	ck_assert_ptr_nonnull(strstr(written, "  a\\x0ab\\x7f\\xff\n"));
	ck_assert_ptr_nonnull(strstr(written, "(\\x1b[2J\\xc2\\x9b\xc3\xa9):\n"));
	ck_assert_ptr_nonnull(strstr(written, "    (no stack was kept)\n"));
	ck_assert_ptr_nonnull(strstr(written, "fencepost: note: the event log ends early"));
}
END_TEST

START_TEST(json_has_every_field)
{
	write_json(FP_REPORT_LEAKS_FULL);
	expect_keys("",
	            "schema tool process settings protection heap findings leak_check leaks "
	            "failed_allocations snapshots growth "
	            "notes summary ");
	expect_keys("tool", "name version ");
	expect_keys("process", "pid ppid executable argv exit page_bytes ");
	expect_keys("settings", "stack_depth quiet ");
	expect_keys("protection", "allocations guarded padded plain reasons ");
	expect_keys("heap", "allocations frees live_blocks live_bytes peak_blocks peak_bytes ");
	expect_keys("findings/0",
	            "kind cwe severity count fingerprint description access address "
	            "hresult thread exact through stack other evidence block region ");
	expect_keys("findings/0/thread", "id name ");
	expect_keys("findings/0/stack/0",
	            "function file line column module offset build_id inlined place ");
	expect_keys("leak_check", "made repeated asked listed ");
	expect_keys(
	        "findings/0/block",
	        "address size offset tier heap family serial critical_level site alloc_thread "
	        "alloc_stack free_thread free_stack ");
	expect_keys("findings/1/block/site", "file line ");
	expect_keys("findings/1/evidence", "offset bytes last ");
	expect_keys("leaks/0",
	            "kind blocks bytes fingerprint alloc_stack site heap "
	            "critical_level indirect_blocks indirect_bytes hangs_from age new ");
	expect_keys("snapshots/1", "milliseconds live_blocks live_bytes stacks ");
	expect_keys("snapshots/1/stacks/0", "blocks bytes alloc_stack ");
	expect_keys("summary", "errors leaked_blocks leaked_bytes new_leaked_blocks "
	                       "new_leaked_bytes possible_blocks possible_bytes "
	                       "unknown suppressed ");
}
END_TEST

START_TEST(json_tells_about_the_process)
{
	write_json(FP_REPORT_LEAKS_FULL);
	expect_string("schema", "fencepost-report-1");
	expect_string("tool/name", "fencepost");
	expect_number("process/pid", 4242);
	expect_number("process/ppid", 1);
	expect_string("process/executable", "/nonexistent/plant");
	expect_string("process/argv/1", "caf\xef\xbf\xbd");
	expect_string("process/exit/signal", "SIGSEGV");
	expect_number("settings/stack_depth", 32);
	expect_string("settings/quiet", "no");
	expect_number("protection/allocations", 1234);
	expect_number("protection/guarded", 1200);
	expect_number("protection/padded", 34);
	expect_number("protection/plain", 0);
	expect_number("protection/reasons/memory", 30);
	expect_number("protection/reasons/mappings", 4);
	expect_number("heap/allocations", 11);
	expect_number("heap/frees", 22);
	expect_number("heap/live_blocks", 33);
	expect_number("heap/live_bytes", 44);
	expect_number("heap/peak_blocks", 55);
	expect_number("heap/peak_bytes", 66);
	expect_string("notes/0", "the history was full; raise history=SIZE");
	expect_number("summary/errors", 2);
	expect_number("summary/leaked_blocks", 4);
	expect_number("summary/leaked_bytes", 5300);
	expect_number("summary/suppressed", 0);
}
END_TEST

START_TEST(json_tells_about_findings)
{
	write_json(FP_REPORT_LEAKS_FULL);
	ck_assert_uint_eq(json_array_size(value_at("findings")), 2);
	expect_string("findings/0/kind", "double-free");
	expect_number("findings/0/cwe", 415);
	expect_string("findings/0/severity", "error");
	expect_number("findings/0/count", 3);
	expect_string("findings/0/description", "the block was freed before");
	expect_string("findings/0/access", "free");
	expect_string("findings/0/address", "0x7000");
	expect_string("findings/0/hresult", "HOST_E_INVALIDOPERATION");
	expect_number("findings/0/thread/id", 4242);
	expect_string("findings/0/thread/name", "sqlite_host");
	expect_null("findings/0/evidence");
	expect_null("findings/0/other");
	expect_null("findings/0/stack/0/function");
	expect_null("findings/0/stack/0/file");
	expect_null("findings/0/stack/0/line");
	expect_string("findings/0/stack/1/module", "/nonexistent/plant");
	expect_string("findings/0/stack/1/offset", "0x10");
	expect_string("findings/0/stack/1/build_id", "abcd");
	ck_assert(json_is_false(value_at("findings/0/stack/1/inlined")));
	expect_string("findings/0/block/address", "0x7000");
	expect_number("findings/0/block/size", 24);
	expect_number("findings/0/block/offset", 0);
	expect_string("findings/0/block/tier", "guarded");
	expect_number("findings/0/block/heap", 1);
	expect_string("findings/0/block/family", "host");
	expect_number("findings/0/block/serial", 17);
	expect_string("findings/0/block/critical_level", "task");
	expect_null("findings/0/block/site");
	expect_number("findings/0/block/alloc_thread", 4243);
	expect_string("findings/0/block/alloc_stack/1/offset", "0x20");
	expect_number("findings/0/block/free_thread", 4244);
	expect_string("findings/0/block/free_stack/1/offset", "0x30");
	expect_string("findings/1/thread/name", "a\nb\xef\xbf\xbd");
	expect_number("findings/1/evidence/offset", 24);
	expect_string("findings/1/evidence/bytes", "414101");
	expect_string("findings/1/block/site/file", "engine.c");
	expect_number("findings/1/block/site/line", 12);
	expect_null("findings/1/block/free_thread");
	expect_null("findings/1/block/free_stack");
	ck_assert_uint_eq(json_array_size(value_at("findings/1/stack")), 0);
}
END_TEST

START_TEST(json_tells_about_leaks)
{
	write_json(FP_REPORT_LEAKS_SUMMARY);
	ck_assert_uint_eq(json_array_size(value_at("leaks")), 3);
	expect_string("leaks/0/kind", "indirect");
	expect_string("leaks/1/kind", "definite");
	expect_number("leaks/1/blocks", 3);
	expect_number("leaks/1/bytes", 300);
	expect_string("leaks/1/alloc_stack/0/module", "[engine]");
	expect_null("leaks/1/site");
	expect_string("leaks/2/kind", "reachable");
}
END_TEST

START_TEST(json_tells_about_snapshots)
{
	write_json(FP_REPORT_LEAKS_FULL);
	ck_assert_uint_eq(json_array_size(value_at("snapshots")), 2);
	expect_number("snapshots/0/milliseconds", 5);
	expect_number("snapshots/0/live_blocks", 3);
	expect_number("snapshots/0/live_bytes", 300);
	ck_assert_uint_eq(json_array_size(value_at("snapshots/0/stacks")), 0);
	expect_number("snapshots/1/live_bytes", 5300);
	expect_number("snapshots/1/stacks/1/blocks", 1);
	expect_number("snapshots/1/stacks/1/bytes", 5000);
	expect_string("snapshots/1/stacks/1/alloc_stack/1/offset", "0x40");
}
END_TEST

START_TEST(an_empty_log_still_has_every_field)
{
	encode_header(&log_bytes);
	write_json(FP_REPORT_LEAKS_FULL);
	expect_keys("process", "pid ppid executable argv exit cut_short uncounted ");
	expect_null("process/exit");
	expect_string("process/executable", "");
	expect_number("heap/peak_bytes", 0);
}
END_TEST

/* Whatever a damaged log makes of a report, it can be printed, and its JSON can be read. */
START_TEST(damaged_logs_are_written)
{
	srand(2);
	for (int round = 0; round < 1000; round++) {
		encode_sample(&log_bytes);
		for (int i = 0; i < 8; i++)
			log_bytes.bytes[16 + (size_t)rand() % (log_bytes.size - 16)] =
			        (uint8_t)rand();
		write_text(FP_REPORT_LEAKS_FULL, false);
		ck_assert_int_eq(strncmp(written, "fencepost: ", 11), 0);
		write_json(FP_REPORT_LEAKS_FULL);
		write_view("folded", &(struct fp_report_view){.leaks = FP_REPORT_LEAKS_FULL});
		write_view("html", &(struct fp_report_view){.leaks = FP_REPORT_LEAKS_FULL});
		ck_assert_ptr_nonnull(strstr(written, "</html>\n"));
	}
}
END_TEST

START_TEST(unknown_formats_have_no_writer)
{
	ck_assert_ptr_null(fp_report_writer_find("yaml"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("writers");
	TCase *tests = tcase_create("writers");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tests, setup, release);
	tcase_add_test(tests, text_is_written_for_people);
	tcase_add_test(tests, a_clean_run_is_one_line_or_none);
	tcase_add_test(tests, leaks_can_be_summed_or_left_out);
	tcase_add_test(tests, colour_is_only_for_terminals);
	tcase_add_test(tests, control_characters_are_escaped);
	tcase_add_test(tests, json_has_every_field);
	tcase_add_test(tests, json_tells_about_the_process);
	tcase_add_test(tests, json_tells_about_findings);
	tcase_add_test(tests, json_tells_about_leaks);
	tcase_add_test(tests, json_tells_about_snapshots);
	tcase_add_test(tests, an_empty_log_still_has_every_field);
	tcase_add_test(tests, damaged_logs_are_written);
	tcase_add_test(tests, unknown_formats_have_no_writer);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
