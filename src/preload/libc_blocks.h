/* SPDX-License-Identifier: Apache-2.0
 *
 * The blocks that libc serves for us, and which of them live: a pointer that is neither in a
 * slot nor here is an invalid free.
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

/* False: BLOCK was not handed out here, and nothing has happened. */
bool fp_libc_free(void *block);

/* As realloc(3); *IS_KNOWN is false, and nothing has happened, when BLOCK was not handed out
 * here. */
void *fp_libc_realloc(void *block, size_t size, bool *is_known);

/* Bytes that may be used of a block of libc's. */
size_t fp_libc_usable_size(void *block);

#endif
