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

/* Blocks first, then regions: these may stand so far away that no bucket would be small. With
 * them what the program has cut into blocks of its own. */
struct fp_leak_table {
	struct fp_leak_block *blocks;
	size_t count;
	size_t capacity;
	size_t first_region; /* its index; they stand in the order of addresses */
	uintptr_t region_low;
	uintptr_t region_extent;
	uintptr_t low; /* all blocks but regions are within extent bytes of it */
	uintptr_t extent;
	/* firsts[i] is the index of the first block that begins at or behind low + (i <<
	 * shift). */
	uint32_t *firsts;
	size_t buckets;
	unsigned shift;
};

/* Copies the live blocks and regions. 0 or -ENOMEM. */
int fp_leak_table_make(struct fp_leak_table *table, const struct fp_leak_config *config);
void fp_leak_table_free(struct fp_leak_table *table);

/* An array without elements is no more than their number: one word, two where C++ aligns them
 * to 16 bytes, and so on. */
static inline bool fp_leak_may_be_empty(const struct fp_leak_block *block)
{
	bool is_array = block->family == FP_FAMILY_NEW_ARRAY ||
	                block->family == FP_FAMILY_ALIGNED_ARRAY;

	return block->size == 8 || block->size == 16 ||
	       (is_array && (block->size == 32 || block->size == 64));
}

/* The index of the block that ADDRESS is in, or FP_LEAK_NOWHERE. A block of no bytes has one,
 * and one that may be an empty array has its end, too, unless another block begins there. Or
 * the block whose start it is without low bits (fp_heap_is_masked). */
uint32_t fp_leak_table_find(const struct fp_leak_table *table, uintptr_t address);

/* The first region that ends above ADDRESS, or NULL. */
const struct fp_leak_block *fp_leak_table_region(const struct fp_leak_table *table,
                                                 uintptr_t address);

static inline bool fp_leak_is_region(const struct fp_leak_block *block)
{
	return block->family == FP_FAMILY_VIRTUAL;
}

/* Whether WORD may point to a block. */
static inline bool fp_leak_table_spans(const struct fp_leak_table *table, uintptr_t word)
{
	return word - table->low < table->extent ||
	       word - table->region_low < table->region_extent;
}

/* Of the process that this one was forked from. */
static inline bool fp_leak_is_inherited(const struct fp_leak_config *config,
                                        const struct fp_leak_block *block)
{
	return block->serial <=
	       (fp_leak_is_region(block) ? config->after_region : config->after);
}

#endif
