/* SPDX-License-Identifier: Apache-2.0
 *
 * Counting, and the thresholds at which somebody wants to know. They stand beside what they are
 * compared with, and are written now and then only: a block costs no further line of cache.
 */
#include "heap/totals.h"

#include <stdatomic.h>
#include <stdbool.h>

#include "base/child.h"
#include "heap/heap.h"

FP_CHILD_WRITES static struct {
	_Alignas(64) _Atomic uint64_t serial; /* of the newest allocation, refused or not */
	_Atomic uint64_t frees;
	_Atomic uint64_t live_blocks;
	_Atomic uint64_t live_bytes;
	_Atomic uint64_t peak_bytes;
	_Atomic uint64_t watched_serial;
	_Atomic uint64_t watched_frees;
	_Atomic uint64_t watched_peak;
	_Atomic uint64_t peak_blocks;
	_Atomic uint64_t refused;
	_Atomic uint64_t seal_failures;
	_Atomic uint64_t inherited_serial; /* blocks up to this one are those of a parent */
	_Atomic uint64_t inherited_blocks; /* of which so many live */
} totals = {
        .watched_serial = UINT64_MAX,
        .watched_frees = UINT64_MAX,
        .watched_peak = UINT64_MAX,
};

static fp_heap_watcher watcher; /* set before the first threshold is */

uint64_t fp_totals_next_serial(void)
{
	return atomic_fetch_add_explicit(&totals.serial, 1, memory_order_relaxed) + 1;
}

void fp_totals_refuse(void)
{
	atomic_fetch_add(&totals.refused, 1);
}

void fp_totals_seal_failure(void)
{
	atomic_fetch_add(&totals.seal_failures, 1);
}

static void raise_peak(_Atomic uint64_t *peak, uint64_t value)
{
	uint64_t seen = atomic_load_explicit(peak, memory_order_relaxed);

	while (seen < value &&
	       !atomic_compare_exchange_weak_explicit(peak, &seen, value, memory_order_relaxed,
	                                              memory_order_relaxed))
		;
}

void fp_heap_watch(fp_heap_watcher new_watcher)
{
	watcher = new_watcher;
}

void fp_heap_watch_step(uint64_t serial, uint64_t frees)
{
	atomic_store(&totals.watched_serial, serial);
	atomic_store(&totals.watched_frees, frees);
}

void fp_heap_watch_peak(uint64_t bytes)
{
	atomic_store(&totals.watched_peak, bytes);
}

static uint64_t look_at(const _Atomic uint64_t *number)
{
	return atomic_load_explicit(number, memory_order_relaxed);
}

void fp_totals_add(const struct fp_block *block)
{
	raise_peak(&totals.peak_blocks,
	           atomic_fetch_add_explicit(&totals.live_blocks, 1, memory_order_relaxed) + 1);
	raise_peak(&totals.peak_bytes,
	           atomic_fetch_add_explicit(&totals.live_bytes, block->size,
	                                     memory_order_relaxed) +
	                   block->size);
	if (block->serial >= look_at(&totals.watched_serial))
		watcher(NULL);
}

static bool is_past_peak(uint64_t live_bytes)
{
	uint64_t peak = look_at(&totals.peak_bytes);

	return peak > look_at(&totals.watched_peak) && live_bytes < peak - peak / 16;
}

void fp_totals_remove(const struct fp_block *block)
{
	uint64_t frees = atomic_fetch_add_explicit(&totals.frees, 1, memory_order_relaxed) + 1;
	uint64_t live_bytes = atomic_fetch_sub_explicit(&totals.live_bytes, block->size,
	                                                memory_order_relaxed) -
	                      block->size;

	atomic_fetch_sub_explicit(&totals.live_blocks, 1, memory_order_relaxed);
	if (block->serial <= look_at(&totals.inherited_serial))
		atomic_fetch_sub_explicit(&totals.inherited_blocks, 1, memory_order_relaxed);
	if (frees >= look_at(&totals.watched_frees) || is_past_peak(live_bytes))
		watcher(block);
}

const _Atomic uint64_t *fp_heap_frees(void)
{
	return &totals.frees;
}

void fp_heap_begin_in_child(void)
{
	atomic_store(&totals.inherited_serial, atomic_load(&totals.serial));
	atomic_store(&totals.inherited_blocks, atomic_load(&totals.live_blocks));
}

void fp_heap_totals(struct fp_heap_totals *copy)
{
	copy->allocations = atomic_load(&totals.serial) - atomic_load(&totals.refused);
	copy->last_serial = atomic_load(&totals.serial);
	copy->frees = atomic_load(&totals.frees);
	copy->live_blocks = atomic_load(&totals.live_blocks);
	copy->live_bytes = atomic_load(&totals.live_bytes);
	copy->inherited_blocks = atomic_load(&totals.inherited_blocks);
	copy->peak_blocks = atomic_load(&totals.peak_blocks);
	copy->peak_bytes = atomic_load(&totals.peak_bytes);
	copy->seal_failures = atomic_load(&totals.seal_failures);
}
