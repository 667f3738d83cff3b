/* SPDX-License-Identifier: Apache-2.0
 *
 * What Mono allocates with: the names that its own code calls.
 */
#ifndef EXAMPLES_MONO_MEMORY_H
#define EXAMPLES_MONO_MEMORY_H

#include <stddef.h>

#include <fencepost/extension.h>

/* Before anything of Mono is called: its memory comes from HEAP. */
void mono_memory_use(IFencepostMalloc *heap);

/* A size of 0 gives NULL, and so does NULL to duplicate; only the functions with "try" return
 * NULL when there is no memory. */
void *monoeg_malloc(size_t size);
void *monoeg_malloc0(size_t size);
void *monoeg_try_malloc(size_t size);
void *monoeg_realloc(void *block, size_t size);
void *monoeg_try_realloc(void *block, size_t size);
void *monoeg_g_calloc(size_t count, size_t size);
void *monoeg_g_memdup(const void *bytes, unsigned size);
void monoeg_g_free(void *block);

/* malloc, realloc, free and calloc. */
void monoeg_g_mem_get_vtable(void **vtable);
void monoeg_g_mem_set_vtable(void **vtable);

#endif
