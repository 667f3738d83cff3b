/* SPDX-License-Identifier: Apache-2.0
 *
 * What both doors export: the functions of <fencepost/lsan.h>, what a program asks of leaks and
 * blocks, and the ends of a process that no exit handler is told of. Compiled into each of
 * them. A signal handler that interrupts them may call malloc: where malloc is ours, the thread
 * is inside meanwhile.
 */
#include <fencepost/fencepost.h>
#include <fencepost/lsan.h>

#include <stdlib.h>
#include <unistd.h>

#include "base/lock.h"
#include "base/panic.h"
#include "base/thread.h"
#include "session/session.h"

/* The program's own, if it has them and shows them to libraries. */
#pragma weak __lsan_is_turned_off
#pragma weak __lsan_default_options
#pragma weak __lsan_default_suppressions

__attribute__((constructor)) static void show_lsan(void)
{
	fp_session_set_lsan(&(struct fp_session_lsan){
	        .is_turned_off = __lsan_is_turned_off,
	        .default_options = __lsan_default_options,
	        .default_suppressions = __lsan_default_suppressions,
	});
}

/* False: the thread is in malloc already. */
static bool enter(void)
{
	return !fp_session_has_door(FP_DOOR_MALLOC) || fp_session_enter();
}

static void leave(void)
{
	if (fp_session_has_door(FP_DOOR_MALLOC))
		fp_session_leave();
}

void __lsan_disable(void)
{
	fp_thread_begin_ignoring();
}

void __lsan_enable(void)
{
	fp_thread_end_ignoring();
}

void __lsan_ignore_object(const void *p)
{
	if (!enter())
		return;
	fp_session_ignore_block(p);
	leave();
}

void __lsan_register_root_region(const void *p, size_t size)
{
	if (!enter())
		return;
	fp_session_add_root(p, size);
	leave();
}

void __lsan_unregister_root_region(const void *p, size_t size)
{
	if (!enter())
		return;
	fp_session_remove_root(p, size);
	leave();
}

int __lsan_do_recoverable_leak_check(void)
{
	if (!enter())
		return 0;
	bool has_leaks = fp_session_check_leaks() != 0;
	leave();
	return has_leaks;
}

void __lsan_do_leak_check(void)
{
	if (!enter())
		return;
	int status = fp_session_check_leaks_finally();
	leave();
	if (status == 0)
		return;
	fp_door_finish(status);
	fp_end(status);
}

bool fp_has_new_leaks(char *text, size_t size)
{
	if (!enter()) {
		if (text != NULL && size > 0)
			text[0] = '\0';
		return false;
	}
	bool has_leaks = fp_session_has_new_leaks(text, size);
	leave();
	return has_leaks;
}

bool fp_describe(const void *address, struct fp_block_info *info)
{
	/* A signal's handler may have interrupted us with a lock. */
	if (fp_lock_is_any_held())
		return false;
	bool is_entered = fp_session_enter();
	bool is_known = fp_session_describe_address((uintptr_t)address, info);

	if (is_entered)
		fp_session_leave();
	return is_known;
}

void fencepost_on_finding(const struct fp_finding_info *finding)
{
	/* It is called, though it does nothing. */
	__asm__ volatile("" : : "r"(finding) : "memory");
}

FP_API _Noreturn void _exit(int status)
{
	fp_door_finish(status);
	fp_end(status);
}

FP_API _Noreturn void _Exit(int status)
{
	fp_door_finish(status);
	fp_end(status);
}
