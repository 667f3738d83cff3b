/* SPDX-License-Identifier: Apache-2.0
 *
 * Encoding of records and the buffer that keeps them. Each record is put together in the log's
 * scratch space under its lock, then appended whole.
 */
#include "log/writer.h"

#include <string.h>

#include "base/meta.h"
#include "base/write.h"

enum { PIECE_BYTES = 64 << 10 };

struct fp_log_piece {
	struct fp_log_piece *next;
	size_t used;
	uint8_t bytes[PIECE_BYTES];
};

/* A record being put together in the scratch space. */
struct record {
	struct fp_log *log;
	size_t used;
};

static void put_bytes(struct record *record, const void *bytes, size_t count)
{
	if (count > FP_LOG_SCRATCH_BYTES - record->used) {
		record->log->is_lossy = true;
		return;
	}
	memcpy(record->log->scratch + record->used, bytes, count);
	record->used += count;
}

static void put_number(struct record *record, uint64_t value, size_t bytes)
{
	uint8_t encoded[8];

	for (size_t i = 0; i < bytes; i++)
		encoded[i] = (uint8_t)(value >> (8 * i));
	put_bytes(record, encoded, bytes);
}

static void put_u8(struct record *record, uint8_t value)
{
	put_number(record, value, 1);
}

static void put_u32(struct record *record, uint32_t value)
{
	put_number(record, value, 4);
}

static void put_u64(struct record *record, uint64_t value)
{
	put_number(record, value, 8);
}

static void put_counted(struct record *record, const void *bytes, size_t count)
{
	put_u32(record, (uint32_t)count);
	put_bytes(record, bytes, count);
}

static void put_string(struct record *record, const char *string)
{
	put_counted(record, string, strnlen(string, FP_LOG_STRING_MAX));
}

static struct fp_log_piece *piece_with_room(struct fp_log *log, size_t bytes)
{
	if (log->last != NULL && PIECE_BYTES - log->last->used >= bytes)
		return log->last;
	struct fp_log_piece *piece = fp_meta_alloc(sizeof(*piece));
	if (piece == NULL)
		return NULL;
	if (log->last == NULL)
		log->first = piece;
	else
		log->last->next = piece;
	log->last = piece;
	return piece;
}

static void append_locked(struct fp_log *log, const uint8_t *bytes, size_t count)
{
	struct fp_log_piece *piece = piece_with_room(log, count);

	if (piece == NULL) {
		log->is_lossy = true;
	} else {
		memcpy(piece->bytes + piece->used, bytes, count);
		piece->used += count;
	}
	/* A file that takes no more must not end the program; the memory has it all. */
	if (log->fd >= 0 && fp_write_all(log->fd, bytes, count) != 0)
		log->fd = -1;
}

static struct record begin(struct fp_log *log, enum fp_log_type type)
{
	struct record record = {.log = log};

	fp_lock_acquire(&log->lock);
	put_number(&record, type, 2);
	put_number(&record, 0, 2);
	put_u32(&record, 0); /* the length, known at the end */
	return record;
}

static void end(struct record *record)
{
	struct fp_log *log = record->log;
	size_t used = record->used;

	record->used = 4;
	put_u32(record, (uint32_t)(used - FP_LOG_RECORD_HEADER_BYTES));
	append_locked(log, log->scratch, used);
	fp_lock_release(&log->lock);
}

static void append_header_locked(struct fp_log *log)
{
	struct record header = {.log = log};

	put_bytes(&header, FP_LOG_MAGIC, strlen(FP_LOG_MAGIC));
	put_u32(&header, FP_LOG_VERSION);
	put_u32(&header, 0);
	append_locked(log, log->scratch, header.used);
}

static void free_pieces(struct fp_log_piece *piece)
{
	while (piece != NULL) {
		struct fp_log_piece *next = piece->next;

		fp_meta_free(piece, sizeof(*piece));
		piece = next;
	}
}

void fp_log_open(struct fp_log *log, int fd, bool is_continuation)
{
	fp_log_discard(log);
	log->lock.rank = FP_RANK_LOG;
	log->fd = fd;
	log->is_lossy = false;
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
	while (at < piece->used) {
		const uint8_t *record = piece->bytes + at;
		unsigned type = decode(record, 2);
		size_t bytes = FP_LOG_RECORD_HEADER_BYTES + decode(record + 4, 4);

		if (type == FP_LOG_MODULE || type == FP_LOG_TRACE)
			append_locked(log, record, bytes);
		at += bytes;
	}
}

void fp_log_renew(struct fp_log *log)
{
	struct fp_log_piece *pieces = log->first;
	size_t at = FP_LOG_HEADER_BYTES;

	log->first = NULL;
	log->last = NULL;
	log->fd = -1;
	log->is_lossy = false;
	fp_lock_acquire(&log->lock);
	append_header_locked(log);
	for (struct fp_log_piece *piece = pieces; piece != NULL; piece = piece->next) {
		keep_code_locked(log, piece, at);
		at = 0;
	}
	fp_lock_release(&log->lock);
	free_pieces(pieces);
}

void fp_log_discard(struct fp_log *log)
{
	struct fp_log_piece *pieces = log->first;

	log->first = NULL;
	log->last = NULL;
	free_pieces(pieces);
}

int fp_log_copy_from(struct fp_log *log, size_t *at, int fd)
{
	size_t start = 0; /* of the piece */

	for (const struct fp_log_piece *piece = log->first; piece != NULL;
	     piece = piece->next) {
		size_t end = start + piece->used;

		if (*at < end) {
			int status = fp_write_all(fd, piece->bytes + (*at - start), end - *at);

			if (status != 0)
				return status;
			*at = end;
		}
		start = end;
	}
	return 0;
}

int fp_log_copy(struct fp_log *log, int fd)
{
	size_t at = 0;

	return fp_log_copy_from(log, &at, fd);
}

/* As many arguments as a record holds; the count is corrected at the end. */
static void put_arguments(struct record *record, const char *arguments, size_t bytes)
{
	size_t count_at = record->used;
	uint32_t count = 0;

	put_u32(record, 0);
	for (size_t at = 0; at < bytes; count++) {
		size_t length = strnlen(arguments + at, bytes - at);
		size_t kept = length < FP_LOG_STRING_MAX ? length : FP_LOG_STRING_MAX;

		if (kept + sizeof(uint32_t) > FP_LOG_SCRATCH_BYTES - record->used)
			break;
		put_counted(record, arguments + at, kept);
		at += length + 1;
	}
	size_t used = record->used;
	record->used = count_at;
	put_u32(record, count);
	record->used = used;
}

void fp_log_process(struct fp_log *log, const struct fp_log_process *process)
{
	struct record record = begin(log, FP_LOG_PROCESS);

	put_u32(&record, process->pid);
	put_u32(&record, process->ppid);
	put_u32(&record, process->page_bytes);
	put_string(&record, process->version);
	put_string(&record, process->executable);
	put_arguments(&record, process->arguments, process->arguments_bytes);
	end(&record);
}

void fp_log_setting(struct fp_log *log, const char *key, const char *value)
{
	struct record record = begin(log, FP_LOG_SETTING);

	put_string(&record, key);
	put_string(&record, value);
	end(&record);
}

void fp_log_module(struct fp_log *log, const struct fp_log_module *module)
{
	struct record record = begin(log, FP_LOG_MODULE);

	put_u64(&record, module->start);
	put_u64(&record, module->end);
	put_u64(&record, module->bias);
	put_string(&record, module->path);
	put_counted(&record, module->build_id, module->build_id_bytes);
	put_u8(&record, module->is_own);
	end(&record);
}

void fp_log_trace(struct fp_log *log, fp_trace_id trace, const uintptr_t *frames, size_t count)
{
	if (trace == FP_TRACE_NONE)
		return;
	struct record record = begin(log, FP_LOG_TRACE);
	put_u32(&record, trace);
	put_u32(&record, (uint32_t)count);
	for (size_t i = 0; i < count; i++)
		put_u64(&record, frames[i]);
	end(&record);
}

static void put_block(struct record *record, const struct fp_finding *finding,
                      const struct fp_log_site *site)
{
	const struct fp_block *block = &finding->block;

	put_u64(record, block->address);
	put_u64(record, block->size);
	put_u64(record, (uint64_t)finding->offset);
	put_u8(record, block->tier);
	put_u8(record, block->family);
	put_u8(record, block->level);
	put_u8(record, block->state);
	put_u32(record, block->heap);
	put_u64(record, block->serial);
	put_string(record, site->file);
	put_u32(record, site->line);
	put_u32(record, block->alloc_thread);
	put_u32(record, block->alloc_trace);
	put_u32(record, block->free_thread);
	put_u32(record, block->free_trace);
}

void fp_log_finding(struct fp_log *log, uint32_t index, const struct fp_finding *finding,
                    const struct fp_log_site *site)
{
	struct record record = begin(log, FP_LOG_FINDING);

	put_u32(&record, index);
	put_u8(&record, (uint8_t)finding->kind);
	put_u8(&record, (uint8_t)finding->access);
	put_u8(&record, finding->has_hresult);
	put_u8(&record, finding->is_trace_exact);
	put_u32(&record, (uint32_t)finding->hresult);
	put_u64(&record, finding->address);
	put_u32(&record, finding->thread);
	put_string(&record, finding->thread_name);
	put_u32(&record, finding->trace);
	put_string(&record, finding->description);
	put_u64(&record, (uint64_t)finding->evidence_offset);
	put_counted(&record, finding->evidence, finding->evidence_size);
	put_u8(&record, finding->has_block);
	if (finding->has_block)
		put_block(&record, finding, site);
	put_u8(&record, finding->is_evidence_last);
	put_u8(&record, (uint8_t)finding->other.role);
	put_u32(&record, finding->other.thread);
	put_u32(&record, finding->other.trace);
	put_u8(&record, finding->page.state);
	put_u32(&record, finding->page.protection);
	put_u32(&record, finding->page.by_thread);
	put_u32(&record, finding->page.committer);
	end(&record);
}

void fp_log_finding_count(struct fp_log *log, uint32_t index, uint64_t count)
{
	struct record record = begin(log, FP_LOG_FINDING_COUNT_IS);

	put_u32(&record, index);
	put_u64(&record, count);
	end(&record);
}

void fp_log_leak_check(struct fp_log *log, uint8_t flags)
{
	struct record record = begin(log, FP_LOG_LEAK_CHECK);

	put_u8(&record, flags);
	end(&record);
}

void fp_log_leak(struct fp_log *log, const struct fp_log_leak *leak)
{
	struct record record = begin(log, FP_LOG_LEAK);

	put_u8(&record, (uint8_t)leak->class);
	put_u8(&record, leak->family);
	put_u8(&record, leak->level);
	put_u8(&record, 0);
	put_u32(&record, leak->heap);
	put_u64(&record, leak->all.blocks);
	put_u64(&record, leak->all.bytes);
	put_u32(&record, leak->trace);
	put_string(&record, leak->site.file);
	put_u32(&record, leak->site.line);
	put_u64(&record, leak->indirect.blocks);
	put_u64(&record, leak->indirect.bytes);
	put_u32(&record, leak->hangs_from);
	put_u64(&record, leak->all.oldest);
	put_u64(&record, leak->all.newest);
	put_u64(&record, leak->new.blocks);
	put_u64(&record, leak->new.bytes);
	put_u64(&record, leak->new.oldest);
	put_u64(&record, leak->new.newest);
	put_u64(&record, leak->new_indirect.blocks);
	put_u64(&record, leak->new_indirect.bytes);
	end(&record);
}

void fp_log_failed_alloc(struct fp_log *log, const struct fp_block *block, uint64_t count)
{
	struct record record = begin(log, FP_LOG_FAILED_ALLOC);

	put_u32(&record, block->alloc_trace);
	put_u64(&record, count);
	put_u64(&record, block->size);
	put_u8(&record, block->family);
	put_u8(&record, block->level);
	put_number(&record, 0, 2);
	put_u32(&record, block->heap);
	put_u64(&record, block->serial);
	end(&record);
}

void fp_log_protection(struct fp_log *log, const struct fp_log_protection *protection)
{
	struct record record = begin(log, FP_LOG_PROTECTION);

	put_u64(&record, protection->allocations);
	for (size_t tier = 0; tier < FP_TIER_COUNT; tier++)
		put_u64(&record, protection->by_tier[tier]);
	put_u32(&record, protection->reason_count);
	for (uint32_t i = 0; i < protection->reason_count; i++) {
		put_string(&record, protection->reasons[i].name);
		put_u64(&record, protection->reasons[i].blocks);
	}
	end(&record);
}

void fp_log_heap(struct fp_log *log, const struct fp_log_heap *heap)
{
	struct record record = begin(log, FP_LOG_HEAP);

	put_u64(&record, heap->allocations);
	put_u64(&record, heap->frees);
	put_u64(&record, heap->live_blocks);
	put_u64(&record, heap->live_bytes);
	put_u64(&record, heap->peak_blocks);
	put_u64(&record, heap->peak_bytes);
	end(&record);
}

void fp_log_snapshot(struct fp_log *log, const struct fp_log_snapshot *snapshot)
{
	struct record record = begin(log, FP_LOG_SNAPSHOT);

	put_u64(&record, snapshot->milliseconds);
	put_u64(&record, snapshot->live_blocks);
	put_u64(&record, snapshot->live_bytes);
	put_u32(&record, snapshot->group_count);
	for (uint32_t i = 0; i < snapshot->group_count; i++) {
		put_u32(&record, snapshot->groups[i].trace);
		put_u64(&record, snapshot->groups[i].blocks);
		put_u64(&record, snapshot->groups[i].bytes);
	}
	end(&record);
}

void fp_log_note(struct fp_log *log, const char *text)
{
	struct record record = begin(log, FP_LOG_NOTE);

	put_string(&record, text);
	end(&record);
}

void fp_log_exit(struct fp_log *log, enum fp_log_exit how, int32_t value)
{
	struct record record = begin(log, FP_LOG_EXIT);

	put_u8(&record, (uint8_t)how);
	put_number(&record, 0, 3);
	put_u32(&record, (uint32_t)value);
	end(&record);
}

void fp_log_end(struct fp_log *log)
{
	if (log->is_lossy)
		return;
	struct record record = begin(log, FP_LOG_END);
	end(&record);
}

void fp_log_lock_for_fork(struct fp_log *log)
{
	fp_lock_acquire_for_fork(&log->lock);
}

void fp_log_unlock_after_fork(struct fp_log *log)
{
	fp_lock_release_after_fork(&log->lock);
}

void fp_log_growth(struct fp_log *log, const struct fp_log_growth *growth)
{
	struct record record = begin(log, FP_LOG_GROWTH);

	put_u8(&record, growth->is_judged);
	put_number(&record, 0, 3);
	put_u32(&record, growth->pictures);
	put_u64(&record, growth->left_out);
	end(&record);
}

void fp_log_growing(struct fp_log *log, const struct fp_log_growing *growing)
{
	struct record record = begin(log, FP_LOG_GROWING);

	put_u32(&record, growing->trace);
	put_u32(&record, growing->point_count);
	for (uint32_t i = 0; i < growing->point_count; i++) {
		put_u64(&record, growing->points[i].milliseconds);
		put_u64(&record, growing->points[i].blocks);
		put_u64(&record, growing->points[i].bytes);
	}
	end(&record);
}
