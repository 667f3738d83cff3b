/* SPDX-License-Identifier: Apache-2.0
 *
 * The frame of a JSON report: what it is, its process, settings, sums, notes and sources.
 */
#include "report/json/read.h"

#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/json/read_findings.h"
#include "report/stack.h"
#include "report/names.h"

static const char schema[] = "fencepost-report-1";

bool fp_report_is_json(const void *data, size_t size)
{
	const char *at = data;

	while (size > 0 && isspace((unsigned char)*at)) {
		at++;
		size--;
	}
	return size > 0 && (*at == '{' || *at == '[');
}

static void take_exit(struct fp_report_fields *fields, const json_t *json,
                      enum fp_log_exit *how, int32_t *value)
{
	const json_t *end = fp_report_fields_object(fields, json, "exit");
	struct fp_report_string name = fp_report_fields_string(fields, end, "signal");

	if (name.size > 0) {
		*how = FP_LOG_EXIT_SIGNAL;
		*value = (int32_t)fp_report_signal_number(name);
	} else if (json_object_get(end, "code")) {
		*how = FP_LOG_EXIT_CODE;
		*value = (int32_t)fp_report_fields_integer(fields, end, "code");
	}
}

/* The strings of the array at KEY; *COUNT is how many. */
static void take_strings(struct fp_report_fields *fields, const json_t *array, const char *key,
                         void (*take)(struct fp_report_fields *, struct fp_report_string))
{
	for (size_t i = 0; i < json_array_size(array); i++) {
		const json_t *item = json_array_get(array, i);

		if (json_is_string(item))
			take(fields, fp_report_fields_keep(fields, json_string_value(item),
			                                   json_string_length(item)));
		else
			fp_report_fields_refuse(fields, key);
	}
}

static void take_argument(struct fp_report_fields *fields, struct fp_report_string argument)
{
	struct fp_report *report = fields->report;

	fp_report_fields_append(fields, &report->arguments, &report->argument_count, &argument,
	                        sizeof(argument));
}

static void take_door(struct fp_report *report, const char *door)
{
	const uint8_t all = FP_LOG_DOOR_HOST | FP_LOG_DOOR_MALLOC;

	while (door && report->doors < all &&
	       (!fp_report_door(report) || strcmp(fp_report_door(report), door) != 0))
		report->doors++;
}

static void take_process(struct fp_report_fields *fields, const json_t *json)
{
	const json_t *process = fp_report_fields_object(fields, json, "process");
	struct fp_report *report = fields->report;

	report->pid = fp_report_fields_small(fields, process, "pid");
	report->ppid = fp_report_fields_small(fields, process, "ppid");
	report->executable = fp_report_fields_string(fields, process, "executable");
	take_strings(fields, fp_report_fields_array(fields, process, "argv"), "argv",
	             take_argument);
	take_exit(fields, process, &report->exit, &report->exit_value);
	report->page_bytes = fp_report_fields_small(fields, process, "page_bytes");
	report->is_cut_short = json_is_true(json_object_get(process, "cut_short"));
	report->is_uncounted = json_is_true(json_object_get(process, "uncounted"));
	take_door(report, json_string_value(json_object_get(process, "door")));
}

/* A setting's value as an option has it. */
static struct fp_report_string take_value(struct fp_report_fields *fields, const json_t *value)
{
	char number[24];
	int length;

	if (json_is_string(value))
		return fp_report_fields_keep(fields, json_string_value(value),
		                             json_string_length(value));
	if (!json_is_integer(value))
		fp_report_fields_refuse(fields, "settings");
	length = snprintf(number, sizeof(number), "%" JSON_INTEGER_FORMAT,
	                  json_integer_value(value));
	return fp_report_fields_keep(fields, number, (size_t)length);
}

static void take_settings(struct fp_report_fields *fields, const json_t *json)
{
	json_t *object = json_object_get(json, "settings");
	struct fp_report *report = fields->report;
	const char *key;
	json_t *value;

	fp_report_fields_object(fields, json, "settings");
	json_object_foreach(object, key, value)
	{
		const struct fp_report_setting setting = {
		        fp_report_fields_keep(fields, key, strlen(key)),
		        take_value(fields, value)};

		fp_report_fields_append(fields, &report->settings, &report->setting_count,
		                        &setting, sizeof(setting));
	}
}

static void take_reasons(struct fp_report_fields *fields, json_t *object)
{
	struct fp_report *report = fields->report;
	const char *key;
	json_t *value;

	json_object_foreach(object, key, value)
	{
		const struct fp_report_reason reason = {
		        fp_report_fields_keep(fields, key, strlen(key)),
		        (uint64_t)json_integer_value(value)};

		fp_report_fields_append(fields, &report->reasons, &report->reason_count,
		                        &reason, sizeof(reason));
		if (!json_is_integer(value) || json_integer_value(value) < 0)
			fp_report_fields_refuse(fields, "reasons");
	}
}

static void take_sums(struct fp_report_fields *fields, const json_t *json)
{
	const json_t *protection = fp_report_fields_object(fields, json, "protection");
	const json_t *heap = fp_report_fields_object(fields, json, "heap");
	const json_t *check = fp_report_fields_object(fields, json, "leak_check");
	const json_t *summary = fp_report_fields_object(fields, json, "summary");
	struct fp_report *report = fields->report;

	fp_report_fields_record(fields, protection, &fp_report_schema_protection,
	                        &report->protection);
	if (fp_report_fields_object(fields, protection, "reasons"))
		take_reasons(fields, json_object_get(protection, "reasons"));
	fp_report_fields_record(fields, heap, &fp_report_schema_heap, &report->heap);
	report->suppressed = fp_report_fields_count(fields, summary, "suppressed");
	report->has_check_failed =
	        !report->is_cut_short && json_is_true(json_object_get(summary, "unknown"));
	report->are_leaks_looked_for = fp_report_fields_flag(fields, check, "made");
	report->is_check_off = check != NULL && !report->are_leaks_looked_for;
	report->is_check_repeated = fp_report_fields_flag(fields, check, "repeated");
	report->is_check_of_news = fp_report_fields_flag(fields, check, "asked");
}

static void take_note(struct fp_report_fields *fields, struct fp_report_string text)
{
	struct fp_report *report = fields->report;
	const struct fp_report_note note = {.text = text};

	fp_report_fields_append(fields, &report->notes, &report->note_count, &note,
	                        sizeof(note));
}

static void take_sources(struct fp_report_fields *fields, const json_t *json)
{
	const json_t *array = fp_report_fields_array(fields, json, "sources");
	struct fp_report *report = fields->report;

	for (size_t i = 0; i < json_array_size(array); i++) {
		const json_t *item = json_array_get(array, i);
		struct fp_report_source source = {0};

		fp_report_fields_record(fields, item, &fp_report_schema_source, &source);
		take_exit(fields, item, &source.exit, &source.exit_value);
		fp_report_fields_append(fields, &report->sources, &report->source_count,
		                        &source, sizeof(source));
	}
	report->more_sources = fp_report_fields_count(fields, json, "more_sources");
}

static void take_findings(struct fp_report_fields *fields, const json_t *json)
{
	const json_t *findings = fp_report_fields_array(fields, json, "findings");
	const json_t *leaks = fp_report_fields_array(fields, json, "leaks");
	const json_t *snapshots = fp_report_fields_array(fields, json, "snapshots");
	const json_t *failed = fp_report_fields_array(fields, json, "failed_allocations");
	size_t unknown = 0;

	for (size_t i = 0; i < json_array_size(failed); i++)
		unknown += !fp_report_fields_failed(fields, json_array_get(failed, i));
	for (size_t i = 0; i < json_array_size(snapshots); i++)
		fp_report_fields_snapshot(fields, json_array_get(snapshots, i));
	for (size_t i = 0; i < json_array_size(findings); i++)
		unknown += !fp_report_fields_finding(fields, json_array_get(findings, i));
	for (size_t i = 0; i < json_array_size(leaks); i++)
		unknown += !fp_report_fields_leak(fields, json_array_get(leaks, i));
	if (unknown > 0 &&
	    fp_report_note(fields->report,
	                   "%zu finding%s of kinds that this version does not know %s left out",
	                   unknown, unknown == 1 ? "" : "s",
	                   unknown == 1 ? "was" : "were") != 0)
		fields->is_out_of_memory = true;
}

static void take_growth(struct fp_report_fields *fields, const json_t *json)
{
	const json_t *growth = fp_report_fields_object(fields, json, "growth");
	const json_t *stacks = fp_report_fields_array(fields, growth, "stacks");
	struct fp_report *report = fields->report;

	if (!growth)
		return;
	report->growth.is_looked_for = true;
	fp_report_fields_record(fields, growth, &fp_report_schema_growth, &report->growth);
	for (size_t i = 0; i < json_array_size(stacks); i++)
		fp_report_fields_growing(fields, json_array_get(stacks, i));
}

static void take_snapshot_source(struct fp_report_fields *fields, const json_t *json)
{
	static const char key[] = "snapshots_source";
	struct fp_report *report = fields->report;

	report->snapshot_source = UINT32_MAX;
	if (!json_object_get(json, key))
		return;
	report->snapshot_source = fp_report_fields_small(fields, json, key);
	if (report->snapshot_source >= report->source_count)
		fp_report_fields_refuse(fields, key);
}

static int refuse_field(const struct fp_report_fields *fields, char *refusal)
{
	if (fields->is_out_of_memory)
		return -ENOMEM;
	snprintf(refusal, FP_REPORT_REFUSAL_MAX,
	         "is a damaged JSON report: a value of \"%s\" cannot be right", fields->wrong);
	return -EINVAL;
}

static int read_report(const json_t *json, struct fp_report *report, char *refusal)
{
	struct fp_report_fields fields = {.report = report, .keeper.arena = &report->arena};
	const char *given = json_string_value(json_object_get(json, "schema"));

	if (!given || strcmp(given, schema) != 0) {
		snprintf(refusal, FP_REPORT_REFUSAL_MAX,
		         "is JSON, but no report of schema %s: name a file that --json=FILE "
		         "wrote",
		         schema);
		return -EINVAL;
	}
	take_process(&fields, json);
	take_settings(&fields, json);
	take_sums(&fields, json);
	take_sources(&fields, json);
	take_strings(&fields, fp_report_fields_array(&fields, json, "notes"), "notes",
	             take_note);
	take_findings(&fields, json);
	take_growth(&fields, json);
	take_snapshot_source(&fields, json);
	fp_report_keeper_end(&fields.keeper);
	return fp_report_fields_have_failed(&fields) ? refuse_field(&fields, refusal) : 0;
}

static int add_report(struct fp_report_list *list, const json_t *json, char *refusal)
{
	struct fp_report **reports =
	        fp_report_grow(list->reports, list->count, sizeof(*reports));

	if (!reports)
		return -ENOMEM;
	list->reports = reports;
	reports[list->count] = calloc(1, sizeof(struct fp_report));
	if (!reports[list->count])
		return -ENOMEM;
	return read_report(json, reports[list->count++], refusal);
}

static int read_value(struct fp_report_list *list, const json_t *json, char *refusal)
{
	int result = 0;

	if (!json_is_array(json))
		return add_report(list, json, refusal);
	for (size_t i = 0; result == 0 && i < json_array_size(json); i++)
		result = add_report(list, json_array_get(json, i), refusal);
	if (result == 0 && list->count == 0) {
		snprintf(refusal, FP_REPORT_REFUSAL_MAX, "is JSON without a report in it");
		result = -EINVAL;
	}
	return result;
}

int fp_report_read_json(const void *data, size_t size, struct fp_report_list *list,
                        char refusal[FP_REPORT_REFUSAL_MAX])
{
	json_error_t error;
	json_t *json = json_loadb(data, size, 0, &error);
	int result;

	*list = (struct fp_report_list){0};
	if (!json && json_error_code(&error) == json_error_out_of_memory)
		return -ENOMEM;
	if (!json) {
		/* The library's own words quote the file, which may speak to the terminal. */
		snprintf(refusal, FP_REPORT_REFUSAL_MAX,
		         "is damaged JSON at line %d, column %d", error.line, error.column);
		return -EINVAL;
	}
	result = read_value(list, json, refusal);
	json_decref(json);
	if (result != 0)
		fp_report_list_free(list);
	return result;
}

void fp_report_list_free(struct fp_report_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		fp_report_free(list->reports[i]);
	free(list->reports);
	*list = (struct fp_report_list){0};
}
