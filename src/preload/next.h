/* SPDX-License-Identifier: Apache-2.0
 *
 * The allocator that would serve the program without us: libc's, or that of a library which the
 * program is linked with (jemalloc, tcmalloc). It gets what is left to it.
 *
 * Context: alloc. Private to the module.
 */
#ifndef FP_PRELOAD_NEXT_H
#define FP_PRELOAD_NEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Ready at any time: the first call of any finds them all. */
struct fp_preload_next {
	void *(*_Atomic malloc)(size_t size);
	void *(*_Atomic calloc)(size_t count, size_t size);
	void *(*_Atomic realloc)(void *block, size_t size);
	void *(*_Atomic memalign)(size_t align, size_t size);
	void (*_Atomic free)(void *block);
	size_t (*_Atomic usable_size)(void *block);
	_Atomic bool is_foreign; /* not libc's */
};

extern struct fp_preload_next fp_preload_next;

/* Finds them now, for who asks is_foreign. */
void fp_preload_find_next(void);

/* This library in the loader's list, or NULL. */
struct link_map;
struct fp_symbols;
const struct link_map *fp_preload_find_self(void);

/*
 * Where SYMBOL is in the first module behind this one that defines it and IS_WANTED (NULL:
 * any); with IS_FIRST only in the first that defines it at all. 0: nowhere. At the start, in
 * place of dlopen(3), which allocates, and of dlsym(3), which does so where it finds nothing:
 * we may have been called by the program's own malloc, which holds its locks.
 */
uintptr_t fp_preload_find_behind(const char *symbol,
                                 bool (*is_wanted)(const struct link_map *module,
                                                   const struct fp_symbols *symbols),
                                 bool is_first);

bool fp_preload_is_libc(const struct link_map *module);

#endif
