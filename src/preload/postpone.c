/* SPDX-License-Identifier: Apache-2.0
 *
 * Signals that come while the thread is inside: their handlers wait until it is outside,
 * because a handler may never come back (siglongjmp, setcontext, exit), may wait for another
 * thread, or may call malloc, and each of that would meet locks that are held and tables that
 * are half made. A signal that waits is blocked, and then sent again as it came, so that the
 * kernel calls the handler by all its rules.
 */
#include <errno.h>
#include <signal.h>
#include <ucontext.h>

#include "base/lock.h"
#include "base/sys.h"
#include "preload/door.h"

/* glibc's own name for sigaction(2). */
extern int __sigaction(int signal, const struct sigaction *action, struct sigaction *old);

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

bool fp_preload_postpone(const siginfo_t *info, const struct sigaction *placed, void *context)
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
		__sigaction(signal, placed, NULL);
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
