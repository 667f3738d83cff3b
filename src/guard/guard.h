/* SPDX-License-Identifier: Apache-2.0
 *
 * Slots: runs of pages between guards, in address space that is never used twice. This module
 * knows nothing of blocks, heaps or findings.
 *
 *   chunk: | guard | slot 0 | guard | slot 1 | guard | ... | slot n-1 | guard |
 *
 * All slots of a chunk have the same number of pages. Fresh slots are handed out in address
 * order and sealed for ever when released; a chunk whose slots are all dead gives its page
 * tables back and stays reserved.
 *
 * Context: alloc; fp_guard_find also fault. Thread-safe.
 */
#ifndef FP_GUARD_GUARD_H
#define FP_GUARD_GUARD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FP_GUARD_BATCH_MAX = 64 };

struct fp_chunk;
struct fp_slot;

struct fp_guard_config {
	const char *backend;  /* a name from fp_guard_backend_names, or "auto" */
	unsigned guard_pages; /* inaccessible pages between two slots, at least 1 */
	unsigned char fill;   /* see struct fp_slot */
	/* Released slots that each thread may leave accessible until they are sealed together;
	 * 0 or 1: none. VERIFY is then shown each filled slot before it is sealed. It may run
	 * in any thread, and no lock is held. */
	unsigned seal_batch;
	void (*verify)(const struct fp_slot *slot);
};

/*
 * Probes the running kernel and chooses the back end: with "auto" the best one that works.
 * 0; -EINVAL for a name that does not exist; what the probe returned for one that does not work
 * here, with *WHY set to what it needs. Once, before anything else. Context: report.
 */
int fp_guard_init(const struct fp_guard_config *config, const char **why);

/* The back end in use. */
const char *fp_guard_backend_name(void);

/* Whether the back end in use makes anything inaccessible: all but "none" do. */
bool fp_guard_is_protecting(void);

/* Whether the back end lost its hold once and could not be renewed then. */
bool fp_guard_has_lapsed(void);

/* How a back end does on this machine: 0 when it works, else a negative errno; -EINVAL for a
 * name that does not exist. Context: report. */
int fp_guard_probe(const char *backend);

struct fp_slot {
	uintptr_t base;
	size_t bytes;
	struct fp_chunk *chunk; /* of this module */
	/* A word for whoever keeps records of slots: NULL before the slot is used, and again
	 * when it and its neighbours are dead. No link: NULL. */
	_Atomic(void *) *link;
	/* Acquired and released: every byte is the fill byte. Found: the slot is to be released
	 * so, because it may stay accessible for a while. */
	bool is_filled;
	bool is_dense; /* a cell: without guards, and used again */
	/* Released: a block had whole pages of it, which the program may have given back,
	 * locked or mapped anew. Never filled, then: they may be a file's. */
	bool is_shared;
	/* Released and not filled: the bytes that may differ from the fill byte. Found and
	 * acquired: all. */
	uintptr_t used;
	size_t used_bytes;
};

/* An accessible slot of PAGES pages, all zeros unless it is filled. 0 or -ENOMEM. */
int fp_guard_acquire(size_t pages, bool is_executable, struct fp_slot *slot);

/*
 * A cell of at least BYTES without guards and among others, for when a guarded slot cannot be
 * had or is not wanted. It is filled when it was used before, then also verify it: nobody may
 * have written since. 0, -ENOMEM, or what made the kernel refuse to make memory accessible.
 */
int fp_guard_acquire_dense(size_t bytes, bool is_executable, struct fp_slot *slot);

/*
 * Seals an acquired slot for ever and gives its memory back. On failure (a negative errno) the
 * slot is dead all the same, but may still be accessible. A cell is not sealed but filled and
 * kept for another block.
 */
int fp_guard_release(const struct fp_slot *slot);

/* Seals what waits to be sealed together. */
void fp_guard_seal_waiting(void);

enum fp_place_state {
	FP_PLACE_FRESH, /* the slot was never handed out */
	FP_PLACE_USED,  /* it was, and may have been released since */
};

/* Where an address lies. */
struct fp_place {
	struct fp_slot slot; /* the slot it is in, or, in a guard, the slot before that guard
	                        (the first slot's leading guard counts to the first slot) */
	size_t stride;       /* from this slot to the next one of its chunk */
	bool is_in_guard;    /* or in a fence */
	enum fp_place_state state;
};

/* Whether ADDRESS is among the slots or in a fence around them, and where: in a fence, as in a
 * guard, the place is that of the nearest slot. Takes no lock. */
bool fp_guard_find(uintptr_t address, struct fp_place *place);

/* The nearest slot before the one at PLACE, or behind it, that was ever handed out, of the same
 * fenced area. False: none. Takes no lock. */
bool fp_guard_find_beside(const struct fp_place *place, bool is_behind,
                          struct fp_place *beside);

/* ADDRESS is in a slot whose block is live: if its page is missing because the program gave it
 * back, it reads as zeros from now on. Whether it can be accessed now. Also fault. */
bool fp_guard_mend(uintptr_t address);

/* Whether pages of that slot may be missing so, to whoever accesses them. */
bool fp_guard_can_miss(uintptr_t address);

/* Makes one sealed page accessible for a moment, zeros or filled, and inaccessible again. The
 * page is one that fp_guard_find knows. 0 or a negative errno. */
int fp_guard_expose(uintptr_t page);
int fp_guard_conceal(uintptr_t page);

/* Makes one sealed page fault with SIGSEGV, whatever its back end makes of an access. It stays
 * so: for a process that ends. 0 or a negative errno. */
int fp_guard_deny(uintptr_t page);

/* All spans lie between these; other memory may as well. */
extern struct fp_guard_bounds {
	_Atomic uintptr_t low;
	_Atomic uintptr_t high;
} fp_guard_bounds;

/* False only when ADDRESS is none of ours: what a free of someone else's pointer costs. */
static inline bool fp_guard_may_own(uintptr_t address)
{
	return address >= atomic_load_explicit(&fp_guard_bounds.low, memory_order_relaxed) &&
	       address < atomic_load_explicit(&fp_guard_bounds.high, memory_order_relaxed);
}

/* Gives back the address space that is reserved and was never used: for a process that is about
 * to limit its own (RLIMIT_AS). */
void fp_guard_give_reserve_back(void);

/* The INDEXth area of address space that chunks are in; false behind the last. No lock. */
bool fp_guard_span(size_t index, uintptr_t *start, uintptr_t *end);

/* For the fork handlers. The last one, in the child, protects it like its parent: 0, or a
 * negative errno when freed blocks may be accessible there. */
void fp_guard_prepare_fork(void);
int fp_guard_renew_in_child(void);

/* Says in REMAINS where the areas of chunks are. */
struct fp_remains;
void fp_guard_leave_remains(struct fp_remains *remains);

#endif
