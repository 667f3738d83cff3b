/* SPDX-License-Identifier: Apache-2.0
 *
 * Whatever has a table in model/schema.def as JSON, row by row, and frames.
 */
#include <inttypes.h>
#include <string.h>

#include "report/fold.h"
#include "report/growth.h"
#include "report/names.h"
#include "report/schema.h"
#include "report/source.h"
#include "report/stack.h"
#include "report/json/tree.h"

/* Lines before and after the one that a stack stands for. */
enum { SOURCE_AROUND = 3 };

/* What only a reader that renders the report again wants to know, where it is known. */
static void put_details(struct fp_report_tree *tree, json_t *json,
                        const struct fp_symbol_frame *symbol)
{
	if (!symbol)
		return;
	if (symbol->linkage)
		fp_report_tree_put(tree, json, "linkage", fp_report_make_text(symbol->linkage));
	if (symbol->directory)
		fp_report_tree_put(tree, json, "directory",
		                   fp_report_make_text(symbol->directory));
	if (symbol->function_line > 0)
		fp_report_tree_put(tree, json, "function_line",
		                   fp_report_make_count(symbol->function_line));
	if (symbol->function && !symbol->file)
		fp_report_tree_put(tree, json, "function_offset",
		                   fp_report_make_address(symbol->function_offset));
}

static json_t *make_frame(struct fp_report_tree *tree, const struct fp_report_frame *frame)
{
	const struct fp_symbol_frame *symbol = frame->symbol;
	const struct fp_report_module *module = frame->module;
	json_t *json = json_object();

	fp_report_tree_put(tree, json, "function",
	                   fp_report_make_text(symbol ? symbol->function : NULL));
	fp_report_tree_put(tree, json, "file",
	                   fp_report_make_text(symbol ? symbol->file : NULL));
	fp_report_tree_put(tree, json, "line",
	                   symbol && symbol->line > 0 ? fp_report_make_count(symbol->line)
	                                              : json_null());
	fp_report_tree_put(tree, json, "column",
	                   symbol && symbol->column > 0 ? fp_report_make_count(symbol->column)
	                                                : json_null());
	fp_report_tree_put(tree, json, "module",
	                   module ? fp_report_make_string(module->path)
	                          : fp_report_make_text("[unknown]"));
	fp_report_tree_put(tree, json, "offset", fp_report_make_address(frame->offset));
	fp_report_tree_put(tree, json, "build_id",
	                   module && module->build_id.size > 0
	                           ? fp_report_make_hex(module->build_id)
	                           : json_null());
	fp_report_tree_put(tree, json, "inlined", json_boolean(symbol && symbol->inlined));
	put_details(tree, json, symbol);
	return json;
}

/* Which frames reports for people leave out of STACK, and which one it stands for, so that
 * nobody who shows it needs our lists of names. */
static void put_roles(struct fp_report_tree *tree, const json_t *frames,
                      const struct fp_report_stack *stack)
{
	const struct fp_report_frame *place = fp_report_stack_place(stack);
	const struct fp_report_frame *caller = fp_report_stack_caller(stack);
	const char *owner = NULL;
	size_t folded = 0; /* frames that are left of a run */

	if (place)
		fp_report_tree_put(tree,
		                   json_array_get(frames, (size_t)(place - stack->frames)),
		                   "place", json_true());
	if (caller)
		fp_report_tree_put(tree,
		                   json_array_get(frames, (size_t)(caller - stack->frames)),
		                   "caller", json_true());
	if (stack->helper > 0)
		fp_report_tree_put(tree, json_array_get(frames, stack->helper - 1), "helper",
		                   json_true());
	for (size_t i = 0; stack->helper == 0 && i < stack->passed; i++)
		fp_report_tree_put(tree, json_array_get(frames, i), "passes_on", json_true());
	for (size_t i = 0; i < stack->count; i++) {
		if (folded == 0 && i < stack->shown)
			folded = fp_report_fold(stack, i, &owner);
		if (folded == 0 && i < stack->shown)
			continue;
		fp_report_tree_put(tree, json_array_get(frames, i), "hidden",
		                   fp_report_make_text(folded > 0 ? owner : "below main"));
		folded -= folded > 0;
	}
}

static json_t *make_stack(struct fp_report_tree *tree, const struct fp_report_stack *stack)
{
	json_t *frames;

	if (!stack)
		return json_null();
	frames = json_array();
	for (size_t i = 0; i < stack->count; i++)
		fp_report_tree_append(tree, frames, make_frame(tree, &stack->frames[i]));
	put_roles(tree, frames, stack);
	return frames;
}

/* The same with the lines of source that it stands for, where they are to be had and not too
 * many stacks have them already. */
static json_t *make_told_stack(struct fp_report_tree *tree, const struct fp_report_stack *stack)
{
	json_t *frames = make_stack(tree, stack);
	struct fp_report_excerpt excerpt;
	json_t *source;
	json_t *lines;

	if (tree->sources_left == 0 || !fp_report_stack_source(stack, SOURCE_AROUND, &excerpt))
		return frames;
	tree->sources_left--;
	source = json_object();
	lines = json_array();
	for (size_t i = 0; i < excerpt.count; i++)
		fp_report_tree_append(tree, lines, fp_report_make_string(excerpt.lines[i]));
	fp_report_tree_put(tree, source, "first", fp_report_make_count(excerpt.first));
	fp_report_tree_put(tree, source, "lines", lines);
	fp_report_tree_put(
	        tree,
	        json_array_get(frames, (size_t)(fp_report_stack_place(stack) - stack->frames)),
	        "source", source);
	return frames;
}

/* What one source, or several, have of a finding; of a leak so many bytes, too. */
static void put_share(struct fp_report_tree *tree, json_t *json,
                      const struct fp_report_share *share, bool has_bytes)
{
	fp_report_tree_put(tree, json, "count", fp_report_make_count(share->count));
	if (has_bytes)
		fp_report_tree_put(tree, json, "bytes", fp_report_make_count(share->bytes));
}

static json_t *make_share(struct fp_report_tree *tree, const struct fp_report_share *share,
                          bool has_bytes)
{
	json_t *json = json_object();

	fp_report_tree_put(tree, json, "source", fp_report_make_count(share->source));
	put_share(tree, json, share, has_bytes);
	return json;
}

static json_t *make_beyond(struct fp_report_tree *tree, const struct fp_report_beyond *beyond,
                           bool has_bytes)
{
	json_t *json = json_object();

	fp_report_tree_put(tree, json, "sources", fp_report_make_count(beyond->sources));
	put_share(tree, json,
	          &(struct fp_report_share){.count = beyond->count, .bytes = beyond->bytes},
	          has_bytes);
	return json;
}

/* Which sources have it; nothing in a report that is not merged. */
static void put_shares(struct fp_report_tree *tree, json_t *json,
                       const struct fp_report_shares *shares, bool has_bytes)
{
	json_t *array;

	if (fp_report_count_shares(shares) == 0)
		return;
	array = json_array();
	for (size_t i = 0; i < shares->count; i++)
		fp_report_tree_append(tree, array,
		                      make_share(tree, &shares->items[i], has_bytes));
	fp_report_tree_put(tree, json, "sources", array);
	if (shares->beyond.sources > 0)
		fp_report_tree_put(tree, json, "more_sources",
		                   make_beyond(tree, &shares->beyond, has_bytes));
}

static json_t *make_hresult(int32_t hresult)
{
	const char *name = fp_report_hresult_name(hresult);

	return name ? fp_report_make_text(name) : fp_report_make_address((uint32_t)hresult);
}

static json_t *make_protection(const struct fp_report_region_page *page)
{
	return fp_report_make_text(page->state == FP_PAGE_COMMITTED
	                                   ? fp_page_protection_name(page->protection)
	                                   : NULL);
}

static json_t *make_array(struct fp_report_tree *tree, const struct fp_schema_record *schema,
                          const char *items, size_t count)
{
	json_t *array = json_array();

	for (size_t i = 0; i < count; i++)
		fp_report_tree_append(
		        tree, array,
		        fp_report_make_record(tree, schema, items + i * schema->size));
	return array;
}

/* Each item has its name first. */
static json_t *make_named(struct fp_report_tree *tree, const struct fp_schema_record *schema,
                          const char *items, size_t count)
{
	json_t *object = json_object();

	for (size_t i = 0; i < count; i++) {
		const char *item = items + i * schema->size;
		const struct fp_report_string *name =
		        (const void *)(item + schema->fields[0].offset);
		char key[32];

		snprintf(key, sizeof(key), "%.*s", (int)name->size, name->bytes);
		fp_report_tree_put(tree, object, key,
		                   fp_report_make_record(tree, schema, item));
	}
	return object;
}

static json_t *make_signal(uint32_t number)
{
	char name[FP_REPORT_SIGNAL_MAX];

	fp_report_signal_name(number, name);
	return fp_report_make_text(name);
}

static json_t *make_number(const struct fp_schema_field *field, uint64_t number)
{
	const struct fp_schema_words *words = field->of;

	switch (field->form) {
	case FP_SCHEMA_ENUM:
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

	switch (field->form) {
	case FP_SCHEMA_TRACE:
		return make_told_stack(tree, *(const struct fp_report_stack *const *)more);
	case FP_SCHEMA_CREATED:
		return make_stack(tree, created(record));
	case FP_SCHEMA_TEXT:
	case FP_SCHEMA_PATH:
		return fp_report_make_string(*string);
	case FP_SCHEMA_WORD:
		return string->size == 0 ? json_null() : fp_report_make_string(*string);
	case FP_SCHEMA_BYTES:
		return fp_report_make_hex(*string);
	case FP_SCHEMA_THROUGH:
		at = (*(const struct fp_report_stack *const *)at)->within;
		return fp_report_make_text(*(const char *)at != '\0' ? at : NULL);
	case FP_SCHEMA_CWE:
		return json_integer(fp_report_cwe((const struct fp_report_finding *)record));
	case FP_SCHEMA_SIGNAL:
		return make_signal(*(const uint32_t *)at);
	case FP_SCHEMA_NAMED:
		return make_named(tree, field->of, *(const fp_schema_pointer *)at,
		                  *(const size_t *)more);
	case FP_SCHEMA_HRESULT:
		return make_hresult(*(const int32_t *)at);
	case FP_SCHEMA_PROTECTION:
		return make_protection((const struct fp_report_region_page *)record);
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

void fp_report_put_record(struct fp_report_tree *tree, json_t *json,
                          const struct fp_schema_record *schema, const void *record)
{
	for (size_t i = 0; i < schema->count; i++) {
		const struct fp_schema_field *field = &schema->fields[i];
		bool is_there = fp_report_schema_has(field, record);
		const char *key;
		json_t *object;

		if (field->form == FP_SCHEMA_SHARES)
			put_shares(tree, json,
			           (const void *)((const char *)record + field->offset),
			           schema != &fp_report_schema_finding);
		if (!field->key || field->form == FP_SCHEMA_SHARES ||
		    (field->form == FP_SCHEMA_CREATED && !created(record)) ||
		    (field->is_optional && !is_there))
			continue;
		object = find_object(tree, json, field, is_there, &key);
		if (object)
			fp_report_tree_put(tree, object, key,
			                   is_there ? make_value(tree, field, record)
			                            : json_null());
	}
}

json_t *fp_report_make_record(struct fp_report_tree *tree,
                              const struct fp_schema_record *schema, const void *record)
{
	json_t *json = json_object();

	fp_report_put_record(tree, json, schema, record);
	return json;
}

/* What the points of GROWING come to stands before what it has. */
json_t *fp_report_make_growing(struct fp_report_tree *tree,
                               const struct fp_report_growing *growing)
{
	const struct fp_report_rise rise = fp_report_rise_of(growing);
	json_t *json = json_object();

	fp_report_tree_put(tree, json, "grown_bytes", fp_report_make_count(rise.bytes));
	fp_report_tree_put(tree, json, "bytes_per_minute",
	                   fp_report_make_count(rise.per_minute));
	fp_report_tree_put(tree, json, "last_rise_milliseconds",
	                   fp_report_make_count(rise.last_rise));
	fp_report_tree_put(tree, json, "blocks", fp_report_make_count(rise.last->blocks));
	fp_report_tree_put(tree, json, "bytes", fp_report_make_count(rise.last->bytes));
	fp_report_put_record(tree, json, &fp_report_schema_growing, growing);
	return json;
}
