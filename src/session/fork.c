/* SPDX-License-Identifier: Apache-2.0
 *
 * fork(2): every lock is held across it, in the order of ranks, so that the child finds all
 * tables whole. The child is a session of its own: it reports what it does, not what it
 * inherited.
 */
#include <errno.h>
#include <pthread.h>
#include <sys/single_threaded.h>
#include <unistd.h>

#include "base/messages.h"
#include "base/sys.h"
#include "base/thread.h"
#include "guard/guard.h"
#include "heap/heap.h"
#include "heap/refusal.h"
#include "region/region.h"
#include "session/session.h"
#include "session/state.h"
#include "timeline/timeline.h"

enum { PATIENCE_MS = 100 };

/* With one thread nobody else has a lock; and each that is taken here is on a page that parent
 * and child then copy: half of what a fork costs. */
static bool are_locked;

/* Nobody tells the handlers whether there is a child. These are the innermost of all, and
 * between them the C library makes a system call that leaves errno alone where it succeeds. */
static int error_before;

static void before_fork(void)
{
	bool is_needed = !__libc_single_threaded;

	fp_guard_prepare_fork();
	if (are_locked != is_needed)
		are_locked = is_needed;
	if (are_locked)
		fp_lock_acquire_ranks(FP_RANKS_ALL);
	error_before = errno;
	errno = 0;
	fp_session_begin_fork();
}

static void unlock_all(void)
{
	if (are_locked)
		fp_lock_release_ranks(FP_RANKS_ALL);
}

static void after_fork_in_parent(void)
{
	bool has_child = errno == 0;

	if (has_child)
		errno = error_before;
	else
		fp_session_end_fork();
	unlock_all();
}

/* The end of the parent may have let the fork through: then nobody makes a report here. */
static void begin_anew(void)
{
	bool is_finished = atomic_load(&fp_session.own.is_finished);
	size_t findings = atomic_load(&fp_session.own.findings.distinct);

	fp_session.own = (struct fp_session_own){
	        .is_finished = is_finished,
	        .is_over = is_finished,
	        .log_age = FP_SESSION_LOG_INHERITED,
	};
	if (findings > 0)
		fp_session_forget_findings();
	fp_session_forget_holders();
}

static void after_fork_in_child(void)
{
	struct fp_heap_totals totals;

	errno = error_before;
	unlock_all();
	fp_thread_forget_id();
	fp_region_renew_in_child();
	fp_session.protection = fp_guard_renew_in_child();
	fp_timeline_start_in_child();
	fp_heap_begin_in_child();
	fp_heap_totals(&totals);
	fp_session.is_forked_child = true;
	fp_session.pid = fp_sys_getpid();
	fp_session.first_serial = totals.last_serial;
	fp_session.first_region = fp_region_last_serial();
	fp_session.first_frees = totals.frees;
	begin_anew();
	fp_session_forget_cpus_in_child();
	fp_refusal_forget();
	fp_session_forget_published();
	if (atomic_load(&fp_session.own.is_finished))
		fp_session_withdraw(fp_sys_getpid());
	fp_session_start_recording();
	fp_session_answer_in_child();
}

static void renew_log(void)
{
	fp_log_renew(&fp_session.log);
	fp_session_log_beginning(&fp_session.log);
	if (fp_session.protection != 0)
		fp_log_note(&fp_session.log, FP_TELL_CHILD_UNPROTECTED);
	atomic_store(&fp_session.own.log_age, FP_SESSION_LOG_OWN);
}

struct fp_log *fp_session_log(void)
{
	static const struct timespec pause = {.tv_nsec = 1000000};
	uint32_t age = FP_SESSION_LOG_INHERITED;

	if (atomic_load(&fp_session.own.log_age) == FP_SESSION_LOG_OWN)
		return &fp_session.log;
	if (atomic_compare_exchange_strong(&fp_session.own.log_age, &age,
	                                   FP_SESSION_LOG_BEING_RENEWED))
		renew_log();
	/* What fails in the midst of it is logged all the same. */
	for (int left = PATIENCE_MS;
	     left > 0 && atomic_load(&fp_session.own.log_age) != FP_SESSION_LOG_OWN; left--)
		fp_sys_sleep(&pause);
	return &fp_session.log;
}

int fp_session_watch_fork(void)
{
	return -pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
}
