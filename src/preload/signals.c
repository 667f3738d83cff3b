/* SPDX-License-Identifier: Apache-2.0
 *
 * The signals of faults are never blocked, because the kernel kills a process whose blocked
 * signal a fault raises, before anybody could say why. The program reads back what it set, as
 * far as it was this thread that set it. A SIGSEGV or SIGBUS that a process sends waits while
 * the program has it blocked: then it is really blocked (fp_fault_put_off).
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "base/lock.h"
#include "base/readable.h"
#include "base/sys.h"
#include "fault/fault.h"
#include "leak/leak.h"
#include "preload/buffers.h"
#include "preload/door.h"
#include "preload/export.h"
#include "session/session.h"

/* The signals that are spared: those of faults, and the one that stops threads while leaks are
 * looked for. Where bits are kept of them, they are those that the program thinks are in a mask
 * that it set. */
static const int fault_signals[] = {SIGSEGV, SIGBUS};
enum { STOP = 2, SPARED = 3 };

static _Atomic int stop_signal; /* 0: none yet */

static _Thread_local uint8_t withheld;      /* from the thread's mask */
static _Thread_local uint64_t mask_of_then; /* that the kernel got with that */

/* 0 for one that is not spared. */
static int spared_signal(int i)
{
	if (i == STOP)
		return atomic_load_explicit(&stop_signal, memory_order_relaxed);
	return fp_preload_has_faults() ? fault_signals[i] : 0;
}

uint8_t fp_preload_withhold(sigset_t *set)
{
	uint8_t bits = 0;

	for (int i = 0; i < SPARED; i++) {
		int signal = spared_signal(i);

		if (signal == 0)
			continue;
		if (sigismember(set, signal) == 1)
			bits |= (uint8_t)(1 << i);
		sigdelset(set, signal);
	}
	return bits;
}

void fp_preload_put_back(sigset_t *set, uint8_t bits)
{
	for (int i = 0; i < SPARED; i++)
		if ((bits & 1 << i) != 0 && spared_signal(i) != 0)
			sigaddset(set, spared_signal(i));
}

const sigset_t *fp_preload_spare(const sigset_t *mask, sigset_t *spared)
{
	/* The kernel answers EFAULT, and reads no more than its own set. */
	if (!fp_is_readable(mask, FP_SYS_SIGSET_BYTES))
		return mask;
	sigemptyset(spared);
	spared->__val[0] = mask->__val[0];
	fp_preload_withhold(spared);
	return spared;
}

uint8_t fp_preload_withheld(void)
{
	return withheld;
}

static int change_mask(int how, const sigset_t *set, sigset_t *old)
{
	return -fp_sys_sigmask(how, set, old);
}

void fp_preload_adopt_mask(uint8_t inherited)
{
	sigset_t faults;
	sigset_t old;

	sigemptyset(&faults);
	fp_preload_put_back(&faults, (uint8_t)~0);
	if (change_mask(SIG_BLOCK, NULL, &old) == 0) {
		withheld = inherited | fp_preload_withhold(&old);
		mask_of_then = old.__val[0];
	}
	/* One that waits comes now, and is asked about. */
	change_mask(SIG_UNBLOCK, &faults, NULL);
}

/* Apart from who calls it on what may be a small stack, and mostly has nothing to show. */
__attribute__((noinline)) static uint64_t show_withheld(void)
{
	sigset_t set;
	sigset_t old;

	sigemptyset(&set);
	fp_preload_put_back(&set, withheld);
	return change_mask(SIG_BLOCK, &set, &old) == 0 ? set.__val[0] & ~old.__val[0] : 0;
}

__attribute__((noinline)) static void hide_again(uint64_t mask)
{
	sigset_t set;

	sigemptyset(&set);
	set.__val[0] = mask;
	change_mask(SIG_UNBLOCK, &set, NULL);
}

void fp_preload_show_signals(struct fp_preload_signals *before)
{
	before->faults = fp_fault_show_ignored();
	before->mask = withheld != 0 ? show_withheld() : 0;
}

void fp_preload_hide_signals(const struct fp_preload_signals *before)
{
	fp_fault_hide_ignored(before->faults);
	if (before->mask != 0)
		hide_again(before->mask);
}

/* As far as is known: not when the thread's mask became another one by a jump or in a handler,
 * which say nothing of what is withheld. */
static bool is_blocked(int signal, const sigset_t *mask)
{
	sigset_t blocked;

	sigemptyset(&blocked);
	fp_preload_put_back(&blocked, withheld);
	return sigismember(&blocked, signal) == 1 && mask->__val[0] == mask_of_then;
}

/* A program may be started, and its first thread with it, by one that blocks all. */
__attribute__((constructor)) static void adopt_first_mask(void)
{
	if (!fp_preload_start())
		return;
	fp_fault_never_block(is_blocked);
	fp_preload_watch_deaths();
	/* What a thread needs to be made is no block of the program's. */
	fp_preload_thread.is_inside = true;
	fp_session_answer();
	fp_preload_thread.is_inside = false;
	atomic_store(&stop_signal, fp_leak_signal());
	fp_preload_adopt_mask(0);
}

/* Whether SIGNAL is the one that stops threads and stays so: the program finds the default
 * action there, and may ask for that again. If it wants more, the signal is its own. */
bool fp_preload_keeps_default(int signal, const struct sigaction *action)
{
	sigset_t set;

	if (signal != 0 && signal == fp_session_leak_signal()) {
		if (action == NULL || action->sa_handler == SIG_DFL)
			return true;
		fp_session_yield_leak_signal();
		return false;
	}
	if (signal == 0 || signal != atomic_load(&stop_signal))
		return false;
	if (action == NULL || action->sa_handler == SIG_DFL)
		return true;
	sigemptyset(&set);
	fp_preload_put_back(&set, withheld & 1 << STOP);
	withheld &= (uint8_t) ~(1 << STOP);
	atomic_store(&stop_signal, fp_leak_yield_signal());
	change_mask(SIG_BLOCK, &set, NULL);
	return false;
}

/* What the kernel makes of a mask. */
static uint64_t changed(int how, uint64_t before, uint64_t set)
{
	const uint64_t never = UINT64_C(1) << (SIGKILL - 1) | UINT64_C(1) << (SIGSTOP - 1);

	if (how == SIG_SETMASK)
		return set & ~never;
	return how == SIG_BLOCK ? before | (set & ~never) : before & ~set;
}

/* To take a signal from the mask is right also of those that are spared: one may wait (see
 * fp_fault_put_off). */
static int change_spared(int how, const sigset_t *set, sigset_t *old)
{
	sigset_t spared;
	sigset_t before;

	sigemptyset(&spared);
	spared.__val[0] = set->__val[0];
	uint8_t bits = fp_preload_withhold(&spared);
	uint8_t before_it = withheld;
	uint8_t after_it = (uint8_t)changed(how, withheld, bits);

	if (how == SIG_UNBLOCK)
		fp_preload_put_back(&spared, bits);
	/* In a handler of ours it is us who asks, and the program's mask is another one. */
	if (fp_lock_is_in_fault_mode())
		return change_mask(how, &spared, old);
	/* What waited comes with the call, and is not to be put off again. */
	withheld &= after_it;
	/* It is the kernel that finds out whether OLD can be written. */
	int status = change_mask(how, &spared, old != NULL ? old : &before);
	withheld = status == 0 ? after_it : before_it;
	if (status != 0)
		return status;
	mask_of_then = changed(how, (old != NULL ? old : &before)->__val[0], spared.__val[0]);
	if (old != NULL)
		fp_preload_put_back(old, before_it);
	return 0;
}

static int look_at_mask(sigset_t *old)
{
	int status = change_mask(SIG_BLOCK, NULL, old);

	if (status == 0 && old != NULL)
		fp_preload_put_back(old, withheld);
	return status;
}

/* 0 or an errno. Of both sets no more than the kernel's own is touched. */
static int exchange_sets(int how, const sigset_t *set, sigset_t *old)
{
	int saved_errno = errno;
	int status = set == NULL ? look_at_mask(old) : change_spared(how, set, old);

	errno = saved_errno;
	return status;
}

/* libc never blocks the signals that it keeps for itself. */
FP_EXPORT int pthread_sigmask(int how, const sigset_t *set, sigset_t *old)
{
	sigset_t without;

	fp_check(rt_sigprocmask, how, set, old);
	if (set != NULL) {
		without.__val[0] = set->__val[0];
		for (int number = FP_PRELOAD_FIRST_OF_LIBC; number <= FP_PRELOAD_LAST_OF_LIBC;
		     number++)
			without.__val[0] &= ~(1UL << (number - 1));
		set = &without;
	}
	return exchange_sets(how, set, old);
}

long fp_preload_sigmask_by_number(long number, int how, const sigset_t *set, sigset_t *old)
{
	(void)number;
	return fp_preload_answer(-exchange_sets(how, set, old));
}

FP_EXPORT int sigprocmask(int how, const sigset_t *set, sigset_t *old)
{
	return (int)fp_preload_answer(-pthread_sigmask(how, set, old));
}

static int change_one(int how, int number)
{
	sigset_t set;

	sigemptyset(&set);
	return sigaddset(&set, number) != 0 ? -1 : sigprocmask(how, &set, NULL);
}

FP_EXPORT int sighold(int number)
{
	return change_one(SIG_BLOCK, number);
}

FP_EXPORT int sigrelse(int number)
{
	return change_one(SIG_UNBLOCK, number);
}

/* ---- BSD's masks, an int of the first signals -----------------------------------------------
 */

static sigset_t set_of(int mask)
{
	sigset_t set;

	sigemptyset(&set);
	set.__val[0] = (unsigned)mask;
	return set;
}

static int exchange_mask(int how, int mask)
{
	sigset_t set = set_of(mask);
	sigset_t old;

	return sigprocmask(how, &set, &old) == 0 ? (int)old.__val[0] : -1;
}

FP_EXPORT int sigblock(int mask)
{
	return exchange_mask(SIG_BLOCK, mask);
}

FP_EXPORT int sigsetmask(int mask)
{
	return exchange_mask(SIG_SETMASK, mask);
}

FP_EXPORT int siggetmask(void)
{
	return exchange_mask(SIG_BLOCK, 0);
}

/* <signal.h> gives the name to X/Open's. */
FP_EXPORT int bsd_sigpause(int mask) __asm__("sigpause");

int bsd_sigpause(int mask)
{
	sigset_t set = set_of(mask);

	return sigsuspend(&set);
}

/* X/Open's: the mask of the thread without one signal. */
FP_EXPORT int sigpause(int number)
{
	sigset_t set;

	if (sigprocmask(SIG_BLOCK, NULL, &set) != 0 || sigdelset(&set, number) != 0)
		return -1;
	return sigsuspend(&set);
}

FP_EXPORT int sigaltstack(const stack_t *stack, stack_t *old)
{
	fp_check(sigaltstack, stack, old);
	if (fp_preload_answer(fp_sys(SYS_sigaltstack, stack, old)) != 0)
		return -1;
	if (stack != NULL)
		fp_preload_thread.alternate_stack =
		        (stack->ss_flags & SS_DISABLE) != 0 ? NULL : stack->ss_sp;
	return 0;
}
