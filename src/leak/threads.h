/* SPDX-License-Identifier: Apache-2.0
 *
 * Stopping all other threads of the process, without ptrace(2): a signal asks them, and its
 * handler tells where their registers and their stack are and waits. Who has the signal
 * blocked, waits for it, or is on the way in or out is not asked, so no signal is ever left
 * behind that could interrupt or kill later.
 *
 * Context: alloc. Private to leak.
 */
#ifndef FP_LEAK_THREADS_H
#define FP_LEAK_THREADS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum fp_leak_thread_state {
	FP_LEAK_THREAD_ASKED,
	FP_LEAK_THREAD_STOPPED,
	FP_LEAK_THREAD_UNANSWERED,
	FP_LEAK_THREAD_GONE,
};

struct fp_leak_thread {
	uint32_t id;
	_Atomic uint32_t state; /* enum fp_leak_thread_state; the rest when it is STOPPED */
	bool is_signalled;
	uintptr_t stack;   /* the stack pointer */
	uintptr_t context; /* the ucontext_t with the registers, valid while it stands */
	uintptr_t storage; /* an address in its thread-local storage */
};

struct fp_leak_threads {
	struct fp_leak_thread *threads;
	size_t capacity;
	_Atomic size_t count;
	size_t stopped;
	size_t unanswered;
	unsigned
	        patience_ms; /* for one that does not answer; 0: as long as threads ever take */
};

/* Room for the threads there are and some more. 0 or a negative errno. */
int fp_leak_threads_make(struct fp_leak_threads *threads);
void fp_leak_threads_free(struct fp_leak_threads *threads);

/* Forgets the threads of the last round. */
void fp_leak_threads_clear(struct fp_leak_threads *threads);

/* Stops all threads but the calling one, which takes no lock that another one may have. Asks
 * for no memory. */
void fp_leak_threads_stop(struct fp_leak_threads *threads);

/* Sets them going again. */
void fp_leak_threads_resume(void);

/* An address in the thread-local storage of the calling thread. */
uintptr_t fp_leak_thread_storage(void);

#endif
