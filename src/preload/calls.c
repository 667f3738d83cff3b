/* SPDX-License-Identifier: Apache-2.0
 *
 * The calls of calls.def and undeclared_calls.def: look at the buffers, then call libc's own.
 * Nothing a program can see changes: not the result, not errno, not what a short count means,
 * and a call stays a cancellation point because it is libc's that is called.
 */
/* Where it optimizes or fortifies, libc defines some of the functions below in its headers. */
#undef _FORTIFY_SOURCE
#define __NO_INLINE__ 1
#include <dlfcn.h>
#include <dirent.h>
#include <grp.h>
#include <mqueue.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/times.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include "preload/buffers.h"
#include "preload/door.h"
#include "preload/export.h"

/* What no header declares. */
#define FP_CALL(result, name, parameters, arguments, checks) FP_EXPORT result name parameters;
#include "preload/undeclared_calls.def"
#undef FP_CALL

/* libc's own, by name. */
static struct {
#define FP_CALL(result, name, parameters, arguments, checks) result(*name) parameters;
#include "preload/calls.def"
#include "preload/undeclared_calls.def"
#undef FP_CALL
	int (*ioctl)(int fd, unsigned long request, void *argument);
	int (*prctl)(int request, void *second, long third, long fourth, long fifth);
} libc;

void fp_preload_find_calls(void)
{
#define FP_CALL(result, name, parameters, arguments, checks)                                   \
	libc.name = (result(*) parameters)dlsym(RTLD_NEXT, #name);
#include "preload/calls.def"
#include "preload/undeclared_calls.def"
#undef FP_CALL
	libc.ioctl = (int (*)(int, unsigned long, void *))dlsym(RTLD_NEXT, "ioctl");
	libc.prctl = (int (*)(int, void *, long, long, long))dlsym(RTLD_NEXT, "prctl");
}

/* Another library's constructor may come before ours. */
static void find_if_needed(const void *function)
{
	if (function == NULL)
		fp_preload_find_calls();
}

#define FP_CALL(result, name, parameters, arguments, checks)                                   \
	FP_EXPORT result name parameters                                                       \
	{                                                                                      \
		find_if_needed((const void *)libc.name);                                       \
		checks return libc.name arguments;                                             \
	}
#include "preload/calls.def"
#include "preload/undeclared_calls.def"
#undef FP_CALL

FP_EXPORT int ioctl(int fd, unsigned long request, ...)
{
	va_list arguments;

	va_start(arguments, request);
	void *argument = va_arg(arguments, void *);
	va_end(arguments);
	find_if_needed((const void *)libc.ioctl);
	fp_buffer_check_ioctl((unsigned)request, argument);
	return libc.ioctl(fd, request, argument);
}

FP_EXPORT int prctl(int request, ...)
{
	va_list arguments;

	va_start(arguments, request);
	void *second = va_arg(arguments, void *);
	long third = va_arg(arguments, long);
	long fourth = va_arg(arguments, long);
	long fifth = va_arg(arguments, long);
	va_end(arguments);
	find_if_needed((const void *)libc.prctl);
	fp_buffer_check_prctl(request, second);
	return libc.prctl(request, second, third, fourth, fifth);
}
