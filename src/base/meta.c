/* SPDX-License-Identifier: Apache-2.0
 *
 * Metadata memory: size classes of 16 bytes up to 1024 cut from chunks, with a free list each;
 * larger requests are mappings of their own. Chunks come from memory that grows without a
 * mapping more, and so do larger requests once the process may have no other mapping. What was
 * set aside is accessible already, and needs nothing of the system at all.
 */
#include "base/meta.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include "base/align.h"
#include "base/child.h"
#include "base/growth.h"
#include "base/inject.h"
#include "base/lock.h"
#include "base/remains.h"
#include "base/vm.h"

enum {
	UNIT = 16,
	SMALL_MAX = 1024,
	CLASSES = SMALL_MAX / UNIT,
	CHUNK_BYTES = 4 << 20,
	SMALL_CHUNK_BYTES = 64 << 10,
	REGIONS_MAX = 64,
	REPORT_BYTES = 8 << 20,
	FENCE_PAGES = 16, /* inaccessible, on either side of a mapping */
};

static const size_t region_largest = (size_t)64 << 30;

struct free_item {
	struct free_item *next;
};

FP_CHILD_WRITES static struct fp_lock lock = FP_LOCK_INITIALIZER(FP_RANK_META);
FP_HELD_ACROSS_FORK(FP_RANK_META, &lock);
FP_CHILD_WRITES static struct free_item *free_items[CLASSES + 1];
FP_CHILD_WRITES static struct fp_growth growth; /* of the newest region */
static struct region {
	_Atomic uintptr_t start;
	_Atomic uintptr_t end;
} regions[REGIONS_MAX];
static _Atomic size_t region_count;
/* What was set aside. Whoever is last gives back all, and whoever took last what he took. */
static struct {
	uintptr_t start;
	uintptr_t at;
	uintptr_t usable_end;
	uintptr_t end;
	size_t items;
} aside;
FP_CHILD_WRITES static uintptr_t chunk_at;
FP_CHILD_WRITES static uintptr_t chunk_end;
static _Atomic size_t footprint;

/* Unlike anything else that could stand there, because it names the place. */
struct mark {
	uint64_t end;
	uint64_t complement;
};

_Static_assert(sizeof(struct mark) == FP_META_MARK_BYTES, "as the header says");

static const uint64_t mark_key = 0x66656e6365706f73;

static struct mark mark_of(uintptr_t end)
{
	return (struct mark){.end = end ^ mark_key, .complement = ~(uint64_t)end};
}

bool fp_meta_is_mark(const void *bytes, uintptr_t end)
{
	const struct mark mark = mark_of(end);

	return memcmp(bytes, &mark, sizeof(mark)) == 0;
}

static int make_accessible(uintptr_t base, size_t bytes, bool is_shared)
{
	return is_shared ? fp_vm_remap_shared(base, bytes, PROT_READ | PROT_WRITE)
	                 : fp_vm_open(base, bytes, PROT_READ | PROT_WRITE);
}

static size_t fence_bytes(void)
{
	return FENCE_PAGES * fp_vm_page_size();
}

/* Accessible memory for BYTES and the mark, between two fences. */
static uintptr_t map_fenced(size_t bytes, bool is_shared)
{
	size_t fence = fence_bytes();
	size_t inner = fp_align_up(bytes + FP_META_MARK_BYTES, fp_vm_page_size());
	uintptr_t base;

	if (fp_vm_reserve_own(inner + 2 * fence, fence, &base) != 0)
		return 0;
	if (make_accessible(base + fence, inner, is_shared) != 0) {
		fp_vm_unmap(base, inner + 2 * fence);
		return 0;
	}
	uintptr_t end = base + fence + inner;
	*(struct mark *)(end - FP_META_MARK_BYTES) = mark_of(end);
	atomic_fetch_add(&footprint, inner);
	return base + fence;
}

static void unmap_fenced(uintptr_t base, size_t bytes)
{
	size_t fence = fence_bytes();
	size_t inner = fp_align_up(bytes + FP_META_MARK_BYTES, fp_vm_page_size());

	fp_vm_unmap(base - fence, inner + 2 * fence);
	atomic_fetch_sub(&footprint, inner);
}

static bool add_region_locked(struct fp_growth *added, size_t largest, size_t smallest)
{
	size_t index = atomic_load(&region_count);

	if (index == REGIONS_MAX || fp_growth_reserve(added, largest, smallest) != 0)
		return false;
	atomic_store(&regions[index].start, added->at);
	atomic_store(&regions[index].end, added->end);
	atomic_store_explicit(&region_count, index + 1, memory_order_release);
	return true;
}

bool fp_meta_reserve(struct fp_growth *table, size_t largest, size_t smallest)
{
	fp_lock_acquire(&lock);
	bool is_reserved = add_region_locked(table, largest, smallest);
	fp_lock_release(&lock);
	return is_reserved;
}

static uintptr_t grow_locked(size_t bytes)
{
	uintptr_t base = fp_growth_take(&growth, bytes);

	if (base == 0 && growth.end - growth.at < bytes + fp_vm_page_size() &&
	    add_region_locked(&growth, region_largest, bytes))
		base = fp_growth_take(&growth, bytes);
	if (base == 0)
		return 0;
	atomic_fetch_add(&footprint, bytes);
	fp_vm_show(base, bytes);
	return base;
}

static bool is_grown(uintptr_t base)
{
	size_t count = atomic_load_explicit(&region_count, memory_order_acquire);

	for (size_t i = 0; i < count; i++)
		if (base >= atomic_load(&regions[i].start) &&
		    base < atomic_load(&regions[i].end))
			return true;
	return false;
}

static uintptr_t take_aside_locked(size_t bytes)
{
	uintptr_t base = aside.at;

	if (aside.usable_end - base < bytes)
		return 0;
	aside.at += bytes;
	aside.items++;
	memset((void *)base, 0, bytes);
	return base;
}

static void give_aside_back(uintptr_t base, size_t bytes)
{
	fp_lock_acquire(&lock);
	if (base + bytes == aside.at)
		aside.at = base;
	if (--aside.items == 0)
		aside.at = aside.start;
	fp_lock_release(&lock);
}

void fp_meta_set_aside(size_t bytes)
{
	struct fp_growth memory;

	fp_lock_acquire(&lock);
	if (aside.start == 0 && add_region_locked(&memory, bytes, bytes)) {
		aside.start = fp_growth_take(&memory, bytes);
		bytes = aside.start == 0 ? 0 : bytes;
		aside.at = aside.start;
		aside.usable_end = aside.start + bytes / 2;
		aside.end = aside.start + bytes;
	}
	fp_lock_release(&lock);
}

void fp_meta_use_aside(void)
{
	fp_lock_acquire(&lock);
	aside.usable_end = aside.end;
	fp_lock_release(&lock);
}

static void *take_large(size_t bytes)
{
	uintptr_t base = map_fenced(bytes, false);
	size_t grown = fp_align_up(bytes, fp_vm_page_size());

	if (base == 0) {
		fp_lock_acquire(&lock);
		base = grow_locked(grown);
		if (base == 0)
			base = take_aside_locked(grown);
		fp_lock_release(&lock);
	}
	return (void *)base;
}

static void give_large_back(uintptr_t base, size_t bytes)
{
	if (!is_grown(base)) {
		unmap_fenced(base, bytes);
		return;
	}
	size_t grown = fp_align_up(bytes, fp_vm_page_size());
	if (base - aside.start < aside.end - aside.start) {
		give_aside_back(base, grown);
		return;
	}
	/* Its memory goes back, its addresses are lost: the way forward is all there is. */
	fp_vm_advise(base, grown, MADV_DONTNEED);
	atomic_fetch_sub(&footprint, grown);
}

static bool add_chunk_locked(void)
{
	size_t bytes = CHUNK_BYTES;
	uintptr_t chunk = grow_locked(bytes);

	if (chunk == 0)
		chunk = map_fenced(bytes, false);
	if (chunk == 0) {
		bytes = SMALL_CHUNK_BYTES;
		chunk = take_aside_locked(bytes); /* for good */
	}
	if (chunk == 0)
		return false;
	chunk_at = chunk;
	chunk_end = chunk + bytes;
	return true;
}

static void *take_small_locked(size_t bytes)
{
	struct free_item *item = free_items[bytes / UNIT];

	if (item != NULL) {
		free_items[bytes / UNIT] = item->next;
		memset(item, 0, bytes);
		return item;
	}
	/* The rest of the old chunk is given up: less than one small item. */
	if (chunk_end - chunk_at < bytes && !add_chunk_locked())
		return NULL;
	void *memory = (void *)chunk_at;
	chunk_at += bytes;
	return memory;
}

void *fp_meta_alloc(size_t bytes)
{
	if (fp_inject_fails(FP_INJECT_META) || bytes > SIZE_MAX / 2)
		return NULL;
	if (bytes > SMALL_MAX)
		return take_large(bytes);
	fp_lock_acquire(&lock);
	void *memory = take_small_locked(fp_align_up(bytes == 0 ? 1 : bytes, UNIT));
	fp_lock_release(&lock);
	return memory;
}

void *fp_meta_alloc_shared(size_t bytes)
{
	if (fp_inject_fails(FP_INJECT_META) || bytes <= SMALL_MAX || bytes > SIZE_MAX / 2)
		return NULL;
	return (void *)map_fenced(bytes, true);
}

bool fp_meta_region(size_t index, uintptr_t *start, uintptr_t *end)
{
	if (index >= atomic_load_explicit(&region_count, memory_order_acquire))
		return false;
	*start = atomic_load(&regions[index].start);
	*end = atomic_load(&regions[index].end);
	return true;
}

void fp_meta_free(void *memory, size_t bytes)
{
	struct free_item *item = memory;

	if (memory == NULL)
		return;
	if (bytes > SMALL_MAX) {
		give_large_back((uintptr_t)memory, bytes);
		return;
	}
	size_t class = fp_align_up(bytes == 0 ? 1 : bytes, UNIT) / UNIT;
	fp_lock_acquire(&lock);
	item->next = free_items[class];
	free_items[class] = item;
	fp_lock_release(&lock);
}

void fp_meta_give_reserve_back(void)
{
	fp_lock_acquire(&lock);
	fp_growth_give_back(&growth, REPORT_BYTES);
	fp_lock_release(&lock);
}

size_t fp_meta_footprint(void)
{
	return atomic_load(&footprint);
}

bool fp_meta_is_idle(void)
{
	return fp_lock_is_free(&lock);
}

void fp_meta_leave_remains(struct fp_remains *remains)
{
	remains->metadata = (struct fp_remains_ranges){
	        .first = (uintptr_t)regions,
	        .count = (uintptr_t)&region_count,
	        .bytes = sizeof(regions[0]),
	        .start = offsetof(struct region, start),
	        .end = offsetof(struct region, end),
	};
}
