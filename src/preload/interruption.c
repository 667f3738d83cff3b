/* SPDX-License-Identifier: Apache-2.0
 *
 * What a thread's calls of malloc and its signals have to do with each other. Whether a handler
 * still runs is asked of the stack, because programs leave handlers by jumps, by exceptions and
 * by switching contexts.
 */
#include "preload/interruption.h"

#include <errno.h>
#include <string.h>
#include <ucontext.h>

#include "base/deaths.h"
#include "base/sys.h"
#include "base/text.h"
#include "heap/findings.h"
#include "preload/door.h"
#include "stack/stack.h"

enum { MASK_LOOKS = 100, STACK_LOOKS = 20, NAME_BYTES = 24 };

_Atomic uint32_t fp_preload_handlers;

static _Atomic uint64_t handled;  /* signals that have had a handler, as bits */
static _Atomic uint64_t reported; /* those whose handler was reported */

static uint64_t bit_of(int signal)
{
	return (uint64_t)1 << (signal - 1);
}

void fp_preload_note_handler(int signal)
{
	atomic_fetch_or(&handled, bit_of(signal));
	atomic_fetch_and(&reported, ~bit_of(signal));
	atomic_fetch_add(&fp_preload_handlers, 1);
}

/* Neither a fault of the thread's own doing nor sent by the program to itself. */
static bool is_asynchronous(int signal, const siginfo_t *info)
{
	switch (info->si_code) {
	case SI_USER:
	case SI_TKILL:
	case SI_QUEUE:
		return info->si_pid != fp_sys_getpid();
	default:
		break;
	}
	return signal == SIGABRT ||
	       (signal != SIGSEGV && signal != SIGBUS && !fp_death_is_own_doing(signal));
}

#if defined(__x86_64__)
enum { CALL_BYTES = 2, PAGE_LEAST = 4096 };

static bool is_call(uintptr_t code)
{
	static const unsigned char system_call[CALL_BYTES] = {0x0f, 0x05};

	return code % PAGE_LEAST <= PAGE_LEAST - CALL_BYTES &&
	       memcmp((const void *)code, system_call, CALL_BYTES) == 0;
}

static uintptr_t interrupted_code(const ucontext_t *context)
{
	return (uintptr_t)context->uc_mcontext.gregs[REG_RIP];
}
#elif defined(__aarch64__)
enum { CALL_BYTES = 4, PAGE_LEAST = 4096 };

static bool is_call(uintptr_t code)
{
	return *(const uint32_t *)code == 0xd4000001;
}

static uintptr_t interrupted_code(const ucontext_t *context)
{
	return (uintptr_t)context->uc_mcontext.pc;
}
#else
#error "say how a system call looks on this machine"
#endif

/* Behind the call, or at it again when that is to be restarted. What stands before the start of
 * a page may be nothing. */
static bool is_in_system_call(const ucontext_t *context)
{
	uintptr_t code = interrupted_code(context);

	return is_call(code) || (code % PAGE_LEAST >= CALL_BYTES && is_call(code - CALL_BYTES));
}

void fp_preload_expose(int signal)
{
	struct fp_preload_thread *thread = &fp_preload_thread;

	if (thread->exposure.seen == atomic_load(&fp_preload_handlers))
		thread->exposure.signals |= bit_of(signal);
}

/* What was sent again did not come where it seems to. */
static bool was_resent(int signal)
{
	struct fp_preload_thread *thread = &fp_preload_thread;
	bool is_resent = (thread->resent & bit_of(signal)) != 0;

	thread->resent &= ~bit_of(signal);
	return is_resent;
}

struct fp_preload_interruption fp_preload_interrupt(int signal, const siginfo_t *info,
                                                    const void *context)
{
	struct fp_preload_thread *thread = &fp_preload_thread;
	const struct fp_preload_interruption before = thread->interruption;

	if (thread->is_inside)
		fp_preload_expose(signal);
	thread->interruption = (struct fp_preload_interruption){
	        .signal = (uint8_t)signal,
	        .is_asynchronous = is_asynchronous(signal, info) &&
	                           (was_resent(signal) || !is_in_system_call(context)),
	        .looks_left = STACK_LOOKS,
	        .depth = before.depth + 1,
	};
	return before;
}

void fp_preload_resume(const struct fp_preload_interruption *before)
{
	fp_preload_thread.interruption = *before;
}

/* A few looks at each generation of handlers; threads that block all signals for ever must not
 * pay for ever. */
static void look_at_mask(struct fp_preload_exposure *exposure)
{
	uint32_t now = atomic_load(&fp_preload_handlers);
	uint64_t blocked = 0;

	if (exposure->seen != now)
		*exposure = (struct fp_preload_exposure){
		        .seen = now, .settled = now - 1, .looks_left = MASK_LOOKS};
	if (fp_sys_sigmask(SIG_BLOCK, NULL, &blocked) == 0)
		exposure->signals |= atomic_load(&handled) & ~blocked;
	if (exposure->signals == atomic_load(&handled) || --exposure->looks_left == 0)
		exposure->settled = now;
}

/* The stack is the judge: only when as many handlers are on it as are thought to run, the
 * innermost one does. */
static void look_at_stack(struct fp_preload_thread *thread, const char *call)
{
	struct fp_preload_interruption *interruption = &thread->interruption;
	struct fp_stack_crossing crossing = {
	        .start = fp_preload_handler_calls_start(),
	        .end = fp_preload_handler_calls_end(),
	};
	uint64_t bit = bit_of(interruption->signal);

	if (interruption->looks_left == 0)
		return;
	interruption->looks_left--;
	fp_trace_id trace = fp_stack_capture_to(&crossing);
	if (crossing.count == 0 && !crossing.is_cut) {
		*interruption = (struct fp_preload_interruption){0};
		return;
	}
	if (crossing.count != interruption->depth || !interruption->is_asynchronous ||
	    (thread->exposure.signals & bit) == 0)
		return;
	char name[NAME_BYTES];

	interruption->looks_left = 0;
	if ((atomic_fetch_or(&reported, bit) & bit) != 0)
		return;
	const char *abbreviation = sigabbrev_np(interruption->signal);
	struct fp_text text;

	fp_text_begin(&text, name, NAME_BYTES);
	fp_text_string(&text, abbreviation != NULL ? "SIG" : "signal ");
	if (abbreviation != NULL)
		fp_text_string(&text, abbreviation);
	else
		fp_text_decimal(&text, (uint64_t)interruption->signal);
	fp_findings_in_handler(&(const struct fp_misuse){.trace = trace}, call, name);
}

void fp_preload_look_at_call(const char *call)
{
	struct fp_preload_thread *thread = &fp_preload_thread;
	int saved_errno = errno;

	if (thread->interruption.signal == 0)
		look_at_mask(&thread->exposure);
	else
		look_at_stack(thread, call);
	errno = saved_errno;
}
