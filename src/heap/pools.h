/* SPDX-License-Identifier: Apache-2.0
 *
 * Blocks that the program cuts out of memory of its own, and tells us of as it would tell
 * Valgrind: where each is, whose stacks made and freed it, and to which pool it belongs. Their
 * memory is the program's. What of it is free is poisoned, as the program asks for.
 *
 * Context: alloc; what finds also fault. Thread-safe. errno is preserved.
 */
#ifndef FP_HEAP_POOLS_H
#define FP_HEAP_POOLS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/block.h"
#include "registry/registry.h"

/* How many records there are, of blocks, live and freed, and of pools. */
extern _Atomic size_t fp_pools_records;

static inline bool fp_pools_are_used(void)
{
	return atomic_load_explicit(&fp_pools_records, memory_order_relaxed) > 0;
}

enum { FP_POOL_AUTO_FREE = 1, FP_POOL_META = 2 }; /* as Valgrind has them */

/* A pool is known by a number that the program chose; 0 is what has none: MALLOCLIKE_BLOCK.
 * What does not fit is a finding. */
void fp_pools_create(uintptr_t pool, unsigned flags);
void fp_pools_destroy(uintptr_t pool);
void fp_pools_move(uintptr_t pool, uintptr_t wanted);
bool fp_pools_exists(uintptr_t pool);

void fp_pools_alloc(uintptr_t pool, uintptr_t address, size_t size);
void fp_pools_free(uintptr_t pool, uintptr_t address);

/* All blocks of POOL outside of those bytes are freed, and what reaches out of them is cut. */
void fp_pools_trim(uintptr_t pool, uintptr_t start, size_t size);

/* The block at ADDRESS is at WANTED from now on, and has SIZE bytes. */
void fp_pools_change(uintptr_t pool, uintptr_t address, uintptr_t wanted, size_t size);

/* Those bytes are not there any more. */
void fp_pools_forget(uintptr_t start, size_t size);

/* The record of what ADDRESS is in, live or freed, or of what begins next before it. */
bool fp_pools_find(uintptr_t address, struct fp_block *block);
bool fp_pools_find_before(uintptr_t address, struct fp_block *block);

/* The first record, live or freed, that has bytes in [START, END). */
bool fp_pools_next(uintptr_t start, uintptr_t end, struct fp_block *block);

/* As those of the registry. */
void fp_pools_each_live(fp_registry_visitor visit, void *user);
size_t fp_pools_live_count(void);
bool fp_pools_mark(uintptr_t address, uint64_t serial, uint8_t marks);

/* Whether no thread is in here: for who has stopped all others. */
bool fp_pools_are_idle(void);

#endif
