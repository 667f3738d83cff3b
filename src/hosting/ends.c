/* SPDX-License-Identifier: Apache-2.0
 *
 * Ends of a linked host that exit handlers are not told of: _exit(2), whose name is ours
 * because the library comes before the C library, quick_exit(3), what a crash raises unless the
 * host wants no handlers, and, when `catch_signals` asks for it, other signals that the host
 * leaves to their default action. A signal that the host ignores or handles is never touched,
 * and what it does with one later is its own affair.
 */
#include "hosting/ends.h"

#include <fencepost/hosting.h>

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/deaths.h"
#include "base/lock.h"
#include "base/panic.h"
#include "base/sys.h"
#include "fault/fault.h"
#include "session/session.h"

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid /* glibc has no name for it */
#endif

enum {
	TRIES = 200, /* to find the thread outside of the heap */
	PAUSE_NSEC = 1000000
};

/* The thread may have been interrupted anywhere: with a lock of ours it is in the heap. */
static void finish(int status)
{
	if (!fp_session_is_here())
		return;
	bool is_inside = fp_lock_is_any_held();
	uint32_t held = is_inside ? fp_lock_enter_fault_mode() : 0;
	fp_session_set_exit(status);
	fp_session_finish();
	if (is_inside)
		fp_lock_leave_fault_mode(held);
}

FP_API _Noreturn void _exit(int status)
{
	finish(status);
	fp_end(status);
}

FP_API _Noreturn void _Exit(int status)
{
	finish(status);
	fp_end(status);
}

/* The status is not told. */
static void finish_at_quick_exit(void)
{
	if (fp_session_is_here())
		fp_session_finish();
}

/* ---- Signals ------------------------------------------------------------------------------
 */

/* When the handler returns: a core file and a debugger have the program where it was. */
static void die_of(int signal, void *context)
{
	const struct sigaction action = {.sa_handler = SIG_DFL};

	sigaction(signal, &action, NULL);
	fp_sys_raise(signal);
	sigdelset(&((ucontext_t *)context)->uc_sigmask, signal);
}

/* A thread that is in the heap is outside soon: the signal comes again, to the same thread. */
static bool is_deferred(int signal)
{
	static _Atomic int tries;
	const struct itimerspec once = {.it_value.tv_nsec = PAUSE_NSEC};
	struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = signal};
	int timer;

	if (!fp_lock_is_any_held() || atomic_fetch_add(&tries, 1) >= TRIES)
		return false;
	event.sigev_notify_thread_id = fp_sys_gettid();
	return fp_sys(SYS_timer_create, CLOCK_MONOTONIC, &event, &timer) == 0 &&
	       fp_sys(SYS_timer_settime, timer, 0, &once, NULL) == 0;
}

static void handle_deadly(int signal, siginfo_t *info, void *context)
{
	bool is_own = fp_death_is_own_doing(signal);
	int saved_errno = errno;

	if (fp_session_is_here() && !is_own &&
	    (fp_session_is_finishing_here() || is_deferred(signal))) {
		errno = saved_errno;
		return;
	}
	if (fp_death_is_crash(signal))
		fp_fault_report_crash(signal, info, context);
	if (fp_session_is_here() && !is_own && !fp_lock_is_any_held()) {
		fp_session_finish_terminated(signal, context);
	} else if (fp_session_is_here()) {
		uint32_t held = fp_lock_enter_fault_mode();

		fp_session_finish_dying(signal);
		fp_lock_leave_fault_mode(held);
	}
	die_of(signal, context);
}

static void watch(int signal)
{
	struct sigaction action = {.sa_flags = SA_SIGINFO | SA_ONSTACK};
	struct sigaction before;

	sigfillset(&action.sa_mask);
	sigdelset(&action.sa_mask, SIGSEGV);
	sigdelset(&action.sa_mask, SIGBUS);
	action.sa_sigaction = handle_deadly;
	if (sigaction(signal, NULL, &before) == 0 && before.sa_handler == SIG_DFL)
		sigaction(signal, &action, NULL);
}

void fp_ends_watch(void)
{
	static _Atomic bool is_watched;

	if (!fp_session_is_started() || fp_session_has_door(FP_DOOR_MALLOC) ||
	    atomic_exchange(&is_watched, true))
		return;
	at_quick_exit(finish_at_quick_exit);
	for (int signal = 1; signal < NSIG; signal++)
		if (fp_session_catches_signals()
		            ? fp_death_is(signal)
		            : fp_session_handles_faults() && fp_death_is_crash(signal))
			watch(signal);
}
