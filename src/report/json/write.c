/* SPDX-License-Identifier: Apache-2.0
 *
 * The JSON report, schema fencepost-report-1: what has a table in model/schema.def, row by row.
 * Memory is the only thing that can fail: strings are made valid first.
 */
#include "report/json/write.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/leaks.h"
#include "report/names.h"
#include "report/schema.h"
#include "report/source.h"
#include "report/stack.h"
#include "report/suppress/suppress.h"
#include "report/writer.h"

void fp_report_tree_put(struct fp_report_tree *tree, json_t *object, const char *key,
                        json_t *value)
{
	if (json_object_set_new(object, key, value) != 0)
		tree->has_failed = true;
}

void fp_report_tree_append(struct fp_report_tree *tree, json_t *array, json_t *value)
{
	if (json_array_append_new(array, value) != 0)
		tree->has_failed = true;
}

/* STRING as UTF-8 in new memory, terminated: what is not valid, and the zero byte that many
 * parsers refuse, becomes U+FFFD. */
static char *make_valid(struct fp_report_string string)
{
	char *valid = malloc(3 * string.size + 1);
	char *to = valid;

	while (valid && string.size > 0) {
		size_t length = string.bytes[0] == '\0' ? 0 : fp_report_utf8_length(string);
		const char *from = length > 0 ? string.bytes : "\xef\xbf\xbd";
		size_t taken = length > 0 ? length : 1;

		length = length > 0 ? length : 3;
		memcpy(to, from, length);
		to += length;
		string.bytes += taken;
		string.size -= taken;
	}
	if (valid)
		*to = '\0';
	return valid;
}

static void put_named(struct fp_report_tree *tree, json_t *object, struct fp_report_string key,
                      json_t *value)
{
	char *valid = make_valid(key);

	if (!valid) {
		tree->has_failed = true;
		json_decref(value);
		return;
	}
	fp_report_tree_put(tree, object, valid, value);
	free(valid);
}

json_t *fp_report_make_string(struct fp_report_string string)
{
	char *valid = make_valid(string);
	json_t *json = valid ? json_string(valid) : NULL;

	free(valid);
	return json;
}

json_t *fp_report_make_text(const char *text)
{
	return text ? fp_report_make_string(fp_report_text(text)) : json_null();
}

/* JSON numbers of this library are signed; no honest count is larger. */
json_t *fp_report_make_count(uint64_t count)
{
	return json_integer(count > INT64_MAX ? INT64_MAX : (json_int_t)count);
}

json_t *fp_report_make_address(uint64_t address)
{
	return json_sprintf("0x%" PRIx64, address);
}

static json_t *make_hex(struct fp_report_string bytes)
{
	char *digits = malloc(2 * bytes.size + 1);
	json_t *json;

	if (!digits)
		return NULL;
	digits[0] = '\0';
	for (size_t i = 0; i < bytes.size; i++)
		snprintf(digits + 2 * i, 3, "%02x", (unsigned char)bytes.bytes[i]);
	json = json_string(digits);
	free(digits);
	return json;
}

enum {
	SOURCE_AROUND = 3, /* lines before and after the one that a stack stands for */
	SOURCES_MAX = 1000 /* stacks of one report that get lines: each is a file to be read */
};

/* What FRAME alone says; what only a reader that renders the report again wants to know, where
 * it is known. */
static struct fp_report_flat_frame flatten(const struct fp_report_frame *frame)
{
	static const struct fp_symbol_frame nothing;
	const struct fp_symbol_frame *symbol = frame->symbol ? frame->symbol : &nothing;
	const struct fp_report_module *module = frame->module;

	return (struct fp_report_flat_frame){
	        .function = symbol->function,
	        .file = symbol->file,
	        .line = symbol->line,
	        .column = symbol->column,
	        .module = module ? module->path : fp_report_text("[unknown]"),
	        .offset = frame->offset,
	        .build_id = module ? module->build_id : fp_report_text(""),
	        .inlined = symbol->inlined,
	        .linkage = symbol->linkage,
	        .directory = symbol->directory,
	        .function_line = symbol->function_line,
	        .has_function_offset = symbol->function && !symbol->file,
	        .function_offset = symbol->function_offset,
	};
}

/* STACK, with which frames reports for people leave out and which one it stands for, so that
 * nobody who shows it needs our lists of names; SOURCE, if it is not NULL, are the lines around
 * that one. */
static json_t *make_stack(struct fp_report_tree *tree, const struct fp_report_stack *stack,
                          const struct fp_report_lines *source)
{
	const struct fp_report_frame *place = fp_report_stack_place(stack);
	const struct fp_report_frame *caller = fp_report_stack_caller(stack);
	json_t *frames = json_array();
	const char *owner = NULL;
	size_t folded = 0; /* frames that are left of a run */

	for (size_t i = 0; i < stack->count; i++) {
		struct fp_report_flat_frame frame = flatten(&stack->frames[i]);

		frame.is_place = &stack->frames[i] == place;
		frame.is_caller = &stack->frames[i] == caller;
		frame.is_helper = stack->helper == i + 1;
		frame.passes_on = stack->helper == 0 && i < stack->passed;
		if (folded == 0 && i < stack->shown)
			folded = fp_report_fold(stack, i, &owner);
		if (folded > 0 || i >= stack->shown)
			frame.hidden = folded > 0 ? owner : "below main";
		folded -= folded > 0;
		if (frame.is_place && source)
			frame.source = *source;
		fp_report_tree_append(
		        tree, frames,
		        fp_report_make_record(tree, &fp_report_schema_frame, &frame));
	}
	return frames;
}

/* The same with its source, where that is to be had and not too many stacks have theirs
 * already. */
static json_t *make_stack_with_source(struct fp_report_tree *tree,
                                      const struct fp_report_stack *stack)
{
	struct fp_report_excerpt excerpt;

	if (!stack)
		return json_null();
	if (tree->sources_left == 0 || !fp_report_stack_source(stack, SOURCE_AROUND, &excerpt))
		return make_stack(tree, stack, NULL);
	tree->sources_left--;
	return make_stack(tree, stack,
	                  &(struct fp_report_lines){
	                          .first = excerpt.first,
	                          .lines = excerpt.lines,
	                          .count = excerpt.count,
	                  });
}

static json_t *make_strings(struct fp_report_tree *tree, const struct fp_report_string *strings,
                            size_t count)
{
	json_t *array = json_array();

	for (size_t i = 0; i < count; i++)
		fp_report_tree_append(tree, array, fp_report_make_string(strings[i]));
	return array;
}

/* Whole numbers become numbers, everything else stays a word. */
static json_t *make_setting(struct fp_report_string value)
{
	char text[20];
	char *end;
	long long number;

	if (value.size == 0 || value.size >= sizeof(text) || value.bytes[0] < '0' ||
	    value.bytes[0] > '9')
		return fp_report_make_string(value);
	memcpy(text, value.bytes, value.size);
	text[value.size] = '\0';
	errno = 0;
	number = strtoll(text, &end, 10);
	if (errno != 0 || end != text + value.size)
		return fp_report_make_string(value);
	return json_integer(number);
}

static json_t *make_array(struct fp_report_tree *tree, const struct fp_schema_record *schema,
                          const char *items, size_t count)
{
	size_t sources_left = tree->sources_left;
	json_t *array = json_array();

	/* The stacks of a snapshot are many, and are drawn without source. */
	if (schema == &fp_report_schema_group)
		tree->sources_left = 0;
	for (size_t i = 0; i < count; i++)
		fp_report_tree_append(
		        tree, array,
		        fp_report_make_record(tree, schema, items + i * schema->size));
	if (schema == &fp_report_schema_group)
		tree->sources_left = sources_left;
	return array;
}

static json_t *make_value(struct fp_report_tree *tree, const struct fp_schema_field *field,
                          const char *record);

/* Each item has its name first; what it is under that name is the rest or, of a map, its
 * value. */
static json_t *make_named(struct fp_report_tree *tree, const struct fp_schema_field *field,
                          const char *items, size_t count)
{
	const struct fp_schema_record *schema = field->of;
	json_t *object = json_object();

	for (size_t i = 0; i < count; i++) {
		const char *item = items + i * schema->size;
		const struct fp_report_string *name =
		        (const void *)(item + schema->fields[0].offset);

		put_named(tree, object, *name,
		          field->form == FP_SCHEMA_MAP
		                  ? make_value(tree, &schema->fields[1], item)
		                  : fp_report_make_record(tree, schema, item));
	}
	return object;
}

static json_t *make_signal(uint32_t number)
{
	char name[FP_REPORT_SIGNAL_MAX];

	fp_report_signal_name(number, name);
	return fp_report_make_text(name);
}

static json_t *make_exit(struct fp_report_tree *tree, enum fp_log_exit how, int32_t value)
{
	json_t *end;

	if (how == FP_LOG_EXIT_UNKNOWN)
		return json_null();
	end = json_object();
	if (how == FP_LOG_EXIT_CODE)
		fp_report_tree_put(tree, end, "code", json_integer(value));
	else
		fp_report_tree_put(tree, end, "signal", make_signal((uint32_t)value));
	return end;
}

static json_t *make_number(const struct fp_schema_field *field, uint64_t number)
{
	const struct fp_schema_words *words = field->of;

	switch (field->form) {
	case FP_SCHEMA_ENUM:
	case FP_SCHEMA_DOOR:
		return fp_report_make_text(words->name_of((unsigned)number));
	case FP_SCHEMA_ID:
		return number == 0 ? json_null() : fp_report_make_count(number);
	case FP_SCHEMA_SIGNED:
		return json_integer((json_int_t)number);
	case FP_SCHEMA_HEX:
		return fp_report_make_address(number);
	case FP_SCHEMA_FLAG:
		return json_boolean(number != 0);
	case FP_SCHEMA_FINGERPRINT:
		return json_sprintf("%016" PRIx64, number);
	case FP_SCHEMA_SEVERITY:
		return fp_report_make_text(fp_finding_traits((unsigned)number)->severity);
	default:
		return fp_report_make_count(number);
	}
}

/* The stack that created the thread of RECORD, where that is known. */
static const struct fp_report_stack *created(const void *record)
{
	const struct fp_report_finding *finding = record;

	for (size_t i = 0; i < finding->birth_count; i++)
		if (finding->births[i].thread == finding->thread)
			return finding->births[i].stack;
	return NULL;
}

static json_t *make_value(struct fp_report_tree *tree, const struct fp_schema_field *field,
                          const char *record)
{
	const void *at = record + field->offset;
	const void *more = record + field->more;
	const struct fp_report_string *string = at;
	const struct fp_report_suppressions *suppressions;
	const struct fp_report_region_page *page;
	const char *name;

	switch (field->form) {
	case FP_SCHEMA_TRACE:
		return make_stack_with_source(tree,
		                              *(const struct fp_report_stack *const *)more);
	case FP_SCHEMA_CREATED:
		return make_stack(tree, created(record), NULL);
	case FP_SCHEMA_TEXT:
	case FP_SCHEMA_PATH:
		return fp_report_make_string(*string);
	case FP_SCHEMA_WORD:
		return string->size == 0 ? json_null() : fp_report_make_string(*string);
	case FP_SCHEMA_BYTES:
		return make_hex(*string);
	case FP_SCHEMA_THROUGH:
		at = (*(const struct fp_report_stack *const *)at)->within;
		return fp_report_make_text(*(const char *)at != '\0' ? at : NULL);
	case FP_SCHEMA_CWE:
		return json_integer(fp_report_cwe((const struct fp_report_finding *)record));
	case FP_SCHEMA_SIGNAL:
		return make_signal(*(const uint32_t *)at);
	case FP_SCHEMA_NAMED:
	case FP_SCHEMA_MAP:
		return make_named(tree, field, *(const fp_schema_pointer *)at,
		                  *(const size_t *)more);
	case FP_SCHEMA_STRINGS:
		return make_strings(tree, *(struct fp_report_string *const *)at,
		                    *(const size_t *)more);
	case FP_SCHEMA_SETTING:
		return make_setting(*string);
	case FP_SCHEMA_CHARS:
		return fp_report_make_text(*(const char *const *)at);
	case FP_SCHEMA_DATE:
		return fp_report_make_text(at);
	case FP_SCHEMA_EXIT:
		return make_exit(tree, *(const enum fp_log_exit *)at, *(const int32_t *)more);
	case FP_SCHEMA_SUPPRESSIONS:
		suppressions = *(const struct fp_report_suppressions *const *)at;
		return make_array(tree, &fp_report_schema_suppression,
		                  (const char *)suppressions->items, suppressions->count);
	case FP_SCHEMA_HRESULT:
		name = fp_report_hresult_name(*(const int32_t *)at);
		return name ? fp_report_make_text(name)
		            : fp_report_make_address(*(const uint32_t *)at);
	case FP_SCHEMA_PROTECTION:
		page = (const struct fp_report_region_page *)record;
		return fp_report_make_text(page->state == FP_PAGE_COMMITTED
		                                   ? fp_page_protection_name(page->protection)
		                                   : NULL);
	case FP_SCHEMA_RECORD:
	case FP_SCHEMA_BLOCK:
		return fp_report_make_record(tree, field->of, at);
	case FP_SCHEMA_ARRAY:
		return make_array(tree, field->of, *(const fp_schema_pointer *)at,
		                  *(const size_t *)more);
	default:
		return make_number(field, fp_schema_load(at, field->size));
	}
}

/* The object that FIELD stands in; *KEY is its name there. NULL: it is not there, nor is the
 * object. */
static json_t *find_object(struct fp_report_tree *tree, json_t *json,
                           const struct fp_schema_field *field, bool is_there, const char **key)
{
	const char *dot = strchr(field->key, '.');
	json_t *object;
	char name[16];

	*key = field->key;
	if (!dot)
		return json;
	*key = dot + 1;
	snprintf(name, sizeof(name), "%.*s", (int)(dot - field->key), field->key);
	object = json_object_get(json, name);
	if (!object) {
		object = is_there ? json_object() : json_null();
		fp_report_tree_put(tree, json, name, object);
	}
	return is_there ? object : NULL;
}

/* Which sources have it; nothing in a report that is not merged. */
static void put_shares(struct fp_report_tree *tree, json_t *json,
                       const struct fp_report_shares *shares)
{
	if (fp_report_count_shares(shares) == 0)
		return;
	fp_report_tree_put(tree, json, "sources",
	                   make_array(tree, &fp_report_schema_share,
	                              (const char *)shares->items, shares->count));
	if (shares->beyond.sources > 0)
		fp_report_tree_put(tree, json, "more_sources",
		                   fp_report_make_record(tree, &fp_report_schema_more_shares,
		                                         &shares->beyond));
}

static void put_record(struct fp_report_tree *tree, json_t *json,
                       const struct fp_schema_record *schema, const void *record);

static void put_field(struct fp_report_tree *tree, json_t *json,
                      const struct fp_schema_field *field, const void *record)
{
	bool is_there = fp_report_schema_has(field, record);
	struct fp_report_rise rise;
	const char *key;
	json_t *object;

	if (field->form == FP_SCHEMA_SHARES) {
		put_shares(tree, json, (const void *)((const char *)record + field->offset));
		return;
	}
	if (field->form == FP_SCHEMA_RISE) {
		rise = fp_report_rise_of(record);
		put_record(tree, json, &fp_report_schema_rise, &rise);
		return;
	}
	if (!field->key || (field->form == FP_SCHEMA_CREATED && !created(record)) ||
	    (field->is_optional && !is_there))
		return;
	object = find_object(tree, json, field, is_there, &key);
	if (object)
		fp_report_tree_put(tree, object, key,
		                   is_there ? make_value(tree, field, record) : json_null());
}

static void put_record(struct fp_report_tree *tree, json_t *json,
                       const struct fp_schema_record *schema, const void *record)
{
	for (size_t i = 0; i < schema->count; i++)
		put_field(tree, json, &schema->fields[i], record);
}

json_t *fp_report_make_record(struct fp_report_tree *tree,
                              const struct fp_schema_record *schema, const void *record)
{
	json_t *json = json_object();

	put_record(tree, json, schema, record);
	return json;
}

json_t *fp_report_make_document(struct fp_report_tree *tree, const char *schema)
{
	json_t *json = json_object();
	json_t *tool = json_object();

	fp_report_tree_put(tree, tool, "name", fp_report_make_text(PACKAGE_NAME));
	fp_report_tree_put(tree, tool, "version", fp_report_make_text(PACKAGE_VERSION));
	fp_report_tree_put(tree, json, "schema", fp_report_make_text(schema));
	fp_report_tree_put(tree, json, "tool", tool);
	return json;
}

int fp_report_write_document(const struct fp_report_tree *tree, json_t *json, FILE *out)
{
	if (!tree->has_failed) {
		json_dumpf(json, out, JSON_INDENT(2));
		fputc('\n', out);
	}
	json_decref(json);
	return tree->has_failed ? -ENOMEM : 0;
}

static int begin(struct fp_report_walk *walk)
{
	if (walk->set->count > 1)
		fputs("[\n", walk->out);
	return 0;
}

/* What a table's row cannot say is worked out in a copy of REPORT. */
json_t *fp_report_make_report(struct fp_report_tree *tree, const struct fp_report_view *view,
                              const struct fp_report *report)
{
	struct fp_report copy = *report;
	json_t *json = fp_report_make_document(tree, "fencepost-report-1");

	copy.are_leaks_looked_for = fp_report_has_looked_for_leaks(report);
	copy.are_leaks_listed = view->leaks != FP_REPORT_LEAKS_NONE;
	if (!copy.are_leaks_listed)
		copy.leak_count = 0;
	copy.has_snapshot_source =
	        report->snapshot_count > 0 && report->snapshot_source < report->source_count;
	if (!copy.line.type)
		copy.summary = fp_report_total(&copy);
	put_record(tree, json, &fp_report_schema_report, &copy);
	return json;
}

static int write_report(struct fp_report_walk *walk, const struct fp_report *report)
{
	struct fp_report_tree tree = {.sources_left = SOURCES_MAX};
	json_t *json = fp_report_make_report(&tree, walk->view, report);

	if (walk->index > 0)
		fputs(",\n", walk->out);
	return fp_report_write_document(&tree, json, walk->out);
}

static int end(struct fp_report_walk *walk)
{
	if (walk->set->count > 1)
		fputs("]\n", walk->out);
	return 0;
}

const struct fp_report_writer fp_report_json_writer = {
        .name = "json",
        .is_data = true,
        .has_snapshots = true,
        .begin = begin,
        .begin_report = write_report,
        .end = end,
};
