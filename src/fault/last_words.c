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
#include "base/text.h"
#include "fault/answer.h"
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

/* What stands in place of BASE of a class with several. */
struct cxx_bases {
	uint32_t flags;
	uint32_t count;
	struct {
		const struct cxx_type *type;
		intptr_t where; /* from the object's beginning, shifted, and whether it is
		                   virtual */
	} base[];
};

/* WHAT: std::exception's virtual functions begin with two destructors. */
enum {
	BASES_MAX = 16,
	TABLE_OFFSET = 16,
	DEPENDENT = 1,
	VIRTUAL = 1,
	OFFSET_SHIFT = 8,
	WHAT = 2
};

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

/* Whether the type information is of a class of the kind that TABLE belongs to. */
static bool is_of_kind(const struct cxx_type *type, const char *table)
{
	size_t size;
	uintptr_t start = fp_symbols_lookup(table, &size);

	return start != 0 && (uintptr_t)type->table == start + TABLE_OFFSET;
}

static const void *find_base(const struct cxx_type *type, const void *object, const char *name,
                             int depth);

/* In one of several bases. */
static const void *find_in_bases(const struct cxx_bases *bases, const void *object,
                                 const char *name, int depth)
{
	uint32_t count = fp_is_readable(bases, sizeof(*bases)) ? bases->count : 0;

	if (count > BASES_MAX ||
	    !fp_is_readable(bases, sizeof(*bases) + count * sizeof(bases->base[0])))
		return NULL;
	for (uint32_t i = 0; i < count; i++) {
		/* Where a virtual one is, the object tells. */
		if ((bases->base[i].where & VIRTUAL) != 0)
			continue;
		const void *found =
		        find_base(bases->base[i].type,
		                  (const char *)object + (bases->base[i].where >> OFFSET_SHIFT),
		                  name, depth + 1);
		if (found != NULL)
			return found;
	}
	return NULL;
}

/* The part of OBJECT, a TYPE, that is of the class NAME, or NULL. */
static const void *find_base(const struct cxx_type *type, const void *object, const char *name,
                             int depth)
{
	if (depth > BASES_MAX || !fp_is_readable(type, sizeof(*type)))
		return NULL;
	if (is_named(type, name))
		return object;
	if (is_of_kind(type, "_ZTVN10__cxxabiv120__si_class_type_infoE"))
		return find_base(type->base, object, name, depth + 1);
	if (is_of_kind(type, "_ZTVN10__cxxabiv121__vmi_class_type_infoE"))
		return find_in_bases((const void *)&type->base, object, name, depth);
	return NULL;
}

/* What what() would say: by its code; or those of the standard library have their text behind
 * the table of virtual functions. */
static const char *find_what(const struct cxx_type *type, const void *object)
{
	const void *const *const *exception = find_base(type, object, "St9exception", 0);
	const char *answer = NULL;

	if (exception != NULL && fp_is_readable(exception, sizeof(*exception)) &&
	    fp_is_readable(*exception + WHAT, sizeof(**exception)))
		answer = (const char *)fp_fault_answer((uintptr_t)(*exception)[WHAT],
		                                       (uintptr_t)exception);
	if (answer != NULL)
		return answer;
	const char *const *with_text = find_base(type, object, "St13runtime_error", 0);
	if (with_text == NULL)
		with_text = find_base(type, object, "St11logic_error", 0);
	return with_text != NULL && fp_is_readable(with_text, 2 * sizeof(*with_text))
	               ? with_text[1]
	               : NULL;
}

/* What is no class has no words but its value. */
static void take_value(struct fp_crash_words *words, const struct cxx_type *type,
                       const void *object)
{
	struct fp_text text;

	fp_text_begin(&text, words->message, sizeof(words->message));
	if (is_named(type, "i") && fp_is_readable(object, sizeof(int)))
		fp_text_signed(&text, *(const int *)object);
	else if ((is_named(type, "PKc") || is_named(type, "Pc")) &&
	         fp_is_readable(object, sizeof(char *)))
		copy(words->message, sizeof(words->message), *(const char *const *)object);
}

static void take_exception(struct fp_crash_words *words, const struct cxx_exception *exception)
{
	if (!fp_is_readable(exception, sizeof(*exception)))
		return;
	const void *object = object_of(exception);
	const struct cxx_type *type = ((const struct cxx_exception *)object)[-1].type;
	if (!fp_is_readable(type, sizeof(*type)))
		return;
	copy(words->exception, sizeof(words->exception),
	     type->name[0] == '*' ? type->name + 1 : type->name);
	const char *what = find_what(type, object);
	if (what != NULL)
		copy(words->message, sizeof(words->message), what);
	else
		take_value(words, type, object);
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
