/* SPDX-License-Identifier: Apache-2.0
 *
 * A span is one reservation with a table of units: unit number to chunk. One span of a tebibyte
 * serves a process for ever; limits on address space (RLIMIT_AS) make them smaller and more.
 */
#include "guard/span.h"

#include <errno.h>
#include <sys/resource.h>

#include "base/align.h"
#include "base/lock.h"
#include "base/meta.h"
#include "base/vm.h"

enum {
	UNIT_BYTES = 1 << 20,
	SPANS_MAX = 1024,
	LIMIT_SHARES = 16, /* of a limited address space, one goes into a span */
	LIMIT_APART = 16 << 20
};

static const size_t span_largest = (size_t)1 << 40;
static const size_t span_smallest = (size_t)16 << 20;
static const size_t chunks_per_span = 2048;

typedef struct fp_chunk *_Atomic chunk_link;

struct span {
	uintptr_t base;
	size_t bytes;
	size_t cut_bytes;
	chunk_link *units;
};

static struct fp_lock lock = FP_LOCK_INITIALIZER(FP_RANK_SPAN);
static struct span spans[SPANS_MAX];
static _Atomic size_t span_count;
static size_t cut_bytes; /* of guarded chunks */

/* RLIMIT_AS, which counts reservations. It may change at any time. */
static size_t address_space_limit(void)
{
	struct rlimit limit;

	return getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY
	               ? limit.rlim_cur
	               : SIZE_MAX;
}

/* Half of what there is beyond the libraries and the metadata of any program. */
static size_t guarded_share(void)
{
	size_t limit = address_space_limit();

	return limit / 2 > LIMIT_APART ? limit / 2 - LIMIT_APART : 0;
}

/* BYTES that begin at a unit: what the alignment costs goes back, for a limit would count it.
 */
static int reserve_aligned(size_t bytes, struct span *span)
{
	uintptr_t base;
	int status = fp_vm_reserve(bytes + UNIT_BYTES, &base);

	if (status != 0)
		return status;
	span->base = fp_align_up(base, UNIT_BYTES);
	span->bytes = bytes;
	if (span->base > base)
		fp_vm_unmap(base, span->base - base);
	if (base + UNIT_BYTES > span->base)
		fp_vm_unmap(span->base + bytes, base + UNIT_BYTES - span->base);
	return 0;
}

/* As much as can be had in one piece, at least BYTES. */
static int reserve_largest(size_t bytes, struct span *span)
{
	size_t smallest = bytes > span_smallest ? bytes : span_smallest;
	size_t limit = address_space_limit();
	int status = -ENOMEM;

	for (size_t size = span_largest; size >= smallest && status != 0; size /= 2)
		if (size <= limit / LIMIT_SHARES)
			status = reserve_aligned(size, span);
	return status == 0 ? 0 : reserve_aligned(fp_align_up(bytes, UNIT_BYTES), span);
}

static int add_span_locked(size_t bytes)
{
	size_t count = atomic_load(&span_count);
	struct span *span = &spans[count];

	if (count == SPANS_MAX)
		return -ENOMEM;
	int status = reserve_largest(bytes, span);
	if (status != 0)
		return status;
	span->cut_bytes = 0;
	span->units = fp_meta_alloc(span->bytes / UNIT_BYTES * sizeof(*span->units));
	if (span->units == NULL) {
		fp_vm_unmap(span->base, span->bytes);
		return -ENOMEM;
	}
	atomic_store_explicit(&span_count, count + 1, memory_order_release);
	return 0;
}

static struct span *span_with_room_locked(size_t bytes)
{
	size_t count = atomic_load(&span_count);

	/* Only the newest: what is left of older spans was too small before. */
	if (count == 0 || spans[count - 1].bytes - spans[count - 1].cut_bytes < bytes) {
		if (add_span_locked(bytes) != 0)
			return NULL;
		count++;
	}
	return &spans[count - 1];
}

/* In a small span a class's chunk takes a small part, so that all classes find room. */
static size_t fitting_bytes(const struct span *span, size_t bytes)
{
	size_t share = fp_align_up(span->bytes / chunks_per_span, UNIT_BYTES);

	return bytes < share ? bytes : share;
}

static int cut_locked(struct fp_chunk *chunk, bool is_divisible)
{
	size_t smallest = is_divisible ? UNIT_BYTES : fp_align_up(chunk->bytes, UNIT_BYTES);
	bool is_guarded = chunk->backend != NULL;

	if (is_guarded && cut_bytes + smallest > guarded_share())
		return -ENOMEM;
	struct span *span = span_with_room_locked(smallest);
	if (span == NULL)
		return -ENOMEM;
	size_t bytes = fp_align_up(chunk->bytes, UNIT_BYTES);
	if (is_divisible)
		bytes = fitting_bytes(span, bytes);
	if (bytes > span->bytes - span->cut_bytes)
		bytes = smallest;
	chunk->base = span->base + span->cut_bytes;
	chunk->bytes = bytes;
	/* A chunk that may not be divided is for one slot. */
	chunk->slots =
	        is_divisible ? (uint32_t)((bytes - chunk->guard_bytes) / fp_chunk_stride(chunk))
	                     : 1;
	for (size_t at = 0; at < bytes; at += UNIT_BYTES)
		atomic_store_explicit(&span->units[(span->cut_bytes + at) / UNIT_BYTES], chunk,
		                      memory_order_release);
	span->cut_bytes += bytes;
	if (is_guarded)
		cut_bytes += bytes;
	return 0;
}

int fp_span_cut(struct fp_chunk *chunk, bool is_divisible)
{
	fp_lock_acquire(&lock);
	int status = cut_locked(chunk, is_divisible);
	fp_lock_release(&lock);
	return status;
}

struct fp_chunk *fp_span_find(uintptr_t address)
{
	size_t count = atomic_load_explicit(&span_count, memory_order_acquire);

	for (size_t i = 0; i < count; i++) {
		uintptr_t offset = address - spans[i].base;

		if (offset < spans[i].bytes)
			return atomic_load_explicit(&spans[i].units[offset / UNIT_BYTES],
			                            memory_order_acquire);
	}
	return NULL;
}

static void each_chunk_of(const struct span *span, void (*visit)(struct fp_chunk *, void *),
                          void *user)
{
	for (size_t at = 0; at < span->bytes;) {
		struct fp_chunk *chunk = atomic_load_explicit(&span->units[at / UNIT_BYTES],
		                                              memory_order_acquire);

		/* Chunks are cut one after the other. */
		if (chunk == NULL)
			return;
		visit(chunk, user);
		at += chunk->bytes;
	}
}

void fp_span_each_chunk(void (*visit)(struct fp_chunk *chunk, void *user), void *user)
{
	size_t count = atomic_load_explicit(&span_count, memory_order_acquire);

	for (size_t i = 0; i < count; i++)
		each_chunk_of(&spans[i], visit, user);
}

void fp_span_lock_for_fork(void)
{
	fp_lock_acquire_for_fork(&lock);
}

void fp_span_unlock_after_fork(void)
{
	fp_lock_release_after_fork(&lock);
}
