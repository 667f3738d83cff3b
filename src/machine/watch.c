/* SPDX-License-Identifier: Apache-2.0
 *
 * When memory gets scarce. How long tasks waited for memory, from pressure-stall information,
 * tells more than any count of free pages; where the kernel has none, the count must do. A
 * trigger on the same file wakes us before the next look is due. The program may close our
 * descriptor and open a file of its own under its number: it is asked who it is before it is
 * waited for.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/sys.h"
#include "machine/files.h"
#include "machine/machine.h"

/* Of two seconds, which is what unprivileged processes may ask for. */
#define TRIGGER "some 200000 2000000"

enum {
	FD_FLOOR = 400, /* far above what programs number */
	RETRY_MS = 60000,
	HOLD_MS = 2000,
	CALM_MS = 10000,
	STALL_MS = 100,
	STALLED_SHARE = 10,  /* low: a tenth of the time */
	LOW_SHARE = 32,      /* or less than this part left */
	HIGH_SHARE = 4,      /* high: more than this part left */
	STILL_HIGH_SHARE = 5 /* until less than this */
};

/* ---- The trigger ---------------------------------------------------------------------------
 */

static int open_trigger(void)
{
	char path[FP_MACHINE_PATH_MAX];

	if (!fp_machine_pressure_path(path))
		return -ENOENT;
	int fd = fp_machine_open(path, O_RDWR | O_NONBLOCK);
	if (fd < 0)
		return fd;
	/* With the terminating zero, as the kernel's documentation has it. */
	int status = (int)fp_sys_write(fd, TRIGGER, sizeof(TRIGGER));
	int high = status >= 0 ? fp_sys_fcntl(fd, F_DUPFD_CLOEXEC, FD_FLOOR) : status;
	if (status >= 0 && high < 0)
		return fd;
	fp_sys_close(fd);
	return high;
}

static bool is_ours(const struct fp_machine_watch *watch)
{
	struct stat stat;

	return watch->fd >= 0 && fp_sys_fstat(watch->fd, &stat) == 0 &&
	       stat.st_dev == watch->device && stat.st_ino == watch->inode;
}

static void renew_trigger(struct fp_machine_watch *watch, uint64_t now)
{
	struct stat stat;

	if (is_ours(watch) || now < watch->retry_at)
		return;
	watch->retry_at = now + RETRY_MS;
	watch->fd = open_trigger();
	if (watch->fd < 0 || fp_sys_fstat(watch->fd, &stat) != 0)
		return;
	watch->device = stat.st_dev;
	watch->inode = stat.st_ino;
}

/* ---- The level
 * ------------------------------------------------------------------------------- */

/* "some avg10=0.00 avg60=0.00 avg300=0.00 total=0" */
static bool take_total(char *line, void *user)
{
	char *total = strstr(line, "total=");
	uint64_t *stalled = user;

	if (strncmp(line, "some ", 5) != 0 || total == NULL)
		return true;
	*stalled = 0;
	for (total += 6; *total >= '0' && *total <= '9'; total++)
		*stalled = *stalled * 10 + (uint64_t)(*total - '0');
	return false;
}

/* Whether tasks waited for a tenth of the time since the last look. Of a moment that says
 * nothing: one wait of a task is more than a tenth of it. */
static bool has_stalled(struct fp_machine_watch *watch, uint64_t now)
{
	char path[FP_MACHINE_PATH_MAX];
	uint64_t stalled = UINT64_MAX;

	if (watch->stalled_at != 0 && now - watch->stalled_at < watch->stall_ms)
		return false;
	if (!fp_machine_pressure_path(path) ||
	    !fp_machine_each_line(path, take_total, &stalled) || stalled == UINT64_MAX)
		return false;
	uint64_t waited = stalled > watch->stalled ? stalled - watch->stalled : 0;
	uint64_t passed = (now - watch->stalled_at) * 1000;
	bool is_first = watch->stalled_at == 0;
	watch->stalled = stalled;
	watch->stalled_at = now;
	return !is_first && waited > 0 && waited * STALLED_SHARE >= passed;
}

static bool is_above(const struct fp_machine_memory *memory, uint64_t share)
{
	return memory->available > memory->total / share;
}

static enum fp_machine_level judge(struct fp_machine_watch *watch, bool was_woken, uint64_t now)
{
	struct fp_machine_memory memory;
	bool is_known = fp_machine_memory(&memory) == 0;

	/* In this order: each look at the stalls is measured from the one before. */
	if (has_stalled(watch, now) || was_woken ||
	    (is_known && !is_above(&memory, LOW_SHARE))) {
		watch->was_low = true;
		watch->low_at = now;
		return FP_MACHINE_LOW;
	}
	uint64_t calm = watch->was_low ? now - watch->low_at : UINT64_MAX;
	if (watch->level == FP_MACHINE_LOW && calm < watch->hold_ms)
		return FP_MACHINE_LOW;
	if (!is_known || calm < watch->calm_ms)
		return FP_MACHINE_NEUTRAL;
	return is_above(&memory,
	                watch->level == FP_MACHINE_HIGH ? STILL_HIGH_SHARE : HIGH_SHARE)
	               ? FP_MACHINE_HIGH
	               : FP_MACHINE_NEUTRAL;
}

void fp_machine_watch_begin(struct fp_machine_watch *watch)
{
	*watch = (struct fp_machine_watch){
	        .level = FP_MACHINE_NEUTRAL,
	        .stall_ms = STALL_MS,
	        .hold_ms = HOLD_MS,
	        .calm_ms = CALM_MS,
	        .fd = -1,
	};
}

enum fp_machine_level fp_machine_watch_wait(struct fp_machine_watch *watch,
                                            unsigned milliseconds)
{
	uint64_t now = fp_clock_milliseconds();

	renew_trigger(watch, now);
	struct pollfd poll_fd = {.fd = is_ours(watch) ? watch->fd : -1, .events = POLLPRI};
	bool was_woken = fp_sys_poll(&poll_fd, 1, (int)milliseconds) > 0;
	/* An error is no pressure: the cgroup is gone, say. */
	if (was_woken && (poll_fd.revents & POLLPRI) == 0) {
		watch->fd = -1;
		was_woken = false;
	}
	watch->level = judge(watch, was_woken, fp_clock_milliseconds());
	return watch->level;
}

void fp_machine_watch_end(struct fp_machine_watch *watch)
{
	if (is_ours(watch))
		fp_sys_close(watch->fd);
	watch->fd = -1;
}
