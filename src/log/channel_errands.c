/* SPDX-License-Identifier: Apache-2.0
 *
 * What a process asks the reader to read for it in /proc, one question at a time. Whoever ends
 * in the midst of one leaves the place taken: the reader sees that and clears it.
 */
#include <errno.h>
#include <string.h>

#include "base/sys.h"
#include "log/channel_layout.h"

enum { FREE, TAKEN, ASKED, BEING_ANSWERED, ANSWERED };

enum { TURN_MS = 1, TURNS = 3000, PATIENCE_MS = 3000 };

static bool move(struct fp_channel *channel, uint32_t from, uint32_t to)
{
	return atomic_compare_exchange_strong(&channel->errand.state, &from, to);
}

static bool take_place(struct fp_channel *channel)
{
	for (int left = TURNS; left > 0; left--) {
		if (move(channel, FREE, TAKEN))
			return true;
		fp_channel_await(&channel->errand.state, atomic_load(&channel->errand.state),
		                 TURN_MS);
	}
	return false;
}

static bool await_answer(struct fp_channel *channel)
{
	_Atomic uint32_t *state = &channel->errand.state;

	fp_channel_await(state, ASKED, PATIENCE_MS);
	if (move(channel, ASKED, TAKEN))
		return false;
	return fp_channel_await(state, BEING_ANSWERED, PATIENCE_MS);
}

ssize_t fp_channel_fetch(struct fp_channel *channel, pid_t pid, enum fp_proc_file file,
                         size_t offset, char *bytes, size_t size)
{
	static _Atomic bool is_hopeless;
	ssize_t result = -ETIMEDOUT;

	if (fp_channel_is_foreign(channel, pid) || atomic_load(&is_hopeless) ||
	    !take_place(channel))
		return -ENOENT;
	atomic_store(&channel->errand.pid, (uint32_t)pid);
	channel->errand.file = file;
	channel->errand.offset = offset;
	channel->errand.size = size < FP_CHANNEL_ERRAND_BYTES ? size : FP_CHANNEL_ERRAND_BYTES;
	atomic_store(&channel->errand.state, ASKED);
	fp_channel_ring(channel);
	if (await_answer(channel)) {
		result = channel->errand.result;
		if (result > (ssize_t)size)
			result = -EPROTO;
		if (result > 0)
			memcpy(bytes, channel->errand.bytes, (size_t)result);
	} else {
		atomic_store(&is_hopeless, true);
	}
	atomic_store(&channel->errand.state, FREE);
	return result;
}

/* ---- Reading --------------------------------------------------------------------------------
 */

static void clear_after_dead(struct fp_channel *channel)
{
	pid_t pid = (pid_t)atomic_load(&channel->errand.pid);

	if (atomic_load(&channel->errand.state) != FREE && pid > 0 &&
	    fp_sys(SYS_kill, pid, 0) == -ESRCH)
		atomic_store(&channel->errand.state, FREE);
}

bool fp_channel_take_errand(struct fp_channel *channel, struct fp_channel_errand *errand)
{
	if (!move(channel, ASKED, BEING_ANSWERED)) {
		clear_after_dead(channel);
		return false;
	}
	*errand = (struct fp_channel_errand){
	        .pid = (pid_t)atomic_load(&channel->errand.pid),
	        .file = (enum fp_proc_file)channel->errand.file,
	        .offset = channel->errand.offset,
	        .size = channel->errand.size < FP_CHANNEL_ERRAND_BYTES
	                        ? channel->errand.size
	                        : FP_CHANNEL_ERRAND_BYTES,
	};
	return true;
}

void fp_channel_answer_errand(struct fp_channel *channel, const char *bytes, ssize_t count)
{
	if (count > 0)
		memcpy(channel->errand.bytes, bytes, (size_t)count);
	channel->errand.result = (int32_t)count;
	if (move(channel, BEING_ANSWERED, ANSWERED))
		fp_channel_wake(&channel->errand.state);
}
