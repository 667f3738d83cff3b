/* SPDX-License-Identifier: Apache-2.0
 *
 * Requests to a process: a few places that whoever asks fills, and the process that is meant
 * empties. No signal is sent, so nobody dies of one that it does not know. And the bell, by
 * which a process that ends has its report made before it is gone.
 */
#include <errno.h>
#include <linux/futex.h>
#include <limits.h>
#include <time.h>

#include "base/clock.h"
#include "base/sys.h"
#include "log/channel_layout.h"

enum { LOOK_MS = 100, MS_PER_S = 1000, NSEC_PER_MS = 1000000, BLIND_S = 10 };

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
		fp_sys(SYS_futex, &channel->asked, FUTEX_WAKE, INT_MAX, NULL);
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

/* 0, or why it did not wait; -ETIMEDOUT is none. */
static int await_change(_Atomic uint32_t *word, uint32_t from, unsigned ms)
{
	const struct timespec time = {.tv_sec = ms / MS_PER_S,
	                              .tv_nsec = (long)(ms % MS_PER_S) * NSEC_PER_MS};
	int status = (int)fp_sys(SYS_futex, word, FUTEX_WAIT, from, &time);

	return status == -EAGAIN || status == -EINTR || status == -ETIMEDOUT ? 0 : status;
}

void fp_channel_await_bell(struct fp_channel *channel, uint32_t *rung, unsigned ms)
{
	await_change(&channel->bell, *rung, ms);
	*rung = atomic_load(&channel->bell);
}

void fp_channel_set_done(struct fp_channel *channel)
{
	atomic_store(&channel->is_done, 1);
	fp_sys(SYS_futex, &channel->is_done, FUTEX_WAKE, INT_MAX, NULL);
}

/* In a filter that refuses to wait: by looking, for a while. */
static void await_blindly(const struct fp_channel *channel)
{
	struct timespec start;
	struct timespec now;

	fp_clock_read(CLOCK_MONOTONIC, &start);
	do
		fp_clock_read(CLOCK_MONOTONIC, &now);
	while (atomic_load(&channel->is_done) == 0 && now.tv_sec - start.tv_sec < BLIND_S);
}

bool fp_channel_await_reader(struct fp_channel *channel, pid_t reader)
{
	atomic_fetch_add(&channel->bell, 1);
	fp_sys(SYS_futex, &channel->bell, FUTEX_WAKE, INT_MAX, NULL);
	while (atomic_load(&channel->is_done) == 0) {
		if (await_change(&channel->is_done, 0, LOOK_MS) != 0) {
			await_blindly(channel);
			return true;
		}
		if (atomic_load(&channel->is_done) == 0 &&
		    fp_sys(SYS_kill, reader, 0) == -ESRCH)
			return false;
	}
	return true;
}
