/* SPDX-License-Identifier: Apache-2.0
 *
 * A three-state futex lock. Waiting is left to the kernel at once: the holders do little, but
 * on a loaded machine one may have lost its processor.
 */
#include "base/lock.h"

#include <linux/futex.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/panic.h"

enum { FREE, HELD, CONTENDED };

static _Thread_local uint32_t held_ranks;

static long futex(struct fp_lock *lock, int operation, uint32_t value)
{
	return syscall(SYS_futex, &lock->word, operation | FUTEX_PRIVATE_FLAG, value, NULL);
}

static void take(struct fp_lock *lock)
{
	uint32_t seen = FREE;

	if (atomic_compare_exchange_strong_explicit(&lock->word, &seen, HELD,
	                                            memory_order_acquire, memory_order_relaxed))
		return;
	while (atomic_exchange_explicit(&lock->word, CONTENDED, memory_order_acquire) != FREE)
		futex(lock, FUTEX_WAIT, CONTENDED);
}

static void give(struct fp_lock *lock)
{
	if (atomic_exchange_explicit(&lock->word, FREE, memory_order_release) == CONTENDED)
		futex(lock, FUTEX_WAKE, 1);
}

void fp_lock_acquire(struct fp_lock *lock)
{
	if (held_ranks >> lock->rank)
		fp_panic("lock taken out of rank order");
	held_ranks |= 1U << lock->rank;
	take(lock);
}

void fp_lock_release(struct fp_lock *lock)
{
	held_ranks &= ~(1U << lock->rank);
	give(lock);
}

void fp_lock_acquire_for_fork(struct fp_lock *lock)
{
	take(lock);
}

void fp_lock_release_after_fork(struct fp_lock *lock)
{
	give(lock);
}
