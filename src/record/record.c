/* SPDX-License-Identifier: Apache-2.0
 *
 * Encoding, under one lock, because the order of events is what a recording is for. System
 * calls are made by number: libc's wrappers are points at which a thread may be cancelled,
 * which malloc and free are not.
 */
#include "record/record.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/lock.h"
#include "base/meta.h"
#include "base/sys.h"
#include "base/text.h"
#include "base/thread.h"
#include "record/file.h"
#include "record/format.h"

enum {
	BUFFER_BYTES = 64 << 10,
	EVENT_MAX = 64, /* bytes of the longest event */
	NUMBER_BITS = 7
};

bool fp_record_is_on;

static struct fp_lock lock = FP_LOCK_INITIALIZER(FP_RANK_RECORD);
FP_HELD_ACROSS_FORK(FP_RANK_RECORD, &lock);

/* Under the lock. */
static uint8_t *buffer;
static size_t used;
static struct fp_record_file file;
static int failure;
static uint64_t first_serial;

/* What events are told as differences from. */
static struct {
	uint64_t events;
	uint64_t newest; /* highest number of a block */
	uint64_t heap;
	uint32_t thread;
	uint8_t align;
	uint8_t family;
	uint8_t level;
} before;

/* One event while it is put together. */
struct event {
	uint8_t bytes[EVENT_MAX];
	size_t used;
};

static void put_byte(struct event *event, unsigned byte)
{
	event->bytes[event->used++] = (uint8_t)byte;
}

static void put_number(struct event *event, uint64_t number)
{
	for (; number >> NUMBER_BITS != 0; number >>= NUMBER_BITS)
		put_byte(event, (number & 0x7f) | 0x80);
	put_byte(event, (unsigned)number);
}

static void put_offset(struct event *event, int64_t offset)
{
	put_number(event, offset < 0 ? ((uint64_t)-offset << 1) - 1 : (uint64_t)offset << 1);
}

static void put_u32(uint8_t *at, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		at[i] = (uint8_t)(value >> 8 * i);
}

static void begin_locked(void)
{
	memset(&before, 0, sizeof(before));
	before.family = FP_FAMILY_MALLOC;
	before.level = FP_LEVEL_NONE;
	before.heap = 1;
	memset(buffer, 0, FP_RECORD_HEADER_BYTES);
	memcpy(buffer, FP_RECORD_MAGIC, sizeof(FP_RECORD_MAGIC) - 1);
	put_u32(buffer + 8, FP_RECORD_VERSION);
	put_u32(buffer + 12, (uint32_t)fp_sys_getpid());
	put_u32(buffer + 16, (uint32_t)fp_sys(SYS_getppid));
	used = FP_RECORD_HEADER_BYTES;
}

static void give_up_locked(int status)
{
	failure = status;
	__atomic_store_n(&fp_record_is_on, false, __ATOMIC_RELAXED);
}

static void flush_locked(void)
{
	int status = used == 0 ? 0 : fp_record_file_append(&file, buffer, used);

	used = 0;
	if (status != 0)
		give_up_locked(status);
}

static void append_locked(const struct event *event)
{
	if (used + event->used > BUFFER_BYTES)
		flush_locked();
	memcpy(buffer + used, event->bytes, event->used);
	used += event->used;
	before.events++;
}

static uint64_t number_of(uint64_t serial)
{
	return serial > first_serial ? serial - first_serial : 0;
}

/* The head, whose flags later parts add to, and the thread. */
static void put_head_locked(struct event *event, enum fp_record_kind kind)
{
	uint32_t thread = fp_thread_ordinal();

	put_byte(event, kind);
	if (thread == before.thread)
		return;
	event->bytes[0] |= FP_RECORD_THREAD;
	put_number(event, thread);
	before.thread = thread;
}

static void put_skip_locked(struct event *event, uint64_t number)
{
	int64_t skip = (int64_t)(number - before.newest - 1);

	if (skip != 0) {
		event->bytes[0] |= FP_RECORD_SKIP;
		put_offset(event, skip);
	}
	if (number > before.newest)
		before.newest = number;
}

static uint8_t logarithm(size_t align)
{
	return align == 0 ? 0 : (uint8_t)__builtin_ctzl(align);
}

static void put_traits_locked(struct event *event, const struct fp_block *block, size_t align)
{
	uint8_t exponent = logarithm(align);

	if (exponent == before.align && block->family == before.family &&
	    block->level == before.level && block->heap == before.heap)
		return;
	event->bytes[0] |= FP_RECORD_TRAITS;
	put_byte(event, exponent);
	put_byte(event, block->family);
	put_byte(event, block->level);
	put_number(event, block->heap);
	before.align = exponent;
	before.family = block->family;
	before.level = block->level;
	before.heap = block->heap;
}

static void put_back_locked(struct event *event, uint64_t serial)
{
	put_number(event, before.newest - number_of(serial));
}

void fp_record_alloc(const struct fp_block *block, size_t align, uint64_t replaced)
{
	struct event event = {.used = 0};

	fp_lock_acquire(&lock);
	if (fp_record_is_on) {
		put_head_locked(&event, replaced == 0 ? FP_RECORD_ALLOC : FP_RECORD_REALLOC);
		put_skip_locked(&event, number_of(block->serial));
		put_traits_locked(&event, block, align);
		put_number(&event, block->size);
		if (replaced != 0)
			put_back_locked(&event, replaced);
		append_locked(&event);
	}
	fp_lock_release(&lock);
}

void fp_record_free(const struct fp_block *block)
{
	struct event event = {.used = 0};

	fp_lock_acquire(&lock);
	if (fp_record_is_on) {
		put_head_locked(&event, FP_RECORD_FREE);
		put_back_locked(&event, block->serial);
		append_locked(&event);
	}
	fp_lock_release(&lock);
}

void fp_record_flush(void)
{
	fp_lock_acquire(&lock);
	if (fp_record_is_on && (file.is_made || before.events > 0))
		flush_locked();
	fp_lock_release(&lock);
}

void fp_record_end(bool writes_empty)
{
	struct event event = {.used = 0};

	if (!fp_record_is_on)
		return;
	fp_lock_acquire(&lock);
	if (fp_record_is_on) {
		put_byte(&event, FP_RECORD_END);
		put_number(&event, before.events);
		if (writes_empty || file.is_made || before.events > 0) {
			append_locked(&event);
			flush_locked();
		}
		__atomic_store_n(&fp_record_is_on, false, __ATOMIC_RELAXED);
	}
	fp_lock_release(&lock);
}

static int start_locked(const struct fp_record_config *config)
{
	int status = fp_record_file_name(&file, config->path, config->is_kept);

	if (status != 0)
		return status;
	if (buffer == NULL)
		buffer = fp_meta_alloc(BUFFER_BYTES);
	if (buffer == NULL)
		return -ENOMEM;
	failure = 0;
	first_serial = config->first_serial;
	begin_locked();
	__atomic_store_n(&fp_record_is_on, true, __ATOMIC_RELAXED);
	return 0;
}

int fp_record_start(const struct fp_record_config *config)
{
	fp_lock_acquire(&lock);
	int status = start_locked(config);
	fp_lock_release(&lock);
	return status;
}

void fp_record_start_in_child(const struct fp_record_config *config)
{
	int status;

	fp_lock_acquire(&lock);
	status = start_locked(config);
	if (status != 0)
		give_up_locked(status);
	fp_lock_release(&lock);
}

const char *fp_record_path(void)
{
	return file.path;
}

int fp_record_failure(void)
{
	return failure;
}
