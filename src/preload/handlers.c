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
 * comes when there is no room to keep one more; such a handler frees by parking (blocks.c).
 * What is deadly is a signal that the program left to its default action. A report* looks for
 * nothing more, leaks neither. At the end is once fp_preload.is_ending; in the child of a fork
 * both lists are its parent's and dropped; a child of vfork dies for itself.
 *
 * Which handler runs on a thread is kept in interruption.c, for what allocates in it.
 */
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <ucontext.h>

#include "base/deaths.h"
#include "base/lock.h"
#include "base/sys.h"
#include "fault/fault.h"
#include "preload/buffers.h"
#include "preload/door.h"
#include "preload/export.h"
#include "session/session.h"

typedef void handler_function(int signal, siginfo_t *info, void *context);

/* What the program installed last that is to be called; what it made of a signal since, the
 * kernel knows. */
static struct {
	_Atomic(handler_function *) handler;
	_Atomic int flags;
	_Atomic uint8_t withheld; /* from its mask */
	struct sigaction placed;  /* what the kernel got for it */
} of_program[NSIG];

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
		const siginfo_t *info = &thread->postponed[i];

		/* The kernel lets a process send itself anything. */
		if (fp_sys(SYS_rt_tgsigqueueinfo, fp_sys_getpid(), fp_sys_gettid(),
		           info->si_signo, info) != 0)
			fp_sys_raise(info->si_signo);
		thread->resent |= UINT64_C(1) << (info->si_signo - 1);
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

/* abort(3) takes the default action back by itself when a handler has come back. */
static void end_of_abort(siginfo_t *info, void *context)
{
	if (atomic_load(&fp_preload.pid) == fp_sys_getpid() && info->si_code == SI_TKILL &&
	    fp_fault_is_aborting(context)) {
		fp_fault_report_crash(SIGABRT, info, context);
		fp_session_finish_terminated(SIGABRT, context, fp_preload_thread.is_inside);
	}
}

/* Its return address on the stack is the proof that a handler runs. */
HANDLER_CALLS static void call_handler(int signal, siginfo_t *info, void *context)
{
	handler_function *handler = atomic_load(&of_program[signal].handler);
	const struct sigaction placed = of_program[signal].placed;

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

/* A thread that is inside is outside soon, and then leaks can be looked for; not a second time,
 * should it not get there. Else it is inside from now on. */
static bool is_deferred(int signal)
{
	struct fp_preload_thread *thread = &fp_preload_thread;

	if (!thread->is_inside || thread->deferred != 0 || fp_lock_is_in_fault_mode() ||
	    atomic_load(&fp_preload.is_ending)) {
		thread->is_inside = true;
		return false;
	}
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

static void report_death(int signal, siginfo_t *info, void *context)
{
	fp_session_die_of(signal, info, context, fp_preload_thread.is_inside, is_deferred);
}

/* ---- What the program says about handlers --------------------------------------------------
 *
 * What the program says about handlers of signals. Those of faults are remembered and not done:
 * ours stay, and pass on to the program's. In place of the others the kernel has two functions
 * of ours: one that calls the program's handler, and one for signals that would end the
 * process without a word. The program reads back what it set.
 */

/* Signals whose system calls are not restarted (siginterrupt), as bits. */
static _Atomic uint64_t interrupting;

#ifndef SA_RESTORER
#define SA_RESTORER 0x04000000
#endif

/* What the program set of deadly ones while it wanted the default action. */
static struct defaulted {
	int flags;
	uint64_t mask;
} of_default[NSIG];

static bool is_handler(const struct sigaction *action)
{
	return action->sa_handler != SIG_DFL && action->sa_handler != SIG_IGN &&
	       action->sa_handler != SIG_ERR;
}

/* Turns ACTION into what the kernel is to have. */
static void place(int signal, struct sigaction *action)
{
	if (is_handler(action)) {
		fp_preload_withhold(&action->sa_mask);
		action->sa_sigaction = call_handler;
		action->sa_flags |= SA_SIGINFO;
	} else if (action->sa_handler == SIG_DFL && fp_death_is(signal)) {
		of_default[signal] = (struct defaulted){.flags = action->sa_flags,
		                                        .mask = action->sa_mask.__val[0]};
		action->sa_sigaction = report_death;
		action->sa_flags = SA_SIGINFO | SA_ONSTACK;
		sigfillset(&action->sa_mask);
		fp_preload_withhold(&action->sa_mask);
	}
}

static void remember(int signal, const struct sigaction *action)
{
	sigset_t mask = action->sa_mask;

	atomic_store(&of_program[signal].flags, action->sa_flags);
	atomic_store(&of_program[signal].withheld, fp_preload_withhold(&mask));
	if (atomic_exchange(&of_program[signal].handler, action->sa_sigaction) !=
	    action->sa_sigaction)
		fp_preload_note_handler(signal);
}

/* What the program reads back where the kernel has ours. */
struct memory {
	handler_function *handler;
	int flags;
	uint8_t withheld;
	struct defaulted by_default;
};

static struct memory remembered(int signal)
{
	return (struct memory){
	        .handler = atomic_load(&of_program[signal].handler),
	        .flags = atomic_load(&of_program[signal].flags),
	        .withheld = atomic_load(&of_program[signal].withheld),
	        .by_default = of_default[signal],
	};
}

static void take_back(struct sigaction *old, const struct memory *memory)
{
	if (old->sa_sigaction == report_death) {
		*old = (struct sigaction){.sa_flags = memory->by_default.flags};
		old->sa_mask.__val[0] = memory->by_default.mask;
	} else if (old->sa_sigaction == call_handler) {
		old->sa_sigaction = memory->handler;
		if ((memory->flags & SA_SIGINFO) == 0)
			old->sa_flags &= ~SA_SIGINFO;
		fp_preload_put_back(&old->sa_mask, memory->withheld);
	}
}

/* OLD may be ACTION. */
static int exchange(int signal, const struct sigaction *action, struct sigaction *old)
{
	const struct memory memory = remembered(signal);
	struct sigaction placed;

	if (action != NULL) {
		placed = *action;
		place(signal, &placed);
		/* Before the kernel: from then on it may be called. */
		if (is_handler(action)) {
			remember(signal, action);
			of_program[signal].placed = placed;
		}
	}
	int status = __sigaction(signal, action != NULL ? &placed : NULL, old);
	if (status == 0 && old != NULL)
		take_back(old, &memory);
	return status;
}

FP_EXPORT int sigaction(int signal, const struct sigaction *action, struct sigaction *old)
{
	fp_buffer_check(action, sizeof(*action), FP_ACCESS_READ);
	fp_buffer_check(old, sizeof(*old), FP_ACCESS_WRITE);
	if (fp_fault_exchange_action(signal, action, old))
		return 0;
	if (fp_preload_keeps_default(signal, action)) {
		if (old != NULL)
			*old = (struct sigaction){.sa_handler = SIG_DFL};
		return 0;
	}
	if (signal < 1 || signal >= NSIG || signal == SIGKILL || signal == SIGSTOP ||
	    !fp_preload_has_faults())
		return __sigaction(signal, action, old);
	return exchange(signal, action, old);
}

/* The kernel's own layout. */
struct kernel_action {
	handler_function *handler;
	unsigned long flags;
	void (*restorer)(void);
	uint64_t mask;
};

long fp_preload_sigaction_by_number(long number, int signal, const struct kernel_action *wanted,
                                    struct kernel_action *old)
{
	struct kernel_action placed = {0};
	struct sigaction action;
	struct sigaction before;

	if (wanted != NULL) {
		action = (struct sigaction){.sa_flags = (int)wanted->flags};
		action.sa_sigaction = wanted->handler;
		action.sa_mask.__val[0] = wanted->mask;
	}
	if (sigaction(signal, wanted != NULL ? &action : NULL, &before) != 0)
		return -1;
	if (old != NULL) {
		/* Whoever gives it back to the kernel himself needs the way back from a
		 * handler. */
		fp_sys(number, signal, NULL, &placed, FP_SYS_SIGSET_BYTES);
		*old = (struct kernel_action){.handler = before.sa_sigaction,
		                              .flags = (unsigned)before.sa_flags |
		                                       (placed.flags & SA_RESTORER),
		                              .restorer = placed.restorer,
		                              .mask = before.sa_mask.__val[0]};
	}
	return 0;
}

/* What was there at the start: an ignored signal stays so. */
void fp_preload_watch_deaths(void)
{
	struct sigaction action;

	for (int signal = 1; fp_preload_has_faults() && signal < NSIG; signal++)
		if (fp_death_is(signal) && sigaction(signal, NULL, &action) == 0 &&
		    action.sa_handler == SIG_DFL)
			sigaction(signal, &action, NULL);
}

/* ---- By other names -------------------------------------------------------------------------
 */

static sighandler_t set_handler(int number, sighandler_t handler, int flags)
{
	struct sigaction action = {.sa_handler = handler, .sa_flags = flags};

	if (handler == SIG_ERR) {
		errno = EINVAL;
		return SIG_ERR;
	}
	sigemptyset(&action.sa_mask);
	if ((flags & SA_NODEFER) == 0 && sigaddset(&action.sa_mask, number) != 0)
		return SIG_ERR;
	return sigaction(number, &action, &action) == 0 ? action.sa_handler : SIG_ERR;
}

FP_EXPORT sighandler_t signal(int number, sighandler_t handler)
{
	return set_handler(number, handler,
	                   (number > 0 && number < NSIG &&
	                    (atomic_load(&interrupting) >> (number - 1) & 1) != 0)
	                           ? 0
	                           : SA_RESTART);
}

FP_EXPORT sighandler_t ssignal(int number, sighandler_t handler)
{
	return signal(number, handler);
}

FP_EXPORT sighandler_t bsd_signal(int number, sighandler_t handler)
{
	return signal(number, handler);
}

/* System V's, which X/Open programs get: once, and not deferred. */
FP_EXPORT sighandler_t __sysv_signal(int number, sighandler_t handler)
{
	return set_handler(number, handler, (int)SA_RESETHAND | SA_NODEFER);
}

FP_EXPORT sighandler_t sysv_signal(int number, sighandler_t handler)
{
	return __sysv_signal(number, handler);
}

FP_EXPORT int siginterrupt(int number, int is_to_interrupt)
{
	struct sigaction action;

	if (sigaction(number, NULL, &action) != 0)
		return -1;
	if (is_to_interrupt) {
		atomic_fetch_or(&interrupting, (uint64_t)1 << (number - 1));
		action.sa_flags &= ~SA_RESTART;
	} else {
		atomic_fetch_and(&interrupting, ~((uint64_t)1 << (number - 1)));
		action.sa_flags |= SA_RESTART;
	}
	return sigaction(number, &action, NULL);
}

FP_EXPORT int sigignore(int number)
{
	struct sigaction action = {.sa_handler = SIG_IGN};

	sigemptyset(&action.sa_mask);
	return sigaction(number, &action, NULL);
}

/* System V's other one: a disposition, or SIG_HOLD for blocked. */
FP_EXPORT sighandler_t sigset(int number, sighandler_t disposition)
{
	bool is_hold = disposition == SIG_HOLD;
	struct sigaction action = {.sa_handler = disposition};
	struct sigaction old;
	sigset_t before;
	sigset_t set;

	sigemptyset(&action.sa_mask);
	sigemptyset(&set);
	if (sigaddset(&set, number) != 0 ||
	    sigaction(number, is_hold ? NULL : &action, &old) != 0 ||
	    sigprocmask(is_hold ? SIG_BLOCK : SIG_UNBLOCK, &set, &before) != 0)
		return SIG_ERR;
	return sigismember(&before, number) == 1 ? SIG_HOLD : old.sa_handler;
}
