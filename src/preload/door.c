/* SPDX-License-Identifier: Apache-2.0
 *
 * The start of the session under a program that does not know of it, and its part in fork.
 */
#include "preload/door.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/messages.h"
#include "base/sys.h"
#include "base/text.h"
#include "fault/fault.h"
#include "preload/client.h"
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

FP_EXPORT void fencepost_on_finding(const struct fp_finding_info *finding)
{
	/* It is called, though it does nothing. */
	__asm__ volatile("" : : "r"(finding) : "memory");
}

FP_EXPORT bool fp_describe(const void *address, struct fp_block_info *info)
{
	/* A signal's handler may have interrupted us with a lock. */
	if (fp_lock_is_any_held())
		return false;
	bool is_entered = fp_preload_enter();
	bool is_known = fp_session_describe_address((uintptr_t)address, info);

	if (is_entered)
		fp_preload_leave();
	return is_known;
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
	if (!fp_session_traces_children())
		fp_preload_leave_children();
	fp_session_watch_unseen();
	fp_preload_find_next();
	fp_preload_redirect_libc();
	fp_preload_find_operators();
	fp_preload_find_calls();
	fp_preload_find_system_call();
	fp_preload_find_threads();
	fp_preload_find_programs();
	fp_preload_watch_exit();
	fp_preload_start_lsan();
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
