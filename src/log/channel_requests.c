/* SPDX-License-Identifier: Apache-2.0
 *
 * Requests to a process: a few places that whoever asks fills, and the process that is meant
 * empties. No signal is sent, so nobody dies of one that it does not know.
 */
#include <linux/futex.h>
#include <limits.h>

#include "base/sys.h"
#include "log/channel_layout.h"

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
