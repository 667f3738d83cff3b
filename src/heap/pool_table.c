/* SPDX-License-Identifier: Apache-2.0
 *
 * Treaps: trees that chance keeps flat. Nothing here calls itself, so that it needs no stack.
 */
#include "heap/pool_table.h"

#include <stddef.h>
#include <string.h>

#include "base/meta.h"

enum { FIRST_ROOM = 256 };

static struct fp_pool_record *records;
static uint32_t room;
static uint32_t used = FP_POOL_FIRST;
static uint32_t spare; /* records that were dropped, by their next */
static uint32_t roots[FP_POOL_TREES];

struct fp_pool_record *fp_pool_record(uint32_t number)
{
	return &records[number];
}

static bool grow(void)
{
	uint32_t more = room == 0 ? FIRST_ROOM : 2 * room;
	struct fp_pool_record *bigger = fp_meta_alloc(more * sizeof(*bigger));

	if (bigger == NULL)
		return false;
	if (records != NULL)
		memcpy(bigger, records, room * sizeof(*records));
	else
		for (uint32_t i = 0; i < FP_POOL_FIRST; i++)
			bigger[i].next = bigger[i].previous = i;
	fp_meta_free(records, room * sizeof(*records));
	records = bigger;
	room = more;
	return true;
}

static uint32_t take_number(void)
{
	uint32_t number = spare;

	if (number != FP_POOL_NONE) {
		spare = records[number].next;
		return number;
	}
	if (used >= room && !grow())
		return FP_POOL_NONE;
	return used++;
}

/* ---- Trees ---------------------------------------------------------------------------------
 */

/* What begins before ADDRESS, and the rest. */
static void split(uint32_t root, uintptr_t address, uint32_t *before, uint32_t *rest)
{
	while (root != FP_POOL_NONE) {
		struct fp_pool_record *record = &records[root];

		if (record->block.address < address) {
			*before = root;
			before = &record->right;
			root = *before;
		} else {
			*rest = root;
			rest = &record->left;
			root = *rest;
		}
	}
	*before = *rest = FP_POOL_NONE;
}

/* All of BEFORE begins before all of REST. */
static void join(uint32_t *root, uint32_t before, uint32_t rest)
{
	while (before != FP_POOL_NONE && rest != FP_POOL_NONE) {
		if (records[before].priority > records[rest].priority) {
			*root = before;
			root = &records[before].right;
			before = *root;
		} else {
			*root = rest;
			root = &records[rest].left;
			rest = *root;
		}
	}
	*root = before != FP_POOL_NONE ? before : rest;
}

static void plant(uint32_t number)
{
	struct fp_pool_record *record = &records[number];
	uint32_t *root = &roots[record->tree];
	uint32_t before;
	uint32_t rest;

	record->left = record->right = FP_POOL_NONE;
	split(*root, record->block.address, &before, &rest);
	join(root, before, number);
	join(root, *root, rest);
}

static void uproot(uint32_t number)
{
	const struct fp_pool_record *record = &records[number];
	uint32_t *link = &roots[record->tree];

	while (*link != number)
		link = records[*link].block.address < record->block.address
		               ? &records[*link].right
		               : &records[*link].left;
	join(link, record->left, record->right);
}

uint32_t fp_pool_at_or_before(enum fp_pool_tree tree, uintptr_t address)
{
	uint32_t found = FP_POOL_NONE;

	for (uint32_t at = roots[tree]; at != FP_POOL_NONE;) {
		bool is_before = records[at].block.address <= address;

		if (is_before)
			found = at;
		at = is_before ? records[at].right : records[at].left;
	}
	return found;
}

uint32_t fp_pool_at_or_behind(enum fp_pool_tree tree, uintptr_t address)
{
	uint32_t found = FP_POOL_NONE;

	for (uint32_t at = roots[tree]; at != FP_POOL_NONE;) {
		bool is_behind = records[at].block.address >= address;

		if (is_behind)
			found = at;
		at = is_behind ? records[at].left : records[at].right;
	}
	return found;
}

/* ---- Lists ---------------------------------------------------------------------------------
 */

static void link_to(uint32_t number, uint32_t pool)
{
	struct fp_pool_record *record = &records[number];

	record->previous = pool;
	record->next = records[pool].next;
	records[record->next].previous = number;
	records[pool].next = number;
}

static void unlink_from(uint32_t number)
{
	const struct fp_pool_record *record = &records[number];

	records[record->previous].next = record->next;
	records[record->next].previous = record->previous;
}

/* ---- Records -------------------------------------------------------------------------------
 */

/* Pools have no list that they are in, but one that begins with them. */
static bool is_listed(uint32_t number)
{
	return records[number].tree != FP_POOL_POOLS;
}

uint32_t fp_pool_add(enum fp_pool_tree tree, uint32_t pool, const struct fp_block *block)
{
	uint32_t number = take_number();

	if (number == FP_POOL_NONE)
		return number;
	records[number] = (struct fp_pool_record){
	        .block = *block,
	        .priority = (uint32_t)((block->serial + number) * 0x9e3779b97f4a7c15u >> 32),
	        .next = number,
	        .previous = number,
	        .pool = pool,
	        .tree = (uint8_t)tree,
	};
	plant(number);
	if (is_listed(number))
		link_to(number, pool);
	return number;
}

void fp_pool_drop(uint32_t number)
{
	uproot(number);
	if (is_listed(number))
		unlink_from(number);
	records[number].next = spare;
	spare = number;
}

void fp_pool_move_to_tree(uint32_t number, enum fp_pool_tree tree)
{
	uproot(number);
	records[number].tree = (uint8_t)tree;
	plant(number);
}

void fp_pool_move_to_address(uint32_t number, uintptr_t address)
{
	uproot(number);
	records[number].block.address = address;
	plant(number);
}

void fp_pool_move_to_list(uint32_t number, uint32_t pool)
{
	unlink_from(number);
	link_to(number, pool);
}
