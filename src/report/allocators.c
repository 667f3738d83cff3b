/* SPDX-License-Identifier: Apache-2.0
 *
 * What a stack of an allocation begins with. Nothing is learnt of a function whose debug
 * information is not there: without a line it is no place to name either. Whoever gets a
 * pointer to void for a number of bytes cannot know what it is for, whatever the code in
 * between does.
 */
#include "report/allocators.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "report/stack.h"

static const char *named = "";

/* A function, and a place that it was called from. */
struct call {
	const char *function;
	const struct fp_report_module *module;
	uint64_t offset;
};

struct calls {
	struct call *items;
	size_t count;
};

void fp_report_name_allocators(const char *names)
{
	named = names;
}

static bool is_named(const char *function)
{
	size_t size = strlen(function);

	for (const char *at = named; *at != '\0'; at += strspn(at, ",")) {
		size_t length = strcspn(at, ",");

		if (length == size && memcmp(at, function, size) == 0)
			return true;
		at += length;
	}
	return false;
}

/* Of the C and C++ programs and libraries that there are. */
static bool is_known(const char *function)
{
	static const char *const names[] = {
	        "xmalloc",          "xcalloc",          "xrealloc",          "xzalloc",
	        "xstrdup",          "xstrndup",         "xmemdup",           "xnmalloc",
	        "xnrealloc",        "xmallocarray",     "xreallocarray",     "x2realloc",
	        "x2nrealloc",       "xcharalloc",       "xasprintf",         "xvasprintf",
	        "g_malloc",         "g_malloc0",        "g_malloc_n",        "g_malloc0_n",
	        "g_realloc",        "g_realloc_n",      "g_try_malloc",      "g_try_malloc0",
	        "g_try_realloc",    "g_strdup",         "g_strndup",         "g_memdup",
	        "g_memdup2",        "g_slice_alloc",    "g_slice_alloc0",    "PyMem_Malloc",
	        "PyMem_Calloc",     "PyMem_Realloc",    "PyMem_RawMalloc",   "PyMem_RawCalloc",
	        "PyMem_RawRealloc", "PyObject_Malloc",  "PyObject_Calloc",   "PyObject_Realloc",
	        "_PyMem_RawMalloc", "_PyMem_RawCalloc", "_PyMem_RawRealloc", "CRYPTO_malloc",
	        "CRYPTO_zalloc",    "CRYPTO_realloc",   "apr_palloc",        "av_malloc",
	        "av_mallocz",       "av_calloc",        "av_realloc",        "xmlStrdup"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i], function) == 0)
			return true;
	return false;
}

static bool is_allocator(const struct fp_report_frame *frame)
{
	const char *function = frame->symbol ? frame->symbol->function : NULL;

	return function && (frame->passes_on || is_named(function) || is_known(function));
}

/* strdup() and its like stand before who called them. */
static size_t skip_c_library(const struct fp_report_stack *stack, size_t i)
{
	while (i < stack->shown && fp_report_is_in_c_library(&stack->frames[i]))
		i++;
	return i;
}

/* Somebody is always left. */
void fp_report_pass_over(struct fp_report_stack *stack)
{
	size_t i = skip_c_library(stack, 0);

	stack->passed = 0;
	while (i + 1 < stack->shown && is_allocator(&stack->frames[i]))
		stack->passed = ++i;
}

/* Whether FRAME may be learnt: it is called by another. */
static bool is_candidate(const struct fp_report_frame *frame)
{
	return frame->symbol && frame->symbol->is_generic && frame->symbol->function;
}

static int add_calls(struct calls *calls, const struct fp_report_stack *stack)
{
	for (size_t i = skip_c_library(stack, 0); i + 1 < stack->shown; i++) {
		const struct fp_report_frame *frame = &stack->frames[i];
		const struct call call = {frame->symbol ? frame->symbol->function : NULL,
		                          frame[1].module, frame[1].offset};

		if (!is_allocator(frame) && !is_candidate(frame))
			return 0;
		if (!is_allocator(frame) &&
		    fp_report_append(&calls->items, &calls->count, &call, sizeof(call)) != 0)
			return -ENOMEM;
	}
	return 0;
}

static int compare_calls(const void *left, const void *right)
{
	const struct call *a = left;
	const struct call *b = right;
	int result = strcmp(a->function, b->function);

	if (result == 0)
		result = (a->offset > b->offset) - (a->offset < b->offset);
	return result != 0 ? result : (a->module > b->module) - (a->module < b->module);
}

/* Of the sorted CALLS the first of each function that is called from several places. */
static void keep_learnt(struct calls *calls)
{
	size_t kept = 0;

	for (size_t i = 0; i < calls->count;) {
		size_t end = i + 1;
		bool has_others = false;

		for (; end < calls->count &&
		       strcmp(calls->items[i].function, calls->items[end].function) == 0;
		     end++)
			has_others |= compare_calls(&calls->items[i], &calls->items[end]) != 0;
		if (has_others)
			calls->items[kept++] = calls->items[i];
		i = end;
	}
	calls->count = kept;
}

static int compare_names(const void *left, const void *right)
{
	return strcmp(((const struct call *)left)->function,
	              ((const struct call *)right)->function);
}

static void mark(const struct calls *learnt, struct fp_report_stack *stack)
{
	for (size_t i = 0; learnt->count > 0 && i < stack->shown; i++) {
		struct fp_report_frame *frame = &stack->frames[i];

		if (is_candidate(frame))
			frame->passes_on |=
			        bsearch(&(struct call){.function = frame->symbol->function},
			                learnt->items, learnt->count, sizeof(learnt->items[0]),
			                compare_names) != NULL;
	}
	fp_report_pass_over(stack);
}

int fp_report_learn_allocators(struct fp_report *report)
{
	struct calls calls = {0};
	int result = 0;

	/* The stack of an access is another one. */
	for (size_t i = 0; result == 0 && i < report->trace_count; i++)
		if (report->traces[i].stacks[0])
			result = add_calls(&calls, report->traces[i].stacks[0]);
	if (calls.count > 0)
		qsort(calls.items, calls.count, sizeof(calls.items[0]), compare_calls);
	keep_learnt(&calls);
	for (size_t i = 0; result == 0 && i < report->trace_count; i++)
		if (report->traces[i].stacks[0])
			mark(&calls, report->traces[i].stacks[0]);
	free(calls.items);
	return result;
}
