/* SPDX-License-Identifier: Apache-2.0
 *
 * System calls that a program makes by number: the buffers of those in system_calls.def are
 * looked at, then libc's syscall(3) does it. Machines without the few instructions that it
 * takes leave syscall(3) to libc.
 */
#include <dlfcn.h>
#include <poll.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/msg.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/times.h>
#include <sys/utsname.h>
#include <time.h>

#include "preload/buffers.h"

#if defined(__x86_64__)
#include "preload/system_x86_64.h"
#elif defined(__aarch64__)
#include "preload/system_aarch64.h"
#endif

/* The first five arguments; no buffer of the table is the sixth. */
typedef void check_function(long, long, long, long, long);

#pragma GCC diagnostic ignored "-Wunused-parameter"
#define FP_SYSTEM_CALL(name, parameters, checks)                                               \
	static void check_##name parameters                                                    \
	{                                                                                      \
		checks                                                                         \
	}
#include "preload/system_calls.def"
#undef FP_SYSTEM_CALL

/* Called with more arguments than they take, and wider ones, as a system call's are. */
static check_function *const checks[] = {
#define FP_SYSTEM_CALL(name, parameters, checks)                                               \
	[SYS_##name] = (check_function *)(void (*)(void))check_##name,
#include "preload/system_calls.def"
#undef FP_SYSTEM_CALL
};

static void *_Atomic of_libc;

void fp_preload_find_system_call(void)
{
	atomic_store(&of_libc, dlsym(RTLD_NEXT, "syscall"));
}

/* ARGUMENTS begins with the number. Returns libc's syscall(3). */
void *fp_preload_check_system_call(const long *arguments);

__attribute__((used)) void *fp_preload_check_system_call(const long *arguments)
{
	unsigned long number = (unsigned long)arguments[0];

	/* Another library's constructor may come before ours. */
	if (atomic_load(&of_libc) == NULL)
		fp_preload_find_system_call();
	if (number < sizeof(checks) / sizeof(checks[0]) && checks[number] != NULL)
		checks[number](arguments[1], arguments[2], arguments[3], arguments[4],
		               arguments[5]);
	return atomic_load(&of_libc);
}
