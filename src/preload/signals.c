/* SPDX-License-Identifier: Apache-2.0
 *
 * What the program says about the signals of faults is remembered and not done: our handlers
 * stay, and pass on to the program's. They are also never blocked, because the kernel kills a
 * process whose blocked signal a fault raises, before anybody could say why.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fault/fault.h"
#include "preload/export.h"

/* glibc's own name for sigaction(2), beside the one that stands below. */
extern int __sigaction(int signal, const struct sigaction *action, struct sigaction *old);

enum { KERNEL_SIGSET_BYTES = 8, FIRST_OF_LIBC = 32, LAST_OF_LIBC = 33 };

static void spare_fault_signals(sigset_t *set)
{
	sigdelset(set, SIGSEGV);
	sigdelset(set, SIGBUS);
}

FP_EXPORT int sigaction(int signal, const struct sigaction *action, struct sigaction *old)
{
	struct sigaction spared;

	if (fp_fault_exchange_action(signal, action, old))
		return 0;
	if (action != NULL) {
		spared = *action;
		spare_fault_signals(&spared.sa_mask);
		action = &spared;
	}
	return __sigaction(signal, action, old);
}

static sighandler_t set_handler(int signal, sighandler_t handler, int flags)
{
	struct sigaction action = {.sa_handler = handler, .sa_flags = flags};
	struct sigaction old;

	sigemptyset(&action.sa_mask);
	if ((flags & SA_NODEFER) == 0)
		sigaddset(&action.sa_mask, signal);
	return sigaction(signal, &action, &old) == 0 ? old.sa_handler : SIG_ERR;
}

FP_EXPORT sighandler_t signal(int number, sighandler_t handler)
{
	if (handler == SIG_ERR || number < 1 || number >= NSIG) {
		errno = EINVAL;
		return SIG_ERR;
	}
	return set_handler(number, handler, SA_RESTART);
}

FP_EXPORT sighandler_t ssignal(int number, sighandler_t handler)
{
	return signal(number, handler);
}

/* System V's, which X/Open programs get: once, and not deferred. */
FP_EXPORT sighandler_t __sysv_signal(int number, sighandler_t handler)
{
	if (handler == SIG_ERR || number < 1 || number >= NSIG) {
		errno = EINVAL;
		return SIG_ERR;
	}
	return set_handler(number, handler, (int)SA_RESETHAND | SA_NODEFER);
}

FP_EXPORT sighandler_t sysv_signal(int number, sighandler_t handler)
{
	return __sysv_signal(number, handler);
}

/* As libc does it: the signals it keeps for itself are never blocked either. */
FP_EXPORT int pthread_sigmask(int how, const sigset_t *set, sigset_t *old)
{
	sigset_t spared;

	if (set != NULL && how != SIG_UNBLOCK) {
		spared = *set;
		spare_fault_signals(&spared);
		for (int number = FIRST_OF_LIBC; number <= LAST_OF_LIBC; number++)
			spared.__val[0] &= ~(1UL << (number - 1));
		set = &spared;
	}
	int saved_errno = errno;
	int status = syscall(SYS_rt_sigprocmask, how, set, old, KERNEL_SIGSET_BYTES) == 0
	                     ? 0
	                     : errno;
	errno = saved_errno;
	return status;
}

FP_EXPORT int sigprocmask(int how, const sigset_t *set, sigset_t *old)
{
	int status = pthread_sigmask(how, set, old);

	if (status == 0)
		return 0;
	errno = status;
	return -1;
}
