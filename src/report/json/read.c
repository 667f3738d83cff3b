/* SPDX-License-Identifier: Apache-2.0
 *
 * What a JSON file is, and the report that its values come to.
 */
#include "report/json/read.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/json/fields.h"

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

/* What the report is not told under these names. */
static void settle(struct fp_report_fields *fields, const json_t *json)
{
	struct fp_report *report = fields->report;

	report->suppressed = report->summary.suppressed;
	report->has_check_failed = !report->is_cut_short && report->summary.is_unknown;
	report->is_check_off = json_is_object(json_object_get(json, "leak_check")) &&
	                       !report->are_leaks_looked_for;
	if (!report->has_snapshot_source)
		report->snapshot_source = UINT32_MAX;
	else if (report->snapshot_source >= report->source_count)
		fp_report_fields_refuse(fields, "snapshots_source");
	if (fields->unknown > 0 &&
	    fp_report_note(report,
	                   "%zu finding%s of kinds that this version does not know %s left out",
	                   fields->unknown, fields->unknown == 1 ? "" : "s",
	                   fields->unknown == 1 ? "was" : "were") != 0)
		fields->is_out_of_memory = true;
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
	fp_report_fields_record(&fields, json, &fp_report_schema_report, report);
	settle(&fields, json);
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
