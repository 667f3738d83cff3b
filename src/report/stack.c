/* SPDX-License-Identifier: Apache-2.0
 *
 * Stacks as a person reads them: where they stop, and when two are the same.
 */
#include "report/stack.h"

#include <string.h>

#include "report/fold.h"

struct fp_report_string fp_report_text(const char *text)
{
	return (struct fp_report_string){text, strlen(text)};
}

int fp_report_compare_strings(struct fp_report_string a, struct fp_report_string b)
{
	if (a.size != b.size)
		return a.size < b.size ? -1 : 1;
	return a.size > 0 ? memcmp(a.bytes, b.bytes, a.size) : 0;
}

struct fp_report_string fp_report_base_name(struct fp_report_string path)
{
	const char *slash = path.size > 0 ? memrchr(path.bytes, '/', path.size) : NULL;
	size_t skipped;

	if (!slash)
		return path;
	skipped = (size_t)(slash + 1 - path.bytes);
	return (struct fp_report_string){slash + 1, path.size - skipped};
}

struct fp_report_string fp_report_module_name(const struct fp_report_frame *frame)
{
	return frame->module ? fp_report_base_name(frame->module->path)
	                     : fp_report_text("[unknown]");
}

static int compare_texts(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "");
}

static int compare_numbers(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int compare_symbols(const struct fp_symbol_frame *a, const struct fp_symbol_frame *b)
{
	int result = compare_texts(a->file, b->file);

	if (result == 0)
		result = compare_numbers(a->line, b->line);
	return result != 0 ? result : compare_texts(a->function, b->function);
}

/* Offsets in two builds of a module are of different things. */
static int compare_builds(const struct fp_report_frame *a, const struct fp_report_frame *b)
{
	if (!a->module || !b->module)
		return 0; /* the names are compared */
	return fp_report_compare_strings(a->module->build_id, b->module->build_id);
}

static int compare_frames(const struct fp_report_frame *a, const struct fp_report_frame *b)
{
	int result =
	        fp_report_compare_strings(fp_report_module_name(a), fp_report_module_name(b));

	if (result != 0)
		return result;
	if (a->symbol && b->symbol && a->symbol->line > 0 && b->symbol->line > 0)
		return compare_symbols(a->symbol, b->symbol);
	result = compare_builds(a, b);
	return result != 0 ? result : compare_numbers(a->offset, b->offset);
}

int fp_report_compare_stacks(const struct fp_report_stack *a, const struct fp_report_stack *b)
{
	for (size_t i = 0; i < a->count && i < b->count; i++) {
		int result = compare_frames(&a->frames[i], &b->frames[i]);

		if (result != 0)
			return result;
	}
	return compare_numbers(a->count, b->count);
}

static bool is_same_symbol(const struct fp_symbol_frame *a, const struct fp_symbol_frame *b)
{
	if (!a || !b)
		return a == b;
	return compare_symbols(a, b) == 0 && a->inlined == b->inlined &&
	       a->function_offset == b->function_offset;
}

bool fp_report_are_same_frames(const struct fp_report_stack *a, const struct fp_report_stack *b)
{
	if (a->count != b->count || strcmp(a->within, b->within) != 0)
		return false;
	for (size_t i = 0; i < a->count; i++) {
		const struct fp_report_frame *x = &a->frames[i];
		const struct fp_report_frame *y = &b->frames[i];

		if (x->offset != y->offset || !is_same_symbol(x->symbol, y->symbol) ||
		    fp_report_compare_strings(fp_report_module_name(x),
		                              fp_report_module_name(y)) != 0 ||
		    compare_builds(x, y) != 0)
			return false;
	}
	return true;
}

bool fp_report_is_in_c_library(const struct fp_report_frame *frame)
{
	static const char *const names[] = {"libc.", "libc-", "libpthread.", "libpthread-",
	                                    "ld-"};
	struct fp_report_string module = fp_report_module_name(frame);

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		size_t size = strlen(names[i]);

		if (module.size >= size && memcmp(module.bytes, names[i], size) == 0)
			return true;
	}
	return false;
}

static bool has_file(const struct fp_report_frame *frame)
{
	return frame->symbol && frame->symbol->file;
}

/* Neither ours, which calls handlers, nor the C library's nor a run time's. */
static bool is_of_program(const struct fp_report_frame *frame)
{
	return !(frame->module && frame->module->is_own) && !fp_report_is_in_c_library(frame) &&
	       !fp_report_frame_owner(frame);
}

/* Without a line anywhere: what the C library does for the program, raise() in abort() too,
 * says less than who called it. */
static const struct fp_report_frame *innermost_of_program(const struct fp_report_stack *stack)
{
	for (size_t i = stack->passed; i < stack->shown; i++)
		if (stack->frames[i].module && is_of_program(&stack->frames[i]))
			return &stack->frames[i];
	return &stack->frames[0];
}

const struct fp_report_frame *fp_report_stack_place(const struct fp_report_stack *stack)
{
	const struct fp_report_frame *place = NULL;

	for (size_t i = stack->passed; i < stack->shown; i++) {
		const struct fp_report_frame *frame = &stack->frames[i];

		if (!has_file(frame))
			continue;
		if (is_of_program(frame))
			return frame;
		if (!place && !fp_report_is_in_c_library(frame))
			place = frame;
	}
	return place || stack->count == 0 ? place : innermost_of_program(stack);
}

const struct fp_report_frame *fp_report_stack_helper(const struct fp_report_stack *stack)
{
	return stack->helper > 0 && stack->helper <= stack->count
	               ? &stack->frames[stack->helper - 1]
	               : NULL;
}

const struct fp_report_frame *fp_report_stack_caller(const struct fp_report_stack *stack)
{
	const struct fp_report_frame *place = fp_report_stack_place(stack);
	const struct fp_report_frame *end = stack->frames + stack->shown;
	const struct fp_report_frame *caller = place;

	if (!place || !has_file(place) || stack->helper > 0)
		return NULL;
	do {
		caller++;
	} while (caller < end && !is_of_program(caller));
	if (caller >= end || !has_file(caller) ||
	    fp_report_compare_strings(
	            fp_report_base_name(fp_report_text(caller->symbol->file)),
	            fp_report_base_name(fp_report_text(place->symbol->file))) == 0)
		return NULL;
	return caller;
}

static bool is_function(const struct fp_report_frame *frame, const char *name)
{
	return frame->symbol && frame->symbol->function &&
	       strcmp(frame->symbol->function, name) == 0;
}

bool fp_report_is_start(const struct fp_report_frame *frame)
{
	static const char *const names[] = {
	        "_start", "__libc_start_main",      "start_thread", "__libc_start_call_main",
	        "clone",  "__libc_start_main_impl", "clone3",       "__clone3",
	        "__clone"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (is_function(frame, names[i]))
			return true;
	}
	/* A stripped C library has no name for some of them. */
	return frame->module && !frame->symbol && fp_report_is_in_c_library(frame);
}

size_t fp_report_count_shown(const struct fp_report_frame *frames, size_t count)
{
	for (size_t i = count; i > 0; i--) {
		if (is_function(&frames[i - 1], "main"))
			return i;
	}
	while (count > 1 && fp_report_is_start(&frames[count - 1]))
		count--;
	return count;
}
