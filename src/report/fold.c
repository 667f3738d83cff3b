/* SPDX-License-Identifier: Apache-2.0
 *
 * Of a run of frames of one owner the outermost stays, which is what the program called; unless
 * the run began the thread, where nothing of the program called it. Of a machine that runs
 * programs the innermost ones stay too, when the mistake is its own.
 */
#include "report/fold.h"

#include <string.h>

#include "report/stack.h"

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
        {"/include/c++/", "the C++ library"},      {"/libstdc++-v3/", "the C++ library"},
        {"/rustc/", "the Rust library"},           {"library/std/src/", "the Rust library"},
        {"library/core/src/", "the Rust library"}, {"library/alloc/src/", "the Rust library"},
        {"/lib/rustlib/", "the Rust library"},
};

static bool is_module(const struct fp_report_frame *frame, const char *name)
{
	struct fp_report_string module = fp_report_module_name(frame);
	size_t size = strlen(name);

	return module.size >= size && memcmp(module.bytes, name, size) == 0 &&
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
	bool is_made = !stack->frames[index].module;

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
