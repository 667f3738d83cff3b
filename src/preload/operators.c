/* SPDX-License-Identifier: Apache-2.0
 *
 * The C++ operators, in C, under the names that the Itanium ABI gives them where size_t is
 * unsigned long: nothing of a C++ run time is loaded into a program that has none.
 *
 * A program's own operators win by the order of symbol lookup; those of its libraries stand
 * behind ours, which call them. When there are any, the others are left to the C++ run time,
 * whose versions are defined to end in the program's.
 */
#include <dlfcn.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/align.h"
#include "base/messages.h"
#include "base/panic.h"
#include "base/symbols.h"
#include "preload/blocks.h"
#include "preload/door.h"
#include "preload/export.h"
#include "preload/next.h"

struct nothrow; /* std::nothrow_t, passed by reference */

enum operator_index {
#define FP_OPERATOR(kind, name, ...) OPERATOR_##name,
#include "preload/operators.def"
#undef FP_OPERATOR
	OPERATORS
};

static const char *const symbols[OPERATORS] = {
#define FP_OPERATOR(kind, name, symbol, ...) [OPERATOR_##name] = (symbol),
#include "preload/operators.def"
#undef FP_OPERATOR
};

/* The C++ run time's versions, where they are to be used. */
static void *theirs[OPERATORS];

/* Some operators are the program's and the run time's are out of reach: then nobody can say
 * what goes with what. */
static bool are_mixed;

typedef void (*new_handler)(void);
extern new_handler weak_get_new_handler(void) __asm__("_ZSt15get_new_handlerv")
        __attribute__((weak));
extern void weak_throw_bad_alloc(void) __asm__("_ZSt17__throw_bad_allocv")
        __attribute__((weak));

/* A C++ run time that came with dlopen is not in the scope of our weak references. */
static void *find_in_run_time(const char *symbol)
{
	void *library = dlopen("libstdc++.so.6", RTLD_LAZY | RTLD_NOLOAD);

	return library == NULL ? NULL : dlsym(library, symbol);
}

static new_handler current_handler(void)
{
	new_handler (*get)(void) = weak_get_new_handler;

	if (get == NULL)
		*(void **)(void *)&get = find_in_run_time("_ZSt15get_new_handlerv");
	return get == NULL ? NULL : get();
}

static _Noreturn void throw_bad_alloc(void)
{
	void (*throw)(void) = weak_throw_bad_alloc;

	if (throw == NULL)
		*(void **)(void *)&throw = find_in_run_time("_ZSt17__throw_bad_allocv");
	if (throw != NULL)
		throw();
	fp_panic(FP_TELL_NO_BAD_ALLOC);
}

static enum fp_family family_of(enum fp_family family)
{
	return are_mixed ? FP_FAMILY_MALLOC : family;
}

/* What a form without an alignment asks for. */
enum { UNALIGNED = 1 };

/* Inlined: whether the block is left to libc depends on who called the operator. */
__attribute__((always_inline)) static inline void *allocate(enum fp_family family, size_t size,
                                                            size_t align)
{
	const struct fp_heap_request request = {
	        .size = size,
	        .align = align,
	        .family = family_of(family),
	};

	return fp_preload_alloc(&request,
	                        fp_picker_leaves((uintptr_t)__builtin_return_address(0),
	                                         (uintptr_t)__builtin_frame_address(0), size));
}

/* Until there is memory, or the program's handler gives up by throwing. It is not asked about
 * an alignment that is no power of two: no memory helps. */
__attribute__((always_inline)) static inline void *allocate_or_throw(enum fp_family family,
                                                                     size_t size, size_t align)
{
	void *block;

	if (!fp_is_power_of_two(align))
		throw_bad_alloc();
	while ((block = allocate(family, size, align)) == NULL) {
		new_handler handler = current_handler();

		if (handler == NULL)
			throw_bad_alloc();
		handler();
	}
	return block;
}

/* The forms that return NULL have to catch what a handler throws, which C cannot: the run
 * time's versions do, around ours. NULL when there is nothing to catch. */
static void *catching(enum operator_index index)
{
	return current_handler() == NULL ? NULL : find_in_run_time(symbols[index]);
}

static void release(enum fp_family family, struct fp_heap_claim claim)
{
	claim.family = family_of(family);
	if (are_mixed)
		claim.align = 0;
	fp_preload_free(&claim);
}

/* An operator has a hidden second name, which tells whether the first one is still ours. */
#define DECLARE(result, name, symbol, parameters)                                              \
	FP_EXPORT result operator_##name parameters __asm__(symbol);                           \
	extern __typeof__(operator_##name) own_##name                                          \
	        __attribute__((alias(symbol), visibility("hidden")));

/* The run time's version of operator NAME, or NULL, where it is to be used. */
#define THEIRS(name) ((__typeof__(&operator_##name))(uintptr_t)theirs[OPERATOR_##name])
#define CATCHING(name) ((__typeof__(&operator_##name))(uintptr_t)catching(OPERATOR_##name))

#define NEW(name, symbol, family, align, parameters, arguments)                                \
	DECLARE(void *, name, symbol, parameters)                                              \
	void *operator_##name parameters                                                       \
	{                                                                                      \
		if (THEIRS(name) != NULL)                                                      \
			return THEIRS(name) arguments;                                         \
		return allocate_or_throw(FP_FAMILY_##family, size, align);                     \
	}

#define NEW_NOTHROW(name, symbol, family, align, parameters, arguments)                        \
	DECLARE(void *, name, symbol, parameters)                                              \
	void *operator_##name parameters                                                       \
	{                                                                                      \
		if (THEIRS(name) != NULL)                                                      \
			return THEIRS(name) arguments;                                         \
		if (!fp_is_power_of_two(align))                                                \
			return NULL;                                                           \
		void *block = allocate(FP_FAMILY_##family, size, align);                       \
		if (block == NULL && CATCHING(name) != NULL)                                   \
			block = CATCHING(name) arguments;                                      \
		return block;                                                                  \
	}

#define DELETE(name, symbol, family, parameters, arguments, ...)                               \
	DECLARE(void, name, symbol, parameters)                                                \
	void operator_##name parameters                                                        \
	{                                                                                      \
		if (THEIRS(name) != NULL)                                                      \
			THEIRS(name) arguments;                                                \
		else                                                                           \
			release(FP_FAMILY_##family,                                            \
			        (struct fp_heap_claim){.block = block, __VA_ARGS__});          \
	}

/* std::align_val_t and std::nothrow_t, by value and by reference. */
#define ALIGN size_t align
#define TAG const struct nothrow *tag

#define FP_OPERATOR(kind, ...) kind(__VA_ARGS__)
#include "preload/operators.def"
#undef FP_OPERATOR

static bool is_ours(enum operator_index index)
{
	static const uintptr_t pairs[OPERATORS][2] = {
#define FP_OPERATOR(kind, name, ...)                                                           \
	[OPERATOR_##name] = {(uintptr_t)operator_##name, (uintptr_t)own_##name},
#include "preload/operators.def"
#undef FP_OPERATOR
	};

	return pairs[index][0] == pairs[index][1] || fp_preload_is_stub(pairs[index][0]);
}

static bool starts_with(const char *name, const char *start)
{
	return strncmp(name, start, strlen(start)) == 0;
}

static bool is_run_time(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash == NULL ? path : slash + 1;

	return starts_with(name, "libstdc++.") || starts_with(name, "libc++") ||
	       starts_with(name, "libsupc++") || starts_with(name, "libcxxrt");
}

static bool is_of_run_time(const struct link_map *module,
                           const struct fp_symbols *symbols_there)
{
	(void)symbols_there;
	return is_run_time(module->l_name);
}

/* What a library of the program has in the place of the run time's: a collector's, a pool's.
 * What one has that defines malloc, too, is in our place as much as in libc's. */
static bool is_of_library(const struct link_map *module, const struct fp_symbols *symbols_there)
{
	return !is_run_time(module->l_name) && fp_symbols_find(symbols_there, "malloc") == NULL;
}

static void *find_librarys(const char *symbol)
{
	return (void *)fp_preload_find_behind(symbol, is_of_library, true);
}

/* The next ones may be those of an allocator, which do not end in the program's. */
static void *find_theirs(const char *symbol)
{
	uintptr_t found = fp_preload_find_behind(symbol, is_of_run_time, false);

	return (void *)(found != 0 ? found : fp_preload_find_behind(symbol, NULL, true));
}

void fp_preload_find_operators(void)
{
	bool has_program_its_own = false;

	for (size_t i = 0; i < OPERATORS; i++) {
		theirs[i] = is_ours(i) ? find_librarys(symbols[i]) : NULL;
		has_program_its_own |= !is_ours(i) || theirs[i] != NULL;
	}
	for (size_t i = 0; has_program_its_own && i < OPERATORS; i++) {
		if (is_ours(i) && theirs[i] == NULL)
			theirs[i] = find_theirs(symbols[i]);
		are_mixed |= is_ours(i) && theirs[i] == NULL;
	}
}
