/* SPDX-License-Identifier: Apache-2.0
 *
 * Three passes over the graph of blocks. Reachable: from the roots through pointers to starts;
 * pointers to insides leave a mark only. Possible: from those marks through any pointer. What
 * is left is unreachable, and each of it either leads or hangs from what does.
 */
#include "leak/mark.h"

#include <errno.h>
#include <string.h>

#include "base/align.h"
#include "base/meta.h"
#include "heap/heap.h"
#include "heap/pools.h"
#include "region/region.h"

enum { WORD = sizeof(uint64_t), SPARSE_BYTES = 256 << 10 };

static void note(struct fp_leak_marker *marker, uint32_t index, uintptr_t pointer)
{
	struct fp_leak_block *blocks = marker->table->blocks;
	bool is_root = marker->within == FP_LEAK_NOWHERE;

	blocks[index].held_at = marker->at;
	blocks[index].held = pointer;
	blocks[index].holder = marker->within;
	blocks[index].depth = is_root ? 1 : blocks[marker->within].depth + 1;
}

static void push(struct fp_leak_marker *marker, uint32_t index, enum fp_leak_state state)
{
	marker->table->blocks[index].state = (uint8_t)state;
	marker->worklist[marker->work++] = index;
}

static void meet_from_root(struct fp_leak_marker *marker, uint32_t index, uintptr_t pointer)
{
	struct fp_leak_block *block = &marker->table->blocks[index];

	if (block->state == FP_LEAK_REACHED || block->state == FP_LEAK_KEPT)
		return;
	note(marker, index, pointer);
	/* Whoever reserves a region cuts it up and may keep any part, as of a superblock. */
	if (pointer == block->address || fp_leak_is_region(block) || block->is_superblock ||
	    fp_leak_is_owners(marker->memory, block, pointer))
		push(marker, index, FP_LEAK_REACHED);
	else
		block->state = FP_LEAK_INSIDE;
}

static void meet_from_possible(struct fp_leak_marker *marker, uint32_t index, uintptr_t pointer)
{
	if (marker->table->blocks[index].state != FP_LEAK_UNREACHED)
		return;
	note(marker, index, pointer);
	push(marker, index, FP_LEAK_INSIDE);
}

static void meet_from_leak(struct fp_leak_marker *marker, uint32_t index, uintptr_t pointer)
{
	(void)pointer;
	if (marker->table->blocks[index].state == FP_LEAK_UNREACHED)
		push(marker, index, FP_LEAK_SEEN);
}

static void meet_from_leader(struct fp_leak_marker *marker, uint32_t index, uintptr_t pointer)
{
	if (marker->table->blocks[index].state != FP_LEAK_SEEN)
		return;
	note(marker, index, pointer);
	marker->table->blocks[index].hangs_from = marker->leader;
	push(marker, index, FP_LEAK_FOLLOWER);
}

/* To the first byte behind a block there is no pointer, but for empty arrays. */
static bool is_pointer(const struct fp_leak_marker *marker, uint32_t index, uintptr_t word)
{
	const struct fp_leak_block *block = &marker->table->blocks[index];

	return word - block->address != block->size || block->size == 0 ||
	       fp_leak_is_empty_array(marker->memory, block);
}

/* POINTER to the block INDEX, which begins there where the program keeps something in the low
 * bits. */
static void meet(struct fp_leak_marker *marker, uint32_t index, uintptr_t pointer)
{
	const struct fp_leak_block *block = &marker->table->blocks[index];

	if (pointer < block->address) {
		fp_heap_align_site(block->trace);
		pointer = block->address;
	}
	if (is_pointer(marker, index, pointer))
		marker->meet(marker, index, pointer);
}

/* STEP is 8 unless the words may stand at odd places. */
static void scan_bytes(struct fp_leak_marker *marker, uintptr_t start, size_t size, size_t step)
{
	const struct fp_leak_table *table = marker->table;

	for (size_t at = 0; at + WORD <= size; at += step) {
		uint64_t word;

		memcpy(&word, marker->buffer + at, WORD);
		if (!fp_leak_table_spans(table, word))
			continue;
		uint32_t index = fp_leak_table_find(table, word);
		if (index == FP_LEAK_NOWHERE)
			continue;
		marker->at = start + at;
		meet(marker, index, word);
	}
}

/* The bytes of [START, END) in pieces that overlap by what a word may straddle. How many could
 * be read. */
static size_t scan(struct fp_leak_marker *marker, uintptr_t start, uintptr_t end, size_t step)
{
	size_t overlap = WORD - step;
	size_t total = 0;

	while (start < end && !marker->is_over) {
		size_t wanted =
		        end - start < FP_LEAK_BUFFER_BYTES ? end - start : FP_LEAK_BUFFER_BYTES;
		size_t got = fp_leak_memory_read(marker->memory, start, marker->buffer, wanted);

		if (marker->look != NULL)
			marker->look(marker, start, got, step);
		else
			scan_bytes(marker, start, got, step);
		total += got;
		if (got < wanted || start + got == end)
			break;
		start += got - overlap;
	}
	return total;
}

/* Pointers stand at multiples of their size from the block's start, or from zero where the
 * program cuts the block up itself: a step that meets both. */
static size_t step_of(const struct fp_leak_block *block)
{
	size_t lowest = block->address & (~block->address + 1);

	return lowest != 0 && lowest < WORD ? lowest : WORD;
}

/* A page that is gone, or a device's, ends a piece, not the range. */
static size_t scan_all(struct fp_leak_marker *marker, uintptr_t start, uintptr_t end,
                       size_t step)
{
	size_t total = 0;

	while (start < end && !marker->is_over) {
		size_t done = scan(marker, start, end, step);

		total += done;
		start = fp_leak_memory_next_page(start + done);
	}
	return total;
}

/* The same without what the program has cut out for blocks of its own, which are looked at when
 * they are reached, and never when they were freed. */
static size_t scan_uncut(struct fp_leak_marker *marker, uintptr_t start, uintptr_t end,
                         size_t step)
{
	struct fp_block cut;
	size_t total = 0;

	for (; fp_pools_next(start, end, &cut);
	     start = fp_align_up(cut.address + cut.size + (cut.size == 0), step))
		if (start < cut.address)
			total += scan_all(marker, start, cut.address, step);
	return total + (start < end ? scan_all(marker, start, end, step) : 0);
}

static void scan_written(struct fp_leak_marker *marker, uintptr_t start, uintptr_t end,
                         size_t step)
{
	uintptr_t run_end;

	for (; fp_leak_memory_next_run(marker->memory, false, &start, end, &run_end);
	     start = run_end)
		scan_uncut(marker, start, run_end, step);
}

/* Of a large block most may never have been written; of a small one the program may have given
 * pages back, or mapped something of its own there. */
static void scan_block(struct fp_leak_marker *marker, const struct fp_leak_block *block)
{
	uintptr_t end = block->address + block->size;

	if (block->family == FP_FAMILY_POOL)
		scan_all(marker, block->address, end, step_of(block));
	else if (block->size >= SPARSE_BYTES)
		scan_written(marker, block->address, end, step_of(block));
	else
		scan_uncut(marker, block->address, end, step_of(block));
}

void fp_leak_mark_block(struct fp_leak_marker *marker, const struct fp_leak_block *block)
{
	scan_block(marker, block);
}

/* Pages that are not committed hold nothing, and may be terabytes. */
static void scan_region(struct fp_leak_marker *marker, const struct fp_leak_block *block)
{
	uintptr_t end = block->address + block->size;
	struct fp_region_place place;

	for (uintptr_t at = block->address; at < end; at = place.end) {
		if (!fp_region_find(at, &place))
			break;
		if (place.page.state == FP_PAGE_COMMITTED)
			scan_written(marker, at, place.end < end ? place.end : end, WORD);
	}
}

static void work_off(struct fp_leak_marker *marker)
{
	while (marker->next < marker->work) {
		marker->within = marker->worklist[marker->next++];
		const struct fp_leak_block *block = &marker->table->blocks[marker->within];

		if (fp_leak_is_region(block))
			scan_region(marker, block);
		else if (block->size >= WORD)
			scan_block(marker, block);
	}
	marker->next = 0;
	marker->work = 0;
	marker->within = FP_LEAK_NOWHERE;
}

int fp_leak_mark_begin(struct fp_leak_marker *marker, struct fp_leak_table *table,
                       const struct fp_leak_memory *memory)
{
	*marker = (struct fp_leak_marker){
	        .table = table,
	        .memory = memory,
	        .buffer = fp_meta_alloc(FP_LEAK_BUFFER_BYTES),
	        .worklist = fp_meta_alloc(table->capacity * sizeof(uint32_t)),
	        .meet = meet_from_root,
	        .within = FP_LEAK_NOWHERE,
	};
	if (marker->buffer != NULL && marker->worklist != NULL)
		return 0;
	fp_leak_mark_end(marker);
	return -ENOMEM;
}

void fp_leak_mark_end(struct fp_leak_marker *marker)
{
	fp_meta_free(marker->buffer, FP_LEAK_BUFFER_BYTES);
	fp_meta_free(marker->worklist, marker->table->capacity * sizeof(uint32_t));
}

void fp_leak_mark_root(struct fp_leak_marker *marker, uintptr_t start, uintptr_t end)
{
	marker->roots_bytes += scan_uncut(marker, start, end, WORD);
}

static void work_off_kept(struct fp_leak_marker *marker)
{
	for (uint32_t i = 0; i < marker->table->count; i++)
		if (marker->table->blocks[i].state == FP_LEAK_KEPT)
			push(marker, i, FP_LEAK_REACHED);
	work_off(marker);
}

static void work_off_possible(struct fp_leak_marker *marker)
{
	marker->meet = meet_from_possible;
	for (uint32_t i = 0; i < marker->table->count; i++)
		if (marker->table->blocks[i].state == FP_LEAK_INSIDE)
			marker->worklist[marker->work++] = i;
	work_off(marker);
}

/*
 * Candidates are the leaks that none before them, in the order of the table, leads to: together
 * they lead everywhere. Their number goes into LEADERS.
 */
static size_t find_candidates(struct fp_leak_marker *marker, uint32_t *leaders)
{
	size_t count = 0;

	marker->meet = meet_from_leak;
	for (uint32_t i = 0; i < marker->table->count; i++) {
		if (marker->table->blocks[i].state != FP_LEAK_UNREACHED)
			continue;
		leaders[count++] = i;
		push(marker, i, FP_LEAK_SEEN);
		work_off(marker);
	}
	return count;
}

/* From the last candidate to the first: one that a later one leads to is none. What remains
 * are leaks that no other leads to; of a cycle, one block. */
static void find_followers(struct fp_leak_marker *marker, const uint32_t *leaders, size_t count)
{
	marker->meet = meet_from_leader;
	while (count-- > 0) {
		uint32_t leader = leaders[count];

		if (marker->table->blocks[leader].state != FP_LEAK_SEEN)
			continue;
		marker->leader = leader;
		marker->table->blocks[leader].hangs_from = leader;
		marker->table->blocks[leader].holder = FP_LEAK_NOWHERE;
		push(marker, leader, FP_LEAK_LEADER);
		work_off(marker);
	}
}

static int find_leaders(struct fp_leak_marker *marker)
{
	size_t bytes = marker->table->capacity * sizeof(uint32_t);
	uint32_t *leaders = fp_meta_alloc(bytes);

	if (leaders == NULL)
		return -ENOMEM;
	find_followers(marker, leaders, find_candidates(marker, leaders));
	fp_meta_free(leaders, bytes);
	return 0;
}

/* A block of the parent process that this one has lost is not this one's leak, and what hangs
 * from it is nobody's but this one's. Of a superblock those are that are cut out of it. */
static void leave_out(struct fp_leak_table *table, const struct fp_leak_config *config)
{
	for (size_t i = 0; i < table->count; i++)
		if (table->blocks[i].is_superblock ||
		    (fp_leak_is_inherited(config, &table->blocks[i]) &&
		     table->blocks[i].state == FP_LEAK_UNREACHED))
			table->blocks[i].state = FP_LEAK_REACHED;
}

static enum fp_leak_class class_of(enum fp_leak_state state)
{
	static const enum fp_leak_class classes[] = {
	        [FP_LEAK_INSIDE] = FP_LEAK_POSSIBLE,
	        [FP_LEAK_REACHED] = FP_LEAK_REACHABLE,
	        [FP_LEAK_LEADER] = FP_LEAK_DEFINITE,
	        [FP_LEAK_FOLLOWER] = FP_LEAK_INDIRECT,
	};

	return classes[state];
}

int fp_leak_mark_classify(struct fp_leak_marker *marker, const struct fp_leak_config *config)
{
	struct fp_leak_table *table = marker->table;

	work_off(marker);
	work_off_kept(marker);
	work_off_possible(marker);
	leave_out(table, config);
	int status = find_leaders(marker);
	for (size_t i = 0; status == 0 && i < table->count; i++)
		table->blocks[i].class = (uint8_t)class_of(table->blocks[i].state);
	return status;
}
