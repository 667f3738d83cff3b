/* SPDX-License-Identifier: Apache-2.0
 *
 * What the program says about the signals of faults is remembered and not done: our handlers
 * stay, and pass on to the program's. They are also never blocked, because the kernel kills a
 * process whose blocked signal a fault raises, before anybody could say why. The program reads
 * back what it set, as far as it was this thread that set it; what it does not get is that a
 * SIGSEGV or SIGBUS that a process sends waits while it is blocked.
 */
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fault/fault.h"
#include "preload/door.h"
#include "preload/export.h"

/* glibc's own name for sigaction(2), beside the one that stands below. */
extern int __sigaction(int signal, const struct sigaction *action, struct sigaction *old);

enum { KERNEL_SIGSET_BYTES = 8, FIRST_OF_LIBC = 32, LAST_OF_LIBC = 33 };

/* The signals that are spared, by bits where they are kept: of a mask that the program set,
 * those that it thinks are in it. */
static const int spared_signals[] = {SIGSEGV, SIGBUS};
enum { SPARED = 2 };

static _Thread_local uint8_t withheld;    /* from the thread's mask */
static _Atomic uint8_t withheld_of[NSIG]; /* from the masks of handlers */
static sighandler_t (*libc_signal)(int number, sighandler_t handler);
static sighandler_t (*libc_sysv_signal)(int number, sighandler_t handler);

/* With fault_handler=no all is the kernel's. */
static bool are_ours(void)
{
	return fp_fault_exchange_action(SIGSEGV, NULL, NULL);
}

/* Takes the spared signals out of SET; which were in it. */
static uint8_t withhold(sigset_t *set)
{
	uint8_t bits = 0;

	for (int i = 0; i < SPARED; i++) {
		if (sigismember(set, spared_signals[i]) == 1)
			bits |= (uint8_t)(1 << i);
		sigdelset(set, spared_signals[i]);
	}
	return bits;
}

static void put_back(sigset_t *set, uint8_t bits)
{
	for (int i = 0; i < SPARED; i++)
		if ((bits & 1 << i) != 0)
			sigaddset(set, spared_signals[i]);
}

const sigset_t *fp_preload_spare(const sigset_t *mask, sigset_t *spared)
{
	if (mask == NULL || !are_ours())
		return mask;
	*spared = *mask;
	withhold(spared);
	return spared;
}

uint8_t fp_preload_withheld(void)
{
	return withheld;
}

static int change_mask(int how, const sigset_t *set, sigset_t *old)
{
	return syscall(SYS_rt_sigprocmask, how, set, old, KERNEL_SIGSET_BYTES) == 0 ? 0 : errno;
}

void fp_preload_adopt_mask(uint8_t inherited)
{
	sigset_t faults;
	sigset_t old;

	if (!are_ours())
		return;
	sigemptyset(&faults);
	put_back(&faults, (uint8_t)~0);
	if (change_mask(SIG_UNBLOCK, &faults, &old) == 0)
		withheld = inherited | withhold(&old);
}

/* A program may be started, and its first thread with it, by one that blocks all. */
__attribute__((constructor)) static void adopt_first_mask(void)
{
	if (!fp_preload_start())
		return;
	fp_fault_never_block();
	fp_preload_adopt_mask(0);
}

static void find_functions(void)
{
	libc_sysv_signal = (sighandler_t(*)(int, sighandler_t))dlsym(RTLD_NEXT, "sysv_signal");
	libc_signal = (sighandler_t(*)(int, sighandler_t))dlsym(RTLD_NEXT, "signal");
}

/* ---- Handlers -----------------------------------------------------------------------------
 */

FP_EXPORT int sigaction(int signal, const struct sigaction *action, struct sigaction *old)
{
	struct sigaction spared;
	uint8_t bits = 0;

	if (fp_fault_exchange_action(signal, action, old))
		return 0;
	if (action != NULL && are_ours()) {
		spared = *action;
		bits = withhold(&spared.sa_mask);
		action = &spared;
	}
	int status = __sigaction(signal, action, old);
	if (status != 0)
		return status;
	uint8_t before = action == NULL ? atomic_load(&withheld_of[signal])
	                                : atomic_exchange(&withheld_of[signal], bits);
	if (old != NULL)
		put_back(&old->sa_mask, before);
	return 0;
}

/* As libc's functions do it for a signal that is ours; others are left to them. */
static bool set_handler(int signal, sighandler_t *handler, int flags)
{
	struct sigaction action = {.sa_handler = *handler, .sa_flags = flags};
	struct sigaction old;

	sigemptyset(&action.sa_mask);
	if ((flags & SA_NODEFER) == 0)
		sigaddset(&action.sa_mask, signal);
	if (*handler == SIG_ERR || !fp_fault_exchange_action(signal, &action, &old))
		return false;
	*handler = old.sa_handler;
	return true;
}

FP_EXPORT sighandler_t signal(int number, sighandler_t handler)
{
	if (set_handler(number, &handler, SA_RESTART))
		return handler;
	if (libc_signal == NULL)
		find_functions();
	return libc_signal(number, handler);
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
	if (set_handler(number, &handler, (int)SA_RESETHAND | SA_NODEFER))
		return handler;
	if (libc_sysv_signal == NULL)
		find_functions();
	return libc_sysv_signal(number, handler);
}

FP_EXPORT sighandler_t sysv_signal(int number, sighandler_t handler)
{
	return __sysv_signal(number, handler);
}

/* ---- Masks --------------------------------------------------------------------------------
 */

/* As libc does it: the signals it keeps for itself are never blocked either. */
static int change_spared(int how, const sigset_t *set, sigset_t *old)
{
	sigset_t spared = *set;
	uint8_t bits = are_ours() ? withhold(&spared) : 0;

	for (int number = FIRST_OF_LIBC; number <= LAST_OF_LIBC; number++)
		spared.__val[0] &= ~(1UL << (number - 1));
	int status = change_mask(how, &spared, old);
	if (status != 0)
		return status;
	if (old != NULL)
		put_back(old, withheld);
	if (how == SIG_SETMASK)
		withheld = bits;
	else
		withheld = how == SIG_BLOCK ? withheld | bits : (uint8_t)(withheld & ~bits);
	return 0;
}

static int look_at_mask(sigset_t *old)
{
	int status = change_mask(SIG_BLOCK, NULL, old);

	if (status == 0 && old != NULL)
		put_back(old, withheld);
	return status;
}

FP_EXPORT int pthread_sigmask(int how, const sigset_t *set, sigset_t *old)
{
	int saved_errno = errno;
	int status = set == NULL ? look_at_mask(old) : change_spared(how, set, old);

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

FP_EXPORT int sighold(int number)
{
	sigset_t set;

	sigemptyset(&set);
	return sigaddset(&set, number) != 0 ? -1 : sigprocmask(SIG_BLOCK, &set, NULL);
}
