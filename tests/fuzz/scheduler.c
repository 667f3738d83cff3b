/* SPDX-License-Identifier: Apache-2.0
 *
 * The baton is one futex word. What is asked of base/lock.h and of the confinement, through
 * which every system call of ours goes when it is on, is answered here in place of those
 * modules. Between two of these places a thread runs alone: what threads do there to each other
 * without locks is for ThreadSanitizer and the soak.
 */
#include "scheduler.h"

#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/lock.h"
#include "base/sys.h"
#include "target.h"

enum { NOBODY = FUZZ_THREADS_MAX, WAITS_MAX = 1 << 16, INTERRUPT = 0xff };

struct worker {
	pthread_t thread;
	const struct fp_lock *awaited; /* or NULL */
	bool is_done;
};

static struct worker workers[FUZZ_THREADS_MAX];
static struct fuzz_schedule now;
static unsigned alive;
static unsigned places_left; /* a limit on livelocks */
static _Atomic uint32_t baton = NOBODY;

static _Thread_local unsigned self = NOBODY;
static _Thread_local bool is_interrupted;
static _Thread_local uint32_t held_ranks;
static _Thread_local uint32_t passed_over_ranks;
static _Thread_local bool is_in_fault_mode;

/* ---- Turns --------------------------------------------------------------------------------
 */

static void wait_for(uint32_t holder)
{
	uint32_t seen;

	while ((seen = atomic_load(&baton)) != holder)
		syscall(SYS_futex, &baton, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, seen, NULL);
}

static void pass_to(uint32_t holder)
{
	atomic_store(&baton, holder);
	syscall(SYS_futex, &baton, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, FUZZ_THREADS_MAX + 1);
}

static bool can_run(unsigned thread)
{
	return thread < alive && !workers[thread].is_done &&
	       (!workers[thread].awaited || atomic_load(&workers[thread].awaited->word) == 0);
}

/* The next one behind FROM that can run; FROM itself comes last. */
static unsigned next_of(unsigned from)
{
	for (unsigned i = 1; i <= FUZZ_THREADS_MAX; i++)
		if (can_run((from + i) % FUZZ_THREADS_MAX))
			return (from + i) % FUZZ_THREADS_MAX;
	return NOBODY;
}

static void switch_to(unsigned thread)
{
	if (thread == self)
		return;
	pass_to(thread);
	wait_for(self);
}

static unsigned take_turn(void)
{
	if (now.count == 0)
		return 0;
	now.count--;
	return *now.turns++;
}

static void interrupt(void)
{
	is_interrupted = true;
	now.interrupt(self);
	is_interrupted = false;
}

/* A place where another thread may get its turn. */
static void come_to_place(void)
{
	if (self == NOBODY || is_interrupted)
		return;
	fuzz_must(places_left-- > 0);
	unsigned turn = take_turn();
	if (turn == INTERRUPT)
		interrupt();
	for (unsigned i = 0; i < turn % 4 && turn != INTERRUPT; i++)
		switch_to(next_of(self));
}

/* The others have their turns first. */
static void pause_once(void)
{
	fuzz_must(places_left-- > 0);
	switch_to(next_of(self));
}

static void wait_for_others(const struct fp_lock *awaited)
{
	workers[self].awaited = awaited;
	fuzz_must(next_of(self) != NOBODY);
	pause_once();
	workers[self].awaited = NULL;
}

/* ---- In place of base/lock.c --------------------------------------------------------------
 */

static bool try(struct fp_lock *lock)
{
	uint32_t seen = 0;

	return atomic_compare_exchange_strong(&lock->word, &seen, 1);
}

void fp_lock_acquire(struct fp_lock *lock)
{
	if (is_in_fault_mode) {
		passed_over_ranks |= try(lock) ? 0 : 1U << lock->rank;
		return;
	}
	fuzz_must(held_ranks >> lock->rank == 0);
	come_to_place();
	while (!try(lock))
		wait_for_others(lock);
	held_ranks |= 1U << lock->rank;
	come_to_place();
}

bool fp_lock_acquire_within(struct fp_lock *lock, unsigned milliseconds)
{
	bool is_taken = try(lock);

	for (unsigned i = 0; i < milliseconds && !is_taken && !is_interrupted; i++) {
		come_to_place();
		is_taken = try(lock);
	}
	if (is_taken && !is_in_fault_mode)
		held_ranks |= 1U << lock->rank;
	return is_taken;
}

void fp_lock_release(struct fp_lock *lock)
{
	if (is_in_fault_mode && (passed_over_ranks & 1U << lock->rank) != 0) {
		passed_over_ranks &= ~(1U << lock->rank);
		return;
	}
	fuzz_must(atomic_exchange(&lock->word, 0) == 1);
	if (is_in_fault_mode)
		return;
	fuzz_must((held_ranks & 1U << lock->rank) != 0);
	held_ranks &= ~(1U << lock->rank);
	come_to_place();
}

bool fp_lock_is_free(struct fp_lock *lock)
{
	return atomic_load(&lock->word) == 0;
}

bool fp_lock_is_any_held(void)
{
	return held_ranks != 0;
}

uint32_t fp_lock_enter_fault_mode(void)
{
	is_in_fault_mode = true;
	return held_ranks;
}

void fp_lock_leave_fault_mode(uint32_t held_before)
{
	fuzz_must(held_ranks == held_before && passed_over_ranks == 0);
	is_in_fault_mode = false;
}

bool fp_lock_is_in_fault_mode(void)
{
	return is_in_fault_mode;
}

/* ---- In place of base/confinement.c -------------------------------------------------------
 */

_Atomic bool fp_sys_is_confined = true;

void fp_sys_confine(bool is_confined)
{
	(void)is_confined;
}

bool fp_sys_is_refused(long number, const long *arguments, long *result)
{
	(void)number;
	(void)arguments;
	(void)result;
	return false;
}

long fp_sys_call_confined(long number, long a, long b, long c, long d, long e, long f)
{
	bool is_pause = number == SYS_nanosleep && self != NOBODY && !is_interrupted;

	/* Who sleeps lets all others go on, and has slept then. */
	if (is_pause)
		pause_once();
	else
		come_to_place();
	return is_pause ? 0 : fp_sys_call(number, a, b, c, d, e, f);
}

/* ---- Threads ------------------------------------------------------------------------------
 */

static void *work(void *argument)
{
	unsigned number = (unsigned)(uintptr_t)argument;

	for (;;) {
		wait_for(number);
		self = number;
		now.run(number);
		fuzz_must(held_ranks == 0);
		self = NOBODY;
		workers[number].is_done = true;
		pass_to(next_of(number));
	}
	return NULL;
}

void fuzz_schedule(const struct fuzz_schedule *schedule, unsigned threads)
{
	now = *schedule;
	alive = threads;
	places_left = WAITS_MAX;
	for (unsigned i = 0; i < threads; i++) {
		workers[i].is_done = false;
		if (!workers[i].thread)
			fuzz_must(pthread_create(&workers[i].thread, NULL, work,
			                         (void *)(uintptr_t)i) == 0);
	}
	pass_to(0);
	wait_for(NOBODY);
}
