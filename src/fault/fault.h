/* SPDX-License-Identifier: Apache-2.0
 *
 * Accesses to guards and sealed slots, from the signal they raise. Only addresses of our slots
 * are claimed; everything else goes, untouched, to the handler that was there or to the default
 * action.
 *
 * Context: report, except where a function says otherwise.
 */
#ifndef FP_FAULT_FAULT_H
#define FP_FAULT_FAULT_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

#include "model/finding.h"

struct fp_fault_config {
	fp_finding_sink sink; /* called in the handler, in fault mode (base/lock.h) */
	void *sink_user;
	/* Called in the handler once nothing can keep the process from dying of SIGNAL. */
	void (*dying)(int signal);
	/* Whether the process that dies is ours, and has not told all already. */
	bool (*is_mortal)(void);
	/* Whether it is a child of vfork(2), which ends while ours goes on and has ours' memory
	 * and log. */
	bool (*is_guest)(void);
	/* Called there with a sentence for the report. */
	void (*note)(const char *text);
	bool has_handlers; /* else only fp_fault_check_range finds anything */
	bool goes_on;      /* --continue: step over the instruction and go on */
	bool carries_out;  /* align=auto: instructions that need more than blocks have */
};

/* Takes the configuration and installs the handlers of SIGSEGV and SIGBUS, and of SIGTRAP to go
 * on, unless none are wanted. 0 or a negative errno; -ENOTSUP when this machine cannot go on
 * after a fault. */
int fp_fault_start(const struct fp_fault_config *config);

/* Whether this machine can go on after a fault. Any context. */
bool fp_fault_can_step(void);

/* How many instructions were carried out. Any context. */
uint64_t fp_fault_carried_out(void);

/* Installs them again over what the program installed since; that becomes the handler that
 * faults of its own are passed to. 0 or a negative errno. */
int fp_fault_install(void);

/*
 * For a door that sees the program's sigaction(2) calls: whether SIGNAL is one of ours, and
 * then ACTION becomes, and *OLD receives, what the program's own handler is. Neither may be
 * given.
 */
bool fp_fault_exchange_action(int signal, const struct sigaction *action,
                              struct sigaction *old);

/* For a door that sees programs being executed: has the kernel ignore what the program ignores
 * of our signals, because the next program inherits that. Which, for the other, which takes
 * them back. */
unsigned fp_fault_show_ignored(void);
void fp_fault_hide_ignored(unsigned shown);

/* For a door that keeps our signals out of the program's masks: its handlers of them run with
 * them unblocked, too, and a fault in one is reported before it kills. IS_BLOCKED: whether the
 * program would have SIGNAL blocked where the kernel has MASK; a fault kills then. */
void fp_fault_never_block(bool (*is_blocked)(int signal, const sigset_t *mask));

/* By a door: whether the calling thread IS_INSIDE: runs our code, or what that calls, and
 * nothing of the program's, though it may hold no lock of ours. What faults there is a bug of
 * ours; it is said to be one, and never a finding. */
void fp_fault_ask_inside(bool (*is_inside)(void));

/* Gives the calling thread an alternate signal stack if it has none. Cheap when it was called
 * before. Context: alloc. */
void fp_fault_attach_thread(void);

/* The process is about to die of SIGNAL, which the program does not handle: INFO and CONTEXT
 * are what its handler got. Makes the finding that says why, unless one that was made does.
 * Context: fault. */
void fp_fault_report_crash(int signal, const siginfo_t *info, void *context);

/* Whether CONTEXT, the third argument of a handler of SIGABRT, is abort(3)'s, which ends the
 * process whatever the handler does. Context: fault. */
bool fp_fault_is_aborting(void *context);

/* Whether all LENGTH bytes at ADDRESS may be accessed as far as we know; if not, a finding is
 * made with the caller's stack. Context: alloc. */
bool fp_fault_check_range(uintptr_t address, size_t length, enum fp_access access);

/* The same: the first byte of them that may not, or 0. */
uintptr_t fp_fault_find_bad(uintptr_t address, size_t length, enum fp_access access);

#endif
