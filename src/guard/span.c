/* SPDX-License-Identifier: Apache-2.0
 *
 * A span is one reservation, cut into chunks from its start, and a list of these in the order
 * of their addresses. For each area of a span stands where in that list to begin, so finding
 * takes a step or two, and a dead chunk costs little for ever. One span of a tebibyte serves a
 * process for ever; limits on address space (RLIMIT_AS) make them smaller and more.
 */
#include "guard/span.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "base/align.h"
#include "base/growth.h"
#include "base/lock.h"
#include "base/meta.h"
#include "base/remains.h"
#include "base/sys.h"
#include "base/vm.h"
#include "guard/guard.h"

enum {
	UNIT_BYTES = 1 << 20, /* chunks are whole units */
	AREA_BYTES = 32 << 20,
	SPANS_MAX = 1024,
	LIMIT_SHARES = 16,     /* of a limited address space, one goes into a span */
	FENCE_SHARES = 64,     /* of a span, one stands as a fence on either side of it */
	LIMIT_APART = 20 << 20 /* of the libraries, metadata and the smallest channel */
};

static const size_t span_largest = (size_t)1 << 40;
static const size_t span_smallest = (size_t)16 << 20;
static const size_t chunks_per_span = 2048;

typedef struct fp_chunk *_Atomic chunk_link;

struct span {
	uintptr_t base;
	_Atomic size_t fence; /* nobody can access so much before and behind it */
	_Atomic size_t bytes; /* only ever less */
	bool is_own;          /* RLIMIT_DATA does not count it */
	size_t cut_bytes;
	size_t chunk_count;
	chunk_link *chunks;
	_Atomic uint32_t *areas; /* one more than the index of the first chunk; 0: none yet */
	uintptr_t links;         /* of all slots, as far as chunks were cut; 0: none */
	struct fp_growth links_memory;
};

static struct fp_lock lock = FP_LOCK_INITIALIZER(FP_RANK_SPAN);
FP_HELD_ACROSS_FORK(FP_RANK_SPAN, &lock);
struct fp_guard_bounds fp_guard_bounds = {.low = UINTPTR_MAX};
static struct span spans[SPANS_MAX];
static struct span *newest[2]; /* [1]: of joined chunks */
static _Atomic size_t span_count;
static size_t cut_bytes[2]; /* [1]: of guarded chunks */

/* RLIMIT_AS, which counts reservations. It may change at any time. */
static size_t address_space_limit(void)
{
	struct rlimit limit;

	return fp_sys_get_limit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY
	               ? limit.rlim_cur
	               : SIZE_MAX;
}

static bool has_data_limit(void)
{
	struct rlimit limit;

	return fp_sys_get_limit(RLIMIT_DATA, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
}

/* For guarded chunks half of what there is beyond the libraries and the metadata of any
 * program. For others all of the limit: reserved before it came, they would know no end. */
static size_t share_of(bool is_guarded)
{
	size_t limit = address_space_limit();

	if (!is_guarded)
		return limit;
	return limit / 2 > LIMIT_APART ? limit / 2 - LIMIT_APART : 0;
}

/* BYTES that begin at a unit, between fences: what the alignment costs goes back, for a limit
 * would count it. Whoever errs by far from the first block or the last one meets a fence, and
 * neither our records nor the program's memory. */
static int reserve_aligned(size_t bytes, struct span *span)
{
	/* None for small spans, which are made where address space is limited. */
	size_t fence = fp_align_down(bytes / FENCE_SHARES, UNIT_BYTES);
	size_t fenced = bytes + 2 * fence;
	size_t page = fp_vm_page_size();
	uintptr_t base;
	/* Slots and their guards are many times the program's data. Without a limit, pages that
	 * it unmaps stay unmapped. */
	span->is_own = has_data_limit();
	int status = span->is_own ? fp_vm_reserve_own(fenced + UNIT_BYTES, page, &base)
	                          : fp_vm_reserve(fenced + UNIT_BYTES, &base);

	if (status != 0)
		return status;
	uintptr_t aligned = fp_align_up(base + page, UNIT_BYTES);
	if (aligned - page > base) {
		fp_vm_unmap(base, aligned - page - base);
		/* What is first now. */
		fp_vm_remap(aligned - page, page, PROT_NONE);
	}
	if (base + UNIT_BYTES > aligned)
		fp_vm_unmap(aligned + fenced, base + UNIT_BYTES - aligned);
	span->base = aligned + fence;
	span->bytes = bytes;
	span->fence = fence;
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

static bool make_lists(struct span *span)
{
	size_t chunks_bytes = span->bytes / UNIT_BYTES * sizeof(*span->chunks);
	size_t areas = fp_align_up(span->bytes, AREA_BYTES) / AREA_BYTES;

	span->chunks = fp_meta_alloc(chunks_bytes);
	span->areas = fp_meta_alloc(areas * sizeof(*span->areas));
	if (span->chunks != NULL && span->areas != NULL)
		return true;
	fp_meta_free(span->chunks, chunks_bytes);
	fp_meta_free(span->areas, areas * sizeof(*span->areas));
	return false;
}

/* How far the links of a span go that is cut up to there. */
static size_t links_bytes(size_t cut)
{
	return fp_align_up(cut / fp_chunk_link_step() * sizeof(_Atomic(void *)),
	                   fp_vm_page_size());
}

/* Slots without links are found by hashing. */
static void reserve_links(struct span *span, bool is_joined)
{
	size_t bytes = links_bytes(span->bytes);

	span->links = !is_joined && fp_meta_reserve(&span->links_memory, bytes, bytes)
	                      ? span->links_memory.at
	                      : 0;
}

/* Those of a chunk that begins where the span is cut, and takes BYTES. */
static _Atomic(void *) *take_links_locked(struct span *span, size_t bytes)
{
	if (span->links == 0)
		return NULL;
	uintptr_t end = span->links + links_bytes(span->cut_bytes + bytes);
	uintptr_t at = span->links_memory.at;
	if (end > at && fp_growth_take(&span->links_memory, end - at) == 0)
		return NULL;
	if (end > at)
		fp_vm_show(at, end - at);
	return (_Atomic(void *) *)span->links + span->cut_bytes / fp_chunk_link_step();
}

static void widen_bounds(const struct span *span)
{
	uintptr_t low = span->base - span->fence;
	uintptr_t high = span->base + span->bytes + span->fence;

	if (low < atomic_load(&fp_guard_bounds.low))
		atomic_store(&fp_guard_bounds.low, low);
	if (high > atomic_load(&fp_guard_bounds.high))
		atomic_store(&fp_guard_bounds.high, high);
}

static int add_span_locked(size_t bytes, bool is_joined)
{
	size_t count = atomic_load(&span_count);
	struct span *span = &spans[count];

	if (count == SPANS_MAX)
		return -ENOMEM;
	int status = reserve_largest(bytes, span);
	if (status != 0)
		return status;
	span->cut_bytes = 0;
	span->chunk_count = 0;
	if (!make_lists(span)) {
		fp_vm_unmap(span->base - span->fence - fp_vm_page_size(),
		            span->bytes + 2 * span->fence + fp_vm_page_size());
		return -ENOMEM;
	}
	reserve_links(span, is_joined);
	widen_bounds(span);
	newest[is_joined] = span;
	atomic_store_explicit(&span_count, count + 1, memory_order_release);
	return 0;
}

static struct span *span_with_room_locked(size_t bytes, bool is_joined)
{
	const struct span *span = newest[is_joined];

	/* Only the newest: what is left of older spans was too small before, or counts against
	 * a limit that came since. */
	if ((span == NULL || span->bytes - span->cut_bytes < bytes ||
	     (!span->is_own && has_data_limit())) &&
	    add_span_locked(bytes, is_joined) != 0)
		return NULL;
	return newest[is_joined];
}

/* In a small span a class's chunk takes a small part, so that all classes find room. */
static size_t fitting_bytes(const struct span *span, size_t bytes)
{
	size_t share = fp_align_up(span->bytes / chunks_per_span, UNIT_BYTES);

	return bytes < share ? bytes : share;
}

/* The list first: whoever sees an area's entry finds the chunk. */
static void list_locked(struct span *span, struct fp_chunk *chunk)
{
	size_t first = (chunk->base - span->base) / AREA_BYTES;
	size_t last = (chunk->base + chunk->bytes - 1 - span->base) / AREA_BYTES;
	size_t index = span->chunk_count++;

	atomic_store_explicit(&span->chunks[index], chunk, memory_order_release);
	for (size_t area = first; area <= last; area++)
		if (atomic_load_explicit(&span->areas[area], memory_order_relaxed) == 0)
			atomic_store_explicit(&span->areas[area], (uint32_t)index + 1,
			                      memory_order_release);
}

static int cut_locked(struct fp_chunk *chunk, bool is_divisible)
{
	size_t smallest = is_divisible ? UNIT_BYTES : fp_align_up(chunk->bytes, UNIT_BYTES);
	bool is_guarded = chunk->backend != NULL;

	if (cut_bytes[is_guarded] + smallest > share_of(is_guarded))
		return -ENOMEM;
	struct span *span = span_with_room_locked(smallest, chunk->is_joined);
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
	/* A page of links that has one link of each of a few large slots would stay for good.
	 */
	chunk->links = is_guarded && is_divisible ? take_links_locked(span, bytes) : NULL;
	list_locked(span, chunk);
	span->cut_bytes += bytes;
	cut_bytes[is_guarded] += bytes;
	return 0;
}

int fp_span_cut(struct fp_chunk *chunk, bool is_divisible)
{
	fp_lock_acquire(&lock);
	int status = cut_locked(chunk, is_divisible);
	fp_lock_release(&lock);
	return status;
}

/* What was not cut, and of the fences all but a unit. Readers need no lock: no chunk is beyond
 * what was cut. */
static void give_back_locked(struct span *span)
{
	if (span == NULL)
		return;
	size_t page = fp_vm_page_size();
	uintptr_t low = span->base - span->fence - page;
	uintptr_t high = span->base + span->bytes + span->fence;
	uintptr_t cut_end = span->base + span->cut_bytes;

	if (high > cut_end + UNIT_BYTES &&
	    fp_vm_unmap(cut_end + UNIT_BYTES, high - cut_end - UNIT_BYTES) != 0)
		return;
	if (span->fence > UNIT_BYTES) {
		fp_vm_remap(span->base - UNIT_BYTES - page, page, PROT_NONE);
		fp_vm_unmap(low, span->base - UNIT_BYTES - page - low);
	}
	span->bytes = span->cut_bytes;
	if (span->links != 0)
		fp_growth_give_back(&span->links_memory, 0);
	if (span->fence > UNIT_BYTES)
		span->fence = UNIT_BYTES;
}

void fp_span_give_back(void)
{
	fp_lock_acquire(&lock);
	give_back_locked(newest[false]);
	give_back_locked(newest[true]);
	fp_lock_release(&lock);
}

/* The chunk at INDEX of a span, or NULL behind the last. */
static struct fp_chunk *chunk_at(const struct span *span, size_t index)
{
	return index < span->bytes / UNIT_BYTES
	               ? atomic_load_explicit(&span->chunks[index], memory_order_acquire)
	               : NULL;
}

static struct fp_chunk *find_in(const struct span *span, uintptr_t offset)
{
	size_t index =
	        atomic_load_explicit(&span->areas[offset / AREA_BYTES], memory_order_acquire);

	if (index == 0)
		return NULL;
	struct fp_chunk *chunk = chunk_at(span, index - 1);
	while (chunk != NULL && offset - (chunk->base - span->base) >= chunk->bytes)
		chunk = chunk_at(span, index++);
	return chunk;
}

static const struct span *span_of(uintptr_t address)
{
	size_t count = atomic_load_explicit(&span_count, memory_order_acquire);

	for (size_t i = 0; i < count; i++)
		if (address - spans[i].base < spans[i].bytes)
			return &spans[i];
	return NULL;
}

struct fp_chunk *fp_span_find(uintptr_t address)
{
	const struct span *span = span_of(address);

	return span == NULL ? NULL : find_in(span, address - span->base);
}

bool fp_span_is_limited(uintptr_t address)
{
	return !span_of(address)->is_own && has_data_limit();
}

int fp_span_remap(uintptr_t base, size_t bytes, int prot)
{
	const struct span *span = span_of(base);

	return span != NULL && span->is_own ? fp_vm_remap_own(base, bytes, prot)
	                                    : fp_vm_remap(base, bytes, prot);
}

int fp_span_open(uintptr_t base, size_t bytes, int prot)
{
	int status = fp_vm_protect(base, bytes, prot);

	/* A mapping in its place would pass RLIMIT_DATA by, and leave nothing for others. */
	return status == 0 || status == -ENOMEM ? status : fp_span_remap(base, bytes, prot);
}

static struct fp_chunk *last_chunk(const struct span *span)
{
	struct fp_chunk *last = NULL;
	struct fp_chunk *next;

	for (size_t i = 0; (next = chunk_at(span, i)) != NULL; i++)
		last = next;
	return last;
}

struct fp_chunk *fp_span_find_near(uintptr_t address)
{
	size_t count = atomic_load_explicit(&span_count, memory_order_acquire);

	for (size_t i = 0; i < count; i++) {
		const struct span *span = &spans[i];

		if (address - (span->base - span->fence) < span->bytes + 2 * span->fence)
			return address < span->base ? chunk_at(span, 0) : last_chunk(span);
	}
	return NULL;
}

/* Chunks stand one behind the other in the order of the list. */
struct fp_chunk *fp_span_next(const struct fp_chunk *chunk, bool is_behind)
{
	return fp_span_find(is_behind ? chunk->base + chunk->bytes : chunk->base - 1);
}

static void each_chunk_of(const struct span *span, void (*visit)(struct fp_chunk *, void *),
                          void *user)
{
	struct fp_chunk *chunk;

	for (size_t i = 0; (chunk = chunk_at(span, i)) != NULL; i++)
		visit(chunk, user);
}

void fp_span_each_chunk(void (*visit)(struct fp_chunk *chunk, void *user), void *user)
{
	size_t count = atomic_load_explicit(&span_count, memory_order_acquire);

	for (size_t i = 0; i < count; i++)
		each_chunk_of(&spans[i], visit, user);
}

bool fp_guard_span(size_t index, uintptr_t *start, uintptr_t *end)
{
	if (index >= atomic_load_explicit(&span_count, memory_order_acquire))
		return false;
	*start = spans[index].base;
	*end = spans[index].base + spans[index].bytes;
	return true;
}

void fp_guard_leave_remains(struct fp_remains *remains)
{
	remains->spans = (struct fp_remains_ranges){
	        .first = (uintptr_t)spans,
	        .count = (uintptr_t)&span_count,
	        .bytes = sizeof(spans[0]),
	        .start = offsetof(struct span, base),
	        .end = offsetof(struct span, bytes),
	        .is_size = true,
	};
}
