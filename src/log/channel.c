/* SPDX-License-Identifier: Apache-2.0
 *
 * Writing to the channel and reading from it. The reader trusts nothing that it finds there:
 * the program may have written over it.
 */
#include "log/channel.h"

#include <errno.h>
#include <string.h>

#include "base/sys.h"
#include "log/channel_layout.h"

/* ---- Writing --------------------------------------------------------------------------------
 */

static uint64_t bit_of(pid_t pid)
{
	return (uint64_t)1 << ((uint32_t)pid % FP_CHANNEL_PIDS_PER_WORD);
}

static struct fp_channel_pids *word_of(struct fp_channel *channel, pid_t pid)
{
	return &channel->pids[(uint32_t)pid % FP_CHANNEL_PIDS / FP_CHANNEL_PIDS_PER_WORD];
}

static void raise_to(_Atomic uint32_t *highest, uint32_t number)
{
	uint32_t known = atomic_load(highest);

	while (known < number && !atomic_compare_exchange_weak(highest, &known, number))
		;
}

bool fp_channel_announce(struct fp_channel *channel, pid_t pid)
{
	if (fp_channel_is_foreign(channel, pid))
		return false;
	raise_to(&channel->highest, (uint32_t)pid % FP_CHANNEL_PIDS);
	if ((atomic_fetch_or(&word_of(channel, pid)->met, bit_of(pid)) & bit_of(pid)) != 0)
		return false;
	atomic_fetch_add(&channel->processes, 1);
	return true;
}

void fp_channel_count(struct fp_channel *channel, pid_t pid)
{
	fp_channel_announce(channel, pid);
	if (!fp_channel_is_foreign(channel, pid))
		atomic_fetch_and(&word_of(channel, pid)->passed, ~bit_of(pid));
}

void fp_channel_begin_fork(struct fp_channel *channel)
{
	/* The first of a namespace that clone(2) made has run nothing of ours before this. */
	fp_channel_is_foreign(channel, fp_sys_getpid());
	atomic_fetch_add(&channel->unborn, 1);
}

void fp_channel_end_fork(struct fp_channel *channel)
{
	atomic_fetch_sub(&channel->unborn, 1);
}

void fp_channel_pass(struct fp_channel *channel, pid_t pid)
{
	if (!fp_channel_is_foreign(channel, pid))
		atomic_fetch_or(&word_of(channel, pid)->passed, bit_of(pid));
}

/* One of SIZE things, or SIZE. */
static uint32_t take(_Atomic uint32_t *used, uint32_t size)
{
	uint32_t number = atomic_load(used);

	while (number < size && !atomic_compare_exchange_weak(used, &number, number + 1))
		;
	return number;
}

struct fp_channel_log *fp_channel_open_log(struct fp_channel *channel, pid_t pid)
{
	uint32_t number = take(&channel->logs_used, FP_CHANNEL_LOGS);
	struct fp_channel_log *log = &channel->logs[number];

	if (number >= FP_CHANNEL_LOGS) {
		atomic_fetch_add(&channel->refused, 1);
		return NULL;
	}
	atomic_store(&log->pid, (uint32_t)pid);
	atomic_store(&log->is_foreign, fp_channel_is_foreign(channel, pid));
	atomic_store(&log->state, FP_CHANNEL_RUNNING);
	/* Whoever closes it looks at the states after that. */
	if (fp_channel_is_closed(channel))
		fp_channel_leave(log);
	return log;
}

static struct fp_channel_piece *add_piece(struct fp_channel *channel,
                                          struct fp_channel_log *log)
{
	uint32_t room = fp_channel_rooms();
	uint32_t number = take(&channel->pieces_used, room);

	if (number >= room || !fp_channel_open_pieces(channel, number + 1))
		return NULL;
	atomic_store(log->last == 0 ? &log->first : &channel->pieces[log->last - 1].next,
	             number + 1);
	log->last = number + 1;
	return &channel->pieces[number];
}

bool fp_channel_append(struct fp_channel *channel, struct fp_channel_log *log,
                       const uint8_t *bytes, size_t count)
{
	enum { ROOM = sizeof(channel->pieces[0].bytes) };
	uint64_t total = atomic_load(&log->bytes);

	if (atomic_load(&log->is_lossy) != 0)
		return false;
	for (size_t done = 0; done < count;) {
		size_t at = (total + done) % ROOM;
		struct fp_channel_piece *piece =
		        at == 0 ? add_piece(channel, log) : &channel->pieces[log->last - 1];
		size_t part = count - done < ROOM - at ? count - done : ROOM - at;

		if (piece == NULL) {
			atomic_store(&log->is_lossy, 1);
			return false;
		}
		memcpy(piece->bytes + at, bytes + done, part);
		done += part;
	}
	atomic_store_explicit(&log->bytes, total + count, memory_order_release);
	return true;
}

void fp_channel_tell(struct fp_channel *channel, struct fp_channel_log *log)
{
	atomic_store(&log->order, atomic_fetch_add(&channel->order, 1) + 1);
	atomic_store(&log->is_told, 1);
	atomic_store(&log->is_replaced, 0);
}

void fp_channel_replace(struct fp_channel_log *log)
{
	atomic_store(&log->is_replaced, 1);
}

static bool leave_state(struct fp_channel_log *log, enum fp_channel_state state)
{
	uint32_t expected = FP_CHANNEL_RUNNING;

	return atomic_compare_exchange_strong(&log->state, &expected, state);
}

bool fp_channel_end(struct fp_channel *channel, struct fp_channel_log *log)
{
	fp_channel_tell(channel, log);
	return leave_state(log, FP_CHANNEL_ENDED);
}

void fp_channel_note_unseen(struct fp_channel *channel, const char *line)
{
	uint32_t length = (uint32_t)strlen(line) + 1;
	uint32_t at = atomic_load(&channel->unseen_used);

	do {
		if (at > FP_CHANNEL_UNSEEN_BYTES - length || length > FP_CHANNEL_UNSEEN_BYTES)
			return;
	} while (!atomic_compare_exchange_weak(&channel->unseen_used, &at, at + length));
	memcpy(channel->unseen + at, line, length);
}

bool fp_channel_prints_elsewhere(const struct fp_channel *channel, uint64_t device,
                                 uint64_t inode)
{
	return channel->has_output &&
	       (channel->output_device != device || channel->output_inode != inode);
}

bool fp_channel_has_reader(const struct fp_channel *channel)
{
	pid_t reader = (pid_t)atomic_load(&channel->reader);

	return reader <= 0 || fp_channel_is_foreign(channel, fp_sys_getpid()) ||
	       !fp_channel_is_gone(reader);
}

/* ---- Reading --------------------------------------------------------------------------------
 */

void fp_channel_set_reader(struct fp_channel *channel, pid_t reader)
{
	atomic_store(&channel->reader, (uint32_t)reader);
}

void fp_channel_set_output(struct fp_channel *channel, uint64_t device, uint64_t inode)
{
	channel->output_device = device;
	channel->output_inode = inode;
	channel->has_output = true;
}

void fp_channel_close(struct fp_channel *channel)
{
	atomic_store(&channel->is_closed, 1);
}

bool fp_channel_is_closed(const struct fp_channel *channel)
{
	return atomic_load(&channel->is_closed) != 0;
}

size_t fp_channel_refused(const struct fp_channel *channel)
{
	return atomic_load(&channel->refused);
}

size_t fp_channel_unborn(const struct fp_channel *channel)
{
	int32_t unborn = atomic_load(&channel->unborn);

	return unborn > 0 ? (size_t)unborn : 0;
}

bool fp_channel_is_counted(struct fp_channel *channel, pid_t pid)
{
	/* Beyond the highest a look would make a page. */
	return (uint32_t)pid <= atomic_load(&channel->highest) &&
	       (atomic_load(&word_of(channel, pid)->met) & bit_of(pid)) != 0;
}

size_t fp_channel_processes(const struct fp_channel *channel)
{
	return atomic_load(&channel->processes);
}

/* Word by word, most are empty; and no page is looked at where no process can be: that would
 * make it. */
pid_t fp_channel_next_open(struct fp_channel *channel, pid_t after)
{
	uint32_t highest = atomic_load(&channel->highest);

	for (uint32_t pid = (uint32_t)after + 1; pid <= highest; pid++) {
		struct fp_channel_pids *word = word_of(channel, (pid_t)pid);
		uint64_t open = atomic_load(&word->met) & ~atomic_load(&word->passed);

		if ((open & bit_of((pid_t)pid)) != 0)
			return (pid_t)pid;
		if (open == 0)
			pid |= FP_CHANNEL_PIDS_PER_WORD - 1;
	}
	return 0;
}

void fp_channel_note_death(struct fp_channel *channel, const struct fp_channel_death *death)
{
	const struct fp_channel_pids *word = word_of(channel, death->pid);
	uint64_t open = atomic_load(&word->met) & ~atomic_load(&word->passed);

	if (fp_channel_is_foreign(channel, death->parent) || (open & bit_of(death->pid)) == 0)
		return;
	uint32_t number = take(&channel->deaths_used, FP_CHANNEL_DEATHS);
	if (number == FP_CHANNEL_DEATHS)
		return;
	channel->deaths[number].parent = (uint32_t)death->parent;
	channel->deaths[number].status = death->status;
	atomic_store(&channel->deaths[number].pid, (uint32_t)death->pid);
}

bool fp_channel_death_at(struct fp_channel *channel, size_t index,
                         struct fp_channel_death *death)
{
	if (index >= FP_CHANNEL_DEATHS || index >= atomic_load(&channel->deaths_used))
		return false;
	*death = (struct fp_channel_death){
	        .pid = (pid_t)atomic_load(&channel->deaths[index].pid),
	        .parent = (pid_t)channel->deaths[index].parent,
	        .status = channel->deaths[index].status,
	};
	return true;
}

struct fp_channel_log *fp_channel_log_at(struct fp_channel *channel, size_t index)
{
	return index < FP_CHANNEL_LOGS && index < atomic_load(&channel->logs_used)
	               ? &channel->logs[index]
	               : NULL;
}

struct fp_channel_status fp_channel_status(const struct fp_channel_log *log)
{
	return (struct fp_channel_status){
	        .state = (enum fp_channel_state)atomic_load(&log->state),
	        .pid = (pid_t)atomic_load(&log->pid),
	        .order = atomic_load(&log->order),
	        .shown = atomic_load(&log->shown),
	        .sent = atomic_load(&log->sent),
	        .bytes = atomic_load_explicit(&log->bytes, memory_order_acquire),
	        .is_told = atomic_load(&log->is_told) != 0,
	        .is_lossy = atomic_load(&log->is_lossy) != 0,
	        .is_replaced = atomic_load(&log->is_replaced) != 0,
	        .is_foreign = atomic_load(&log->is_foreign) != 0,
	};
}

size_t fp_channel_read(struct fp_channel *channel, const struct fp_channel_log *log,
                       uint8_t *bytes, size_t size)
{
	uint32_t number = atomic_load(&log->first);
	size_t done = 0;

	while (done < size && number > 0 && number <= fp_channel_rooms() &&
	       fp_channel_open_pieces(channel, number)) {
		const struct fp_channel_piece *piece = &channel->pieces[number - 1];
		size_t part =
		        size - done < sizeof(piece->bytes) ? size - done : sizeof(piece->bytes);

		memcpy(bytes + done, piece->bytes, part);
		done += part;
		number = atomic_load(&piece->next);
	}
	return done;
}

uint64_t fp_channel_order(const struct fp_channel *channel)
{
	return atomic_load(&channel->order);
}

void fp_channel_set_sent(struct fp_channel_log *log, size_t count)
{
	atomic_store(&log->sent, (uint32_t)count);
}

void fp_channel_set_showing(struct fp_channel *channel, bool is_showing)
{
	atomic_store(&channel->is_showing, is_showing);
}

void fp_channel_set_shown(struct fp_channel_log *log, size_t count)
{
	atomic_store(&log->shown, (uint32_t)count);
	fp_channel_wake(&log->shown);
}

bool fp_channel_leave(struct fp_channel_log *log)
{
	return leave_state(log, FP_CHANNEL_LEFT);
}

const char *fp_channel_unseen(const struct fp_channel *channel, size_t *size)
{
	uint32_t used = atomic_load(&channel->unseen_used);

	*size = used < FP_CHANNEL_UNSEEN_BYTES ? used : FP_CHANNEL_UNSEEN_BYTES;
	return channel->unseen;
}

struct fp_sites *fp_channel_sites(struct fp_channel *channel)
{
	return &channel->sites;
}
