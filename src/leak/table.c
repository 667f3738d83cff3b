/* SPDX-License-Identifier: Apache-2.0
 *
 * One bucket for each block on average, by address: blocks stand evenly enough for a look at
 * one or two to be all, and a search by halves keeps crowded buckets cheap.
 */
#include "leak/table.h"

#include <errno.h>
#include <stdbool.h>

#include "base/meta.h"
#include "heap/heap.h"
#include "heap/pools.h"
#include "leak/mark.h"
#include "region/region.h"
#include "registry/registry.h"

enum { SPARE_PLACES = 1024 };

struct filling {
	struct fp_leak_table *table;
	const struct fp_leak_config *config;
	size_t superblocks; /* that were left out */
	bool is_of_superblocks;
};

static void add_block(const struct fp_block *block, void *user)
{
	const struct filling *filling = user;
	const struct fp_leak_config *config = filling->config;
	struct fp_leak_table *table = filling->table;
	bool is_kept = config->is_kept != NULL && config->is_kept(block, config->user);

	/* Only a thread that did not stop can have made more than there is room for. */
	if (table->count == table->capacity)
		return;
	table->blocks[table->count++] = (struct fp_leak_block){
	        .address = block->address,
	        .size = block->size,
	        .serial = block->serial,
	        .trace = block->alloc_trace,
	        .site = block->site,
	        .heap = block->heap,
	        .born = block->born,
	        .family = block->family,
	        .level = block->level,
	        .marks = block->marks,
	        .state = is_kept ? FP_LEAK_KEPT : FP_LEAK_UNREACHED,
	        .is_superblock = filling->is_of_superblocks,
	};
}

/* Whether the program has cut BLOCK up, and some of that is in use. */
static bool is_superblock(const struct fp_block *block)
{
	uintptr_t at = block->address;
	uintptr_t end = at + block->size;
	struct fp_block cut;

	for (; fp_pools_next(at, end, &cut); at = cut.address + cut.size + (cut.size == 0))
		if (cut.state == FP_BLOCK_LIVE)
			return true;
	return false;
}

/* Superblocks have other blocks in them. */
static void add_apart(const struct fp_block *block, void *user)
{
	struct filling *filling = user;

	if (is_superblock(block) != filling->is_of_superblocks)
		filling->superblocks++;
	else
		add_block(block, user);
}

static size_t extent_of(const struct fp_leak_block *block)
{
	return block->size + (block->size == 0 || fp_leak_may_be_empty(block));
}

static void find_bounds(struct fp_leak_table *table)
{
	uintptr_t low = UINTPTR_MAX;
	uintptr_t high = 0;

	for (size_t i = 0; i < table->count; i++) {
		const struct fp_leak_block *block = &table->blocks[i];

		if (block->address < low)
			low = block->address;
		if (block->address + extent_of(block) > high)
			high = block->address + extent_of(block);
	}
	table->low = low;
	table->extent = table->count == 0 ? 0 : high - low;
	while ((table->extent >> table->shift) >= table->capacity)
		table->shift++;
	table->buckets = (table->extent >> table->shift) + 1;
}

static size_t bucket_of(const struct fp_leak_table *table, uintptr_t address)
{
	return (address - table->low) >> table->shift;
}

static void sift_down(struct fp_leak_block *blocks, size_t root, size_t count)
{
	struct fp_leak_block moved = blocks[root];
	size_t child;

	for (; (child = 2 * root + 1) < count; root = child) {
		if (child + 1 < count && blocks[child + 1].address > blocks[child].address)
			child++;
		if (blocks[child].address <= moved.address)
			break;
		blocks[root] = blocks[child];
	}
	blocks[root] = moved;
}

/* By heap: no bucket, however crowded, takes long or needs memory. */
static void sort(struct fp_leak_block *blocks, size_t count)
{
	for (size_t i = count / 2; i-- > 0;)
		sift_down(blocks, i, count);
	for (size_t left = count; left-- > 1;) {
		struct fp_leak_block largest = blocks[0];

		blocks[0] = blocks[left];
		blocks[left] = largest;
		sift_down(blocks, 0, left);
	}
}

/* Moves the blocks to SORTED, each into its bucket; FIRSTS is all zeros. */
static void distribute(struct fp_leak_table *table, struct fp_leak_block *sorted)
{
	uint32_t *firsts = table->firsts;

	/* First the sizes, two places on, so that filling leaves each bucket's start. */
	for (size_t i = 0; i < table->count; i++)
		firsts[bucket_of(table, table->blocks[i].address) + 2]++;
	for (size_t i = 2; i < table->buckets + 2; i++)
		firsts[i] += firsts[i - 1];
	for (size_t i = 0; i < table->count; i++) {
		size_t bucket = bucket_of(table, table->blocks[i].address);

		sorted[firsts[bucket + 1]++] = table->blocks[i];
	}
	for (size_t i = 0; i < table->buckets; i++)
		if (firsts[i + 1] - firsts[i] > 1)
			sort(&sorted[firsts[i]], firsts[i + 1] - firsts[i]);
}

static size_t firsts_bytes(const struct fp_leak_table *table)
{
	return (table->buckets + 2) * sizeof(*table->firsts);
}

static int order(struct fp_leak_table *table)
{
	size_t bytes = table->capacity * sizeof(*table->blocks);
	struct fp_leak_block *sorted = fp_meta_alloc(bytes);

	find_bounds(table);
	table->firsts = fp_meta_alloc(firsts_bytes(table));
	if (sorted == NULL || table->firsts == NULL) {
		fp_meta_free(sorted, bytes);
		return -ENOMEM;
	}
	distribute(table, sorted);
	fp_meta_free(table->blocks, bytes);
	table->blocks = sorted;
	return 0;
}

static void count_region(const struct fp_block *region, void *user)
{
	size_t *count = user;

	(void)region;
	++*count;
}

static void add_regions(struct filling *filling)
{
	struct fp_leak_table *table = filling->table;

	table->first_region = table->count;
	fp_region_each_live(0, add_block, filling);
	if (filling->superblocks > 0) {
		filling->is_of_superblocks = true;
		fp_registry_each_live(add_apart, filling);
		sort(&table->blocks[table->first_region], table->count - table->first_region);
	}
	if (table->first_region == table->count)
		return;
	const struct fp_leak_block *last = &table->blocks[table->count - 1];
	table->region_low = table->blocks[table->first_region].address;
	table->region_extent = last->address + last->size - table->region_low;
}

int fp_leak_table_make(struct fp_leak_table *table, const struct fp_leak_config *config)
{
	struct filling filling = {.table = table, .config = config};
	size_t regions = 0;

	fp_region_each_live(0, count_region, &regions);
	*table = (struct fp_leak_table){
	        .capacity = fp_registry_live_count() + fp_pools_live_count() + regions +
	                    SPARE_PLACES,
	};
	if (table->capacity >= FP_LEAK_NOWHERE)
		return -ENOMEM;
	table->blocks = fp_meta_alloc(table->capacity * sizeof(*table->blocks));
	if (table->blocks == NULL)
		return -ENOMEM;
	fp_registry_each_live(add_apart, &filling);
	fp_pools_each_live(add_block, &filling);
	int status = order(table);
	if (status != 0)
		fp_leak_table_free(table);
	else
		add_regions(&filling);
	return status;
}

void fp_leak_table_free(struct fp_leak_table *table)
{
	if (table->firsts != NULL)
		fp_meta_free(table->firsts, firsts_bytes(table));
	fp_meta_free(table->blocks, table->capacity * sizeof(*table->blocks));
	*table = (struct fp_leak_table){0};
}

/* Of the blocks from FIRST up to END, in the order of addresses, the first behind ADDRESS. */
static size_t find_behind(const struct fp_leak_table *table, size_t first, size_t end,
                          uintptr_t address)
{
	while (first < end) {
		size_t middle = first + (end - first) / 2;

		if (table->blocks[middle].address <= address)
			first = middle + 1;
		else
			end = middle;
	}
	return first;
}

static uint32_t find_region(const struct fp_leak_table *table, uintptr_t address)
{
	size_t behind = find_behind(table, table->first_region, table->count, address);

	if (behind == table->first_region)
		return FP_LEAK_NOWHERE;
	const struct fp_leak_block *block = &table->blocks[behind - 1];
	return address - block->address < block->size ? (uint32_t)(behind - 1)
	                                              : FP_LEAK_NOWHERE;
}

const struct fp_leak_block *fp_leak_table_region(const struct fp_leak_table *table,
                                                 uintptr_t address)
{
	size_t behind = find_behind(table, table->first_region, table->count, address);

	if (find_region(table, address) != FP_LEAK_NOWHERE)
		behind--;
	return behind == table->count ? NULL : &table->blocks[behind];
}

uint32_t fp_leak_table_find(const struct fp_leak_table *table, uintptr_t address)
{
	if (address - table->low >= table->extent)
		return find_region(table, address);
	/* The block before the first one behind may begin in an earlier bucket. */
	size_t bucket = bucket_of(table, address);
	size_t behind =
	        find_behind(table, table->firsts[bucket], table->firsts[bucket + 1], address);
	if (behind < table->first_region &&
	    fp_heap_is_masked(table->blocks[behind].address, address))
		return (uint32_t)behind;
	if (behind == 0)
		return find_region(table, address);
	const struct fp_leak_block *block = &table->blocks[behind - 1];
	return address - block->address < extent_of(block) ? (uint32_t)(behind - 1)
	                                                   : find_region(table, address);
}
