/* SPDX-License-Identifier: Apache-2.0
 *
 * Why a program aborts, as the libraries that made it abort have it in memory: the C library
 * its message (of assert, of a corrupted stack, of its own heap), that of C++ the exception
 * that nobody caught. Nothing of theirs is called that allocates or locks, and every pointer is
 * tried before it is followed: what ends here may have been overwritten.
 */
#include <string.h>

#include "base/readable.h"
#include "base/symbols.h"
#include "fault/crash.h"
#include "fault/fault.h"
#include "stack/stack.h"

/* glibc's struct abort_msg_s: what a core shows as __abort_msg. */
struct abort_message {
	unsigned size; /* of the mapping that this begins */
	char text[];
};

/* The Itanium ABI's struct __cxa_exception, as far as it is needed. */
struct cxx_exception {
	const struct cxx_type *type; /* of a dependent one (std::exception_ptr): the object */
	const void *unused[9];
	uint64_t kind; /* the beginning of struct _Unwind_Exception */
	const void *unwinder[3];
};

struct cxx_globals {
	struct cxx_exception *caught;
};

struct cxx_type {
	const void *table;
	const char *name;
	const struct cxx_type *base; /* of a class with one base */
};

enum { BASES_MAX = 16, TABLE_OFFSET = 16, DEPENDENT = 1 };

static void copy(char *to, size_t size, const char *from)
{
	size_t used = 0;

	while (used < size - 1 && fp_is_readable(from + used, 1) && from[used] != '\0') {
		to[used] = from[used];
		used++;
	}
	while (used > 0 && to[used - 1] == '\n')
		used--;
	to[used] = '\0';
}

static void take_abort_message(struct fp_crash_words *words)
{
	size_t size;
	const struct abort_message *const *at =
	        (const void *)fp_symbols_lookup("__abort_msg", &size);

	if (at != NULL && fp_is_readable(at, sizeof(*at)) && *at != NULL &&
	    fp_is_readable(*at, sizeof(**at)))
		copy(words->message, sizeof(words->message), (*at)->text);
}

/* Whether TRACE leads through the function NAME. */
static bool leads_through(fp_trace_id trace, const char *name)
{
	size_t size;
	uintptr_t start = fp_symbols_lookup(name, &size);
	size_t count;
	const uintptr_t *frames = fp_stack_trace(trace, &count);

	for (size_t i = 0; start != 0 && i < count; i++)
		if (frames[i] - 1 - start < size)
			return true;
	return false;
}

/* Whether TRACE leads through what an exception that nobody catches ends in. */
static bool is_terminated(fp_trace_id trace)
{
	return leads_through(trace, "_ZN10__cxxabiv111__terminateEPFvvE") ||
	       leads_through(trace, "_ZN9__gnu_cxx27__verbose_terminate_handlerEv") ||
	       leads_through(trace, "_ZSt9terminatev");
}

/* The object that was thrown. */
static const void *object_of(const struct cxx_exception *exception)
{
	return (exception->kind & DEPENDENT) != 0 ? (const void *)exception->type
	                                          : (const void *)(exception + 1);
}

static bool is_named(const struct cxx_type *type, const char *name)
{
	return fp_is_readable(type->name, strlen(name) + 1) && strcmp(type->name, name) == 0;
}

/* Those of the standard library that hold a text, and what is derived from them alone. */
static bool has_text(const struct cxx_type *type)
{
	size_t size;
	uintptr_t table = fp_symbols_lookup("_ZTVN10__cxxabiv120__si_class_type_infoE", &size);

	for (int i = 0; i < BASES_MAX && fp_is_readable(type, sizeof(*type)); i++) {
		if (is_named(type, "St13runtime_error") || is_named(type, "St11logic_error"))
			return true;
		if (table == 0 || (uintptr_t)type->table != table + TABLE_OFFSET)
			return false;
		type = type->base;
	}
	return false;
}

/* A text of the standard library's stands behind the table of virtual functions. */
static void take_exception(struct fp_crash_words *words, const struct cxx_exception *exception)
{
	if (!fp_is_readable(exception, sizeof(*exception)))
		return;
	const char *const *object = object_of(exception);
	const struct cxx_type *type =
	        ((const struct cxx_exception *)(const void *)object)[-1].type;
	if (!fp_is_readable(type, sizeof(*type)))
		return;
	copy(words->exception, sizeof(words->exception),
	     type->name[0] == '*' ? type->name + 1 : type->name);
	if (has_text(type) && fp_is_readable(object, 2 * sizeof(*object)))
		copy(words->message, sizeof(words->message), object[1]);
}

bool fp_fault_is_aborting(void *context)
{
	return leads_through(fp_stack_capture_interrupted(context), "abort");
}

void fp_crash_take_last_words(struct fp_crash_words *words, fp_trace_id trace)
{
	size_t size;

	take_abort_message(words);
	if (words->message[0] != '\0' || !is_terminated(trace))
		return;
	/* The thread has used it before, so it allocates nothing. */
	struct cxx_globals *(*globals)(void) = (struct cxx_globals * (*)(void))
	        fp_symbols_lookup("__cxa_get_globals_fast", &size);
	struct cxx_globals *own = globals == NULL ? NULL : globals();
	if (own != NULL && own->caught != NULL)
		take_exception(words, own->caught);
}
