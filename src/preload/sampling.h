/* SPDX-License-Identifier: Apache-2.0
 *
 * sample=N: which blocks are left to libc, and how many were. Each thread counts in a place
 * that outlives it, so that nothing is lost when it ends, and no stack of a thread is looked
 * at.
 *
 * Context: alloc. Private to the module.
 */
#ifndef FP_PRELOAD_SAMPLING_H
#define FP_PRELOAD_SAMPLING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Written by its thread alone, and read by others at any time. */
struct fp_sampling {
	_Atomic uint64_t count; /* blocks left to libc */
	uint64_t next;          /* what the count is when a block is guarded */
	uint64_t random;
	_Atomic uint32_t owner; /* a thread that may have ended */
};

/* What a thread has before its first block: nothing to leave. */
extern struct fp_sampling fp_sampling_none;

/* Whether the next block is one between two of the sample; then it is counted. */
static inline bool fp_sampling_skips(struct fp_sampling *sampling)
{
	uint64_t count = atomic_load_explicit(&sampling->count, memory_order_relaxed);

	if (count == sampling->next)
		return false;
	atomic_store_explicit(&sampling->count, count + 1, memory_order_relaxed);
	return true;
}

/* Once, when a program samples. */
void fp_sampling_start(void);

/* The calling thread has guarded a block: how many come before the next. */
void fp_sampling_draw(struct fp_sampling **own);

/* Blocks of all threads that were left to libc. */
uint64_t fp_sampling_count(void);

/* In the child of a fork: OWN is that of the one thread there, which has a new number. */
void fp_sampling_renew_in_child(struct fp_sampling *own);

#endif
