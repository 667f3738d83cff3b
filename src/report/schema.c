/* SPDX-License-Identifier: Apache-2.0
 *
 * The tables, and copies made row by row: strings, modules and stacks into an arena.
 */
#include "report/schema.h"

#include <search.h>
#include <string.h>

#include "report/leaks.h"
#include "report/names.h"
#include "report/suppress/suppress.h"

bool fp_report_keep_string(struct fp_report_keeper *keeper, struct fp_report_string *string)
{
	const char *bytes = fp_report_arena_keep(keeper->arena, string->bytes, string->size);

	if (bytes)
		string->bytes = bytes;
	return bytes != NULL;
}

/* Strings of one arena are equal when they stand at one place. */
static int compare_modules(const void *left, const void *right)
{
	const struct fp_report_module *a = left;
	const struct fp_report_module *b = right;

	if (a->path.bytes != b->path.bytes)
		return a->path.bytes < b->path.bytes ? -1 : 1;
	return (a->build_id.bytes > b->build_id.bytes) -
	       (a->build_id.bytes < b->build_id.bytes);
}

const struct fp_report_module *fp_report_keep_module(struct fp_report_keeper *keeper,
                                                     const struct fp_report_module *wanted)
{
	struct fp_report_module module = {.path = wanted->path,
	                                  .build_id = wanted->build_id,
	                                  .is_own = wanted->is_own,
	                                  .has_sources = wanted->has_sources};
	struct fp_report_module **found;
	struct fp_report_module *kept;

	if (!fp_report_keep_string(keeper, &module.path) ||
	    !fp_report_keep_string(keeper, &module.build_id))
		return NULL;
	found = tfind(&module, &keeper->modules, compare_modules);
	if (found)
		return *found;
	kept = fp_report_arena_take(keeper->arena, sizeof(*kept));
	if (!kept)
		return NULL;
	*kept = module;
	return tsearch(kept, &keeper->modules, compare_modules) ? kept : NULL;
}

/* Replaces *TEXT, unless it is NULL, by its copy. */
static bool keep_text(struct fp_report_keeper *keeper, const char **text)
{
	if (*text)
		*text = fp_report_arena_keep(keeper->arena, *text, strlen(*text));
	return *text != NULL;
}

static const struct fp_symbol_frame *keep_symbol(struct fp_report_keeper *keeper,
                                                 const struct fp_symbol_frame *symbol)
{
	struct fp_symbol_frame *kept = fp_report_arena_take(keeper->arena, sizeof(*kept));
	const char *function = symbol->function;
	const char *linkage = symbol->linkage;

	if (!kept)
		return NULL;
	*kept = *symbol;
	if ((kept->file && !keep_text(keeper, &kept->file)) ||
	    (kept->directory && !keep_text(keeper, &kept->directory)) ||
	    (function && !keep_text(keeper, &function)) ||
	    (linkage && !keep_text(keeper, &linkage)))
		return NULL;
	kept->function = (char *)(uintptr_t)function;
	kept->linkage = (char *)(uintptr_t)linkage;
	return kept;
}

static const struct fp_report_lines *keep_lines(struct fp_report_keeper *keeper,
                                                const struct fp_report_lines *source)
{
	struct fp_report_lines *kept = fp_report_arena_take(keeper->arena, sizeof(*kept));
	struct fp_report_string *lines =
	        fp_report_arena_take(keeper->arena, source->count * sizeof(*lines));

	if (!kept || !lines)
		return NULL;
	for (size_t i = 0; i < source->count; i++) {
		lines[i] = source->lines[i];
		if (!fp_report_keep_string(keeper, &lines[i]))
			return NULL;
	}
	*kept = (struct fp_report_lines){source->first, lines, source->count};
	return kept;
}

static struct fp_report_stack *keep_stack(struct fp_report_keeper *keeper,
                                          const struct fp_report_stack *stack)
{
	struct fp_report_stack *kept = fp_report_arena_take(keeper->arena, sizeof(*kept));

	if (!kept)
		return NULL;
	*kept = *stack;
	kept->frames =
	        fp_report_arena_take(keeper->arena, stack->count * sizeof(*kept->frames));
	if (stack->source)
		kept->source = keep_lines(keeper, stack->source);
	if (!kept->frames || (stack->source && !kept->source))
		return NULL;
	for (size_t i = 0; i < stack->count; i++) {
		const struct fp_report_frame *frame = &stack->frames[i];

		kept->frames[i] = *frame;
		if (frame->module)
			kept->frames[i].module = fp_report_keep_module(keeper, frame->module);
		if (frame->symbol)
			kept->frames[i].symbol = keep_symbol(keeper, frame->symbol);
		if ((frame->module && !kept->frames[i].module) ||
		    (frame->symbol && !kept->frames[i].symbol))
			return NULL;
	}
	return kept;
}

static void forget(void *module)
{
	(void)module;
}

void fp_report_keeper_end(struct fp_report_keeper *keeper)
{
	tdestroy(keeper->modules, forget);
	keeper->modules = NULL;
}

/* clang-format off */
#define FP_SCHEMA_OF(name) &fp_report_schema_##name
#define FP_TABLE_OF(name, FIELDS, TYPE, least) \
	const struct fp_schema_record fp_report_schema_##name = FP_SCHEMA(FP_##FIELDS##_FIELDS, FP_ROW_, TYPE, least);
#define FP_TABLE(name, FIELDS, least) FP_TABLE_OF(name, FIELDS, struct fp_report_##name, least)
FP_JSON_RECORDS(FP_TABLE)
FP_LOG_RECORDS(FP_TABLE)
FP_TABLE(party, PARTY, 0)
FP_TABLE(census, CENSUS, 0)
FP_TABLE(finding, FINDING, 15)
FP_TABLE(rise, RISE, 0)
FP_TABLE(suppression, SUPPRESSION, 0)
FP_TABLE_OF(page, PAGE, struct fp_report_region_page, 0)
FP_TABLE_OF(frame, FRAME, struct fp_report_flat_frame, 0)
FP_TABLE_OF(process, PROCESS, struct fp_report, 0)
FP_TABLE_OF(leak_check, LEAK_CHECK, struct fp_report, 0)
FP_TABLE_OF(report, REPORT, struct fp_report, 0)
/* clang-format on */

void fp_report_schema_store(void *to, size_t size, uint64_t number)
{
	switch (size) {
	case 1:
		*(uint8_t *)to = (uint8_t)number;
		break;
	case 4:
		*(uint32_t *)to = (uint32_t)number;
		break;
	default:
		*(uint64_t *)to = number;
	}
}

bool fp_report_schema_has(const struct fp_schema_field *field, const void *from)
{
	return field->has_size == 0 ||
	       fp_schema_load((const char *)from + field->has, field->has_size) != 0;
}

static bool keep_items(const struct fp_schema_record *schema, fp_schema_pointer *items,
                       size_t count, struct fp_report_keeper *keeper)
{
	char *kept = fp_report_arena_take(keeper->arena, count * schema->size);

	if (!kept)
		return false;
	if (count > 0)
		memcpy(kept, *items, count * schema->size);
	*items = kept;
	for (size_t i = 0; i < count; i++) {
		if (!fp_report_schema_keep(schema, kept + i * schema->size, keeper))
			return false;
	}
	return true;
}

static bool keep_field(const struct fp_schema_field *field, char *record,
                       struct fp_report_keeper *keeper)
{
	void *at = record + field->offset;
	void *more = record + field->more;
	const struct fp_report_stack **stack = more;

	switch (field->form) {
	case FP_SCHEMA_TEXT:
	case FP_SCHEMA_PATH:
	case FP_SCHEMA_WORD:
	case FP_SCHEMA_BYTES:
	case FP_SCHEMA_SETTING:
		return fp_report_keep_string(keeper, at);
	case FP_SCHEMA_TRACE:
		if (!*stack)
			return true;
		*stack = keep_stack(keeper, *stack);
		return *stack != NULL;
	case FP_SCHEMA_RECORD:
	case FP_SCHEMA_BLOCK:
		return fp_report_schema_keep(field->of, at, keeper);
	case FP_SCHEMA_ARRAY:
	case FP_SCHEMA_NAMED:
		return keep_items(field->of, at, *(const size_t *)more, keeper);
	case FP_SCHEMA_SHARES:
		*(struct fp_report_shares *)at = (struct fp_report_shares){0};
		return true;
	default:
		return true;
	}
}

bool fp_report_schema_keep(const struct fp_schema_record *schema, void *record,
                           struct fp_report_keeper *keeper)
{
	for (size_t i = 0; i < schema->count; i++) {
		if (!keep_field(&schema->fields[i], record, keeper))
			return false;
	}
	return true;
}

uint64_t fp_report_add_up(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

void fp_report_schema_add(const struct fp_schema_record *schema, void *to, const void *from)
{
	for (size_t i = 0; i < schema->count; i++) {
		const struct fp_schema_field *field = &schema->fields[i];
		uint64_t *sum = (void *)((char *)to + field->offset);
		uint64_t number;

		if (field->form != FP_SCHEMA_NUMBER && field->form != FP_SCHEMA_PEAK)
			continue;
		number = fp_schema_load((const char *)from + field->offset, sizeof(number));
		if (field->form == FP_SCHEMA_NUMBER)
			*sum = fp_report_add_up(*sum, number);
		else if (number > *sum)
			*sum = number;
	}
}
