/* SPDX-License-Identifier: Apache-2.0
 *
 * The accounts of all heaps together. Private to the module; fp_heap_totals and fp_heap_watch
 * are what others see of it.
 *
 * Context: alloc. Thread-safe, without locks.
 */
#ifndef FP_HEAP_TOTALS_H
#define FP_HEAP_TOTALS_H

#include <stdint.h>

#include "model/block.h"

/* The serial of a block about to be made; one that nobody got is refused. */
uint64_t fp_totals_next_serial(void);
void fp_totals_refuse(void);

/* BLOCK is live, or no more. No lock may be held: the watcher may be called. */
void fp_totals_add(const struct fp_block *block);
void fp_totals_remove(const struct fp_block *block);

void fp_totals_seal_failure(void);

#endif
