/* SPDX-License-Identifier: Apache-2.0
 *
 * Raw system calls: this writes for a program that may have interposed write(2), or that
 * cancels its threads in it.
 */
#include "base/write.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { KERNEL_MASK_BYTES = 8 };

static int write_all(int fd, const char *bytes, size_t count)
{
	while (count > 0) {
		long written = syscall(SYS_write, fd, bytes, count);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return written < 0 ? -errno : -EIO;
		bytes += written;
		count -= (size_t)written;
	}
	return 0;
}

/* The kernel sends them to the thread that writes. */
static uint64_t deaf_to(void)
{
	return UINT64_C(1) << (SIGXFSZ - 1) | UINT64_C(1) << (SIGPIPE - 1);
}

static void swallow(uint64_t signals)
{
	const struct timespec at_once = {0};

	while (syscall(SYS_rt_sigtimedwait, &signals, NULL, &at_once, KERNEL_MASK_BYTES) > 0)
		;
}

/* One that was pending already stays so. */
int fp_write_all(int fd, const void *bytes, size_t count)
{
	uint64_t deaf = deaf_to();
	uint64_t mask;
	uint64_t pending;

	syscall(SYS_rt_sigprocmask, SIG_BLOCK, &deaf, &mask, KERNEL_MASK_BYTES);
	syscall(SYS_rt_sigpending, &pending, KERNEL_MASK_BYTES);
	int status = write_all(fd, bytes, count);
	if (status != 0)
		swallow(deaf & ~pending);
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, NULL, KERNEL_MASK_BYTES);
	return status;
}
