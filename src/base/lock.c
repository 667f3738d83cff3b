/* SPDX-License-Identifier: Apache-2.0
 *
 * A three-state futex lock. Waiting is left to the kernel at once: the holders do little, but
 * on a loaded machine one may have lost its processor.
 */
#include "base/lock.h"

#include <linux/futex.h>
#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "base/messages.h"
#include "base/panic.h"
#include "base/sys.h"

enum { FREE, HELD, CONTENDED };

/* Tries of a millisecond for a lock in fault mode. */
enum { FAULT_TRIES = 100 };

static _Thread_local uint32_t held_ranks;
static _Thread_local bool is_in_fault_mode;
static _Thread_local uint32_t passed_over_ranks;

/* A thread in seccomp's strict mode wakes nobody: where there is one, who waits looks again. */
static void wait(struct fp_lock *lock)
{
	static const struct timespec pause = {.tv_nsec = 1000000};

	fp_sys(SYS_futex, &lock->word, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, CONTENDED,
	       atomic_load(&fp_sys_is_confined) ? &pause : NULL);
}

static void take(struct fp_lock *lock)
{
	uint32_t seen = FREE;

	if (atomic_compare_exchange_strong_explicit(&lock->word, &seen, HELD,
	                                            memory_order_acquire, memory_order_relaxed))
		return;
	while (atomic_exchange_explicit(&lock->word, CONTENDED, memory_order_acquire) != FREE)
		wait(lock);
}

static void give(struct fp_lock *lock)
{
	if (atomic_exchange_explicit(&lock->word, FREE, memory_order_release) == CONTENDED)
		fp_sys(SYS_futex, &lock->word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1);
}

/* Whether LOCK could be had in time. */
static bool take_in_time(struct fp_lock *lock, unsigned patience)
{
	const struct timespec pause = {.tv_nsec = 1000000};

	for (unsigned tries = 0; tries < patience; tries++) {
		uint32_t seen = FREE;

		if (atomic_compare_exchange_strong_explicit(&lock->word, &seen, HELD,
		                                            memory_order_acquire,
		                                            memory_order_relaxed))
			return true;
		fp_sys_sleep(&pause);
	}
	return false;
}

static void acquire_in_fault_mode(struct fp_lock *lock)
{
	if (!take_in_time(lock, FAULT_TRIES))
		passed_over_ranks |= 1U << lock->rank;
}

static void release_in_fault_mode(struct fp_lock *lock)
{
	if ((passed_over_ranks & 1U << lock->rank) == 0)
		give(lock);
	passed_over_ranks &= ~(1U << lock->rank);
}

bool fp_lock_is_any_held(void)
{
	return held_ranks != 0;
}

uint32_t fp_lock_enter_fault_mode(void)
{
	uint32_t before = held_ranks;

	is_in_fault_mode = true;
	return before;
}

void fp_lock_leave_fault_mode(uint32_t held_before)
{
	held_ranks = held_before;
	is_in_fault_mode = false;
}

bool fp_lock_is_in_fault_mode(void)
{
	return is_in_fault_mode;
}

void fp_lock_acquire(struct fp_lock *lock)
{
	if (is_in_fault_mode) {
		acquire_in_fault_mode(lock);
		return;
	}
	if (held_ranks >> lock->rank)
		fp_panic(FP_TELL_LOCK_ORDER);
	held_ranks |= 1U << lock->rank;
	take(lock);
}

bool fp_lock_acquire_within(struct fp_lock *lock, unsigned milliseconds)
{
	if (!take_in_time(lock, milliseconds))
		return false;
	if (!is_in_fault_mode)
		held_ranks |= 1U << lock->rank;
	return true;
}

bool fp_lock_is_free(struct fp_lock *lock)
{
	return atomic_load(&lock->word) == FREE;
}

void fp_lock_release(struct fp_lock *lock)
{
	if (is_in_fault_mode) {
		release_in_fault_mode(lock);
		return;
	}
	held_ranks &= ~(1U << lock->rank);
	give(lock);
}

/* Named by the linker after the section; a program may have none. */
extern const struct fp_lock_row __start_fp_locks[] __attribute__((weak, visibility("hidden")));
extern const struct fp_lock_row __stop_fp_locks[] __attribute__((weak, visibility("hidden")));

static void each_of_rank(enum fp_lock_rank rank, void (*visit)(struct fp_lock *lock))
{
	for (const struct fp_lock_row *row = __start_fp_locks; row != __stop_fp_locks; row++)
		for (uint32_t at = 0; row->rank == rank && at < row->bytes; at += row->distance)
			visit((void *)((char *)row->first + at));
}

void fp_lock_acquire_ranks(uint32_t ranks)
{
	for (uint32_t rank = 0; rank < FP_RANK_COUNT; rank++)
		if ((ranks & 1U << rank) != 0)
			each_of_rank(rank, take);
}

void fp_lock_release_ranks(uint32_t ranks)
{
	for (uint32_t rank = FP_RANK_COUNT; rank-- > 0;)
		if ((ranks & 1U << rank) != 0)
			each_of_rank(rank, give);
}
