/* SPDX-License-Identifier: Apache-2.0
 *
 * Buffers of calls, by what tells their size: a number, a structure, a request. What the kernel
 * would refuse is left to it.
 */
#include "preload/buffers.h"

#include <errno.h>
#include <limits.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>

#include "base/align.h"
#include "base/readable.h"
#include "fault/fault.h"
#include "heap/heap.h"

/* Pointers that are none of ours, nearly all there are, cost a look at a table and no lock. */
void fp_buffer_check(const void *address, size_t size, enum fp_access access)
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
	fp_buffer_check(address, size, access);
	return fp_is_readable(address, size);
}

/* More parts than the kernel takes are refused before it looks at one. */
void fp_buffer_check_parts(const struct iovec *parts, size_t count, enum fp_access access)
{
	if (count > IOV_MAX || !check_readable(parts, count * sizeof(*parts), FP_ACCESS_READ))
		return;
	for (size_t i = 0; i < count; i++)
		fp_buffer_check(parts[i].iov_base, parts[i].iov_len, access);
}

static void check_parts_of(const struct msghdr *message, enum fp_access access)
{
	fp_buffer_check(message->msg_name, message->msg_namelen, access);
	fp_buffer_check(message->msg_control, message->msg_controllen, access);
	fp_buffer_check_parts(message->msg_iov, message->msg_iovlen, access);
}

void fp_buffer_check_message(const struct msghdr *message, enum fp_access access)
{
	if (check_readable(message, sizeof(*message), access))
		check_parts_of(message, access);
}

/* Both ways, the kernel writes how much went. */
void fp_buffer_check_messages(const struct mmsghdr *messages, unsigned count,
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
void fp_buffer_check_address(const void *address, const socklen_t *length)
{
	if (address == NULL || !check_readable(length, sizeof(*length), FP_ACCESS_WRITE))
		return;
	if (*length <= INT_MAX)
		fp_buffer_check(address, *length, FP_ACCESS_WRITE);
}

/* libc itself reads these two, and allocates when either is 0. */
void fp_buffer_check_line(char *const *line, const size_t *size)
{
	if (line != NULL && size != NULL)
		fp_buffer_check(*line, *size, FP_ACCESS_WRITE);
}

size_t fp_buffer_positive(int count)
{
	return count > 0 ? (size_t)count : 0;
}

size_t fp_buffer_fd_set_bytes(int count)
{
	return fp_align_up(fp_buffer_positive(count), 8 * sizeof(long)) / 8;
}

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

void fp_buffer_check_ioctl(unsigned request, const void *argument)
{
	for (size_t i = 0; i < sizeof(old_requests) / sizeof(old_requests[0]); i++) {
		if (old_requests[i].request == request) {
			fp_buffer_check(argument, old_requests[i].bytes,
			                old_requests[i].access);
			return;
		}
	}
	/* The kernel's direction: it reads what we write. */
	if ((_IOC_DIR(request) & _IOC_READ) != 0)
		fp_buffer_check(argument, _IOC_SIZE(request), FP_ACCESS_WRITE);
	else if ((_IOC_DIR(request) & _IOC_WRITE) != 0)
		fp_buffer_check(argument, _IOC_SIZE(request), FP_ACCESS_READ);
}

/* Requests whose second argument is a buffer of one size. */
void fp_buffer_check_prctl(int request, const void *argument)
{
	enum { NAME_BYTES = 16 };

	switch (request) {
	case PR_GET_NAME:
		fp_buffer_check(argument, NAME_BYTES, FP_ACCESS_WRITE);
		break;
	case PR_GET_PDEATHSIG:
	case PR_GET_CHILD_SUBREAPER:
	case PR_GET_TSC:
	case PR_GET_UNALIGN:
	case PR_GET_FPEMU:
	case PR_GET_FPEXC:
		fp_buffer_check(argument, sizeof(int), FP_ACCESS_WRITE);
		break;
	case PR_GET_TID_ADDRESS:
		fp_buffer_check(argument, sizeof(int *), FP_ACCESS_WRITE);
		break;
	default:
		break;
	}
}
