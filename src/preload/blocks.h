/* SPDX-License-Identifier: Apache-2.0
 *
 * Allocating and freeing for every function that is interposed: from the heap, or from libc
 * where the door is closed or the picker leaves the block to it.
 *
 * Context: alloc.
 */
#ifndef FP_PRELOAD_BLOCKS_H
#define FP_PRELOAD_BLOCKS_H

#include <stdbool.h>
#include <stddef.h>

#include "heap/heap.h"

/* A block, libc's where it is left to that, or NULL; errno stays as it is. */
void *fp_preload_alloc(const struct fp_heap_request *request, bool is_left);

/* For a REQUEST that cannot be met: a finding. errno stays as it is. */
void fp_preload_refuse(const struct fp_heap_request *request);

void fp_preload_free(const struct fp_heap_claim *claim);

/* As realloc(3) for a block and a size above 0; errno stays as it is. What IS_LEFT to libc
 * becomes libc's, and else the heap's. */
void *fp_preload_realloc(void *block, size_t size, bool is_left);

/* The size that was asked for; for what is no live block 0, and a finding. */
size_t fp_preload_size_of(void *block);

#endif
