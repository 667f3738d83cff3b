/* SPDX-License-Identifier: Apache-2.0
 *
 * The functions of <fencepost/lsan.h>, for programs that are linked with the library.
 */
#include <fencepost/lsan.h>

#include <unistd.h>

#include "base/panic.h"
#include "base/thread.h"
#include "hosting/object.h"
#include "session/session.h"

/* The program's own, if it has them and shows them to libraries. */
#pragma weak __lsan_is_turned_off
#pragma weak __lsan_default_options
#pragma weak __lsan_default_suppressions

void fp_lsan_start(void)
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
	fp_session_ignore_block(p);
}

void __lsan_register_root_region(const void *p, size_t size)
{
	fp_session_add_root(p, size);
}

void __lsan_unregister_root_region(const void *p, size_t size)
{
	fp_session_remove_root(p, size);
}

int __lsan_do_recoverable_leak_check(void)
{
	return fp_session_check_leaks() != 0;
}

void __lsan_do_leak_check(void)
{
	int status = fp_session_check_leaks_finally();

	if (status == 0)
		return;
	fp_session_set_exit(status);
	fp_session_finish();
	fp_end(status);
}
