/* SPDX-License-Identifier: Apache-2.0
 *
 * Threads in seccomp's strict mode, for which we make no system call that would end the
 * process. Reading, writing and ending are allowed, and to end is what is asked for then: in
 * that mode exit_group(2) is death by SIGKILL, as it is without us.
 */
#include "base/sys.h"
#include "base/thread.h"

_Atomic bool fp_sys_is_confined;

static _Thread_local bool is_this_thread;
static _Thread_local pid_t process;
static _Thread_local uint32_t thread;

void fp_sys_confine(bool is_confined)
{
	if (is_confined) {
		process = fp_sys_getpid();
		thread = fp_thread_self();
	}
	is_this_thread = is_confined;
	atomic_store(&fp_sys_is_confined, is_confined);
}

bool fp_sys_is_refused(long number, long *result)
{
	if (!is_this_thread)
		return false;
	switch (number) {
	case SYS_read:
	case SYS_write:
	case SYS_exit:
	case SYS_exit_group:
		return false;
	case SYS_getpid:
		*result = process;
		return true;
	case SYS_gettid:
		*result = thread;
		return true;
	default:
		*result = -EPERM;
		return true;
	}
}
