/* SPDX-License-Identifier: Apache-2.0
 *
 * The blocks that libc serves for us, and which of them live. Others of libc's may come to us,
 * too: a pointer that is neither in a slot nor here nor looks like one of them is an invalid
 * free.
 *
 * Context: alloc, and signal handlers: lock-free.
 */
#ifndef FP_PRELOAD_LIBC_BLOCKS_H
#define FP_PRELOAD_LIBC_BLOCKS_H

#include <stdbool.h>
#include <stddef.h>

#include "heap/heap.h"

/* A block of libc's as REQUEST says, or NULL. */
void *fp_libc_alloc(const struct fp_heap_request *request);

/* Whether BLOCK may be one of libc's. */
bool fp_libc_has(void *block);

/* False: BLOCK is none of libc's, and nothing has happened. */
bool fp_libc_free(void *block);

/* As realloc(3); *IS_KNOWN is false, and nothing has happened, when BLOCK is none of libc's. */
void *fp_libc_realloc(void *block, size_t size, bool *is_known);

/* Bytes that may be used of a block of libc's. */
size_t fp_libc_usable_size(void *block);

#endif
