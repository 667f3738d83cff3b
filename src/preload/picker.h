/* SPDX-License-Identifier: Apache-2.0
 *
 * Which blocks are guarded when not all are (sample=N, budget=PERCENT), and how many were not.
 *
 * A block belongs to a context: who calls, how deep the stack is there, and about how many
 * bytes. Each thread has a share of each context that it meets: so many blocks are left to
 * libc before one is guarded. With sample=N there is one context for all.
 *
 * Context: alloc. Private to the module.
 */
#ifndef FP_PRELOAD_PICKER_H
#define FP_PRELOAD_PICKER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/trace.h"

struct fp_picker_share {
	/* Below, how many blocks are left to libc before the next decision; above, which
	 * context it is of. */
	_Atomic uint64_t left;
	_Atomic uint32_t context; /* index of its account; 0: none */
};

/* A thread's. Written by its thread alone, and read by others at any time. */
struct fp_picker {
	uint64_t mask;  /* which bits of a key count: none with sample=N */
	uintptr_t base; /* of the stack */
	uint64_t random;
	_Atomic uint32_t owner; /* a thread that may have ended */
	struct fp_picker_share shares[];
};

/* What a thread has before its first block: nothing to leave. */
extern struct fp_picker fp_picker_none;

enum { FP_PICKER_DEPTH_MAX = 16 << 20, FP_PICKER_SHARES = 1 << 11 };

/* The context of a block of SIZE: a few nanoseconds. CALLER is the return address, FRAME that
 * of the function that was called. */
static inline uint64_t fp_picker_key(const struct fp_picker *own, uintptr_t caller,
                                     uintptr_t frame, size_t size)
{
	uintptr_t depth = own->base - frame;
	uint64_t bits = caller << 6 | (uint64_t)__builtin_clzl(size | 15);

	/* Coroutines have stacks of their own, which come and go. */
	bits ^= (uint64_t)(depth < FP_PICKER_DEPTH_MAX ? depth : 0) << 36;
	bits *= 0x9e3779b97f4a7c15u;
	return (bits ^ bits >> 47) & own->mask;
}

/* Where OWN has its share of the context of KEY, if it is one of the newest. */
static inline struct fp_picker_share *fp_picker_share(struct fp_picker *own, uint64_t key)
{
	return &own->shares[key & (FP_PICKER_SHARES - 1)];
}

/* The longer way: a new context, or a share that is used up. */
bool fp_picker_decide(uintptr_t caller, uintptr_t frame, size_t size);

/* Of each thread. */
struct fp_picker_thread {
	struct fp_picker *own;
	uint32_t picked;  /* the account of the block that is to be guarded next, or 0 */
	uint32_t entries; /* into Fencepost: one of some is timed */
};

/* Once. Whether anything is left to libc at all. */
bool fp_picker_start(void);

/* The block that the thread has picked is guarded, and TRACE is that of its allocation. */
void fp_picker_keep_trace(fp_trace_id trace);

/* Around what is done for guarded blocks: where this time is one that is timed, when it began;
 * or 0. */
uint64_t fp_picker_begin(void);
void fp_picker_end(uint64_t begun);

/* In the child of a fork: OWN is that of the one thread there, which has a new number. */
void fp_picker_renew_in_child(struct fp_picker *own);

#endif
