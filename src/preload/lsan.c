/* SPDX-License-Identifier: Apache-2.0
 *
 * LeakSanitizer's functions, for programs that know nothing of us, and what tests ask about
 * leaks. A signal handler that interrupts them may call malloc: the thread is inside meanwhile.
 */

#include "base/panic.h"
#include "base/thread.h"
#include "preload/door.h"
#include "preload/export.h"
#include "session/session.h"

/* The program's own, if it has them and shows them to libraries. */
#pragma weak __lsan_is_turned_off
#pragma weak __lsan_default_options
#pragma weak __lsan_default_suppressions

void fp_preload_start_lsan(void)
{
	fp_session_set_lsan(&(struct fp_session_lsan){
	        .is_turned_off = __lsan_is_turned_off,
	        .default_options = __lsan_default_options,
	        .default_suppressions = __lsan_default_suppressions,
	});
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
	if (!fp_preload_enter())
		return;
	fp_session_ignore_block(p);
	fp_preload_leave();
}

void __lsan_register_root_region(const void *p, size_t size)
{
	if (!fp_preload_enter())
		return;
	fp_session_add_root(p, size);
	fp_preload_leave();
}

void __lsan_unregister_root_region(const void *p, size_t size)
{
	if (!fp_preload_enter())
		return;
	fp_session_remove_root(p, size);
	fp_preload_leave();
}

int __lsan_do_recoverable_leak_check(void)
{
	if (!fp_preload_enter())
		return 0;
	bool has_leaks = fp_session_check_leaks() != 0;
	fp_preload_leave();
	return has_leaks;
}

FP_EXPORT bool fp_has_new_leaks(char *text, size_t size)
{
	if (!fp_preload_enter()) {
		if (text != NULL && size > 0)
			text[0] = '\0';
		return false;
	}
	bool has_leaks = fp_session_has_new_leaks(text, size);
	fp_preload_leave();
	return has_leaks;
}

void __lsan_do_leak_check(void)
{
	if (!fp_preload_enter())
		return;
	int status = fp_session_check_leaks_finally();
	fp_preload_leave();
	if (status == 0)
		return;
	fp_preload_finish(status);
	fp_end(status);
}
