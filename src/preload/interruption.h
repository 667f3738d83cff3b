/* SPDX-License-Identifier: Apache-2.0
 *
 * Handlers of signals that call malloc. POSIX allows it where what was interrupted is not
 * malloc or its like: because the thread raised the signal itself, or a fault did, because it
 * waited in a system call, or because the signal is blocked around every malloc. So a finding
 * needs two facts, both seen on the same thread: the handler of a signal that came between two
 * instructions called malloc, and that signal was not blocked while malloc ran.
 *
 * Context: fault, except where a function says otherwise. Private to the module.
 */
#ifndef FP_PRELOAD_INTERRUPTION_H
#define FP_PRELOAD_INTERRUPTION_H

#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* The handler that runs on a thread, as far as is known: one that was left by a jump is taken
 * for running until the stack shows otherwise. */
struct fp_preload_interruption {
	uint8_t signal; /* 0: none */
	bool is_asynchronous;
	uint8_t looks_left; /* at the stack */
	uint32_t depth;     /* handlers that interrupted each other */
};

/* What a thread knows of the masks under which it calls malloc. */
struct fp_preload_exposure {
	uint32_t seen;    /* the generation of handlers that the rest is about */
	uint32_t settled; /* as SEEN, once there is nothing left to learn */
	uint32_t looks_left;
	uint64_t signals; /* those with a handler that were not blocked, as bits */
};

/* Counts changes of handlers; what threads know of earlier ones is out of date. */
extern _Atomic uint32_t fp_preload_handlers;

/* SIGNAL gets a handler of the program, another one than before. */
void fp_preload_note_handler(int signal);

/* SIGNAL came while the thread was inside, where it could have been blocked. */
void fp_preload_expose(int signal);

/* Around the program's handler of SIGNAL. */
struct fp_preload_interruption fp_preload_interrupt(int signal, const siginfo_t *info,
                                                    const void *context);
void fp_preload_resume(const struct fp_preload_interruption *before);

/* Where program's handlers are called from. */
uintptr_t fp_preload_handler_calls_start(void);
uintptr_t fp_preload_handler_calls_end(void);

/* CALL ("malloc") is on its way through the door, which the thread has entered. Context: alloc.
 */
void fp_preload_look_at_call(const char *call);

#endif
