/* SPDX-License-Identifier: Apache-2.0
 *
 * Requests to a process: a few places that whoever asks fills, and the process that is meant
 * empties. No signal is sent, so nobody dies of one that it does not know. And the bell, by
 * which a process that ends has its report made before it is gone.
 */
#include <errno.h>
#include <linux/futex.h>
#include <limits.h>
#include <poll.h>
#include <time.h>

#include "base/clock.h"
#include "base/sys.h"
#include "log/channel_layout.h"

enum { LOOK_MS = 100, PATIENCE_TURNS = 1200, MS_PER_S = 1000, NSEC_PER_MS = 1000000 };

static const uint32_t being_filled = UINT32_MAX;

bool fp_channel_ask(struct fp_channel *channel, pid_t pid, uint64_t number)
{
	for (size_t i = 0; i < FP_CHANNEL_REQUESTS; i++) {
		struct fp_channel_request *request = &channel->requests[i];
		uint32_t nobody = 0;

		if (!atomic_compare_exchange_strong(&request->pid, &nobody, being_filled))
			continue;
		atomic_store(&request->number, number);
		atomic_store(&request->pid, (uint32_t)pid);
		atomic_fetch_add(&channel->asked, 1);
		fp_channel_wake(&channel->asked);
		return true;
	}
	return false;
}

void fp_channel_withdraw(struct fp_channel *channel, uint64_t number)
{
	for (size_t i = 0; i < FP_CHANNEL_REQUESTS; i++) {
		uint64_t withdrawn = number;

		if (atomic_compare_exchange_strong(&channel->requests[i].number, &withdrawn, 0))
			atomic_store(&channel->requests[i].pid, 0);
	}
}

_Atomic uint32_t *fp_channel_asked(struct fp_channel *channel)
{
	return &channel->asked;
}

uint64_t fp_channel_take_request(struct fp_channel *channel, pid_t pid)
{
	for (size_t i = 0; i < FP_CHANNEL_REQUESTS; i++) {
		struct fp_channel_request *request = &channel->requests[i];
		uint32_t meant = (uint32_t)pid;
		uint64_t number = atomic_load(&request->number);

		if (number != 0 && atomic_load(&request->pid) == meant &&
		    atomic_compare_exchange_strong(&request->number, &number, 0)) {
			atomic_store(&request->pid, 0);
			return number;
		}
	}
	return 0;
}

bool fp_channel_await(_Atomic uint32_t *word, uint32_t from, unsigned ms)
{
	uint64_t end = fp_clock_milliseconds() + ms;
	uint64_t now;

	while (atomic_load(word) == from && (now = fp_clock_milliseconds()) < end) {
		uint64_t left = end - now;
		const struct timespec time = {.tv_sec = (time_t)(left / MS_PER_S),
		                              .tv_nsec = (long)(left % MS_PER_S) * NSEC_PER_MS};

		fp_sys(SYS_futex, word, FUTEX_WAIT, from, &time);
	}
	return atomic_load(word) != from;
}

void fp_channel_wake(_Atomic uint32_t *word)
{
	fp_sys(SYS_futex, word, FUTEX_WAKE, INT_MAX, NULL);
}

void fp_channel_ring(struct fp_channel *channel)
{
	atomic_fetch_add(&channel->bell, 1);
	fp_channel_wake(&channel->bell);
}

void fp_channel_await_bell(struct fp_channel *channel, uint32_t *rung, unsigned ms)
{
	fp_channel_await(&channel->bell, *rung, ms);
	*rung = atomic_load(&channel->bell);
}

void fp_channel_set_done(struct fp_channel *channel)
{
	atomic_store(&channel->is_done, 1);
	fp_channel_wake(&channel->is_done);
}

bool fp_channel_is_gone(pid_t pid)
{
	int fd = (int)fp_sys(SYS_pidfd_open, pid, 0);
	struct pollfd end = {.fd = fd, .events = POLLIN};

	if (fd < 0)
		return fp_sys(SYS_kill, pid, 0) == -ESRCH;
	bool is_gone = fp_sys_poll(&end, 1, 0) > 0;
	fp_sys_close(fd);
	return is_gone;
}

void fp_channel_await_shown(struct fp_channel *channel, struct fp_channel_log *log,
                            size_t count)
{
	uint64_t end = fp_clock_milliseconds() + MS_PER_S;
	uint32_t shown = atomic_load(&log->shown);
	uint64_t now;

	if (!atomic_load(&channel->is_showing))
		return;
	fp_channel_ring(channel);
	for (; shown < count && (now = fp_clock_milliseconds()) < end;
	     shown = atomic_load(&log->shown))
		fp_channel_await(&log->shown, shown, (unsigned)(end - now));
}

/* It goes on with a report that takes long when nobody waits any more. */
bool fp_channel_await_reader(struct fp_channel *channel, pid_t reader)
{
	fp_channel_ring(channel);
	for (int left = PATIENCE_TURNS; left > 0; left--) {
		if (fp_channel_await(&channel->is_done, 0, LOOK_MS))
			return true;
		if (fp_channel_is_gone(reader))
			return atomic_load(&channel->is_done) != 0;
	}
	return true;
}
