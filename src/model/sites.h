/* SPDX-License-Identifier: Apache-2.0
 *
 * Allocation sites whose blocks need the alignment that malloc promises: a set of their keys,
 * which processes may share. A key is the same in each run of a program. What is full takes no
 * more.
 *
 * Any context. Thread-safe, without locks.
 */
#ifndef FP_MODEL_SITES_H
#define FP_MODEL_SITES_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FP_SITES_MAX = 1 << 12 };

struct fp_sites {
	_Atomic uint32_t count;
	_Atomic uint64_t keys[FP_SITES_MAX]; /* from where the key says; 0: free */
};

/* KEY is not 0. Whether it is new. */
static inline bool fp_sites_add(struct fp_sites *sites, uint64_t key)
{
	for (size_t i = 0; i < FP_SITES_MAX; i++) {
		uint64_t seen = 0;

		if (atomic_compare_exchange_strong(&sites->keys[(key + i) % FP_SITES_MAX],
		                                   &seen, key)) {
			atomic_fetch_add(&sites->count, 1);
			return true;
		}
		if (seen == key)
			return false;
	}
	return false;
}

static inline bool fp_sites_have(const struct fp_sites *sites, uint64_t key)
{
	uint64_t seen = key + 1;

	for (size_t i = 0; i < FP_SITES_MAX && seen != 0 && seen != key; i++)
		seen = atomic_load_explicit(&sites->keys[(key + i) % FP_SITES_MAX],
		                            memory_order_relaxed);
	return seen == key;
}

#endif
