/* SPDX-License-Identifier: Apache-2.0
 *
 * Records of pools and their blocks: three trees by address, and a list for each pool. A record
 * is a number; a number is a record's until it is dropped. Private to the module, without a
 * lock of its own.
 *
 * Context: alloc; what finds also fault.
 */
#ifndef FP_HEAP_POOL_TABLE_H
#define FP_HEAP_POOL_TABLE_H

#include <stdint.h>

#include "model/block.h"

/* The blocks of a tree do not overlap. What others were cut out of stands apart. */
enum fp_pool_tree { FP_POOL_BLOCKS, FP_POOL_SUPERBLOCKS, FP_POOL_POOLS, FP_POOL_TREES };

enum { FP_POOL_NONE, FP_POOL_FREED, FP_POOL_LOOSE, FP_POOL_FIRST };

struct fp_pool_record {
	struct fp_block block; /* of a pool: its number as the address, who created it */
	uint32_t left;
	uint32_t right;
	uint32_t priority;
	uint32_t next; /* of the same pool, or of what is freed, the newest first; a ring */
	uint32_t previous;
	uint32_t pool; /* whose list it is in; FP_POOL_LOOSE: of no pool */
	uint8_t tree;  /* enum fp_pool_tree */
	uint8_t flags; /* of a pool */
};

struct fp_pool_record *fp_pool_record(uint32_t number);

/* A record of BLOCK, in the list of POOL. FP_POOL_NONE: there is no memory. */
uint32_t fp_pool_add(enum fp_pool_tree tree, uint32_t pool, const struct fp_block *block);

/* Takes it out of its tree and its list. */
void fp_pool_drop(uint32_t number);

/* To another tree, address or list. */
void fp_pool_move_to_tree(uint32_t number, enum fp_pool_tree tree);
void fp_pool_move_to_address(uint32_t number, uintptr_t address);
void fp_pool_move_to_list(uint32_t number, uint32_t pool);

/* The last record that begins at ADDRESS or before, and the first that begins there or
 * behind. */
uint32_t fp_pool_at_or_before(enum fp_pool_tree tree, uintptr_t address);
uint32_t fp_pool_at_or_behind(enum fp_pool_tree tree, uintptr_t address);

#endif
