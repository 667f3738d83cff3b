/* SPDX-License-Identifier: Apache-2.0
 *
 * One census. No lock is held while threads are being stopped: when one of them stands still
 * with a lock that reading needs, all go on for a moment and are stopped again. What the search
 * itself needs is memory that was set aside, whose words are no roots.
 */
#include "leak/holders.h"

#include <signal.h>
#include <stdatomic.h>
#include <time.h>

#include "base/clock.h"
#include "base/maps.h"
#include "base/messages.h"
#include "base/meta.h"
#include "base/sys.h"
#include "base/thread.h"
#include "heap/pools.h"
#include "leak/hunt.h"
#include "leak/leak.h"
#include "leak/round.h"
#include "registry/registry.h"
#include "stack/stack.h"

enum {
	THREADS_MAX = 2048,
	STOPS_MAX = 8, /* when one stands still with a lock */
	FEWEST_PATIENCE_MS = 10,
	NSEC_PER_MSEC = 1000000
};

/* What a census needs and no stack has room for. */
struct room {
	struct fp_leak_thread threads[THREADS_MAX];
	uint8_t buffer[FP_LEAK_BUFFER_BYTES];
	uintptr_t frames[FP_LEAK_FRAMES_MAX];
	uintptr_t stacks[FP_LEAK_FRAMES_MAX];
};

static struct room *_Atomic room; /* with fp_leak_lock */

void fp_leak_reserve_for_holders(void)
{
	if (atomic_load(&room) == NULL)
		atomic_store(&room, fp_meta_alloc(sizeof(struct room)));
}

/* ---- The round -----------------------------------------------------------------------------
 */

static bool are_locks_free(void)
{
	return fp_registry_is_idle() && fp_pools_are_idle() && fp_maps_is_idle() &&
	       fp_meta_is_idle();
}

/* Whether all threads stand still that answer, and none of them with a lock that is needed. */
static bool stop_others(struct fp_leak_hunt *census)
{
	const struct timespec pause = {.tv_nsec = NSEC_PER_MSEC};

	for (int stops = 0; stops < STOPS_MAX && !fp_leak_hunt_is_over(census); stops++) {
		fp_leak_threads_clear(&census->threads);
		fp_leak_threads_stop(&census->threads);
		if (are_locks_free())
			return true;
		fp_leak_threads_resume();
		fp_sys_sleep(&pause);
	}
	fp_leak_set_obstacle(census->told, FP_CENSUS_SKIPPED, FP_TELL_HOLDERS_BUSY);
	return false;
}

/* Where the program stands that called us. */
static uintptr_t own_stack(uintptr_t stack)
{
	struct room *here = atomic_load(&room);

	return fp_stack_list_frames(NULL, here->frames, here->stacks, 1) > 0 ? here->stacks[0]
	                                                                     : stack;
}

static void run(struct fp_leak_census *told, uintptr_t stack, uint64_t begun)
{
	struct room *here = atomic_load(&room);
	uint64_t budget = (uint64_t)told->milliseconds * NSEC_PER_MSEC;
	unsigned patience = told->milliseconds / 4;
	struct fp_leak_hunt census = {
	        .threads = {.threads = here->threads,
	                    .capacity = THREADS_MAX,
	                    .patience_ms = patience < FEWEST_PATIENCE_MS ? FEWEST_PATIENCE_MS
	                                                                 : patience},
	        .own = {.id = fp_thread_self(),
	                .context = (uintptr_t)told->context,
	                .storage = fp_leak_thread_storage(),
	                .stack = told->context != NULL ? stack : own_stack(stack)},
	        .deadline = begun + budget,
	        .frames = here->frames,
	        .stacks = here->stacks,
	};

	fp_leak_hunt_begin(&census, told, here->buffer);
	if (!stop_others(&census))
		return;
	fp_leak_hunt(&census);
	fp_leak_threads_resume();
	if (census.threads.unanswered > 0 || census.threads.count == THREADS_MAX)
		fp_leak_set_obstacle(told, FP_CENSUS_PARTIAL, FP_TELL_HOLDERS_THREADS);
}

void fp_leak_find_holders(struct fp_leak_census *census, uintptr_t stack)
{
	uint64_t begun = fp_clock_nanoseconds();
	uint64_t mask;

	if (!fp_lock_acquire_within(&fp_leak_lock, census->milliseconds)) {
		fp_leak_set_obstacle(census, FP_CENSUS_SKIPPED, FP_TELL_HOLDERS_LEAKS);
		return;
	}
	fp_leak_block_signals(&mask);
	if (atomic_load(&room) != NULL)
		run(census, stack, begun);
	else
		fp_leak_set_obstacle(census, FP_CENSUS_SKIPPED, FP_TELL_HOLDERS_MEMORY);
	fp_sys_sigmask(SIG_SETMASK, &mask, NULL);
	fp_lock_release(&fp_leak_lock);
	census->nsec = fp_clock_nanoseconds() - begun;
}
