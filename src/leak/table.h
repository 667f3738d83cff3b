/* SPDX-License-Identifier: Apache-2.0
 *
 * The live blocks of one moment, in the order of their addresses, and the way from any address
 * to the block it is in.
 *
 * Context: alloc. Private to leak.
 */
#ifndef FP_LEAK_TABLE_H
#define FP_LEAK_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "leak/leak.h"

enum { FP_LEAK_NOWHERE = UINT32_MAX };

struct fp_leak_table {
	struct fp_leak_block *blocks;
	size_t count;
	size_t capacity;
	uintptr_t low; /* all blocks are within extent bytes of it */
	uintptr_t extent;
	/* firsts[i] is the index of the first block that begins at or behind low + (i <<
	 * shift). */
	uint32_t *firsts;
	size_t buckets;
	unsigned shift;
};

/* Copies the registry's live blocks. 0 or -ENOMEM. */
int fp_leak_table_make(struct fp_leak_table *table, const struct fp_leak_config *config);
void fp_leak_table_free(struct fp_leak_table *table);

/* The index of the block that ADDRESS is in (a block of no bytes has one), or FP_LEAK_NOWHERE.
 */
uint32_t fp_leak_table_find(const struct fp_leak_table *table, uintptr_t address);

#endif
