/* SPDX-License-Identifier: Apache-2.0
 *
 * A file of JSON: one report, an array of them, or lines of --ndjson, each of which is a report
 * of a finding or a leak. Lines of one run are put together before they are read, as the one
 * report that they were cut from.
 */
#include "report/json/read.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool fp_report_is_json(const void *data, size_t size)
{
	const char *at = data;

	while (size > 0 && isspace((unsigned char)*at)) {
		at++;
		size--;
	}
	return size > 0 && (*at == '{' || *at == '[');
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
	return fp_report_read_document(json, reports[list->count++], refusal);
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

/* ---- Lines --------------------------------------------------------------------------------
 */

/* Adds what LINE, another line of the run that WHOLE is of, says. Its summary stands for all.
 */
static void add_line(json_t *whole, json_t *line)
{
	const char *type =
	        json_string_value(json_object_get(json_object_get(line, "line"), "type"));
	const char *key;
	json_t *value;

	json_object_foreach(line, key, value)
	{
		json_t *before = json_object_get(whole, key);

		if (json_is_array(before) &&
		    (strcmp(key, "findings") == 0 || strcmp(key, "leaks") == 0))
			json_array_extend(before, value);
		else if (type && strcmp(type, "summary") == 0)
			json_object_set(whole, key, value);
	}
}

/* One of the values of a file: a report, an array of some, or a line. Lines of one run become
 * one report; RUNS has those that there are. */
static void take_document(json_t *values, json_t *runs, json_t *json)
{
	const char *run =
	        json_string_value(json_object_get(json_object_get(json, "line"), "run"));
	json_t *whole = run ? json_object_get(runs, run) : NULL;

	if (whole)
		add_line(whole, json);
	else
		json_array_append(values, json);
	if (run && !whole)
		json_object_set(runs, run, json);
	json_decref(json);
}

static size_t count_lines(const char *text, size_t size)
{
	size_t lines = 0;

	for (size_t i = 0; i < size; i++)
		lines += text[i] == '\n';
	return lines;
}

/* All values of a file, one behind the other. */
static int load(const char *text, size_t size, json_t *values, char *refusal)
{
	json_t *runs = json_object();
	size_t at = 0;
	json_error_t error = {.position = 0};
	json_t *json;

	while ((at < size || at == 0) &&
	       (json = json_loadb(text + at, size - at, JSON_DISABLE_EOF_CHECK, &error))) {
		take_document(values, runs, json);
		at += (size_t)error.position;
		while (at < size && isspace((unsigned char)text[at]))
			at++;
	}
	json_decref(runs);
	if (at == size && at > 0)
		return 0;
	if (json_error_code(&error) == json_error_out_of_memory)
		return -ENOMEM;
	/* The library's own words quote the file, which may speak to the terminal. */
	snprintf(refusal, FP_REPORT_REFUSAL_MAX, "is damaged JSON at line %zu, column %d",
	         count_lines(text, at) + (size_t)error.line, error.column);
	return -EINVAL;
}

int fp_report_read_json(const void *data, size_t size, struct fp_report_list *list,
                        char refusal[FP_REPORT_REFUSAL_MAX])
{
	json_t *values = json_array();
	int result = load(data, size, values, refusal);

	*list = (struct fp_report_list){0};
	for (size_t i = 0; result == 0 && i < json_array_size(values); i++)
		result = read_value(list, json_array_get(values, i), refusal);
	json_decref(values);
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
