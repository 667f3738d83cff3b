/* SPDX-License-Identifier: Apache-2.0
 *
 * Every block Fencepost knows: live ones, and freed ones as long as the history's budget
 * allows. Keyed by the block's slot, which no two live blocks ever share.
 *
 * Context: alloc. Thread-safe.
 */
#ifndef FP_REGISTRY_REGISTRY_H
#define FP_REGISTRY_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/block.h"

/* HISTORY_BYTES: memory for the records of freed blocks; the oldest are dropped first. */
void fp_registry_init(size_t history_bytes);

/* The slot of a block. */
struct fp_registry_key {
	uintptr_t slot;        /* where it begins */
	_Atomic(void *) *link; /* where its record is found without hashing; NULL: not so. NULL
	                          at first in every slot, and the registry's alone */
};

/* Adds the live block of a slot; 0, or with nothing added -ENOMEM, or -EUCLEAN
 * when memory for records was found overwritten. */
int fp_registry_add(struct fp_registry_key key, const struct fp_block *block);

/* Copies the block of a slot, live or freed; false when there is none, or no longer, or its
 * record was overwritten. */
bool fp_registry_find(struct fp_registry_key key, struct fp_block *block);

/* Adds MARKS to the live block of a slot with that SERIAL; false when it is none any more. */
bool fp_registry_mark(struct fp_registry_key key, uint64_t serial, uint8_t marks);

struct fp_registry_free {
	struct fp_registry_key key;
	uintptr_t address; /* what the caller passed */
	fp_heap_id heap;   /* through which heap */
	fp_trace_id trace; /* of the call */
	fp_thread_id thread;
	bool keeps_bytes; /* the block can be read: keep the first bytes it held */
};

enum fp_registry_verdict {
	FP_REGISTRY_FREED,    /* the block was live and is the caller's to seal now */
	FP_REGISTRY_UNKNOWN,  /* no record of this slot */
	FP_REGISTRY_INTERIOR, /* not the block's start */
	FP_REGISTRY_TWICE,    /* freed before */
	FP_REGISTRY_FOREIGN,  /* live, but of another heap */
	FP_REGISTRY_DAMAGED,  /* its record was overwritten */
};

/*
 * Decides, as one step against all other threads, whether the slot's block may be freed, and if
 * so makes it a freed one. BLOCK receives the record (as it was before, when refused) except
 * for FP_REGISTRY_UNKNOWN and FP_REGISTRY_DAMAGED. A live block whose free is refused gets the
 * mark FP_BLOCK_IGNORED: that it is never freed now is no second mistake.
 */
enum fp_registry_verdict fp_registry_free(const struct fp_registry_free *request,
                                          struct fp_block *block);

/*
 * Calls VISIT for each live block whose record is whole, with the shard's lock held: VISIT may
 * not call the registry and must not make findings. A block it sees cannot be sealed before it
 * returns.
 */
typedef void (*fp_registry_visitor)(const struct fp_block *block, void *user);
void fp_registry_each_live(fp_registry_visitor visit, void *user);

/* The same for the live block of a slot, if there is one. */
void fp_registry_look_at(struct fp_registry_key key, fp_registry_visitor visit, void *user);

/* The same for one of FP_REGISTRY_PARTS parts that together have all, for whoever must not stay
 * long. */
enum { FP_REGISTRY_PARTS = 64 };
void fp_registry_each_live_of(size_t part, fp_registry_visitor visit, void *user);

/* The same for the freed blocks that are remembered. */
void fp_registry_each_freed(fp_registry_visitor visit, void *user);

/* Calls MEET for each word among those bytes, of all freed blocks whose slots have no other
 * block now, that points into the SIZE bytes at START: with the block and where in it the word
 * stood. As VISIT above. */
typedef void (*fp_registry_met)(const struct fp_block *block, size_t at, uintptr_t word,
                                void *user);
void fp_registry_each_kept_pointer(uintptr_t start, size_t size, fp_registry_met meet,
                                   void *user);

/* Whether no thread is in here: for who has stopped all others. */
bool fp_registry_is_idle(void);

/* Whether a record was ever found overwritten. */
bool fp_registry_is_damaged(void);

/* How many there are. */
size_t fp_registry_live_count(void);

/* The first bytes that the freed block of a slot held when it was freed, at most SIZE of them;
 * how many there are. */
size_t fp_registry_last_bytes(struct fp_registry_key key, uint8_t *bytes, size_t size);

/* Records of freed blocks that the budget made us drop. */
uint64_t fp_registry_evictions(void);

/* Says in REMAINS where the blocks are. */
struct fp_remains;
void fp_registry_leave_remains(struct fp_remains *remains);

#endif
