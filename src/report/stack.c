/* SPDX-License-Identifier: Apache-2.0
 *
 * Stacks as a person reads them: where they stop, and when two are the same.
 *
 * What a stack of an allocation begins with. Nothing is learnt of a function whose debug
 * information is not there: without a line it is no place to name either. Whoever gets a
 * pointer to void for a number of bytes cannot know what it is for, whatever the code in
 * between does.
 *
 * Of a run of frames of one owner the outermost stays, which is what the program called; unless
 * the run began the thread, where nothing of the program called it. Of a machine that runs
 * programs the innermost ones stay too, when the mistake is its own.
 */
#include "report/stack.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

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

bool fp_report_is_word(struct fp_report_string string, const char *word)
{
	return fp_report_compare_strings(string, fp_report_text(word)) == 0;
}

bool fp_report_starts_with(struct fp_report_string string, const char *word)
{
	size_t size = strlen(word);

	return string.size >= size && memcmp(string.bytes, word, size) == 0;
}

bool fp_report_starts_with_any(struct fp_report_string string, const char *const *words)
{
	while (*words && !fp_report_starts_with(string, *words))
		words++;
	return *words != NULL;
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
	/* Where code is made while a program runs differs from run to run. */
	if (!a->module && a->symbol && b->symbol) {
		result = compare_symbols(a->symbol, b->symbol);
		return result != 0 ? result
		                   : compare_numbers(a->symbol->function_offset,
		                                     b->symbol->function_offset);
	}
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
	static const char *const names[] = {"libc.",       "libc-", "libpthread.",
	                                    "libpthread-", "ld-",   NULL};

	return fp_report_starts_with_any(fp_report_module_name(frame), names);
}

static bool has_file(const struct fp_report_frame *frame)
{
	return frame->symbol && frame->symbol->file;
}

/* Ours, which calls handlers, or the C library's. */
static bool is_of_system(const struct fp_report_frame *frame)
{
	return (frame->module && frame->module->is_own) || fp_report_is_in_c_library(frame);
}

/* Nor a run time's. */
static bool is_of_program(const struct fp_report_frame *frame)
{
	return !is_of_system(frame) && !fp_report_frame_owner(frame);
}

/* Without a line anywhere: what the C library does for the program, raise() in abort() too,
 * says less than who called it. */
static const struct fp_report_frame *innermost_of_program(const struct fp_report_stack *stack)
{
	for (size_t i = stack->passed; i < stack->shown; i++)
		if (stack->frames[i].module && is_of_program(&stack->frames[i]))
			return &stack->frames[i];
	/* A run time does it for itself, or for code that it has compiled. */
	for (size_t i = stack->passed; i < stack->shown; i++)
		if (!is_of_system(&stack->frames[i]))
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
		if (!place && !is_of_system(frame))
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
	const struct fp_report_frame *caller = place;

	if (!place || !has_file(place) || stack->helper > 0)
		return NULL;
	const struct fp_report_frame *end = stack->frames + stack->shown;
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

/* Where a program for .NET begins: "Demo:Main (string[])" in Mono, "int32 [demo]
 * Demo::Main(string[])" in the other. What is further out runs it. */
static bool is_managed_main(const struct fp_report_frame *frame)
{
	const char *name = !frame->module && frame->symbol ? frame->symbol->function : NULL;
	const char *main = name ? strstr(name, ":Main") : NULL;

	return main && main[5 + (main[5] == ' ')] == '(';
}

size_t fp_report_count_shown(const struct fp_report_frame *frames, size_t count)
{
	size_t main = 0;

	for (size_t i = count; i > 0; i--) {
		if (is_managed_main(&frames[i - 1]))
			return i;
		if (main == 0 && is_function(&frames[i - 1], "main"))
			main = i;
	}
	if (main > 0)
		return main;
	while (count > 1 && fp_report_is_start(&frames[count - 1]))
		count--;
	return count;
}

static const char *named = "";

/* A function, and a place that it was called from. */
struct call {
	const char *function;
	const struct fp_report_module *module;
	uint64_t offset;
};

struct calls {
	struct fp_report_arena arena;
	struct call *items;
	size_t count;
};

void fp_report_name_allocators(const char *names)
{
	named = names;
}

/* A name of C++ is given without its parameters. */
static bool is_named(const char *function)
{
	for (const char *at = named; *at != '\0'; at += strspn(at, ",")) {
		size_t length = strcspn(at, ",");

		if (strncmp(function, at, length) == 0 &&
		    (function[length] == '\0' || function[length] == '('))
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
		    fp_report_append(&calls->arena, &calls->items, &calls->count, &call,
		                     sizeof(call)) != 0)
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
	fp_report_arena_free(&calls.arena);
	return result;
}

enum {
	FOLD_MIN = 2,     /* frames that are worth a line in their place */
	REPEATED_MIN = 4, /* times that a recursion repeats before it is folded */
	PERIOD_MAX = 12,  /* functions of a recursion */
	OWN_FRAMES = 4
};

/* Modules of what runs programs of its own. A name is followed by a version or nothing. */
static const struct {
	const char *module;
	const char *owner;
} machines[] = {
        {"libcoreclr", ".NET"},
        {"libclrjit", ".NET"},
        {"libclrgc", ".NET"},
        {"libhostfxr", ".NET"},
        {"libhostpolicy", ".NET"},
        {"dotnet", ".NET"},
        {"libmonosgen", "Mono"},
        {"libmono", "Mono"},
        {"mono-sgen", "Mono"},
        {"mono", "Mono"},
        {"libjvm", "Java"},
        {"libjli", "Java"},
        {"java", "Java"},
        {"node", "Node.js"},
        {"libnode", "Node.js"},
        {"libv8", "Node.js"},
        {"python", "Python"},
        {"libpython", "Python"},
        {"R", "R"},
        {"libR", "R"},
        {"perl", "Perl"},
        {"libperl", "Perl"},
        {"ruby", "Ruby"},
        {"libruby", "Ruby"},
        {"php", "PHP"},
        {"lua", "Lua"},
        {"liblua", "Lua"},
        {"luajit", "Lua"},
};

/* Where the compiler found the sources of libraries that are compiled into programs. */
static const struct {
	const char *directory;
	const char *owner;
} libraries[] = {
        {"/include/c++/", "the C++ library"},
        {"/libstdc++-v3/", "the C++ library"},
        {"/rustc/", "the Rust library"},
        {"library/std/src/", "the Rust library"},
        {"library/core/src/", "the Rust library"},
        {"library/alloc/src/", "the Rust library"},
        {"/lib/rustlib/", "the Rust library"},
        {"/go/src/runtime/", "the Go library"},
        {"/lib/go-", "the Go library"},
};

static bool is_module(const struct fp_report_frame *frame, const char *name)
{
	struct fp_report_string module = fp_report_module_name(frame);
	size_t size = strlen(name);

	return fp_report_starts_with(module, name) &&
	       (module.size == size || memchr(".-0123456789", module.bytes[size], 13));
}

static const char *machine_of(const struct fp_report_frame *frame)
{
	for (size_t i = 0; i < sizeof(machines) / sizeof(machines[0]); i++) {
		if (is_module(frame, machines[i].module))
			return machines[i].owner;
	}
	return NULL;
}

static const char *library_of(const struct fp_report_frame *frame)
{
	const char *file = frame->symbol ? frame->symbol->file : NULL;

	for (size_t i = 0; file && i < sizeof(libraries) / sizeof(libraries[0]); i++) {
		if (strstr(file, libraries[i].directory))
			return libraries[i].owner;
	}
	/* What the compiler makes between the library's own. */
	if (frame->symbol && frame->symbol->function &&
	    strcmp(frame->symbol->function, "__rust_try") == 0)
		return "the Rust library";
	return is_module(frame, "libstdc++") || is_module(frame, "libc++") ||
	                       is_module(frame, "libc++abi")
	               ? "the C++ library"
	               : NULL;
}

const char *fp_report_frame_owner(const struct fp_report_frame *frame)
{
	const char *owner = frame->module ? library_of(frame) : NULL;

	return owner || !frame->module ? owner : machine_of(frame);
}

/* The owner of the frame at INDEX; code that a machine made as it ran is in no module. */
static const char *owner_of(const struct fp_report_stack *stack, size_t index)
{
	const struct fp_symbol_frame *symbol = stack->frames[index].symbol;
	bool is_made = !stack->frames[index].module;

	/* With a name it is a program that the machine runs. */
	if (is_made && symbol && symbol->function && symbol->function[0] != '[')
		return NULL;

	while (index > 0 && !stack->frames[index].module)
		index--;
	return is_made ? machine_of(&stack->frames[index])
	               : fp_report_frame_owner(&stack->frames[index]);
}

static bool is_main(const struct fp_report_frame *frame)
{
	return frame->symbol && frame->symbol->function &&
	       strcmp(frame->symbol->function, "main") == 0;
}

size_t fp_report_fold(const struct fp_report_stack *stack, size_t index, const char **owner)
{
	size_t start = index;
	size_t end = index;

	*owner = owner_of(stack, index);
	if (!*owner)
		return 0;
	while (start > 0 && owner_of(stack, start - 1) == *owner)
		start--;
	while (end < stack->shown && owner_of(stack, end) == *owner)
		end++;
	/* Nothing would be left to show. */
	if (start == 0 && end == stack->shown && !machine_of(&stack->frames[index]))
		return 0;
	if (start == 0 && machine_of(&stack->frames[index]))
		start = OWN_FRAMES;
	if (end < stack->shown || is_main(&stack->frames[end - 1]))
		end--;
	return index == start && end >= start + FOLD_MIN ? end - start : 0;
}

static bool are_same(const struct fp_report_frame *a, const struct fp_report_frame *b)
{
	return a->module == b->module && a->offset == b->offset && a->symbol == b->symbol;
}

/* How many frames from INDEX on are each what stands PERIOD frames before. */
static size_t count_repeated(const struct fp_report_stack *stack, size_t index, size_t period)
{
	size_t end = index + period;

	while (end < stack->shown &&
	       are_same(&stack->frames[end], &stack->frames[end - period]))
		end++;
	return end - index;
}

size_t fp_report_fold_recursion(const struct fp_report_stack *stack, size_t index,
                                size_t *period)
{
	for (*period = 1; *period <= PERIOD_MAX && index + *period < stack->shown; ++*period) {
		size_t frames = count_repeated(stack, index, *period);

		if (frames >= REPEATED_MIN * *period && frames >= *period + FOLD_MIN)
			return frames - frames % *period;
	}
	return 0;
}
