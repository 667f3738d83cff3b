/* SPDX-License-Identifier: Apache-2.0
 *
 * A set with open addressing in which a place is taken, and given up, by one exchange. There
 * are few such blocks: what was allocated before the session stood, and inside it. Should a
 * program have more than the set holds, unknown pointers are taken for libc's from then on.
 */
#include "preload/libc_blocks.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>

#include "base/hash.h"
#include "base/maps.h"
#include "base/room.h"
#include "preload/chunk.h"
#include "preload/door.h"
#include "preload/next.h"

enum { PLACES = 1 << 13, EMPTY = 0, GIVEN_UP = 1, LIBC_ALIGN = 16 };

static _Atomic uintptr_t places[PLACES];
static _Atomic bool is_full;

static size_t first_place(uintptr_t block)
{
	return fp_hash_place(fp_hash_word(0, block >> 4), PLACES);
}

static void add(uintptr_t block)
{
	size_t at = first_place(block);

	for (size_t tries = 0; tries < PLACES; tries++, at = fp_hash_next(at, PLACES)) {
		uintptr_t seen = atomic_load(&places[at]);

		if (seen <= GIVEN_UP &&
		    atomic_compare_exchange_strong(&places[at], &seen, block))
			return;
	}
	atomic_store(&is_full, true);
}

/* What a program has from functions that libc's allocator does not have (mallocx) it may give
 * to free. It lies in memory of no file. */
static bool may_be_foreign(uintptr_t block)
{
	uintptr_t stack = fp_room_outside((uintptr_t)__builtin_frame_address(0));
	struct fp_maps_place place;

	return fp_preload_next.is_foreign && fp_maps_at(block, &place) == 0 &&
	       place.is_mapped && place.is_writable && !place.is_file &&
	       (stack < place.start || stack >= place.end);
}

/* Of those that are not in the set: __libc_malloc and the libc of another namespace (dlmopen)
 * make blocks that nobody told us of. */
static bool may_be_libcs(uintptr_t block)
{
	int saved_errno = errno;
	bool may_be = fp_preload_is_lenient() || atomic_load(&is_full) ||
	              may_be_foreign(block) ||
	              (!fp_preload_next.is_foreign && fp_chunk_is_in_use(block));

	errno = saved_errno;
	return may_be;
}

/* Where BLOCK is in the set, or NULL. */
static _Atomic uintptr_t *find(uintptr_t block)
{
	size_t at = first_place(block);

	for (size_t tries = 0; tries < PLACES; tries++, at = fp_hash_next(at, PLACES)) {
		uintptr_t seen = atomic_load(&places[at]);

		if (seen == EMPTY)
			break;
		if (seen == block)
			return &places[at];
	}
	return NULL;
}

/* A block of another C library's, whose heap is not to be touched, is nobody's to give back. */
enum owner { UNKNOWN, LIBC, OTHER_LIBC };

/* Whether BLOCK was in the set, or may be libc's all the same. */
static enum owner take(uintptr_t block)
{
	_Atomic uintptr_t *place = find(block);
	uintptr_t seen = block;

	if (place != NULL && atomic_compare_exchange_strong(place, &seen, GIVEN_UP))
		return LIBC;
	if (!may_be_libcs(block))
		return UNKNOWN;
	return fp_preload_has_namespaces() ? OTHER_LIBC : LIBC;
}

bool fp_libc_has(void *block)
{
	return find((uintptr_t)block) != NULL || may_be_libcs((uintptr_t)block);
}

void *fp_libc_alloc(const struct fp_heap_request *request)
{
	void *block;

	if (request->align > LIBC_ALIGN)
		block = fp_preload_next.memalign(request->align, request->size);
	else if (request->is_zeroed)
		block = fp_preload_next.calloc(1, request->size);
	else
		block = fp_preload_next.malloc(request->size);
	if (block != NULL && !fp_preload.picks)
		add((uintptr_t)block);
	return block;
}

/* What the program poisoned of it, if anything. */
static void forget(void *block)
{
	if (fp_heap_is_watched(block))
		fp_heap_forget_memory(block, fp_preload_next.usable_size(block));
}

bool fp_libc_free(void *block)
{
	enum owner owner = !fp_preload.picks ? take((uintptr_t)block) : LIBC;

	if (owner == LIBC) {
		forget(block);
		fp_preload_next.free(block);
	}
	return owner != UNKNOWN;
}

static void *copy_of(void *block, size_t size)
{
	size_t bytes = fp_preload_next.usable_size(block);
	void *copy = fp_preload_next.malloc(size);

	if (copy != NULL)
		memcpy(copy, block, bytes < size ? bytes : size);
	return copy;
}

void *fp_libc_realloc(void *block, size_t size, bool *is_known)
{
	enum owner owner = !fp_preload.picks ? take((uintptr_t)block) : LIBC;

	*is_known = owner != UNKNOWN;
	if (!*is_known)
		return NULL;
	forget(block);
	void *moved =
	        owner == LIBC ? fp_preload_next.realloc(block, size) : copy_of(block, size);
	if (fp_preload.picks)
		return moved;
	if (moved != NULL)
		add((uintptr_t)moved);
	else if (size != 0 && owner == LIBC)
		add((uintptr_t)block); /* it stays as it was */
	return moved;
}

size_t fp_libc_usable_size(void *block)
{
	return fp_preload_next.usable_size(block);
}
