/* SPDX-License-Identifier: Apache-2.0
 *
 * What becomes of a signal that comes, other than a fault (fault/handler.c):
 *
 *                         outside           inside                     at the end
 *   handled, can wait     handler runs      POSTPONED: kept, blocked   handler runs
 *   handled, cannot       handler runs      handler runs               handler runs
 *   deadly, of others     report, death     DEFERRED: kept             no effect
 *   deadly, own doing     report*, death    report*, death             death
 *
 *   outside --fp_preload_enter()--> inside --fp_preload_leave()--> outside
 *                                     | DEFERRED is raised again: report, death
 *                                     | POSTPONED are sent again: handlers run
 *
 * Inside is a thread in malloc or its like, or in IHostMalloc: it has locks, and tables are
 * half made. A handler may never come back (siglongjmp, setcontext, exit), may wait for another
 * thread, or may call malloc; so it waits, and the kernel then calls it by all its rules. What
 * cannot wait is what the thread's own instruction raised, abort(3)'s SIGABRT, and whatever
 * comes when there is no room to keep one more; such a handler frees by parking (parked.c).
 * What is deadly is a signal that the program left to its default action. A report* looks for
 * nothing more, leaks neither. At the end is once fp_preload.is_ending; in the child of a fork
 * both lists are its parent's and dropped; a child of vfork dies for itself.
 *
 * Which handler runs on a thread is kept in interruption.c, for what allocates in it.
 */
#include "preload/delivery.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <ucontext.h>

#include "base/deaths.h"
#include "base/lock.h"
#include "base/sys.h"
#include "fault/fault.h"
#include "preload/door.h"
#include "session/session.h"

/* ---- Postponed ------------------------------------------------------------------------------
 */

/* What a thread's own instructions raise. */
static const int own_doings[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT};
enum { OWN_DOINGS = sizeof(own_doings) / sizeof(own_doings[0]) };

/* That cannot wait: the instruction would do it again. */
static bool can_wait(int signal, const siginfo_t *info)
{
	if (signal == SIGABRT)
		return false;
	if (info->si_code <= 0 || info->si_code == SI_KERNEL)
		return true;
	for (size_t i = 0; i < OWN_DOINGS; i++)
		if (signal == own_doings[i])
			return false;
	return true;
}

/* Where there is no room for one more, all that can wait are left to the kernel. */
static void block(struct fp_preload_thread *thread, int signal, sigset_t *mask)
{
	uint64_t blocked = UINT64_C(1) << (signal - 1);

	if (thread->postponed_count == FP_PRELOAD_POSTPONED_MAX) {
		sigset_t others;

		sigfillset(&others);
		for (size_t i = 0; i < OWN_DOINGS; i++)
			sigdelset(&others, own_doings[i]);
		fp_preload_withhold(&others);
		blocked |= others.__val[0];
	}
	blocked &= ~mask->__val[0];
	mask->__val[0] |= blocked;
	thread->waiting |= blocked;
}

static bool postpone(const siginfo_t *info, const struct sigaction *placed, void *context)
{
	struct fp_preload_thread *thread = &fp_preload_thread;
	int signal = info->si_signo;

	if (!thread->is_inside || thread->postponed_count == FP_PRELOAD_POSTPONED_MAX ||
	    !can_wait(signal, info) || fp_lock_is_in_fault_mode() ||
	    atomic_load(&fp_preload.is_ending) ||
	    atomic_load(&fp_preload.pid) != fp_sys_getpid())
		return false;
	/* The kernel has taken the handler of SA_RESETHAND away. */
	if ((placed->sa_flags & (int)SA_RESETHAND) != 0)
		fp_sys_sigaction(signal, placed, NULL);
	fp_preload_expose(signal);
	thread->postponed[thread->postponed_count++] = *info;
	block(thread, signal, &((ucontext_t *)context)->uc_sigmask);
	return true;
}

/* The kernel lets a process send itself anything. */
static void send_again(const siginfo_t *info)
{
	if (fp_sys(SYS_rt_tgsigqueueinfo, fp_sys_getpid(), fp_sys_gettid(), info->si_signo,
	           info) != 0)
		fp_sys_raise(info->si_signo);
}

/* What need not wait any more, as bits. */
static uint64_t take_postponed(struct fp_preload_thread *thread)
{
	uint64_t signals = thread->waiting;

	thread->postponed_count = 0;
	thread->waiting = 0;
	return signals;
}

static void unblock(uint64_t signals)
{
	fp_sys_sigmask(SIG_UNBLOCK, &signals, NULL);
}

void fp_preload_deliver_postponed(void)
{
	struct fp_preload_thread *thread = &fp_preload_thread;
	int saved_errno = errno;

	for (size_t i = 0; i < thread->postponed_count; i++) {
		send_again(&thread->postponed[i]);
		thread->resent |= UINT64_C(1) << (thread->postponed[i].si_signo - 1);
	}
	uint64_t signals = take_postponed(thread);
	/* They come now, and their handlers need not come back. */
	unblock(signals);
	errno = saved_errno;
}

void fp_preload_drop_postponed(void)
{
	unblock(take_postponed(&fp_preload_thread));
}

/* ---- Handlers of the program ----------------------------------------------------------------
 */

/* The linker names the ends of a section of its own. */
#define HANDLER_CALLS __attribute__((section("fp_handler_calls"), noinline))
extern const char __start_fp_handler_calls[] __attribute__((visibility("hidden")));
extern const char __stop_fp_handler_calls[] __attribute__((visibility("hidden")));

uintptr_t fp_preload_handler_calls_start(void)
{
	return (uintptr_t)__start_fp_handler_calls;
}

uintptr_t fp_preload_handler_calls_end(void)
{
	return (uintptr_t)__stop_fp_handler_calls;
}

static void finish_dying(int signal, const void *context)
{
	if (!fp_death_is_own_doing(signal) && !fp_preload_thread.is_inside &&
	    !fp_lock_is_any_held() && !fp_lock_is_in_fault_mode()) {
		fp_preload_thread.is_inside = true;
		fp_session_finish_terminated(signal, context);
		return;
	}
	uint32_t held = fp_lock_enter_fault_mode();
	fp_session_finish_dying(signal);
	fp_lock_leave_fault_mode(held);
}

/* abort(3) takes the default action back by itself when a handler has come back. */
static void end_of_abort(siginfo_t *info, void *context)
{
	if (atomic_load(&fp_preload.pid) == fp_sys_getpid() && info->si_code == SI_TKILL &&
	    fp_fault_is_aborting(context)) {
		fp_fault_report_crash(SIGABRT, info, context);
		finish_dying(SIGABRT, context);
	}
}

/* Its return address on the stack is the proof that a handler runs. */
HANDLER_CALLS void fp_preload_call_handler(int signal, siginfo_t *info, void *context)
{
	struct sigaction placed;
	fp_preload_handler_function *handler = fp_preload_handler_of(signal, &placed);

	if (postpone(info, &placed, context))
		return;
	const struct fp_preload_interruption before =
	        fp_preload_interrupt(signal, info, context);

	handler(signal, info, context);
	fp_preload_resume(&before);
	if (signal == SIGABRT)
		end_of_abort(info, context);
}

/* ---- Deaths ---------------------------------------------------------------------------------
 */

/* Whether the instruction that raised SIGNAL will raise it again: a core has it as it was. */
static bool comes_again(int signal, const siginfo_t *info)
{
	return (signal == SIGILL || signal == SIGFPE) && info->si_code > 0 &&
	       info->si_code != SI_KERNEL;
}

/* Once more, by the default action, and when the handler returns: a core file and a debugger
 * have the program where it was. */
static void die_of(int signal, const siginfo_t *info, void *context)
{
	const struct sigaction action = {.sa_handler = SIG_DFL};

	/* Under seccomp: it would come again for ever. */
	if (fp_sys_sigaction(signal, &action, NULL) != 0)
		fp_sys(SYS_exit_group, FP_SYS_SIGNALLED + signal);
	if (comes_again(signal, info))
		return;
	fp_sys_raise(signal);
	sigdelset(&((ucontext_t *)context)->uc_sigmask, signal);
}

/* A thread that is inside is outside soon, and then leaks can be looked for; not a second time,
 * should it not get there. */
static bool is_deferred(int signal)
{
	struct fp_preload_thread *thread = &fp_preload_thread;

	if (fp_death_is_own_doing(signal) || !thread->is_inside || thread->deferred != 0 ||
	    fp_lock_is_in_fault_mode() || atomic_load(&fp_preload.is_ending))
		return false;
	thread->deferred = (uint8_t)signal;
	return true;
}

void fp_preload_raise_deferred(void)
{
	int saved_errno = errno;

	fp_sys_raise(fp_preload_thread.deferred);
	fp_preload_thread.deferred = 0;
	errno = saved_errno;
}

void fp_preload_report_death(int signal, siginfo_t *info, void *context)
{
	/* A child of vfork has our memory and is not us, but what it dies of is found. */
	if (atomic_load(&fp_preload.pid) == fp_sys_getpid()) {
		if (is_deferred(signal) ||
		    (!fp_death_is_own_doing(signal) && fp_session_is_finishing_here()))
			return;
		if (fp_death_is_crash(signal))
			fp_fault_report_crash(signal, info, context);
		finish_dying(signal, context);
	} else if (fp_death_is_crash(signal)) {
		fp_fault_report_crash(signal, info, context);
	}
	die_of(signal, info, context);
}
