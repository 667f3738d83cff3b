/* SPDX-License-Identifier: Apache-2.0
 *
 * The door under malloc: who may pass. A thread that is inside Fencepost already, because our
 * own code or a signal handler called malloc, is served by libc: our locks are not reentrant,
 * and neither is the unwinder. So is everybody before libc itself is ready.
 *
 * Context: alloc. Private to the module.
 */
#ifndef FP_PRELOAD_DOOR_H
#define FP_PRELOAD_DOOR_H

#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/lock.h"
#include "base/room.h"
#include "fault/fault.h"
#include "heap/heap.h"
#include "preload/interruption.h"
#include "preload/picker.h"

enum { FP_PRELOAD_PARKED_AT_HAND = 16, FP_PRELOAD_POSTPONED_MAX = 4 };

struct fp_preload_shelf;

/* Initial-exec storage: it exists as long as the thread does, whatever its destructors do. */
struct fp_preload_thread {
	volatile bool is_inside;
	volatile uint8_t
	        deferred; /* a signal that ends the process once we are outside, or 0 */
	struct fp_picker_thread picker;
	struct fp_preload_interruption interruption;
	struct fp_preload_exposure exposure;
	/* The program's, which else only the kernel may know: here leaks are looked for, too.
	 */
	void *alternate_stack;
	/* Signals whose handlers wait until the thread is outside; and as bits, those that are
	 * blocked until then, and those that were sent again and have not come yet. */
	volatile uint8_t postponed_count;
	volatile uint64_t waiting;
	volatile uint64_t resent;
	siginfo_t postponed[FP_PRELOAD_POSTPONED_MAX];
	/* Blocks that were freed while the thread was inside: the first ones here, the others
	 * on shelves (in blocks.c). */
	_Atomic uint32_t parked_count;
	struct fp_heap_claim parked[FP_PRELOAD_PARKED_AT_HAND];
	struct fp_preload_shelf *_Atomic shelf;
};

enum fp_preload_state {
	FP_PRELOAD_COLD,
	FP_PRELOAD_STARTING,
	FP_PRELOAD_OPEN,
	FP_PRELOAD_SHUT /* the session could not start: all is libc's */
};

struct fp_preload {
	_Atomic int state; /* enum fp_preload_state */
	struct fp_heap *heap;
	bool picks;          /* some blocks are left to libc */
	_Atomic int32_t pid; /* whose end is to be reported: not a vfork child's */
	_Atomic bool is_ending;
};

extern _Thread_local struct fp_preload_thread fp_preload_thread;
extern struct fp_preload fp_preload;

/* Starts the session at the first call that finds libc ready; whether it stands. */
bool fp_preload_start(void);

/* Once more, for a thread that is outside now (in handlers.c). */
void fp_preload_raise_deferred(void);

/* Calls their handlers, of a thread that is outside now (in handlers.c). */
void fp_preload_deliver_postponed(void);

/* In the child of a fork: they are the parent's. */
void fp_preload_drop_postponed(void);

/* Frees what was parked. The thread is inside. */
void fp_preload_free_parked(void *unused);

/* True: the thread is inside from now on, until it leaves. */
static inline bool fp_preload_enter(void)
{
	/* The hosting interfaces do not enter: who interrupted them meets their locks. */
	if (fp_preload_thread.is_inside || fp_lock_is_any_held())
		return false;
	if (atomic_load_explicit(&fp_preload.state, memory_order_acquire) != FP_PRELOAD_OPEN &&
	    !fp_preload_start())
		return false;
	fp_preload_thread.is_inside = true;
	return true;
}

static inline void fp_preload_leave(void)
{
	if (atomic_load_explicit(&fp_preload_thread.parked_count, memory_order_relaxed) > 0)
		fp_room_run(fp_preload_free_parked, NULL);
	fp_preload_thread.is_inside = false;
	/* After that: what comes now is not deferred. */
	if (fp_preload_thread.deferred != 0)
		fp_preload_raise_deferred();
	if (fp_preload_thread.postponed_count > 0)
		fp_preload_deliver_postponed();
}

/* Each call that the thread entered for: a look at thread-local storage, and seldom more. */
static inline void fp_preload_watch(const char *call)
{
	if (fp_preload_thread.interruption.signal != 0 ||
	    fp_preload_thread.exposure.settled !=
	            atomic_load_explicit(&fp_preload_handlers, memory_order_relaxed))
		fp_preload_look_at_call(call);
}

/* Whether the block that CALLER wants is left to libc; then it is counted. FRAME is that of the
 * function it called, for how deep the stack is. */
static inline bool fp_picker_leaves(uintptr_t caller, uintptr_t frame, size_t size)
{
	struct fp_picker *own = fp_preload_thread.picker.own;
	uint64_t key = fp_picker_key(own, caller, frame, size);
	struct fp_picker_share *share = fp_picker_share(own, key);
	uint64_t left = atomic_load_explicit(&share->left, memory_order_relaxed);

	if ((left ^ key) >> 32 != 0 || (uint32_t)left == 0)
		return fp_picker_decide(caller, frame, size);
	atomic_store_explicit(&share->left, left - 1, memory_order_relaxed);
	return true;
}

/* Has the programs that this one executes start without us (in exec.c). */
void fp_preload_leave_children(void);

/* Whether the program calls our malloc, and not one that it brings (in malloc.c). */
bool fp_preload_is_malloc_ours(void);

/* Ours, whatever the program calls (in malloc.c). */
uintptr_t fp_preload_own_malloc(void);

/* Whether FUNCTION is the way to a function elsewhere: a program that is not
 * position-independent and takes the address of one gives it that of its own stub (in
 * malloc.c). */
bool fp_preload_is_stub(uintptr_t function);

/* After fp_preload_find_next: who asks for libc's malloc gets ours (in redirect.c). */
void fp_preload_redirect_libc(void);

/* Whether there may be blocks of another C library, in a namespace of its own, which nobody can
 * give back; and at the end, says that modules have namespaces (in redirect.c). */
bool fp_preload_has_namespaces(void);
void fp_preload_note_namespaces(void);

/* Finds out whether the program has operators of its own (in operators.c). */
void fp_preload_find_operators(void);

/* Signals that libc keeps for itself. */
enum { FP_PRELOAD_FIRST_OF_LIBC = 32, FP_PRELOAD_LAST_OF_LIBC = 33 };

/* sigaction and sigprocmask by number, in the kernel's layouts: -1 with errno, as syscall(3).
 */
struct kernel_action;
long fp_preload_sigaction_by_number(long number, int signal, const struct kernel_action *wanted,
                                    struct kernel_action *old);
long fp_preload_sigmask_by_number(long number, int how, const sigset_t *set, sigset_t *old);

/* Whether the signals of faults are ours: with fault_handler=no all is the kernel's. */
static inline bool fp_preload_has_faults(void)
{
	return fp_fault_exchange_action(SIGSEGV, NULL, NULL);
}

/* In signals.c: takes the signals of faults out of SET; which were in it, and back. */
uint8_t fp_preload_withhold(sigset_t *set);
void fp_preload_put_back(sigset_t *set, uint8_t bits);

/* Whether the action that the program gives SIGNAL, or asks for with NULL, is the default one
 * and needs not be done, because the signal is one that Fencepost uses. */
bool fp_preload_keeps_default(int signal, const struct sigaction *action);

/* From now on signals that end the process have it reported (in handlers.c). */
void fp_preload_watch_deaths(void);

/* In signals.c: MASK without the signals of faults, for which there is room in SPARED. */
const sigset_t *fp_preload_spare(const sigset_t *mask, sigset_t *spared);

/* What the calling thread's mask seems to have to the program and has not, and how a thread
 * begins that inherits it. */
uint8_t fp_preload_withheld(void);
void fp_preload_adopt_mask(uint8_t inherited);

/* Gives the kernel what the program believes of its mask and of the signals of faults that it
 * ignores: a program that is executed now inherits it. The other takes that back. It stands on
 * the program's stack while that is executed, and is small. */
struct fp_preload_signals {
	uint64_t mask;   /* that is shown in addition */
	unsigned faults; /* fp_fault_show_ignored() */
};
void fp_preload_show_signals(struct fp_preload_signals *before);
void fp_preload_hide_signals(const struct fp_preload_signals *before);

/* What programs that are built with <valgrind/valgrind.h> ask Valgrind: a few instructions that
 * do nothing, but for whoever looks for them. The answer to a request, ARGUMENTS[0], with its
 * arguments behind it, or OTHERWISE (in client.c). Context: as if the program had called a
 * function. */
uintptr_t fp_client_answer(const uintptr_t *arguments, uintptr_t otherwise);

/* From now on requests come there, of modules that are loaded already and of others (in
 * client_code_CPU.c). */
void fp_client_start(void);

#endif
