/* SPDX-License-Identifier: Apache-2.0
 *
 * Strings, modules and stacks into an arena.
 */
#include "report/keep.h"

#include <search.h>
#include <string.h>

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
