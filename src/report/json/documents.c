/* SPDX-License-Identifier: Apache-2.0
 *
 * A file of JSON: one report, an array of them, or lines of --ndjson, each of which is a report
 * of a finding or a leak. Lines of one run are put together before they are read, as the one
 * report that they were cut from. Those of many runs are merged as they come: a file of a
 * fleet's lines may be larger than memory.
 */
#include "base/tool_messages.h"
#include "report/json/read.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { PIECE_BYTES = 1 << 16 };

/* What was read of a file. */
struct text {
	FILE *in;
	char *bytes;
	size_t begin; /* what the parser has not taken */
	size_t fed;   /* what it has not seen */
	size_t size;
	size_t room;
	size_t lines; /* before BEGIN */
	bool is_out_of_memory;
};

struct reading {
	struct fp_report_merge *merge; /* NULL: nothing is merged */
	bool is_merging;
	json_t *values;
	json_t *runs; /* those of them that are lines, by run */
	char *refusal;
};

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
		snprintf(refusal, FP_REPORT_REFUSAL_MAX, FP_SAY_JSON_WITHOUT_REPORT);
		result = -EINVAL;
	}
	return result;
}

/* ---- Lines --------------------------------------------------------------------------------
 */

static const char *run_of(const json_t *line)
{
	return json_string_value(json_object_get(json_object_get(line, "line"), "run"));
}

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

/* Of lines of several runs each goes where they are merged, and is forgotten. */
static int merge_line(struct reading *reading, const json_t *json)
{
	struct fp_report *report = calloc(1, sizeof(*report));
	int result = report ? fp_report_read_document(json, report, reading->refusal) : -ENOMEM;

	if (result == 0)
		result = fp_report_merge_add(
		        reading->merge, report,
		        &(struct fp_report_origin){.name = report->line.host});
	fp_report_free(report);
	return result;
}

/* Another run has come: what there is of the first one goes where all will. */
static int begin_merging(struct reading *reading)
{
	int result = 0;

	reading->is_merging = true;
	for (size_t i = 0; result == 0 && i < json_array_size(reading->values);) {
		json_t *value = json_array_get(reading->values, i);

		if (!run_of(value)) {
			i++;
			continue;
		}
		result = merge_line(reading, value);
		json_array_remove(reading->values, i);
	}
	return result;
}

/* Takes JSON, one of the values of a file: a report, an array of some, or a line. Lines of one
 * run become one report, and are read as that. */
static int take_document(struct reading *reading, json_t *json)
{
	const char *run = run_of(json);
	json_t *whole = run ? json_object_get(reading->runs, run) : NULL;
	int result = 0;

	if (run && reading->is_merging) {
		result = merge_line(reading, json);
	} else if (whole) {
		add_line(whole, json);
	} else {
		json_array_append(reading->values, json);
		if (run)
			json_object_set(reading->runs, run, json);
		if (reading->merge && json_object_size(reading->runs) > 1)
			result = begin_merging(reading);
	}
	json_decref(json);
	return result;
}

/* ---- A file, one value at a time ----------------------------------------------------------
 */

static bool read_more(struct text *text)
{
	text->size -= text->begin;
	text->fed -= text->begin;
	if (text->size > 0)
		memmove(text->bytes, text->bytes + text->begin, text->size);
	text->begin = 0;
	if (text->room - text->size < PIECE_BYTES) {
		char *bytes = realloc(text->bytes, 2 * text->room + PIECE_BYTES);

		text->is_out_of_memory = !bytes;
		if (!bytes)
			return false;
		text->bytes = bytes;
		text->room = 2 * text->room + PIECE_BYTES;
	}
	size_t count = fread(text->bytes + text->size, 1, PIECE_BYTES, text->in);
	text->size += count;
	return count > 0;
}

/* Bytes for the parser. They are kept until it has said how many of them it took. */
static size_t feed(void *buffer, size_t size, void *data)
{
	struct text *text = data;

	if (text->fed == text->size && !read_more(text))
		return 0;
	if (size > text->size - text->fed)
		size = text->size - text->fed;
	memcpy(buffer, text->bytes + text->fed, size);
	text->fed += size;
	return size;
}

/* Goes over COUNT bytes and the white space behind them. False at the end. */
static bool pass(struct text *text, size_t count)
{
	for (;;) {
		text->fed = text->begin;
		if (text->begin == text->size && !read_more(text))
			return false;
		if (count > 0)
			count--;
		else if (!isspace((unsigned char)text->bytes[text->begin]))
			return true;
		text->lines += text->bytes[text->begin++] == '\n';
	}
}

/* All values of a file, one behind the other. */
static int take_documents(struct reading *reading, struct text *text)
{
	json_error_t error;
	json_t *json;
	int result = 0;

	do {
		json = json_load_callback(feed, text, JSON_DISABLE_EOF_CHECK, &error);
		if (json)
			result = take_document(reading, json);
	} while (json && result == 0 && pass(text, (size_t)error.position));
	if (json || text->is_out_of_memory)
		return text->is_out_of_memory ? -ENOMEM : result;
	if (json_error_code(&error) == json_error_out_of_memory)
		return -ENOMEM;
	/* The library's own words quote the file, which may speak to the terminal. */
	snprintf(reading->refusal, FP_REPORT_REFUSAL_MAX, FP_SAY_DAMAGED_JSON_AT,
	         text->lines + (size_t)error.line, error.column);
	return -EINVAL;
}

int fp_report_read_json(FILE *in, struct fp_report_merge *merge, struct fp_report_list *list,
                        char refusal[FP_REPORT_REFUSAL_MAX])
{
	struct text text = {.in = in};
	struct reading reading = {.merge = merge,
	                          .values = json_array(),
	                          .runs = json_object(),
	                          .refusal = refusal};
	int result = take_documents(&reading, &text);

	*list = (struct fp_report_list){0};
	json_decref(reading.runs);
	for (size_t i = 0; result == 0 && i < json_array_size(reading.values); i++)
		result = read_value(list, json_array_get(reading.values, i), refusal);
	json_decref(reading.values);
	free(text.bytes);
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
