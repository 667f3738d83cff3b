/* SPDX-License-Identifier: Apache-2.0
 *
 * Alternate signal stacks: a thread's own stack may be too small for the handler, or be what
 * overflowed. They go back when the thread ends.
 */
#include <pthread.h>
#include <signal.h>

#include "base/meta.h"
#include "base/sys.h"
#include "base/thread.h"
#include "fault/state.h"

/* Handlers of the program that ask for no stack of their own run on this one too, as deep as
 * they are used to. Only pages that are touched cost memory. */
enum { STACK_BYTES = 512 << 10 };

static _Thread_local bool is_attached;
static pthread_once_t key_once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static bool has_key;

static void detach(void *stack)
{
	const stack_t none = {.ss_flags = SS_DISABLE};

	/* A thread that dies while it runs on its alternate stack keeps it. */
	if (fp_sys(SYS_sigaltstack, &none, NULL) == 0)
		fp_meta_free(stack, STACK_BYTES);
}

static void make_key(void)
{
	has_key = pthread_key_create(&key, detach) == 0;
}

static void attach(void)
{
	stack_t current;
	stack_t stack = {.ss_size = STACK_BYTES};

	if (fp_sys(SYS_sigaltstack, NULL, &current) != 0 ||
	    (current.ss_flags & SS_DISABLE) == 0)
		return;
	pthread_once(&key_once, make_key);
	stack.ss_sp = fp_meta_alloc(STACK_BYTES);
	if (stack.ss_sp == NULL)
		return;
	if (fp_sys(SYS_sigaltstack, &stack, NULL) != 0)
		fp_meta_free(stack.ss_sp, STACK_BYTES);
	else if (has_key)
		pthread_setspecific(key, stack.ss_sp);
}

void fp_fault_attach_thread(void)
{
	if (is_attached)
		return;
	/* A child of vfork has this thread's memory, and must not be the first to ask who it
	 * is. */
	fp_thread_self();
	if (!fp_fault_configuration.has_handlers)
		return;
	/* First: what is called below may allocate, and come here again. */
	is_attached = true;
	attach();
}
