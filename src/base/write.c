/* SPDX-License-Identifier: Apache-2.0
 *
 * Raw system calls: this writes for a program that may have interposed write(2), or that
 * cancels its threads in it.
 */
#include "base/write.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <time.h>

#include "base/sys.h"

enum { PATIENCE_MS = 10000 };

/* Whoever has the same open file may have set O_NONBLOCK. */
static bool is_taken_soon(int fd)
{
	struct pollfd file = {.fd = fd, .events = POLLOUT};

	return fp_sys_poll(&file, 1, PATIENCE_MS) != 0;
}

static int write_all(int fd, const char *bytes, size_t count)
{
	while (count > 0) {
		long written = fp_sys_write(fd, bytes, count);

		if (written == -EINTR || (written == -EAGAIN && is_taken_soon(fd)))
			continue;
		if (written <= 0)
			return written < 0 ? (int)written : -EIO;
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

	while (fp_sys(SYS_rt_sigtimedwait, &signals, NULL, &at_once, FP_SYS_SIGSET_BYTES) > 0)
		;
}

/* One that was pending already stays so. */
int fp_write_all(int fd, const void *bytes, size_t count)
{
	uint64_t deaf = deaf_to();
	uint64_t mask;
	uint64_t pending;

	fp_sys_sigmask(SIG_BLOCK, &deaf, &mask);
	fp_sys(SYS_rt_sigpending, &pending, FP_SYS_SIGSET_BYTES);
	int status = write_all(fd, bytes, count);
	if (status != 0)
		swallow(deaf & ~pending);
	fp_sys_sigmask(SIG_SETMASK, &mask, NULL);
	return status;
}
