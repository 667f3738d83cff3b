/* SPDX-License-Identifier: Apache-2.0
 *
 * Who may be inside a heap. One that several threads may use costs a call one look at a word
 * that is nearly always zero: only Lock ever waits for anything. One that was created for a
 * thread at a time is not locked for its callers, because they promised to take turns; the
 * word says whether they do.
 *
 * Waiting is by looking again: whoever waits here waits for a person or for a walk over all
 * blocks, and looking again also notices that the holder is dead or the heap released.
 */
#include <errno.h>
#include <time.h>

#include "base/clock.h"
#include "base/sys.h"
#include "base/thread.h"
#include "heap/state.h"
#include "stack/stack.h"

static uint64_t timeout_ms;

void fp_heap_set_lock_timeout(uint64_t milliseconds)
{
	timeout_ms = milliseconds;
}

static void pause_for_a_moment(void)
{
	const struct timespec moment = {.tv_nsec = 500000};

	fp_sys_sleep(&moment);
}

/* The child of a fork has none of its parent's other threads. */
static bool is_alive(fp_thread_id thread)
{
	return fp_sys(SYS_tgkill, fp_sys_getpid(), thread, 0) != -ESRCH;
}

/* A meeting of two threads that ends the call of this one. */
struct meeting {
	enum fp_finding_kind kind;
	int status;
	int32_t hresult;
	const char *call;
	struct fp_party other;
};

static int report(const struct fp_heap *heap, const struct meeting *meeting)
{
	struct fp_misuse misuse = fp_heap_misuse(heap, NULL, fp_stack_capture());
	const struct fp_encounter encounter = {
	        .kind = meeting->kind,
	        .heap = heap->id,
	        .is_for_one_thread = heap->traits.is_for_one_thread,
	        .waited_ms = timeout_ms,
	        .call = meeting->call,
	        .other = meeting->other,
	};

	misuse.hresult = meeting->hresult;
	fp_findings_encounter(&misuse, &encounter);
	return meeting->status;
}

static int report_abandoned(const struct fp_heap *heap, const char *call, struct fp_party other)
{
	return report(heap, &(struct meeting){FP_FINDING_ABANDONED_WAIT, -EOWNERDEAD,
	                                      heap->traits.error_codes.abandoned, call, other});
}

static int report_stranger(const struct fp_heap *heap, const char *call, struct fp_party other)
{
	return report(heap, &(struct meeting){FP_FINDING_UNSYNCHRONIZED_USE, -EBUSY,
	                                      heap->traits.error_codes.not_owner, call, other});
}

static int report_timeout(const struct fp_heap *heap, const char *call, fp_heap_visit holder)
{
	return report(heap, &(struct meeting){FP_FINDING_LOCK_TIMEOUT, -ETIMEDOUT,
	                                      heap->traits.error_codes.timeout, call,
	                                      fp_visit_party(holder, FP_PARTY_HOLDER)});
}

/* HOLDER is dead. The one caller who takes the heap from it is told; others find it free. */
static int take_from_the_dead(struct fp_heap *heap, const char *call, fp_heap_visit holder)
{
	enum fp_party_role role =
	        heap->traits.is_for_one_thread ? FP_PARTY_INSIDE : FP_PARTY_HOLDER;
	const fp_heap_visit self = fp_visit_make(fp_thread_self(), FP_TRACE_NONE);
	fp_heap_visit seen = holder;

	if (!atomic_compare_exchange_strong(&heap->occupant, &seen, self))
		return 0;
	heap->depth = 0;
	atomic_store_explicit(&heap->occupant, 0, memory_order_release);
	return report_abandoned(heap, call, fp_visit_party(holder, role));
}

/* Until nobody but the caller has HEAP to himself; or a finding says why that took no end. */
static int await(struct fp_heap *heap, const char *call)
{
	uint64_t start = fp_clock_milliseconds();
	fp_heap_visit holder;

	while ((holder = atomic_load(&heap->occupant)) != 0 &&
	       fp_visit_thread(holder) != fp_thread_self()) {
		if (fp_heap_is_released(heap))
			return report_abandoned(heap, call,
			                        fp_visit_party(atomic_load(&heap->released_by),
			                                       FP_PARTY_RELEASER));
		if (timeout_ms != 0 && fp_clock_milliseconds() - start >= timeout_ms)
			return report_timeout(heap, call, holder);
		int status = is_alive(fp_visit_thread(holder))
		                     ? 0
		                     : take_from_the_dead(heap, call, holder);
		if (status != 0)
			return status;
		pause_for_a_moment();
	}
	return 0;
}

/* Takes the heap for the calling thread, once more when it has it; 0, or who has it. */
static fp_heap_visit occupy(struct fp_heap *heap)
{
	const fp_heap_visit self = fp_visit_make(fp_thread_self(), fp_stack_capture());
	fp_heap_visit seen = 0;

	if (!atomic_compare_exchange_strong_explicit(
	            &heap->occupant, &seen, self, memory_order_acquire, memory_order_relaxed) &&
	    fp_visit_thread(seen) != fp_visit_thread(self))
		return seen;
	heap->depth++;
	return 0;
}

static void vacate(struct fp_heap *heap)
{
	if (--heap->depth == 0)
		atomic_store_explicit(&heap->occupant, 0, memory_order_release);
}

static int enter_alone(struct fp_heap *heap, const char *call)
{
	int status = 0;

	while (status == 0) {
		fp_heap_visit other = occupy(heap);

		if (other == 0)
			return 0;
		if (is_alive(fp_visit_thread(other)))
			return report_stranger(heap, call,
			                       fp_visit_party(other, FP_PARTY_INSIDE));
		status = take_from_the_dead(heap, call, other);
	}
	return status;
}

static int enter(struct fp_heap *heap, const char *call)
{
	int saved_errno = errno;
	int status = 0;

	if (heap->traits.is_for_one_thread)
		status = enter_alone(heap, call);
	/* Whoever comes after the release is no waiter: the call itself will say so. */
	else if (!fp_heap_is_released(heap))
		status = await(heap, call);
	errno = saved_errno;
	return status;
}

int fp_heap_enter(struct fp_heap *heap, const char *call)
{
	if (fp_heap_has_failed(heap))
		return fp_heap_report_unusable(heap, call);
	if (!heap->traits.is_for_one_thread &&
	    atomic_load_explicit(&heap->occupant, memory_order_acquire) == 0)
		return 0;
	return enter(heap, call);
}

void fp_heap_leave(struct fp_heap *heap)
{
	if (heap->traits.is_for_one_thread)
		vacate(heap);
}

static int lock_shared(struct fp_heap *heap)
{
	int status = 0;

	while (status == 0 && occupy(heap) != 0)
		status = await(heap, "Lock");
	return status;
}

int fp_heap_lock(struct fp_heap *heap)
{
	int saved_errno = errno;
	int status;

	if (fp_heap_has_failed(heap))
		return fp_heap_report_unusable(heap, "Lock");
	if (fp_heap_is_released(heap)) {
		fp_heap_report_released(heap, "Lock");
		return -EPERM;
	}
	status = heap->traits.is_for_one_thread ? enter_alone(heap, "Lock") : lock_shared(heap);
	errno = saved_errno;
	return status;
}

int fp_heap_unlock(struct fp_heap *heap)
{
	int saved_errno = errno;
	fp_heap_visit holder = atomic_load(&heap->occupant);
	int status = 0;

	if (fp_visit_thread(holder) == fp_thread_self())
		vacate(heap);
	else
		status = report_stranger(
		        heap, "Unlock",
		        fp_visit_party(holder, holder == 0 ? FP_PARTY_NONE : FP_PARTY_HOLDER));
	errno = saved_errno;
	return status;
}
