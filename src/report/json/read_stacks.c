/* SPDX-License-Identifier: Apache-2.0
 *
 * Stacks out of JSON. Each frame there says all about its module; here each module is one.
 */
#include <string.h>

#include "report/allocators.h"
#include "report/json/fields.h"
#include "report/stack.h"

static bool is_fencepost(struct fp_report_string path)
{
	static const char own[] = "libfencepost";
	struct fp_report_string name = fp_report_base_name(path);

	return name.size >= sizeof(own) - 1 && memcmp(name.bytes, own, sizeof(own) - 1) == 0;
}

/* The module that FRAME names; NULL when it is unknown or memory ran out. */
static const struct fp_report_module *find_module(struct fp_report_fields *fields,
                                                  const json_t *frame)
{
	struct fp_report_module wanted = {
	        .path = fp_report_fields_string(fields, frame, "module"),
	        .build_id = fp_report_fields_bytes(fields, frame, "build_id")};
	const struct fp_report_module *module;

	if (wanted.path.size == 0 || strcmp(wanted.path.bytes, "[unknown]") == 0)
		return NULL;
	wanted.is_own = is_fencepost(wanted.path);
	module = fp_report_keep_module(&fields->keeper, &wanted);
	if (!module)
		fields->is_out_of_memory = true;
	return module;
}

static const struct fp_symbol_frame *make_symbol(struct fp_report_fields *fields,
                                                 const json_t *frame)
{
	struct fp_report_string function = fp_report_fields_string(fields, frame, "function");
	struct fp_report_string file = fp_report_fields_string(fields, frame, "file");
	struct fp_report_string directory = fp_report_fields_string(fields, frame, "directory");
	struct fp_report_string linkage = fp_report_fields_string(fields, frame, "linkage");
	struct fp_symbol_frame *symbol;

	if (function.size == 0 && file.size == 0)
		return NULL;
	symbol = fp_report_arena_take(&fields->report->arena, sizeof(*symbol));
	if (!symbol) {
		fields->is_out_of_memory = true;
		return NULL;
	}
	if (function.size > 0)
		symbol->function = (char *)(uintptr_t)function.bytes;
	if (file.size > 0)
		symbol->file = file.bytes;
	if (directory.size > 0)
		symbol->directory = directory.bytes;
	if (linkage.size > 0)
		symbol->linkage = (char *)(uintptr_t)linkage.bytes;
	symbol->function_offset = fp_report_fields_address(fields, frame, "function_offset");
	symbol->function_line = fp_report_fields_small(fields, frame, "function_line");
	symbol->line = fp_report_fields_small(fields, frame, "line");
	symbol->column = fp_report_fields_small(fields, frame, "column");
	symbol->inlined = fp_report_fields_flag(fields, frame, "inlined");
	return symbol;
}

/* The lines of source that FRAME has; NULL when it has none or memory ran out. */
static const struct fp_report_lines *make_source(struct fp_report_fields *fields,
                                                 const json_t *frame)
{
	const json_t *source = fp_report_fields_object(fields, frame, "source");
	const json_t *array = fp_report_fields_array(fields, source, "lines");
	size_t count = json_array_size(array);
	struct fp_report_arena *arena = &fields->report->arena;
	struct fp_report_lines *made;
	struct fp_report_string *lines;

	if (count == 0)
		return NULL;
	made = fp_report_arena_take(arena, sizeof(*made));
	lines = fp_report_arena_take(arena, count * sizeof(*lines));
	if (!made || !lines) {
		fields->is_out_of_memory = true;
		return NULL;
	}
	for (size_t i = 0; i < count; i++) {
		const json_t *line = json_array_get(array, i);

		if (json_is_string(line))
			lines[i] = fp_report_fields_keep(fields, json_string_value(line),
			                                 json_string_length(line));
		else if (!fields->wrong)
			fields->wrong = "lines";
	}
	*made = (struct fp_report_lines){fp_report_fields_small(fields, source, "first"), count,
	                                 lines};
	return made;
}

struct fp_report_stack *fp_report_fields_stack(struct fp_report_fields *fields,
                                               const json_t *object, const char *key)
{
	const json_t *frames = fp_report_fields_array(fields, object, key);
	size_t count = json_array_size(frames);
	struct fp_report_arena *arena = &fields->report->arena;
	struct fp_report_stack *stack;
	size_t place = 0;

	if (!frames)
		return NULL;
	stack = fp_report_arena_take(arena, sizeof(*stack));
	if (stack)
		stack->frames = fp_report_arena_take(arena, count * sizeof(*stack->frames));
	if (!stack || !stack->frames) {
		fields->is_out_of_memory = true;
		return NULL;
	}
	stack->count = count;
	for (size_t i = 0; i < count; i++) {
		const json_t *frame = json_array_get(frames, i);

		if (!json_is_object(frame))
			fp_report_fields_refuse(fields, key);
		stack->frames[i] = (struct fp_report_frame){
		        .module = find_module(fields, frame),
		        .offset = fp_report_fields_address(fields, frame, "offset"),
		        .symbol = make_symbol(fields, frame),
		        .passes_on = fp_report_fields_flag(fields, frame, "passes_on")};
		if (fp_report_fields_flag(fields, frame, "helper"))
			stack->helper = i + 1;
		if (stack->helper > 0 && fp_report_fields_flag(fields, frame, "place"))
			place = i;
		if (!stack->source)
			stack->source = make_source(fields, frame);
	}
	stack->shown = fp_report_count_shown(stack->frames, count);
	if (stack->helper > 0)
		stack->passed = place;
	else
		fp_report_pass_over(stack);
	return stack;
}
