/* SPDX-License-Identifier: Apache-2.0
 *
 * The calls of calls.def: look at the buffers, then call libc's own. Nothing a program can see
 * changes: not the result, not errno, not what a short count means, and a call stays a
 * cancellation point because it is libc's that is called.
 */
/* Where it optimizes or fortifies, libc defines some of the functions below in its headers. */
#undef _FORTIFY_SOURCE
#define __NO_INLINE__ 1
#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "fault/fault.h"
#include "heap/heap.h"
#include "preload/door.h"
#include "preload/export.h"

/* Pointers that are none of ours, nearly all there are, cost a look at a table and no lock. */
static void check(const void *address, size_t size, enum fp_access access)
{
	if (size == 0 || address == NULL || !fp_heap_is_ours(address) || !fp_preload_enter())
		return;
	int saved_errno = errno;
	fp_fault_check_range((uintptr_t)address, size, access);
	errno = saved_errno;
	fp_preload_leave();
}

static void check_parts(const struct iovec *parts, long count, enum fp_access access)
{
	for (long i = 0; parts != NULL && i < count; i++)
		check(parts[i].iov_base, parts[i].iov_len, access);
}

static void check_message(const struct msghdr *message, enum fp_access access)
{
	if (message == NULL)
		return;
	check(message->msg_name, message->msg_namelen, access);
	check(message->msg_control, message->msg_controllen, access);
	check_parts(message->msg_iov, (long)message->msg_iovlen, access);
}

static size_t fd_set_bytes(int count)
{
	const int bits = 8 * (int)sizeof(long);

	return count > 0 ? (size_t)((count + bits - 1) / bits) * sizeof(long) : 0;
}

#define READS(pointer, bytes) check((pointer), (bytes), FP_ACCESS_READ);
#define WRITES(pointer, bytes) check((pointer), (bytes), FP_ACCESS_WRITE);
#define READS_PARTS(parts, count) check_parts((parts), (count), FP_ACCESS_READ);
#define WRITES_PARTS(parts, count) check_parts((parts), (count), FP_ACCESS_WRITE);
#define READS_MESSAGE(message) check_message((message), FP_ACCESS_READ);
#define WRITES_MESSAGE(message) check_message((message), FP_ACCESS_WRITE);
#define WRITES_ADDRESS(pointer, length)                                                        \
	check((pointer), (length) == NULL ? 0 : *(length), FP_ACCESS_WRITE);

/* libc's own, by name. */
static struct {
#define FP_CALL(result, name, parameters, arguments, checks) result(*name) parameters;
#include "preload/calls.def"
#undef FP_CALL
	int (*ioctl)(int fd, unsigned long request, void *argument);
} libc;

void fp_preload_find_calls(void)
{
#define FP_CALL(result, name, parameters, arguments, checks)                                   \
	libc.name = (result(*) parameters)dlsym(RTLD_NEXT, #name);
#include "preload/calls.def"
#undef FP_CALL
	libc.ioctl = (int (*)(int, unsigned long, void *))dlsym(RTLD_NEXT, "ioctl");
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
#undef FP_CALL

/* Requests that came before a request's number said how large its argument is. */
static size_t argument_bytes(unsigned long request)
{
	switch (request) {
	case TIOCGWINSZ:
	case TIOCSWINSZ:
		return sizeof(struct winsize);
	case TIOCGPGRP:
	case TIOCSPGRP:
	case TIOCOUTQ:
	case FIONREAD:
		return sizeof(int);
	default:
		return _IOC_SIZE(request);
	}
}

FP_EXPORT int ioctl(int fd, unsigned long request, ...)
{
	va_list arguments;

	va_start(arguments, request);
	void *argument = va_arg(arguments, void *);
	va_end(arguments);
	find_if_needed((const void *)libc.ioctl);
	check(argument, argument_bytes(request), FP_ACCESS_WRITE);
	return libc.ioctl(fd, request, argument);
}
