/* SPDX-License-Identifier: Apache-2.0
 *
 * The signals that end a process that says nothing about them, and what they say of it. Of bad
 * accesses, SIGSEGV and SIGBUS, fault/ takes care.
 */
#ifndef FP_BASE_DEATHS_H
#define FP_BASE_DEATHS_H

#include <signal.h>
#include <stdbool.h>

/* Raised by what the thread itself did: it cannot go on, and is in the midst of it. */
static inline bool fp_death_is_own_doing(int signal)
{
	return signal == SIGABRT || signal == SIGILL || signal == SIGTRAP || signal == SIGFPE ||
	       signal == SIGSYS;
}

/* What nobody sends to end a program. */
static inline bool fp_death_is_crash(int signal)
{
	return fp_death_is_own_doing(signal) || signal == SIGXCPU;
}

static inline bool fp_death_is(int signal)
{
	switch (signal) {
	case SIGHUP:
	case SIGINT:
	case SIGTERM:
	case SIGPIPE:
	case SIGALRM:
	case SIGUSR1:
	case SIGUSR2:
	case SIGPROF:
	case SIGVTALRM:
	case SIGPOLL:
	case SIGQUIT:
		return true;
	default:
		return fp_death_is_crash(signal);
	}
}

#endif
