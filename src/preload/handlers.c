/* SPDX-License-Identifier: Apache-2.0
 *
 * What the program says about handlers of signals. Those of faults are remembered and not done:
 * ours stay, and pass on to the program's. In place of the others the kernel has two functions
 * of delivery.c: one that calls the program's handler, and one for signals that would end the
 * process without a word. The program reads back what it set.
 */
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

#include "base/deaths.h"
#include "base/lock.h"
#include "base/sys.h"
#include "fault/fault.h"
#include "preload/buffers.h"
#include "preload/delivery.h"
#include "preload/door.h"
#include "preload/export.h"
#include "session/session.h"

typedef fp_preload_handler_function handler_function;

/* What the program installed last that is to be called; what it made of a signal since, the
 * kernel knows. */
static struct {
	_Atomic(handler_function *) handler;
	_Atomic int flags;
	_Atomic uint8_t withheld; /* from its mask */
	struct sigaction placed;  /* what the kernel got for it */
} of_program[NSIG];

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

handler_function *fp_preload_handler_of(int signal, struct sigaction *placed)
{
	*placed = of_program[signal].placed;
	return atomic_load(&of_program[signal].handler);
}

/* With fault_handler=no all is the kernel's. */
static bool are_ours(void)
{
	return fp_fault_exchange_action(SIGSEGV, NULL, NULL);
}

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
		action->sa_sigaction = fp_preload_call_handler;
		action->sa_flags |= SA_SIGINFO;
	} else if (action->sa_handler == SIG_DFL && fp_death_is(signal)) {
		of_default[signal] = (struct defaulted){.flags = action->sa_flags,
		                                        .mask = action->sa_mask.__val[0]};
		action->sa_sigaction = fp_preload_report_death;
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
	if (old->sa_sigaction == fp_preload_report_death) {
		*old = (struct sigaction){.sa_flags = memory->by_default.flags};
		old->sa_mask.__val[0] = memory->by_default.mask;
	} else if (old->sa_sigaction == fp_preload_call_handler) {
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
	    !are_ours())
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

	for (int signal = 1; are_ours() && signal < NSIG; signal++)
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

static bool is_interrupting(int number)
{
	return number > 0 && number < NSIG &&
	       (atomic_load(&interrupting) >> (number - 1) & 1) != 0;
}

FP_EXPORT sighandler_t signal(int number, sighandler_t handler)
{
	return set_handler(number, handler, is_interrupting(number) ? 0 : SA_RESTART);
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
