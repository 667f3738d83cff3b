/* SPDX-License-Identifier: Apache-2.0
 *
 * The buffer that keeps records.
 */
#include "log/writer.h"

#include <string.h>

#include "base/meta.h"
#include "base/remains.h"
#include "base/vm.h"
#include "base/write.h"

enum { PIECE_BYTES = 64 << 10 };

/* Whoever copies a log takes no lock: bytes are counted once they are there, and what another
 * piece follows gets no more. */
struct fp_log_piece {
	struct fp_log_piece *_Atomic next;
	_Atomic size_t used;
	uint8_t bytes[PIECE_BYTES];
};

static size_t used_of(const struct fp_log_piece *piece)
{
	return atomic_load_explicit(&piece->used, memory_order_acquire);
}

/* With the lock, which orders everything. */
static size_t used_locked(const struct fp_log_piece *piece)
{
	return atomic_load_explicit(&piece->used, memory_order_relaxed);
}

static struct fp_log_piece *piece_with_room(struct fp_log *log, size_t bytes)
{
	if (log->last != NULL && PIECE_BYTES - used_locked(log->last) >= bytes)
		return log->last;
	struct fp_log_piece *piece = fp_meta_alloc(sizeof(*piece));
	if (piece == NULL)
		return NULL;
	fp_vm_show((uintptr_t)piece, sizeof(*piece));
	atomic_store(log->last == NULL ? &log->first : &log->last->next, piece);
	log->last = piece;
	return piece;
}

void fp_log_append_locked(struct fp_log *log, const uint8_t *bytes, size_t count)
{
	struct fp_log_piece *piece = piece_with_room(log, count);

	if (piece == NULL) {
		log->is_lossy = true;
	} else {
		size_t used = used_locked(piece);

		memcpy(piece->bytes + used, bytes, count);
		atomic_store_explicit(&piece->used, used + count, memory_order_release);
	}
}

static void append_header_locked(struct fp_log *log)
{
	uint8_t header[FP_LOG_HEADER_BYTES] = FP_LOG_MAGIC;

	header[sizeof(FP_LOG_MAGIC) - 1] = FP_LOG_VERSION;
	fp_log_append_locked(log, header, sizeof(header));
}

static void free_pieces(struct fp_log_piece *piece)
{
	while (piece != NULL) {
		struct fp_log_piece *next = piece->next;

		fp_meta_free(piece, sizeof(*piece));
		piece = next;
	}
}

void fp_log_open(struct fp_log *log, bool is_continuation)
{
	fp_log_discard(log);
	log->lock.rank = FP_RANK_LOG;
	log->is_lossy = false;
	log->published = 0;
	log->modules = 0;
	if (is_continuation)
		return;
	fp_lock_acquire(&log->lock);
	append_header_locked(log);
	fp_lock_release(&log->lock);
}

static unsigned decode(const uint8_t *bytes, size_t count)
{
	unsigned value = 0;

	while (count-- > 0)
		value = value << 8 | bytes[count];
	return value;
}

/* Appends the records of PIECE, which begins AT its first, that are about code. */
static void keep_code_locked(struct fp_log *log, const struct fp_log_piece *piece, size_t at)
{
	while (at < used_locked(piece)) {
		const uint8_t *record = piece->bytes + at;
		unsigned type = decode(record, 2);
		size_t bytes = FP_LOG_RECORD_HEADER_BYTES + decode(record + 4, 4);

		if (type == FP_LOG_MODULE || type == FP_LOG_TRACE)
			fp_log_append_locked(log, record, bytes);
		at += bytes;
	}
}

void fp_log_renew(struct fp_log *log)
{
	struct fp_log_piece *pieces = log->first;
	size_t at = FP_LOG_HEADER_BYTES;

	log->first = NULL;
	log->last = NULL;
	log->is_lossy = false;
	log->published = 0;
	fp_lock_acquire(&log->lock);
	append_header_locked(log);
	for (struct fp_log_piece *piece = pieces; piece != NULL; piece = piece->next) {
		keep_code_locked(log, piece, at);
		at = 0;
	}
	fp_lock_release(&log->lock);
	free_pieces(pieces);
}

void fp_log_append_log(struct fp_log *log, const struct fp_log *from)
{
	fp_lock_acquire(&log->lock);
	for (const struct fp_log_piece *piece = from->first; piece != NULL; piece = piece->next)
		fp_log_append_locked(log, piece->bytes, used_locked(piece));
	log->is_lossy |= from->is_lossy;
	fp_lock_release(&log->lock);
}

void fp_log_discard(struct fp_log *log)
{
	struct fp_log_piece *pieces = log->first;

	log->first = NULL;
	log->last = NULL;
	free_pieces(pieces);
}

bool fp_log_publish(struct fp_log *log, struct fp_channel *channel, struct fp_channel_log *to)
{
	size_t start = 0; /* of the piece */
	bool is_room = true;

	fp_lock_acquire(&log->lock);
	for (const struct fp_log_piece *piece = log->first; is_room && piece != NULL;
	     piece = piece->next) {
		size_t end = start + used_locked(piece);

		if (log->published < end) {
			is_room = fp_channel_append(channel, to,
			                            piece->bytes + (log->published - start),
			                            end - log->published);
			log->published = end;
		}
		start = end;
	}
	fp_lock_release(&log->lock);
	return is_room;
}

size_t fp_log_take(const struct fp_log *log, uint8_t *bytes, size_t size)
{
	const struct fp_log_piece *piece = log->first;
	size_t taken = 0;

	while (piece != NULL) {
		const struct fp_log_piece *next = piece->next; /* before its count */
		size_t used = used_of(piece);

		if (used > size - taken)
			break;
		memcpy(bytes + taken, piece->bytes, used);
		taken += used;
		piece = next;
	}
	return taken;
}

int fp_log_copy(struct fp_log *log, int fd)
{
	const struct fp_log_piece *piece = log->first;
	int status = 0;

	while (status == 0 && piece != NULL) {
		const struct fp_log_piece *next = piece->next; /* before its count */

		status = fp_write_all(fd, piece->bytes, used_of(piece));
		piece = next;
	}
	return status;
}

void fp_log_leave_remains(struct fp_log *log, struct fp_remains *remains)
{
	remains->log.first = (uintptr_t)&log->first;
	remains->log.next = offsetof(struct fp_log_piece, next);
	remains->log.used = offsetof(struct fp_log_piece, used);
	remains->log.bytes = offsetof(struct fp_log_piece, bytes);
}
