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

struct fp_report_stack *fp_report_keep_stack(struct fp_report_keeper *keeper,
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
const struct fp_schema_record fp_report_schema_site = FP_SCHEMA(FP_SITE_FIELDS, FP_ROW_, struct fp_report_site, 2);
const struct fp_schema_record fp_report_schema_block = FP_SCHEMA(FP_BLOCK_FIELDS, FP_ROW_, struct fp_report_block, 14);
const struct fp_schema_record fp_report_schema_party = FP_SCHEMA(FP_PARTY_FIELDS, FP_ROW_, struct fp_report_party, 0);
const struct fp_schema_record fp_report_schema_page = FP_SCHEMA(FP_PAGE_FIELDS, FP_ROW_, struct fp_report_region_page, 0);
const struct fp_schema_record fp_report_schema_register = FP_SCHEMA(FP_REGISTER_FIELDS, FP_ROW_, struct fp_report_register, 3);
const struct fp_schema_record fp_report_schema_birth = FP_SCHEMA(FP_BIRTH_FIELDS, FP_ROW_, struct fp_report_birth, 3);
const struct fp_schema_record fp_report_schema_holder = FP_SCHEMA(FP_HOLDER_FIELDS, FP_ROW_, struct fp_report_holder, 3);
const struct fp_schema_record fp_report_schema_census = FP_SCHEMA(FP_CENSUS_FIELDS, FP_ROW_, struct fp_report_census, 0);
const struct fp_schema_record fp_report_schema_finding = FP_SCHEMA(FP_FINDING_FIELDS, FP_ROW_, struct fp_report_finding, 15);
const struct fp_schema_record fp_report_schema_explanation = FP_SCHEMA(FP_EXPLANATION_FIELDS, FP_ROW_, struct fp_report_explanation, 1);
const struct fp_schema_record fp_report_schema_age = FP_SCHEMA(FP_AGE_FIELDS, FP_ROW_, struct fp_report_age, 0);
const struct fp_schema_record fp_report_schema_news = FP_SCHEMA(FP_NEWS_FIELDS, FP_ROW_, struct fp_report_news, 0);
const struct fp_schema_record fp_report_schema_member = FP_SCHEMA(FP_MEMBER_FIELDS, FP_ROW_, struct fp_report_member, 4);
const struct fp_schema_record fp_report_schema_held = FP_SCHEMA(FP_HELD_FIELDS, FP_ROW_, struct fp_report_held, 4);
const struct fp_schema_record fp_report_schema_leak = FP_SCHEMA(FP_LEAK_FIELDS, FP_ROW_, struct fp_report_leak, 8);
const struct fp_schema_record fp_report_schema_failed = FP_SCHEMA(FP_FAILED_FIELDS, FP_ROW_, struct fp_report_failed, 7);
const struct fp_schema_record fp_report_schema_context = FP_SCHEMA(FP_CONTEXT_FIELDS, FP_ROW_, struct fp_report_context, 3);
const struct fp_schema_record fp_report_schema_protection = FP_SCHEMA(FP_PROTECTION_FIELDS, FP_ROW_, struct fp_report_protection, 4);
const struct fp_schema_record fp_report_schema_heap = FP_SCHEMA(FP_HEAP_FIELDS, FP_ROW_, struct fp_report_heap, 6);
const struct fp_schema_record fp_report_schema_group = FP_SCHEMA(FP_GROUP_FIELDS, FP_ROW_, struct fp_report_group, 3);
const struct fp_schema_record fp_report_schema_snapshot = FP_SCHEMA(FP_SNAPSHOT_FIELDS, FP_ROW_, struct fp_report_snapshot, 4);
const struct fp_schema_record fp_report_schema_growth = FP_SCHEMA(FP_GROWTH_FIELDS, FP_ROW_, struct fp_report_growth, 3);
const struct fp_schema_record fp_report_schema_point = FP_SCHEMA(FP_POINT_FIELDS, FP_ROW_, struct fp_report_point, 3);
const struct fp_schema_record fp_report_schema_growing = FP_SCHEMA(FP_GROWING_FIELDS, FP_ROW_, struct fp_report_growing, 2);
const struct fp_schema_record fp_report_schema_source = FP_SCHEMA(FP_SOURCE_FIELDS, FP_ROW_, struct fp_report_source, 0);
const struct fp_schema_record fp_report_schema_share = FP_SCHEMA(FP_SHARE_FIELDS, FP_ROW_, struct fp_report_share, 0);
const struct fp_schema_record fp_report_schema_more_shares = FP_SCHEMA(FP_MORE_SHARES_FIELDS, FP_ROW_, struct fp_report_more_shares, 0);
const struct fp_schema_record fp_report_schema_lines = FP_SCHEMA(FP_LINES_FIELDS, FP_ROW_, struct fp_report_lines, 0);
const struct fp_schema_record fp_report_schema_frame = FP_SCHEMA(FP_FRAME_FIELDS, FP_ROW_, struct fp_report_flat_frame, 0);
const struct fp_schema_record fp_report_schema_rise = FP_SCHEMA(FP_RISE_FIELDS, FP_ROW_, struct fp_report_rise, 0);
const struct fp_schema_record fp_report_schema_reason = FP_SCHEMA(FP_REASON_FIELDS, FP_ROW_, struct fp_report_reason, 0);
const struct fp_schema_record fp_report_schema_setting = FP_SCHEMA(FP_SETTING_FIELDS, FP_ROW_, struct fp_report_setting, 0);
const struct fp_schema_record fp_report_schema_suppression = FP_SCHEMA(FP_SUPPRESSION_FIELDS, FP_ROW_, struct fp_report_suppression, 0);
const struct fp_schema_record fp_report_schema_summary = FP_SCHEMA(FP_SUMMARY_FIELDS, FP_ROW_, struct fp_report_summary, 0);
const struct fp_schema_record fp_report_schema_line = FP_SCHEMA(FP_LINE_FIELDS, FP_ROW_, struct fp_report_line, 0);
const struct fp_schema_record fp_report_schema_process = FP_SCHEMA(FP_PROCESS_FIELDS, FP_ROW_, struct fp_report, 0);
const struct fp_schema_record fp_report_schema_unlisted = FP_SCHEMA(FP_UNLISTED_FIELDS, FP_ROW_, struct fp_report_unlisted, 0);
const struct fp_schema_record fp_report_schema_leak_check = FP_SCHEMA(FP_LEAK_CHECK_FIELDS, FP_ROW_, struct fp_report, 0);
const struct fp_schema_record fp_report_schema_report = FP_SCHEMA(FP_REPORT_FIELDS, FP_ROW_, struct fp_report, 0);
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

/* Replaces *STACK, unless it is NULL, by its copy. */
static bool keep_stack(struct fp_report_keeper *keeper, const struct fp_report_stack **stack)
{
	if (!*stack)
		return true;
	*stack = fp_report_keep_stack(keeper, *stack);
	return *stack != NULL;
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

	switch (field->form) {
	case FP_SCHEMA_TEXT:
	case FP_SCHEMA_PATH:
	case FP_SCHEMA_WORD:
	case FP_SCHEMA_BYTES:
	case FP_SCHEMA_SETTING:
		return fp_report_keep_string(keeper, at);
	case FP_SCHEMA_TRACE:
		return keep_stack(keeper, more);
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
