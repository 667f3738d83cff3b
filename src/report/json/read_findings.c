/* SPDX-License-Identifier: Apache-2.0
 *
 * Findings, leaks and snapshots out of JSON. Words that are not known are those of a newer
 * version: what they stand in is left out and counted, because a guess would be a lie.
 */
#include "report/json/read_findings.h"

#include <stdio.h>
#include <string.h>

#include "report/fingerprint.h"
#include "report/growth.h"
#include "report/names.h"
#include "report/schema.h"
#include "report/stack.h"

static const struct fp_report_stack empty;

/* The empty stack instead of none: writers take some for granted. */
static const struct fp_report_stack *take_stack(struct fp_report_fields *fields,
                                                const json_t *object, const char *key)
{
	const struct fp_report_stack *stack = fp_report_fields_stack(fields, object, key);

	return stack ? stack : &empty;
}

static void take_beyond(struct fp_report_fields *fields, const json_t *json,
                        struct fp_report_beyond *beyond)
{
	const json_t *more = fp_report_fields_object(fields, json, "more_sources");

	beyond->sources = fp_report_fields_count(fields, more, "sources");
	beyond->count = fp_report_fields_count(fields, more, "count");
	beyond->bytes = fp_report_fields_count(fields, more, "bytes");
}

static void take_shares(struct fp_report_fields *fields, const json_t *json,
                        struct fp_report_shares *shares)
{
	const json_t *items = fp_report_fields_array(fields, json, "sources");

	for (size_t i = 0; i < json_array_size(items) && !fp_report_fields_have_failed(fields);
	     i++) {
		const json_t *item = json_array_get(items, i);
		struct fp_report_share share = {
		        .source = fp_report_fields_small(fields, item, "source"),
		        .count = fp_report_fields_count(fields, item, "count"),
		        .bytes = fp_report_fields_count(fields, item, "bytes")};

		if (share.source >= fields->report->source_count)
			fp_report_fields_refuse(fields, "source");
		else if (fp_report_shares_add(shares, &share) != 0)
			fields->is_out_of_memory = true;
	}
	if (json_object_get(json, "more_sources"))
		take_beyond(fields, json, &shares->beyond);
}

/* Of the flags of Win32 each is one bit. */
static uint32_t protection_of(struct fp_report_string word)
{
	for (uint32_t bit = 1; bit < 0x100; bit <<= 1) {
		const char *name = fp_page_protection_name(bit);

		if (name && strcmp(word.bytes, name) == 0)
			return bit;
	}
	return 0;
}

static int32_t hresult_of(struct fp_report_fields *fields, const json_t *json, const char *key)
{
	struct fp_report_string name = fp_report_fields_string(fields, json, key);
	int32_t hresult;

	if (fp_report_hresult_find(name, &hresult))
		return hresult;
	return (int32_t)fp_report_fields_address(fields, json, key);
}

/* The number of the word at KEY; where there is none, of what has no name. */
static bool take_word(struct fp_report_fields *fields, const json_t *json, const char *key,
                      const struct fp_schema_words *words, uint64_t *number)
{
	struct fp_report_string word = fp_report_fields_string(fields, json, key);

	for (*number = 0; *number < words->count; ++*number) {
		const char *name = words->name_of((unsigned)*number);

		if (name ? strcmp(word.bytes, name) == 0 : word.size == 0)
			return true;
	}
	return false;
}

static bool take_number(struct fp_report_fields *fields, const json_t *json, const char *key,
                        const struct fp_schema_field *field, uint64_t *number)
{
	switch (field->form) {
	case FP_SCHEMA_ENUM:
		return take_word(fields, json, key, field->of, number);
	case FP_SCHEMA_SIGNED:
		*number = (uint64_t)fp_report_fields_integer(fields, json, key);
		return true;
	case FP_SCHEMA_HEX:
		*number = fp_report_fields_address(fields, json, key);
		return true;
	case FP_SCHEMA_FLAG:
		*number = fp_report_fields_flag(fields, json, key);
		return true;
	case FP_SCHEMA_HRESULT:
		*number = (uint32_t)hresult_of(fields, json, key);
		return true;
	case FP_SCHEMA_SIGNAL:
		*number = fp_report_signal_number(fp_report_fields_string(fields, json, key));
		return true;
	case FP_SCHEMA_PROTECTION:
		*number = protection_of(fp_report_fields_string(fields, json, key));
		return true;
	default:
		*number = field->size == sizeof(uint32_t)
		                  ? fp_report_fields_small(fields, json, key)
		                  : fp_report_fields_count(fields, json, key);
		return true;
	}
}

static bool take_items(struct fp_report_fields *fields, const json_t *array,
                       const struct fp_schema_record *schema, fp_schema_pointer *items,
                       size_t *count)
{
	bool is_known = true;

	*items = fp_report_arena_take(&fields->report->arena,
	                              json_array_size(array) * schema->size);
	if (!*items) {
		fields->is_out_of_memory = true;
		return true;
	}
	*count = json_array_size(array);
	for (size_t i = 0; i < *count; i++)
		is_known &= fp_report_fields_record(fields, json_array_get(array, i), schema,
		                                    (char *)*items + i * schema->size);
	return is_known;
}

/* The name of an item is what it stands under. */
static bool take_named(struct fp_report_fields *fields, const json_t *object,
                       const struct fp_schema_record *schema, fp_schema_pointer *items,
                       size_t *count)
{
	bool is_known = true;
	const char *name;
	json_t *value;

	*items = fp_report_arena_take(&fields->report->arena,
	                              json_object_size(object) * schema->size);
	if (!*items) {
		fields->is_out_of_memory = true;
		return true;
	}
	json_object_foreach((json_t *)(uintptr_t)object, name, value)
	{
		char *item = (char *)*items + (*count)++ * schema->size;

		*(struct fp_report_string *)(void *)(item + schema->fields[0].offset) =
		        fp_report_text(fp_report_arena_keep(&fields->report->arena, name,
		                                            strlen(name)));
		is_known &= fp_report_fields_record(fields, value, schema, item);
	}
	return is_known;
}

static bool take_value(struct fp_report_fields *fields, const json_t *json, const char *key,
                       const struct fp_schema_field *field, char *record)
{
	void *at = record + field->offset;
	void *more = record + field->more;
	uint64_t number;

	switch (field->form) {
	case FP_SCHEMA_CWE:
	case FP_SCHEMA_SEVERITY:
	case FP_SCHEMA_THROUGH:
	case FP_SCHEMA_CREATED:
	case FP_SCHEMA_FINGERPRINT:
		return true;
	case FP_SCHEMA_SHARES:
		take_shares(fields, json, at);
		return true;
	case FP_SCHEMA_TRACE:
		*(const struct fp_report_stack **)more = take_stack(fields, json, key);
		return true;
	case FP_SCHEMA_TEXT:
	case FP_SCHEMA_PATH:
	case FP_SCHEMA_WORD:
		*(struct fp_report_string *)at = fp_report_fields_string(fields, json, key);
		return true;
	case FP_SCHEMA_BYTES:
		*(struct fp_report_string *)at = fp_report_fields_bytes(fields, json, key);
		return true;
	case FP_SCHEMA_RECORD:
	case FP_SCHEMA_BLOCK:
		return fp_report_fields_record(
		        fields, fp_report_fields_object(fields, json, key), field->of, at);
	case FP_SCHEMA_NAMED:
		return take_named(fields, fp_report_fields_object(fields, json, key), field->of,
		                  at, more);
	case FP_SCHEMA_ARRAY:
		return take_items(fields, fp_report_fields_array(fields, json, key), field->of,
		                  at, more);
	default:
		if (!take_number(fields, json, key, field, &number))
			return false;
		fp_report_schema_store(at, field->size, number);
		return true;
	}
}

/* The object that FIELD stands in; *KEY is its name there. */
static const json_t *find_object(struct fp_report_fields *fields, const json_t *json,
                                 const struct fp_schema_field *field, const char **key)
{
	const char *dot = strchr(field->key, '.');
	char name[16];

	*key = dot ? dot + 1 : field->key;
	if (!dot)
		return json;
	snprintf(name, sizeof(name), "%.*s", (int)(dot - field->key), field->key);
	return fp_report_fields_object(fields, json, name);
}

/* What is null without a condition leaves that as it is; what is not says that it holds. */
static bool is_there(const struct fp_schema_field *field, const json_t *value, char *record)
{
	if (field->has_size == 0)
		return true;
	if (value && !json_is_null(value) && field->has_size < sizeof(uint64_t) &&
	    !fp_report_schema_has(field, record))
		fp_report_schema_store(record + field->has, field->has_size, 1);
	return field->form == FP_SCHEMA_TRACE ? fp_report_schema_has(field, record)
	                                      : value && !json_is_null(value);
}

bool fp_report_fields_record(struct fp_report_fields *fields, const json_t *json,
                             const struct fp_schema_record *schema, void *record)
{
	for (size_t i = 0; i < schema->count; i++) {
		const struct fp_schema_field *field = &schema->fields[i];
		const json_t *object;
		const char *key;

		if (!field->key)
			continue;
		object = find_object(fields, json, field, &key);
		if (is_there(field, json_object_get(object, key), record) &&
		    !take_value(fields, object, key, field, record))
			return false;
	}
	return true;
}

/* One call can be the access and the free: that is told by the stack being one. */
static void settle_stacks(struct fp_report_fields *fields, const json_t *json,
                          struct fp_report_finding *finding)
{
	struct fp_report_string through = fp_report_fields_string(fields, json, "through");
	struct fp_report_stack *stack;

	if (finding->stack == &empty)
		return;
	stack = (struct fp_report_stack *)(uintptr_t)finding->stack;
	if (finding->is_exact && stack->helper == 0)
		stack->passed = 0;
	if (through.size < sizeof(stack->within))
		memcpy(stack->within, through.bytes, through.size + 1);
	if (finding->block.free_stack &&
	    fp_report_are_same_frames(stack, finding->block.free_stack))
		finding->block.free_stack = stack;
}

static bool take_finding(struct fp_report_fields *fields, const json_t *json,
                         struct fp_report_finding *finding)
{
	if (!fp_report_fields_record(fields, json, &fp_report_schema_finding, finding))
		return false;
	settle_stacks(fields, json, finding);
	finding->fingerprint = fp_report_finding_fingerprint(finding);
	return true;
}

bool fp_report_fields_finding(struct fp_report_fields *fields, const json_t *json)
{
	struct fp_report *report = fields->report;
	struct fp_report_finding finding = {.index = (uint32_t)report->finding_count};

	if (!take_finding(fields, json, &finding)) {
		fp_report_shares_free(&finding.shares);
		return false;
	}
	if (!fp_report_fields_append(fields, &report->findings, &report->finding_count,
	                             &finding, sizeof(finding)))
		fp_report_shares_free(&finding.shares);
	return true;
}

bool fp_report_fields_leak(struct fp_report_fields *fields, const json_t *json)
{
	struct fp_report *report = fields->report;
	struct fp_report_leak leak = {0};

	if (!fp_report_fields_record(fields, json, &fp_report_schema_leak, &leak)) {
		fp_report_shares_free(&leak.shares);
		return false;
	}
	/* Reports of an older version have none. */
	leak.has_age = json_is_object(json_object_get(json, "age")) &&
	               json_is_object(json_object_get(json, "new"));
	leak.fingerprint = fp_report_leak_fingerprint(&leak);
	if (!fp_report_fields_append(fields, &report->leaks, &report->leak_count, &leak,
	                             sizeof(leak)))
		fp_report_shares_free(&leak.shares);
	return true;
}

bool fp_report_fields_failed(struct fp_report_fields *fields, const json_t *json)
{
	struct fp_report *report = fields->report;
	struct fp_report_failed failed = {0};

	if (!fp_report_fields_record(fields, json, &fp_report_schema_failed, &failed))
		return false;
	failed.trace = failed.stack->count > 0 ? 1 : FP_TRACE_NONE;
	fp_report_fields_append(fields, &report->failed, &report->failed_count, &failed,
	                        sizeof(failed));
	return true;
}

void fp_report_fields_growing(struct fp_report_fields *fields, const json_t *json)
{
	struct fp_report_growing *growing = fp_report_add_growing(fields->report);

	if (!growing) {
		fields->is_out_of_memory = true;
		return;
	}
	fp_report_fields_record(fields, json, &fp_report_schema_growing, growing);
	if (growing->point_count < 2)
		fp_report_fields_refuse(fields, "pictures");
	growing->fingerprint =
	        fp_report_leak_fingerprint(&(struct fp_report_leak){.stack = growing->stack});
}

void fp_report_fields_snapshot(struct fp_report_fields *fields, const json_t *json)
{
	struct fp_report *report = fields->report;
	struct fp_report_snapshot snapshot = {0};

	fp_report_fields_record(fields, json, &fp_report_schema_snapshot, &snapshot);
	fp_report_fields_append(fields, &report->snapshots, &report->snapshot_count, &snapshot,
	                        sizeof(snapshot));
}
