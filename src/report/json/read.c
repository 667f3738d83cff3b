/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON reports, row by row of model/schema.def. The first wrong value is what the user is told
 * about; the rest of the report is read all the same, because what is thrown away costs little.
 * Words that are not known are those of a newer version: what they stand in is left out and
 * counted, because a guess would be a lie.
 */
#include "report/json/read.h"

#include <ctype.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/tool_messages.h"
#include "report/stack.h"
#include "report/fingerprint.h"
#include "report/names.h"
#include "report/schema.h"

/* A report being made of JSON. */
struct fields {
	struct fp_report *report; /* its arena keeps the strings */
	const char *wrong;        /* the first key whose value cannot be right, or NULL */
	bool is_out_of_memory;
	size_t unknown; /* items that were left out: they are of a newer version */
	struct fp_report_keeper keeper; /* with the report's arena */
};

static bool have_failed(const struct fields *fields)
{
	return fields->wrong || fields->is_out_of_memory;
}

/* The first wrong value is the one that is named. */
static void refuse(struct fields *fields, const char *key)
{
	if (!fields->wrong)
		fields->wrong = key;
}

/* The value at KEY, or NULL when it is missing, null, or IS_RIGHT says no. */
static const json_t *value_at(struct fields *fields, const json_t *object, const char *key,
                              json_type type)
{
	const json_t *value = json_object_get(object, key);

	if (!value || json_is_null(value))
		return NULL;
	if (json_typeof(value) == type)
		return value;
	refuse(fields, key);
	return NULL;
}

static int64_t take_integer(struct fields *fields, const json_t *object, const char *key)
{
	return json_integer_value(value_at(fields, object, key, JSON_INTEGER));
}

/* At most MAX. */
static uint64_t take_count(struct fields *fields, const json_t *object, const char *key,
                           uint64_t max)
{
	int64_t number = take_integer(fields, object, key);

	if (number >= 0 && (uint64_t)number <= max)
		return (uint64_t)number;
	refuse(fields, key);
	return 0;
}

static bool take_flag(struct fields *fields, const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	if (value && !json_is_null(value) && !json_is_boolean(value))
		refuse(fields, key);
	return json_is_true(value);
}

static uint64_t take_address(struct fields *fields, const json_t *object, const char *key)
{
	const json_t *value = value_at(fields, object, key, JSON_STRING);
	const char *text = value ? json_string_value(value) : "0x0";
	uint64_t address;
	char *end;

	errno = 0;
	address = strtoull(text, &end, 16);
	if (strncmp(text, "0x", 2) == 0 && errno == 0 && *end == '\0' && end > text + 2)
		return address;
	refuse(fields, key);
	return 0;
}

/* The text as the report keeps it; "" with the failure remembered when memory ran out. */
static struct fp_report_string keep(struct fields *fields, const char *bytes, size_t size)
{
	const char *kept = fp_report_arena_keep(&fields->report->arena, bytes, size);

	if (kept)
		return (struct fp_report_string){kept, size};
	fields->is_out_of_memory = true;
	return (struct fp_report_string){"", 0};
}

static struct fp_report_string take_string(struct fields *fields, const json_t *object,
                                           const char *key)
{
	const json_t *value = value_at(fields, object, key, JSON_STRING);

	if (!value)
		return (struct fp_report_string){"", 0};
	return keep(fields, json_string_value(value), json_string_length(value));
}

static int digit_value(char digit)
{
	const char *const digits = "0123456789abcdef";
	const char *found = digit != '\0' ? strchr(digits, digit) : NULL;

	return found ? (int)(found - digits) : -1;
}

/* Memory of the report's arena; NULL is remembered. */
static void *take_memory(struct fields *fields, size_t size)
{
	void *memory = fp_report_arena_take(&fields->report->arena, size);

	if (!memory)
		fields->is_out_of_memory = true;
	return memory;
}

static struct fp_report_string take_bytes(struct fields *fields, const json_t *object,
                                          const char *key)
{
	struct fp_report_string digits = take_string(fields, object, key);
	char *bytes = digits.size > 0 ? malloc(digits.size) : NULL;
	struct fp_report_string kept = {"", 0};

	if (digits.size % 2 != 0)
		refuse(fields, key);
	if (digits.size > 0 && !bytes)
		fields->is_out_of_memory = true;
	for (size_t i = 0; bytes && i + 1 < digits.size; i += 2) {
		int high = digit_value(digits.bytes[i]);
		int low = digit_value(digits.bytes[i + 1]);

		if (high < 0 || low < 0)
			refuse(fields, key);
		bytes[i / 2] = (char)((unsigned)high << 4 | (unsigned)low);
	}
	if (bytes)
		kept = keep(fields, bytes, digits.size / 2);
	free(bytes);
	return kept;
}

/* The module that FRAME names; NULL when it is unknown or memory ran out. */
static const struct fp_report_module *find_module(struct fields *fields,
                                                  const struct fp_report_flat_frame *frame)
{
	const struct fp_report_module wanted = {
	        .path = frame->module,
	        .build_id = frame->build_id,
	        .is_own = fp_report_starts_with(fp_report_base_name(frame->module),
	                                        "libfencepost")};
	const struct fp_report_module *module;

	if (wanted.path.size == 0 || strcmp(wanted.path.bytes, "[unknown]") == 0)
		return NULL;
	module = fp_report_keep_module(&fields->keeper, &wanted);
	if (!module)
		fields->is_out_of_memory = true;
	return module;
}

static const struct fp_symbol_frame *make_symbol(struct fields *fields,
                                                 const struct fp_report_flat_frame *frame)
{
	struct fp_symbol_frame *symbol;

	if (!frame->function && !frame->file)
		return NULL;
	symbol = take_memory(fields, sizeof(*symbol));
	if (symbol)
		*symbol = (struct fp_symbol_frame){
		        .function = (char *)(uintptr_t)frame->function,
		        .linkage = (char *)(uintptr_t)frame->linkage,
		        .file = frame->file,
		        .directory = frame->directory,
		        .function_offset = frame->function_offset,
		        .function_line = frame->function_line,
		        .line = frame->line,
		        .column = frame->column,
		        .inlined = frame->inlined,
		};
	return symbol;
}

static bool take_record(struct fields *fields, const json_t *json,
                        const struct fp_schema_record *schema, void *record);

static const struct fp_report_stack empty;

/* The stack at KEY; the empty one instead of none: writers take some for granted. */
static const struct fp_report_stack *take_stack(struct fields *fields, const json_t *object,
                                                const char *key)
{
	const json_t *frames = value_at(fields, object, key, JSON_ARRAY);
	size_t count = json_array_size(frames);
	struct fp_report_stack *stack = frames ? take_memory(fields, sizeof(*stack)) : NULL;
	struct fp_report_lines *source = NULL;
	size_t place = 0;

	if (stack)
		stack->frames = take_memory(fields, count * sizeof(*stack->frames));
	if (!stack || !stack->frames)
		return &empty;
	stack->count = count;
	for (size_t i = 0; i < count; i++) {
		struct fp_report_flat_frame frame = {0};

		if (!json_is_object(json_array_get(frames, i)))
			refuse(fields, key);
		take_record(fields, json_array_get(frames, i), &fp_report_schema_frame, &frame);
		stack->frames[i] =
		        (struct fp_report_frame){.module = find_module(fields, &frame),
		                                 .offset = frame.offset,
		                                 .symbol = make_symbol(fields, &frame),
		                                 .passes_on = frame.passes_on};
		if (frame.is_helper)
			stack->helper = i + 1;
		if (stack->helper > 0 && frame.is_place)
			place = i;
		if (!source && frame.source.count > 0) {
			source = take_memory(fields, sizeof(*source));
			if (source)
				*source = frame.source;
			stack->source = source;
		}
	}
	stack->shown = fp_report_count_shown(stack->frames, count);
	if (stack->helper > 0)
		stack->passed = place;
	else
		fp_report_pass_over(stack);
	return stack;
}

static void take_shares(struct fields *fields, const json_t *json,
                        struct fp_report_shares *shares)
{
	const json_t *items = value_at(fields, json, "sources", JSON_ARRAY);

	for (size_t i = 0; i < json_array_size(items) && !have_failed(fields); i++) {
		struct fp_report_share share = {0};

		take_record(fields, json_array_get(items, i), &fp_report_schema_share, &share);
		if (share.source >= fields->report->source_count)
			refuse(fields, "source");
		else if (fp_report_append(&fields->report->arena, &shares->items,
		                          &shares->count, &share, sizeof(share)) != 0)
			fields->is_out_of_memory = true;
	}
	take_record(fields, value_at(fields, json, "more_sources", JSON_OBJECT),
	            &fp_report_schema_more_shares, &shares->beyond);
}

static void take_exit(struct fields *fields, const json_t *end, enum fp_log_exit *how,
                      int32_t *value)
{
	struct fp_report_string name = take_string(fields, end, "signal");

	if (name.size > 0) {
		*how = FP_LOG_EXIT_SIGNAL;
		*value = (int32_t)fp_report_signal_number(name);
	} else if (json_object_get(end, "code")) {
		*how = FP_LOG_EXIT_CODE;
		*value = (int32_t)take_integer(fields, end, "code");
	}
}

/* A setting's value as an option has it. */
static struct fp_report_string take_setting(struct fields *fields, const json_t *value,
                                            const char *key)
{
	char number[24];
	int length;

	if (json_is_string(value))
		return keep(fields, json_string_value(value), json_string_length(value));
	if (!json_is_integer(value))
		refuse(fields, key);
	length = snprintf(number, sizeof(number), "%" JSON_INTEGER_FORMAT,
	                  json_integer_value(value));
	return keep(fields, number, (size_t)length);
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

static int32_t hresult_of(struct fields *fields, const json_t *json, const char *key)
{
	struct fp_report_string name = take_string(fields, json, key);
	int32_t hresult;

	if (fp_report_hresult_find(name, &hresult))
		return hresult;
	return (int32_t)take_address(fields, json, key);
}

/* The number of the word at KEY; where there is none, of what has no name. */
static bool take_word(struct fields *fields, const json_t *json, const char *key,
                      const struct fp_schema_words *words, uint64_t *number)
{
	struct fp_report_string word = take_string(fields, json, key);

	for (*number = 0; *number < words->count; ++*number) {
		const char *name = words->name_of((unsigned)*number);

		if (name ? strcmp(word.bytes, name) == 0 : word.size == 0)
			return true;
	}
	return false;
}

static bool take_number(struct fields *fields, const json_t *json, const char *key,
                        const struct fp_schema_field *field, uint64_t *number)
{
	switch (field->form) {
	case FP_SCHEMA_ENUM:
		return take_word(fields, json, key, field->of, number);
	case FP_SCHEMA_DOOR:
		if (!take_word(fields, json, key, field->of, number))
			*number = 0;
		return true;
	case FP_SCHEMA_SIGNED:
		*number = (uint64_t)take_integer(fields, json, key);
		return true;
	case FP_SCHEMA_HEX:
		*number = take_address(fields, json, key);
		return true;
	case FP_SCHEMA_FLAG:
		*number = take_flag(fields, json, key);
		return true;
	case FP_SCHEMA_HRESULT:
		*number = (uint32_t)hresult_of(fields, json, key);
		return true;
	case FP_SCHEMA_SIGNAL:
		*number = fp_report_signal_number(take_string(fields, json, key));
		return true;
	case FP_SCHEMA_PROTECTION:
		*number = protection_of(take_string(fields, json, key));
		return true;
	default:
		*number = take_count(fields, json, key,
		                     field->size == sizeof(uint32_t) ? UINT32_MAX : UINT64_MAX);
		return true;
	}
}

/* Whether RECORD is the report, or in it. */
static bool is_held(const struct fields *fields, const char *record)
{
	const char *report = (const char *)fields->report;

	return record >= report && record < report + sizeof(*fields->report);
}

/* Room for the COUNT items of a list, which may grow (fp_report_append). */
static void *take_room(struct fields *fields, size_t count, size_t size)
{
	size_t room = 1;

	while (room < count)
		room *= 2;
	return take_memory(fields, room * size);
}

static void take_strings(struct fields *fields, const json_t *json, const char *key,
                         const struct fp_schema_field *field, char *record)
{
	const json_t *array = value_at(fields, json, key, JSON_ARRAY);
	size_t count = json_array_size(array);
	struct fp_report_string *strings = take_room(fields, count, sizeof(*strings));

	*(struct fp_report_string **)(void *)(record + field->offset) = strings;
	*(size_t *)(void *)(record + field->more) = strings ? count : 0;
	for (size_t i = 0; strings && i < count; i++) {
		const json_t *item = json_array_get(array, i);

		if (json_is_string(item))
			strings[i] =
			        keep(fields, json_string_value(item), json_string_length(item));
		else
			refuse(fields, key);
	}
}

/* One call can be the access and the free: that is told by the stack being one. */
static void settle_stacks(struct fields *fields, const json_t *json,
                          struct fp_report_finding *finding)
{
	struct fp_report_string through = take_string(fields, json, "through");
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

/* What no row says of ITEM, which JSON was read into. */
static void settle_item(struct fields *fields, const json_t *json,
                        const struct fp_schema_record *schema, void *item)
{
	if (schema == &fp_report_schema_finding) {
		struct fp_report_finding *finding = item;

		settle_stacks(fields, json, finding);
		finding->index = (uint32_t)fields->report->finding_count;
		finding->fingerprint = fp_report_finding_fingerprint(finding);
	} else if (schema == &fp_report_schema_leak) {
		struct fp_report_leak *leak = item;

		/* Reports of an older version have none. */
		leak->has_age = json_is_object(json_object_get(json, "age")) &&
		                json_is_object(json_object_get(json, "new"));
		leak->fingerprint = fp_report_leak_fingerprint(leak);
	} else if (schema == &fp_report_schema_failed) {
		struct fp_report_failed *failed = item;

		failed->trace = failed->stack->count > 0 ? 1 : FP_TRACE_NONE;
	} else if (schema == &fp_report_schema_context) {
		struct fp_report_context *context = item;

		context->trace = context->stack->count > 0 ? 1 : FP_TRACE_NONE;
	} else if (schema == &fp_report_schema_growing) {
		struct fp_report_growing *growing = item;

		if (growing->point_count < 2)
			refuse(fields, "pictures");
		growing->fingerprint = fp_report_leak_fingerprint(
		        &(struct fp_report_leak){.stack = growing->stack});
	}
}

/* One that is of a newer version is left out of a list of the report, and spoils what any other
 * list is in: that is false. */
static bool take_items(struct fields *fields, const json_t *array,
                       const struct fp_schema_field *field, char *record)
{
	const struct fp_schema_record *schema = field->of;
	size_t *count = (size_t *)(void *)(record + field->more);
	char *items = take_room(fields, json_array_size(array), schema->size);

	*(fp_schema_pointer *)(void *)(record + field->offset) = items;
	for (size_t i = 0; items && i < json_array_size(array); i++) {
		const json_t *json = json_array_get(array, i);
		char *item = items + *count * schema->size;

		if (take_record(fields, json, schema, item)) {
			settle_item(fields, json, schema, item);
			++*count;
		} else if (is_held(fields, record)) {
			memset(item, 0, schema->size);
			fields->unknown++;
		} else {
			return false;
		}
	}
	return true;
}

static bool take_value(struct fields *fields, const json_t *json, const char *key,
                       const struct fp_schema_field *field, char *record);

/* The name of an item is what it stands under. */
static bool take_named(struct fields *fields, const json_t *json, const char *key,
                       const struct fp_schema_field *field, char *record)
{
	const json_t *object = value_at(fields, json, key, JSON_OBJECT);
	const struct fp_schema_record *schema = field->of;
	size_t *count = (size_t *)(void *)(record + field->more);
	char *items = take_room(fields, json_object_size(object), schema->size);
	bool is_known = true;
	const char *name;
	json_t *value;

	*(fp_schema_pointer *)(void *)(record + field->offset) = items;
	if (!items)
		return true;
	json_object_foreach((json_t *)(uintptr_t)object, name, value)
	{
		char *item = items + (*count)++ * schema->size;

		*(struct fp_report_string *)(void *)(item + schema->fields[0].offset) =
		        keep(fields, name, strlen(name));
		if (field->form == FP_SCHEMA_NAMED)
			is_known &= take_record(fields, value, schema, item);
		else
			take_value(fields, object, name, &schema->fields[1], item);
		/* The user is told no text of whoever wrote the file. */
		if (fields->wrong == name)
			fields->wrong = key;
	}
	return is_known;
}

static bool take_value(struct fields *fields, const json_t *json, const char *key,
                       const struct fp_schema_field *field, char *record)
{
	void *at = record + field->offset;
	void *more = record + field->more;
	struct fp_report_string string;
	uint64_t number;

	switch (field->form) {
	case FP_SCHEMA_CWE:
	case FP_SCHEMA_SEVERITY:
	case FP_SCHEMA_THROUGH:
	case FP_SCHEMA_CREATED:
	case FP_SCHEMA_FINGERPRINT:
	case FP_SCHEMA_RISE:
	case FP_SCHEMA_SUPPRESSIONS:
	case FP_SCHEMA_DATE:
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
		*(struct fp_report_string *)at = take_string(fields, json, key);
		return true;
	case FP_SCHEMA_BYTES:
		*(struct fp_report_string *)at = take_bytes(fields, json, key);
		return true;
	case FP_SCHEMA_RECORD:
	case FP_SCHEMA_BLOCK:
		return take_record(fields, value_at(fields, json, key, JSON_OBJECT), field->of,
		                   at);
	case FP_SCHEMA_NAMED:
	case FP_SCHEMA_MAP:
		return take_named(fields, json, key, field, record);
	case FP_SCHEMA_ARRAY:
		return take_items(fields, value_at(fields, json, key, JSON_ARRAY), field,
		                  record);
	case FP_SCHEMA_STRINGS:
		take_strings(fields, json, key, field, record);
		return true;
	case FP_SCHEMA_CHARS:
		string = take_string(fields, json, key);
		*(const char **)at = string.size > 0 ? string.bytes : NULL;
		return true;
	case FP_SCHEMA_SETTING:
		*(struct fp_report_string *)at =
		        take_setting(fields, json_object_get(json, key), key);
		return true;
	case FP_SCHEMA_EXIT:
		take_exit(fields, value_at(fields, json, key, JSON_OBJECT), at, more);
		return true;
	default:
		if (!take_number(fields, json, key, field, &number))
			return false;
		fp_report_schema_store(at, field->size, number);
		return true;
	}
}

/* The object that FIELD stands in; *KEY is its name there. */
static const json_t *find_object(struct fields *fields, const json_t *json,
                                 const struct fp_schema_field *field, const char **key)
{
	const char *dot = strchr(field->key, '.');
	char name[16];

	*key = dot ? dot + 1 : field->key;
	if (!dot)
		return json;
	snprintf(name, sizeof(name), "%.*s", (int)(dot - field->key), field->key);
	return value_at(fields, json, name, JSON_OBJECT);
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

/* What SCHEMA has, into RECORD, which is zeroed. False when a word is none of its enum's: then
 * RECORD is that of a newer version. */
static bool take_record(struct fields *fields, const json_t *json,
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

static const char schema[] = "fencepost-report-1";

/* What the report is not told under these names. */
static void settle(struct fields *fields, const json_t *json)
{
	struct fp_report *report = fields->report;

	report->suppressed = report->summary.suppressed;
	report->has_check_failed = !report->is_cut_short && report->summary.is_unknown;
	report->is_check_off = json_is_object(json_object_get(json, "leak_check")) &&
	                       !report->are_leaks_looked_for;
	if (!report->has_snapshot_source)
		report->snapshot_source = UINT32_MAX;
	else if (report->snapshot_source >= report->source_count)
		refuse(fields, "snapshots_source");
	if (fields->unknown > 0 &&
	    fp_report_note(report, FP_SAY_FINDING_KINDS_VERSION, fields->unknown,
	                   fields->unknown == 1 ? "" : "s",
	                   fields->unknown == 1 ? "was" : "were") != 0)
		fields->is_out_of_memory = true;
}

int fp_report_read_document(const json_t *json, struct fp_report *report,
                            char refusal[FP_REPORT_REFUSAL_MAX])
{
	struct fields fields = {.report = report, .keeper.arena = &report->arena};
	const char *given = json_string_value(json_object_get(json, "schema"));

	if (!given || strcmp(given, schema) != 0) {
		snprintf(refusal, FP_REPORT_REFUSAL_MAX, FP_SAY_JSON_BUT_NO, schema);
		return -EINVAL;
	}
	take_record(&fields, json, &fp_report_schema_report, report);
	settle(&fields, json);
	fp_report_keeper_end(&fields.keeper);
	if (fields.is_out_of_memory)
		return -ENOMEM;
	if (!fields.wrong)
		return 0;
	snprintf(refusal, FP_REPORT_REFUSAL_MAX, FP_SAY_DAMAGED_JSON_REPORT, fields.wrong);
	return -EINVAL;
}
