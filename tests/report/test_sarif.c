/* SPDX-License-Identifier: Apache-2.0
 *
 * SARIF as code scanning takes it: what its documentation calls required is there, in whatever
 * a log has; what it limits is limited; what names a file, a rule or a result names it for
 * good.
 */
#include <check.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "log/format.h"
#include "logs.h"
#include "report/writer.h"

enum { RESULTS_MAX = 25000, SETS_MAX = 2 };

static struct encoder log_bytes[SETS_MAX];
static struct fp_report *reports[SETS_MAX];
static json_t *log_json;
static json_t *run;

static void release(void)
{
	json_decref(log_json);
	log_json = NULL;
	for (size_t i = 0; i < SETS_MAX; i++) {
		fp_report_free(reports[i]);
		reports[i] = NULL;
	}
}

static void write_set(const struct fp_report *const *set, size_t count, const char *root)
{
	const struct fp_report_view view = {
	        .leaks = FP_REPORT_LEAKS_FULL, .has_possible = true, .source_root = root};
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	json_decref(log_json);
	ck_assert_int_eq(fp_report_write(fp_report_writer_find("sarif"),
	                                 &(struct fp_report_set){set, count}, &view, out),
	                 0);
	ck_assert_int_eq(fclose(out), 0);
	log_json = json_loadb(text, size, 0, NULL);
	ck_assert_ptr_nonnull(log_json);
	free(text);
	run = json_array_get(json_object_get(log_json, "runs"), 0);
	ck_assert_uint_eq(json_array_size(json_object_get(log_json, "runs")), 1);
}

/* The log called NAME as report I. */
static void read_log(size_t i, const char *name)
{
	for (size_t j = 0; j < RECORDED_LOGS; j++) {
		if (strcmp(recorded_logs[j].name, name) == 0)
			recorded_logs[j].encode(&log_bytes[i]);
	}
	ck_assert_int_eq(fp_report_read(log_bytes[i].bytes, log_bytes[i].size, &reports[i]), 0);
	ck_assert_int_eq(fp_report_resolve(reports[i], FP_SYMBOL_DEBUG_DIR), 0);
}

static void write_log(const char *name, const char *root)
{
	release();
	read_log(0, name);
	write_set((const struct fp_report *const *)reports, 1, root);
}

/* The value at PATH, "results/0/ruleId", of FROM; NULL when there is none. */
static json_t *value_at(json_t *from, const char *path)
{
	char *steps = strdup(path);

	for (char *step = strtok(steps, "/"); step; step = strtok(NULL, "/"))
		from = json_is_array(from) ? json_array_get(from, strtoul(step, NULL, 10))
		                           : json_object_get(from, step);
	free(steps);
	return from;
}

static const char *string_at(json_t *from, const char *path)
{
	const char *string = json_string_value(value_at(from, path));

	ck_assert_msg(string && *string != '\0', "no text at %s", path);
	return string;
}

static json_int_t number_at(json_t *from, const char *path)
{
	ck_assert_msg(json_is_integer(value_at(from, path)), "no number at %s", path);
	return json_integer_value(value_at(from, path));
}

static size_t size_at(json_t *from, const char *path)
{
	return json_array_size(value_at(from, path));
}

/* The first result of rule ID. */
static json_t *result_of(const char *id)
{
	json_t *result;
	size_t i;

	json_array_foreach(value_at(run, "results"), i, result)
	{
		if (strcmp(string_at(result, "ruleId"), id) == 0)
			return result;
	}
	ck_abort_msg("no result of %s", id);
}

/* RFC 3986's characters and no others, and no dots to walk out by. */
static void expect_uri(const char *uri)
{
	ck_assert_msg(strspn(uri, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	                          "0123456789/-._~%:") == strlen(uri),
	              "%s", uri);
	for (const char *at = uri; (at = strchr(at, '%')) != NULL; at++)
		ck_assert_msg(strspn(at + 1, "0123456789ABCDEF") >= 2, "%s", uri);
	if (strchr(uri, ':'))
		ck_assert_msg(strncmp(uri, "file:///", 8) == 0, "%s", uri);
	ck_assert_ptr_null(strstr(uri, "/../"));
}

static void expect_location(json_t *location)
{
	const char *region[] = {"startLine", "startColumn", "endLine", "endColumn"};

	expect_uri(string_at(location, "physicalLocation/artifactLocation/uri"));
	for (size_t i = 0; i < 4; i++)
		ck_assert_int_ge(
		        json_integer_value(json_object_get(
		                value_at(location, "physicalLocation/region"), region[i])),
		        1);
}

static void expect_result(json_t *result)
{
	json_int_t rule = number_at(result, "ruleIndex");
	json_t *location;
	char id[64];
	size_t i;

	snprintf(id, sizeof(id), "tool/driver/rules/%d/id", (int)rule);
	ck_assert_str_eq(string_at(run, id), string_at(result, "ruleId"));
	string_at(result, "message/text");
	string_at(result, "partialFingerprints/primaryLocationLineHash");
	ck_assert_int_ge(number_at(result, "occurrenceCount"), 1);
	ck_assert_uint_eq(size_at(result, "locations"), 1);
	expect_location(value_at(result, "locations/0"));
	ck_assert_uint_lt(size_at(result, "relatedLocations"), 100);
	json_array_foreach(value_at(result, "relatedLocations"), i, location)
	{
		expect_location(location);
		string_at(location, "message/text");
		ck_assert_int_ge(number_at(location, "id"), 1);
	}
}

static void expect_rule(json_t *rule)
{
	string_at(rule, "id");
	/* One that is the id says nothing more, and validators say so. */
	if (value_at(rule, "name")) {
		ck_assert_uint_le(strlen(string_at(rule, "name")), 255);
		ck_assert_str_ne(string_at(rule, "name"), string_at(rule, "id"));
	}
	ck_assert_uint_le(strlen(string_at(rule, "shortDescription/text")), 1024);
	ck_assert_uint_le(strlen(string_at(rule, "fullDescription/text")), 1024);
	string_at(rule, "help/text");
	string_at(rule, "defaultConfiguration/level");
	ck_assert_uint_le(size_at(rule, "properties/tags"), 10);
	if (value_at(rule, "properties/security-severity")) {
		double score = strtod(string_at(rule, "properties/security-severity"), NULL);

		ck_assert_double_gt(score, 0);
		ck_assert_double_le(score, 10);
	}
}

START_TEST(what_code_scanning_requires_is_there)
{
	json_t *item;
	json_t *seen = json_object();
	size_t i;

	write_log(recorded_logs[_i].name, "/srv/plant");
	ck_assert_str_eq(string_at(log_json, "version"), "2.1.0");
	string_at(log_json, "$schema");
	string_at(run, "tool/driver/name");
	ck_assert_uint_eq(size_at(run, "tool/driver/rules"),
	                  FP_FINDING_COUNT + FP_LEAK_CLASS_COUNT);
	json_array_foreach(value_at(run, "tool/driver/rules"), i, item)
	{
		expect_rule(item);
	}
	ck_assert(json_is_array(value_at(run, "results")));
	json_array_foreach(value_at(run, "results"), i, item)
	{
		expect_result(item);
		json_object_set(seen,
		                string_at(item, "partialFingerprints/primaryLocationLineHash"),
		                item);
	}
	/* Equal ones would be shown as one alert. */
	ck_assert_uint_eq(json_object_size(seen), size_at(run, "results"));
	json_decref(seen);
}
END_TEST

START_TEST(a_weakness_is_named_the_ways_that_tools_read)
{
	json_t *rule;

	write_log("plant", NULL);
	rule = value_at(run, "tool/driver/rules/2");
	ck_assert_str_eq(string_at(rule, "id"), "heap-use-after-free");
	ck_assert_str_eq(string_at(rule, "properties/tags/1"), "external/cwe/cwe-416");
	ck_assert_str_eq(string_at(rule, "relationships/0/target/id"), "416");
	for (size_t i = 0; i < size_at(run, "tool/driver/rules"); i++) {
		char path[64];
		json_t *taxon;

		rule = json_array_get(value_at(run, "tool/driver/rules"), i);
		snprintf(path, sizeof(path), "taxonomies/0/taxa/%d",
		         (int)number_at(rule, "relationships/0/target/index"));
		taxon = value_at(run, path);
		ck_assert_str_eq(string_at(taxon, "id"),
		                 string_at(rule, "relationships/0/target/id"));
	}
}
END_TEST

START_TEST(files_of_the_repository_are_relative_to_it)
{
	const char *file = "locations/0/physicalLocation/artifactLocation/uri";
	const char *base = "locations/0/physicalLocation/artifactLocation/uriBaseId";
	json_t *result;

	write_log("plant", "/srv/plant/");
	result = result_of("double-free");
	ck_assert_str_eq(string_at(result, file), "src/rows.h");
	ck_assert_str_eq(string_at(result, base), "%SRCROOT%");
	ck_assert_str_eq(string_at(value_at(run, "originalUriBaseIds"), "%SRCROOT%/uri"),
	                 "file:///srv/plant/");
	ck_assert_str_eq(string_at(result_of("leak-definite"), file), "src/make%20it.cc");

	/* A name that only begins alike is another directory. */
	write_log("plant", "/srv/pla");
	result = result_of("double-free");
	ck_assert_str_eq(string_at(result, file), "file:///srv/plant/src/rows.h");
	ck_assert_ptr_null(value_at(result, base));

	write_log("plant", NULL);
	ck_assert_str_eq(string_at(result_of("double-free"), file),
	                 "file:///srv/plant/src/rows.h");
	ck_assert_ptr_null(value_at(run, "originalUriBaseIds"));
}
END_TEST

START_TEST(the_place_is_a_frame_of_the_repository)
{
	/* However the directory is written. */
	write_log("plant", "/srv/plant/./build/../src/");
	ck_assert_str_eq(string_at(result_of("double-free"),
	                           "locations/0/physicalLocation/artifactLocation/uri"),
	                 "rows.h");
	/* The innermost frame is a library's. */
	ck_assert_int_eq(number_at(result_of("leak-indirect"),
	                           "locations/0/physicalLocation/region/startLine"),
	                 31);
}
END_TEST

START_TEST(sites_and_flows_lead_from_the_allocation_to_the_mistake)
{
	json_t *result;

	write_log("plant", "/srv/plant");
	result = result_of("heap-use-after-free");
	ck_assert_ptr_nonnull(
	        strstr(string_at(result, "message/text"), "[freed by thread 4244](1)"));
	ck_assert_ptr_nonnull(
	        strstr(string_at(result, "message/text"), "[allocated by thread 4243](2)"));
	ck_assert_str_eq(string_at(result, "relatedLocations/0/message/text"),
	                 "freed by thread 4244");
	ck_assert_int_eq(
	        number_at(result, "relatedLocations/0/physicalLocation/region/startLine"), 71);
	ck_assert_uint_eq(size_at(result, "codeFlows/0/threadFlows"), 3);
	ck_assert_str_eq(
	        string_at(result,
	                  "codeFlows/0/threadFlows/0/locations/0/location/message/text"),
	        "allocated by thread 4243");
	ck_assert_int_eq(
	        number_at(result, "codeFlows/0/threadFlows/2/locations/0/executionOrder"), 3);
	ck_assert_uint_eq(size_at(result, "stacks"), 3);
	ck_assert_uint_eq(size_at(result, "stacks/0/frames"), 3);
}
END_TEST

START_TEST(processes_are_invocations_of_one_run)
{
	json_t *result;

	release();
	read_log(0, "plant");
	read_log(1, "plant");
	write_set((const struct fp_report *const *)reports, 2, NULL);
	ck_assert_uint_eq(size_at(run, "invocations"), 2);
	ck_assert_int_eq(number_at(run, "invocations/0/exitCode"), 3);
	ck_assert_str_eq(string_at(run, "invocations/1/arguments/0"), "--rows=3");
	ck_assert_str_eq(string_at(run, "automationDetails/id"), "fencepost/plant/");
	result = result_of("double-free");
	ck_assert_int_eq(number_at(result, "occurrenceCount"), 2);
	result = result_of("leak-indirect");
	ck_assert_int_eq(number_at(result, "occurrenceCount"), 2);
	ck_assert_ptr_nonnull(
	        strstr(string_at(result, "message/text"), "10000 bytes in 2 blocks"));

	write_log("sample", NULL);
	ck_assert_str_eq(string_at(run, "invocations/0/exitSignalName"), "SIGSEGV");
	ck_assert(json_is_false(value_at(run, "invocations/0/executionSuccessful")));
	ck_assert_int_eq(number_at(result_of("double-free"), "occurrenceCount"), 3);
}
END_TEST

/* A report of COUNT leaks of 1, 2, ... bytes, each its own. */
static struct fp_report *make_leaks(size_t count)
{
	static const struct fp_report_stack nowhere;
	struct fp_report *report = calloc(1, sizeof(*report));

	report->leaks = calloc(count, sizeof(report->leaks[0]));
	report->leak_count = count;
	for (size_t i = 0; i < count; i++)
		report->leaks[i] = (struct fp_report_leak){.class = FP_LEAK_DEFINITE,
		                                           .blocks = 1,
		                                           .bytes = i + 1,
		                                           .stack = &nowhere,
		                                           .fingerprint = i};
	return report;
}

START_TEST(no_more_results_than_an_upload_may_have)
{
	release();
	reports[0] = make_leaks(RESULTS_MAX + 7);
	write_set((const struct fp_report *const *)reports, 1, NULL);
	ck_assert_uint_eq(size_at(run, "results"), RESULTS_MAX);
	ck_assert_ptr_nonnull(strstr(string_at(run, "results/0/message/text"), " 25007 bytes"));
	ck_assert_ptr_nonnull(strstr(string_at(run, "results/24999/message/text"), " 8 bytes"));
	ck_assert_ptr_nonnull(strstr(
	        string_at(run, "invocations/0/toolExecutionNotifications/0/message/text"),
	        "7 results are left out"));
	expect_result(value_at(run, "results/0"));
}
END_TEST

/* A name of BYTES that nothing can compress to less than half. */
static struct fp_report_string make_noise(size_t bytes)
{
	static uint64_t state = 88172645463325252u;
	char *noise = malloc(bytes);

	for (size_t i = 0; i < bytes; i++) {
		state ^= state << 13;
		state ^= state >> 7;
		state ^= state << 17;
		noise[i] = "0123456789abcdef"[state % 16];
	}
	return (struct fp_report_string){noise, bytes};
}

START_TEST(no_more_bytes_than_an_upload_may_have)
{
	enum { LEAKS = 3000, NAME = 16384 };

	release();
	reports[0] = make_leaks(LEAKS);
	for (size_t i = 0; i < LEAKS; i++)
		reports[0]->leaks[i].site =
		        (struct fp_report_site){.file = make_noise(NAME), .line = 1};
	write_set((const struct fp_report *const *)reports, 1, NULL);
	/* Four bits of each character stay. */
	size_t kept = size_at(run, "results");
	ck_assert_uint_gt(kept, 9000000 / (NAME / 2) * 8 / 10);
	ck_assert_uint_lt(kept, 10000000 / (NAME / 2));
	ck_assert_ptr_nonnull(strstr(string_at(run, "results/0/message/text"), " 3000 bytes"));
	ck_assert_ptr_nonnull(strstr(
	        string_at(run, "invocations/0/toolExecutionNotifications/0/message/text"),
	        " results are left out"));
	for (size_t i = 0; i < LEAKS; i++)
		free((char *)(uintptr_t)reports[0]->leaks[i].site.file.bytes);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sarif");
	TCase *tests = tcase_create("sarif");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tests, NULL, release);
	tcase_add_loop_test(tests, what_code_scanning_requires_is_there, 0, RECORDED_LOGS);
	tcase_add_test(tests, a_weakness_is_named_the_ways_that_tools_read);
	tcase_add_test(tests, files_of_the_repository_are_relative_to_it);
	tcase_add_test(tests, the_place_is_a_frame_of_the_repository);
	tcase_add_test(tests, sites_and_flows_lead_from_the_allocation_to_the_mistake);
	tcase_add_test(tests, processes_are_invocations_of_one_run);
	tcase_add_test(tests, no_more_results_than_an_upload_may_have);
	tcase_add_test(tests, no_more_bytes_than_an_upload_may_have);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
