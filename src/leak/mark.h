/* SPDX-License-Identifier: Apache-2.0
 *
 * From roots to classes: which blocks can be reached, and what unreachable ones hang from. A
 * block is put on the worklist at most once a phase, so the list is as long as the table and
 * nothing recurses, however the blocks are linked. What was put there first is looked at first:
 * of the ways to a block the one that is noted is the shortest.
 *
 * Context: alloc. Private to leak.
 */
#ifndef FP_LEAK_MARK_H
#define FP_LEAK_MARK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "leak/memory.h"
#include "leak/table.h"

enum fp_leak_state {
	FP_LEAK_UNREACHED,
	FP_LEAK_KEPT,   /* reachable, but not traversed yet */
	FP_LEAK_INSIDE, /* only pointers to its inside were found */
	FP_LEAK_REACHED,
	FP_LEAK_SEEN,    /* unreachable, and led to by a leak seen earlier */
	FP_LEAK_LEADER,  /* nothing leads there but what it leads to itself */
	FP_LEAK_FOLLOWER /* hangs from a leader */
};

enum { FP_LEAK_BUFFER_BYTES = 256 << 10 };

struct fp_leak_marker {
	struct fp_leak_table *table;
	const struct fp_leak_memory *memory;
	uint8_t *buffer; /* FP_LEAK_BUFFER_BYTES */
	uint32_t *worklist;
	size_t next;     /* of the worklist: what is looked at next */
	size_t work;     /* and its end */
	uint32_t within; /* the block that is looked at, or FP_LEAK_NOWHERE: a root */
	/* What finding a pointer to a block does (see mark.c). */
	void (*meet)(struct fp_leak_marker *marker, uint32_t index, uintptr_t pointer);
	/* Looks at SIZE bytes in the buffer, which are those at START; NULL: for pointers to
	 * the blocks of the table. */
	void (*look)(struct fp_leak_marker *marker, uintptr_t start, size_t size, size_t step);
	uintptr_t at; /* where the word stands that is met */
	bool is_over; /* nothing more is to be read */
	uint32_t leader;
	uint64_t roots_bytes;
};

/* 0 or -ENOMEM. */
int fp_leak_mark_begin(struct fp_leak_marker *marker, struct fp_leak_table *table,
                       const struct fp_leak_memory *memory);
void fp_leak_mark_end(struct fp_leak_marker *marker);

/* Takes every aligned word in [START, END) for a pointer. */
void fp_leak_mark_root(struct fp_leak_marker *marker, uintptr_t start, uintptr_t end);

/* The same of what BLOCK, no region, has in it. */
void fp_leak_mark_block(struct fp_leak_marker *marker, const struct fp_leak_block *block);

/* After all roots: gives every block its class. Those that were inherited are never leaks. 0 or
 * -ENOMEM. */
int fp_leak_mark_classify(struct fp_leak_marker *marker, const struct fp_leak_config *config);

/* Whether BLOCK, which fp_leak_may_be_empty(), is the number of an array's elements and no
 * more, so that a pointer to its end is one to the array (in inside.c). */
bool fp_leak_is_empty_array(const struct fp_leak_memory *memory,
                            const struct fp_leak_block *block);

/* Whether a pointer to the inside of BLOCK, or to the end of an empty array, is how its owner
 * points to it: with a tag in the low bits, behind a header, to a second base (in inside.c). */
bool fp_leak_is_owners(const struct fp_leak_memory *memory, const struct fp_leak_block *block,
                       uintptr_t pointer);

#endif
