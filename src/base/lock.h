/* SPDX-License-Identifier: Apache-2.0
 *
 * Ranked locks. A thread may take a lock only when its rank is greater than that of every lock
 * it holds, so no two locks can wait for each other; a violation panics at once instead of
 * hanging one day. No lock is held while unwinding or while a finding's sink runs.
 *
 * Context: alloc; in fault mode also fault.
 */
#ifndef FP_BASE_LOCK_H
#define FP_BASE_LOCK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* In the order in which they may be taken. */
enum fp_lock_rank {
	FP_RANK_HOLDERS,  /* the holders of one finding's block */
	FP_RANK_LEAK,     /* one search for leaks at a time */
	FP_RANK_SESSION,  /* dedup table, start and end of the session */
	FP_RANK_TIMELINE, /* the heap over time */
	FP_RANK_REGION,   /* the regions of VirtualAlloc */
	FP_RANK_ARENA,    /* one arena's chunks */
	FP_RANK_RENEWAL,  /* a back end that is made to work again */
	FP_RANK_SPAN,     /* the address space shared by all arenas */
	FP_RANK_SHARD,    /* one shard of the registry */
	FP_RANK_POOLS,    /* blocks that the program cuts out of its own memory */
	FP_RANK_POISON,   /* which bytes are poisoned */
	FP_RANK_DEPOT,    /* a depot's ids */
	FP_RANK_MAPS,     /* the reader of /proc/thread-self/maps */
	FP_RANK_RECORD,   /* the recording of what is allocated */
	FP_RANK_LOG,      /* the event log's buffer */
	FP_RANK_OWN,      /* the table of our own objects */
	FP_RANK_META,     /* metadata memory: innermost, everyone allocates */
	FP_RANK_COUNT
};

struct fp_lock {
	_Atomic uint32_t word; /* 0 free, 1 held, 2 held and somebody may wait */
	uint32_t rank;         /* enum fp_lock_rank */
};

#define FP_LOCK_INITIALIZER(rank_)                                                             \
	{                                                                                      \
		.word = 0, .rank = (rank_)                                                     \
	}

void fp_lock_acquire(struct fp_lock *lock);
void fp_lock_release(struct fp_lock *lock);

/* Takes LOCK, or gives up after so many milliseconds: false. Never in the way of a rank. */
bool fp_lock_acquire_within(struct fp_lock *lock, unsigned milliseconds);

/* Whether nobody has LOCK: for who has stopped all others. */
bool fp_lock_is_free(struct fp_lock *lock);

/* Whether the calling thread has any lock: a signal handler that finds none has interrupted
 * nothing that it could wait for. Context: also fault. */
bool fp_lock_is_any_held(void);

/*
 * Fault mode: between these calls of a signal handler for faults, the thread may have been
 * interrupted anywhere, also while it held locks. Ranks are not checked then, and a lock that
 * is not free in time is passed over: what it protects is read as it is, by the only thread
 * that could give it back. Enter returns what leave takes.
 */
uint32_t fp_lock_enter_fault_mode(void);
void fp_lock_leave_fault_mode(uint32_t held_before);
bool fp_lock_is_in_fault_mode(void);

/*
 * A lock that is held across a fork says so where it is defined, and so does an array of BYTES
 * bytes in which there is one every DISTANCE bytes: a row in a section, which is the table of
 * all. Who would have all others stand still takes those of some ranks, a bit for each, in
 * their order and whatever it has itself, and gives them back; so does the child of a fork.
 */
struct fp_lock_row {
	struct fp_lock *first;
	uint32_t bytes;
	uint16_t distance;
	uint16_t rank;
};

#define FP_ALL_HELD_ACROSS_FORK(rank_, first_, bytes_, distance_)                              \
	static const struct fp_lock_row FP_LOCK_ROW(__LINE__) __attribute__((                  \
	        used, section("fp_locks"), aligned(sizeof(struct fp_lock_row)))) = {           \
	        .first = (first_),                                                             \
	        .bytes = (bytes_),                                                             \
	        .distance = (distance_),                                                       \
	        .rank = (rank_)}
#define FP_HELD_ACROSS_FORK(rank_, lock_)                                                      \
	FP_ALL_HELD_ACROSS_FORK(rank_, lock_, sizeof(struct fp_lock), sizeof(struct fp_lock))
#define FP_LOCK_ROW(line) FP_LOCK_ROW_(line)
#define FP_LOCK_ROW_(line) lock_row_##line

#define FP_RANKS_ALL ((1U << FP_RANK_COUNT) - 1)

void fp_lock_acquire_ranks(uint32_t ranks);
void fp_lock_release_ranks(uint32_t ranks);

#endif
