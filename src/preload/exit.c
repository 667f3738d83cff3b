/* SPDX-License-Identifier: Apache-2.0
 *
 * All ends of a process that still run code. The handler is registered before the loader
 * registers its own, so it runs after every destructor, and what those do is seen.
 */
#include <stdlib.h>
#include <unistd.h>

#include "base/lock.h"
#include "base/panic.h"
#include "base/sys.h"
#include "preload/door.h"
#include "preload/export.h"
#include "session/session.h"

void fp_preload_finish(int status)
{
	struct fp_preload_thread *thread = &fp_preload_thread;
	bool was_inside = thread->is_inside || fp_lock_is_any_held();
	uint32_t held = 0;

	/* A child of vfork ends in its parent's memory. */
	if (atomic_load(&fp_preload.state) != FP_PRELOAD_OPEN ||
	    atomic_load(&fp_preload.pid) != fp_sys_getpid())
		return;
	atomic_store(&fp_preload.is_ending, true);
	/* A handler that interrupted us ends the process: what we hold is never given back. */
	if (was_inside)
		held = fp_lock_enter_fault_mode();
	bool was_entered = thread->is_inside;
	thread->is_inside = true;
	fp_preload_note_namespaces();
	fp_session_set_exit(status);
	fp_session_finish();
	thread->is_inside = was_entered;
	if (was_inside)
		fp_lock_leave_fault_mode(held);
}

static void finish_at_exit(int status, void *unused)
{
	(void)unused;
	fp_preload_finish(status);
}

static void finish_at_quick_exit(void)
{
	fp_preload_finish(0);
}

void fp_preload_watch_exit(void)
{
	on_exit(finish_at_exit, NULL);
	at_quick_exit(finish_at_quick_exit);
}

FP_EXPORT _Noreturn void _exit(int status)
{
	fp_preload_finish(status);
	fp_end(status);
}

FP_EXPORT _Noreturn void _Exit(int status)
{
	fp_preload_finish(status);
	fp_end(status);
}
