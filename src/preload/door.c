/* SPDX-License-Identifier: Apache-2.0
 *
 * The start of the session under a program that does not know of it, and its part in fork.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/lock.h"
#include "base/messages.h"
#include "base/sys.h"
#include "base/text.h"
#include "fault/fault.h"
#include "options/options.h"
#include "preload/door.h"
#include "preload/export.h"
#include "preload/next.h"
#include "session/session.h"

_Thread_local struct fp_preload_thread fp_preload_thread = {.picker.own = &fp_picker_none};
struct fp_preload fp_preload;

/* From the first of fork's handlers to the last: our locks are held in between. */
static void before_fork(void)
{
	fp_preload_thread.is_inside = true;
}

static void after_fork(void)
{
	fp_preload_leave();
}

static void after_fork_in_child(void)
{
	atomic_store(&fp_preload.pid, fp_sys_getpid());
	/* It was the parent's. */
	fp_preload_thread.deferred = 0;
	fp_preload_drop_postponed();
	fp_room_forget();
	fp_picker_renew_in_child(fp_preload_thread.picker.own);
	fp_preload_leave();
}

/* A handler of the program may run there, too, for what cannot wait. */
static bool is_inside(void)
{
	return fp_preload_thread.is_inside && fp_preload_thread.interruption.signal == 0;
}

static bool enter(void)
{
	return fp_preload_enter();
}

static void leave(void)
{
	fp_preload_leave();
}

/* ---- The end -------------------------------------------------------------------------------
 *
 * All ends of a process that still run code. The handler is registered before the loader
 * registers its own, so it runs after every destructor, and what those do is seen.
 */

void fp_door_finish(int status)
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
	fp_door_finish(status);
}

static void finish_at_quick_exit(void)
{
	fp_door_finish(0);
}

/* ---- The start
 * -------------------------------------------------------------------------------
 */

static bool open_session(void)
{
	static const struct fp_heap_traits traits = {.error_codes = {.has_hresult = false}};

	const struct fp_own_object door = fp_own_read("libfencepost-preload.so", &__ehdr_start);

	fp_session_open_door(FP_DOOR_MALLOC, &door, fencepost_on_finding);
	fp_fault_ask_inside(is_inside);
	if (fp_session_start(NULL) != 0)
		return false;
	if (fp_heap_create(&traits, &fp_preload.heap) != 0) {
		fp_say(FP_TELL_NOT_WATCHED, strerrordesc_np(ENOMEM));
		return false;
	}
	fp_preload.picks = fp_picker_start();
	atomic_store(&fp_preload.pid, fp_sys_getpid());
	if (!fp_preload_is_malloc_ours())
		fp_session_note(FP_TELL_OWN_MALLOC);
	if (!fp_session_options()->trace_children)
		fp_preload_leave_children();
	fp_session_watch_unseen();
	fp_preload_find_next();
	fp_preload_redirect_libc();
	fp_preload_find_operators();
	fp_preload_find_libc();
	on_exit(finish_at_exit, NULL);
	at_quick_exit(finish_at_quick_exit);
	fp_client_start();
	fp_session_set_passage(enter, leave);
	/* After the session's: handlers before fork run last to first, those after it first to
	 * last. */
	return pthread_atfork(before_fork, after_fork, after_fork_in_child) == 0;
}

static void open_door(void *argument)
{
	bool *is_open = argument;

	*is_open = open_session();
}

bool fp_preload_start(void)
{
	int cold = FP_PRELOAD_COLD;

	/* The loader calls malloc before libc has its environment. */
	if (environ == NULL)
		return false;
	if (!atomic_compare_exchange_strong(&fp_preload.state, &cold, FP_PRELOAD_STARTING))
		return cold == FP_PRELOAD_OPEN;
	fp_preload_thread.is_inside = true;
	struct fp_room *room = fp_room_take();
	bool is_open;
	fp_room_work(room, open_door, &is_open);
	fp_room_give(room);
	atomic_store(&fp_preload.state, is_open ? FP_PRELOAD_OPEN : FP_PRELOAD_SHUT);
	fp_preload_thread.is_inside = false;
	return is_open;
}

/* For programs that never call malloc: they are told so. */
__attribute__((constructor)) static void start(void)
{
	fp_preload_start();
}
