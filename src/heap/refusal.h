/* SPDX-License-Identifier: Apache-2.0
 *
 * Allocations that fail because the user wants to see what the program makes of it, and the
 * list of those that did.
 *
 * Context: alloc. Thread-safe, without locks.
 */
#ifndef FP_HEAP_REFUSAL_H
#define FP_HEAP_REFUSAL_H

#include <stdbool.h>
#include <stdint.h>

#include "model/block.h"

enum fp_refusal_rule {
	FP_REFUSE_NONE,
	FP_REFUSE_AT,          /* the allocation whose serial is NUMBER */
	FP_REFUSE_EVERY,       /* each whose serial NUMBER divides */
	FP_REFUSE_PROBABILITY, /* NUMBER of 2^64, chosen by SEED and serial; UINT64_MAX: all */
	FP_REFUSE_LEVEL,       /* those of hosted heaps whose level is NUMBER */
	FP_REFUSE_STACK        /* those that the function being watched led to */
};

struct fp_refusal_config {
	enum fp_refusal_rule rule;
	uint64_t number;
	uint64_t seed;
	/* Told of the first block of each stack, or NULL. No lock is held. */
	void (*enlisted)(const struct fp_block *block);
};

void fp_refusal_init(const struct fp_refusal_config *config);

extern enum fp_refusal_rule fp_refusal_rule;

/* Whether BLOCK, which nobody has yet, is not to be; then it is on the list. */
bool fp_refusal_takes(const struct fp_block *block);

static inline bool fp_refusal_is_due(const struct fp_block *block)
{
	return fp_refusal_rule != FP_REFUSE_NONE && fp_refusal_takes(block);
}

/* The allocations of one stack that failed. BLOCK is the first of them; that of the last group,
 * when there were more stacks than are kept, has no trace. */
typedef void (*fp_refusal_visitor)(const struct fp_block *block, uint64_t count, void *user);
void fp_refusal_each(fp_refusal_visitor visit, void *user);

/* In the child of a fork. */
void fp_refusal_forget(void);

#endif
