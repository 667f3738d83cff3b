/* SPDX-License-Identifier: Apache-2.0
 *
 * A depot interns byte strings: equal contents get the same 32-bit id, stored once, kept until
 * the process ends. Finding an id that exists takes no lock.
 *
 * Context: alloc; fp_depot_get also fault.
 */
#ifndef FP_STACK_DEPOT_H
#define FP_STACK_DEPOT_H

#include <stddef.h>
#include <stdint.h>

#include "base/lock.h"

enum {
	FP_DEPOT_NONE = 0,
	FP_DEPOT_BUCKETS = 1 << 16,
	FP_DEPOT_PAGE_IDS = 1 << 12, /* ids in one page of the id table */
	FP_DEPOT_PAGES = 1 << 12,
};

struct fp_depot_entry {
	struct fp_depot_entry *next; /* in its bucket; never changes once published */
	uint32_t hash;
	uint32_t id;
	uint32_t size; /* bytes of content */
	_Alignas(8) unsigned char content[];
};

typedef struct fp_depot_entry *_Atomic fp_depot_link;

/* Zeroed memory with its lock initialised is an empty depot. */
struct fp_depot {
	struct fp_lock lock; /* rank FP_RANK_DEPOT */
	_Atomic uint32_t count;
	fp_depot_link *_Atomic buckets;
	fp_depot_link *_Atomic pages[FP_DEPOT_PAGES]; /* id to entry */
};

/* The id of CONTENT, or FP_DEPOT_NONE when there is no memory for a new one. */
uint32_t fp_depot_intern(struct fp_depot *depot, const void *content, uint32_t size);

/* NULL for an id the depot never gave. */
const struct fp_depot_entry *fp_depot_get(struct fp_depot *depot, uint32_t id);

#endif
