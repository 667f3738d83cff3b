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
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
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

#include "base/align.h"
#include "base/readable.h"
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

/* The structures that tell where buffers are may be anywhere, and a call with a bad pointer to
 * one fails; it does not fault. */
static bool check_readable(const void *address, size_t size, enum fp_access access)
{
	check(address, size, access);
	return fp_is_readable(address, size);
}

/* More parts than the kernel takes are refused before it looks at one. */
static void check_parts(const struct iovec *parts, size_t count, enum fp_access access)
{
	if (count > IOV_MAX || !check_readable(parts, count * sizeof(*parts), FP_ACCESS_READ))
		return;
	for (size_t i = 0; i < count; i++)
		check(parts[i].iov_base, parts[i].iov_len, access);
}

static void check_parts_of(const struct msghdr *message, enum fp_access access)
{
	check(message->msg_name, message->msg_namelen, access);
	check(message->msg_control, message->msg_controllen, access);
	check_parts(message->msg_iov, message->msg_iovlen, access);
}

static void check_message(const struct msghdr *message, enum fp_access access)
{
	if (check_readable(message, sizeof(*message), access))
		check_parts_of(message, access);
}

/* Both ways, the kernel writes how much went. */
static void check_messages(const struct mmsghdr *messages, unsigned count,
                           enum fp_access access)
{
	if (count > IOV_MAX)
		count = IOV_MAX;
	if (!check_readable(messages, count * sizeof(*messages), FP_ACCESS_WRITE))
		return;
	for (unsigned i = 0; i < count; i++)
		check_parts_of(&messages[i].msg_hdr, access);
}

/* The kernel refuses negative lengths. */
static void check_address(const void *address, const socklen_t *length)
{
	if (address == NULL || !check_readable(length, sizeof(*length), FP_ACCESS_WRITE))
		return;
	if (*length <= INT_MAX)
		check(address, *length, FP_ACCESS_WRITE);
}

/* libc itself reads these two, and allocates when either is 0. */
static void check_line(char *const *line, const size_t *size)
{
	if (line != NULL && size != NULL)
		check(*line, *size, FP_ACCESS_WRITE);
}

static size_t positive(int count)
{
	return count > 0 ? (size_t)count : 0;
}

static size_t fd_set_bytes(int count)
{
	return fp_align_up(positive(count), 8 * sizeof(long)) / 8;
}

#define READS(pointer, bytes) check((pointer), (bytes), FP_ACCESS_READ);
#define WRITES(pointer, bytes) check((pointer), (bytes), FP_ACCESS_WRITE);
#define READS_PARTS(parts, count) check_parts((parts), positive(count), FP_ACCESS_READ);
#define WRITES_PARTS(parts, count) check_parts((parts), positive(count), FP_ACCESS_WRITE);
#define READS_MESSAGE(message) check_message((message), FP_ACCESS_READ);
#define WRITES_MESSAGE(message) check_message((message), FP_ACCESS_WRITE);
#define READS_MESSAGES(messages, count) check_messages((messages), (count), FP_ACCESS_READ);
#define WRITES_MESSAGES(messages, count) check_messages((messages), (count), FP_ACCESS_WRITE);
#define WRITES_ADDRESS(address, length) check_address((address), (length));
#define WRITES_LINE(line, size) check_line((line), (size));
#define SPARES(mask)                                                                           \
	sigset_t spared;                                                                       \
	(mask) = fp_preload_spare((mask), &spared);

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
} libc;

void fp_preload_find_calls(void)
{
#define FP_CALL(result, name, parameters, arguments, checks)                                   \
	libc.name = (result(*) parameters)dlsym(RTLD_NEXT, #name);
#include "preload/calls.def"
#include "preload/undeclared_calls.def"
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
#include "preload/undeclared_calls.def"
#undef FP_CALL

/* asm-generic's; that of <termios.h> is larger, and libc's alone. */
enum { TERMIOS_BYTES = 36 };

/* Requests that are older than the rule that the number tells what the argument is. */
static const struct {
	unsigned request;
	unsigned bytes;
	enum fp_access access;
} old_requests[] = {
        {TCGETS, TERMIOS_BYTES, FP_ACCESS_WRITE},
        {TCSETS, TERMIOS_BYTES, FP_ACCESS_READ},
        {TCSETSW, TERMIOS_BYTES, FP_ACCESS_READ},
        {TCSETSF, TERMIOS_BYTES, FP_ACCESS_READ},
        {TIOCGWINSZ, sizeof(struct winsize), FP_ACCESS_WRITE},
        {TIOCSWINSZ, sizeof(struct winsize), FP_ACCESS_READ},
        {TIOCGPGRP, sizeof(pid_t), FP_ACCESS_WRITE},
        {TIOCSPGRP, sizeof(pid_t), FP_ACCESS_READ},
        {TIOCGSID, sizeof(pid_t), FP_ACCESS_WRITE},
        {TIOCGETD, sizeof(int), FP_ACCESS_WRITE},
        {TIOCSETD, sizeof(int), FP_ACCESS_READ},
        {TIOCMGET, sizeof(int), FP_ACCESS_WRITE},
        {TIOCMSET, sizeof(int), FP_ACCESS_READ},
        {TIOCMBIS, sizeof(int), FP_ACCESS_READ},
        {TIOCMBIC, sizeof(int), FP_ACCESS_READ},
        {TIOCOUTQ, sizeof(int), FP_ACCESS_WRITE},
        {FIONREAD, sizeof(int), FP_ACCESS_WRITE},
        {FIONBIO, sizeof(int), FP_ACCESS_READ},
        {FIOASYNC, sizeof(int), FP_ACCESS_READ},
        {TIOCSTI, sizeof(char), FP_ACCESS_READ},
};

static void check_argument(unsigned request, const void *argument)
{
	for (size_t i = 0; i < sizeof(old_requests) / sizeof(old_requests[0]); i++) {
		if (old_requests[i].request == request) {
			check(argument, old_requests[i].bytes, old_requests[i].access);
			return;
		}
	}
	/* The kernel's direction: it reads what we write. */
	if ((_IOC_DIR(request) & _IOC_READ) != 0)
		check(argument, _IOC_SIZE(request), FP_ACCESS_WRITE);
	else if ((_IOC_DIR(request) & _IOC_WRITE) != 0)
		check(argument, _IOC_SIZE(request), FP_ACCESS_READ);
}

FP_EXPORT int ioctl(int fd, unsigned long request, ...)
{
	va_list arguments;

	va_start(arguments, request);
	void *argument = va_arg(arguments, void *);
	va_end(arguments);
	find_if_needed((const void *)libc.ioctl);
	check_argument((unsigned)request, argument);
	return libc.ioctl(fd, request, argument);
}
