/* SPDX-License-Identifier: Apache-2.0
 *
 * Ends of a linked host that exit handlers are not told of: _exit(2) (in exports.c), whose name
 * is ours because the library comes before the C library, quick_exit(3), what a crash raises
 * unless the host wants no handlers, and, when `catch_signals` asks for it, other signals that
 * the host leaves to their default action. A signal that the host ignores or handles is never
 * touched, and what it does with one later is its own affair.
 */
#include <fencepost/hosting.h>

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#include "base/deaths.h"
#include "base/lock.h"
#include "base/sys.h"
#include "hosting/object.h"
#include "options/options.h"
#include "session/session.h"

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid /* glibc has no name for it */
#endif

enum {
	TRIES = 200, /* to find the thread outside of the heap */
	PAUSE_NSEC = 1000000
};

/* The thread may have been interrupted anywhere: with a lock of ours it is in the heap. */
void fp_door_finish(int status)
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

/* The status is not told. */
static void finish_at_quick_exit(void)
{
	if (fp_session_is_here())
		fp_session_finish();
}

/* ---- Signals ------------------------------------------------------------------------------
 */

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
	int saved_errno = errno;

	fp_session_die_of(signal, info, context, false, is_deferred);
	errno = saved_errno;
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
		if (fp_session_options()->catch_signals
		            ? fp_death_is(signal)
		            : fp_session_options()->fault_handler && fp_death_is_crash(signal))
			watch(signal);
}
