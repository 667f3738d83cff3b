/* SPDX-License-Identifier: Apache-2.0
 *
 * Machines whose instruction nobody wrote down here yet call libc's syscall(3) and clone(3),
 * and must hope that no preloaded library has replaced those. Private to base.
 */
#ifndef FP_BASE_SYS_OTHER_H
#define FP_BASE_SYS_OTHER_H

#include <errno.h>
#include <sched.h>
#include <unistd.h>

static inline long fp_sys_call(long number, long a, long b, long c, long d, long e, long f)
{
	int saved_errno = errno;
	long result = syscall(number, a, b, c, d, e, f);

	if (result == -1)
		result = -errno;
	errno = saved_errno;
	return result;
}

/* As the others' (sys_x86_64.h). */
static inline void fp_sys_trap(void)
{
	__builtin_trap();
}

static inline long fp_sys_clone(unsigned long flags, void *top, int (*run)(void *),
                                void *argument)
{
	int saved_errno = errno;
	long result = clone(run, top, (int)flags, argument);

	if (result == -1)
		result = -errno;
	errno = saved_errno;
	return result;
}

/* The caller's stack has to do. */
static inline void fp_sys_call_on(void *top, void (*work)(void *), void *argument)
{
	(void)top;
	work(argument);
}

#endif
