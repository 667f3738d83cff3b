/* SPDX-License-Identifier: Apache-2.0
 *
 * A set with open addressing in which a place is taken, and given up, by one exchange. There
 * are few such blocks: what was allocated before the session stood, and inside it. Should a
 * program have more than the set holds, unknown pointers are taken for libc's from then on.
 */
#include "preload/libc_blocks.h"

#include <dlfcn.h>
#include <stdatomic.h>
#include <stdint.h>

#include "preload/door.h"

enum { PLACES = 1 << 13, EMPTY = 0, GIVEN_UP = 1, LIBC_ALIGN = 16 };

static _Atomic uintptr_t places[PLACES];
static _Atomic bool is_full;
static size_t (*usable_size)(void *block);

static size_t first_place(uintptr_t block)
{
	return ((block >> 4) * 0x9e3779b97f4a7c15u) >> 51;
}

static void add(uintptr_t block)
{
	size_t at = first_place(block);

	for (size_t tries = 0; tries < PLACES; tries++, at = (at + 1) % PLACES) {
		uintptr_t seen = atomic_load(&places[at]);

		if (seen <= GIVEN_UP &&
		    atomic_compare_exchange_strong(&places[at], &seen, block))
			return;
	}
	atomic_store(&is_full, true);
}

static bool is_lenient(void)
{
	return fp_preload_is_lenient() || atomic_load(&is_full);
}

/* Whether BLOCK was in the set, or may be libc's all the same. */
static bool take(uintptr_t block)
{
	size_t at = first_place(block);

	for (size_t tries = 0; tries < PLACES; tries++, at = (at + 1) % PLACES) {
		uintptr_t seen = atomic_load(&places[at]);

		if (seen == EMPTY)
			break;
		if (seen == block &&
		    atomic_compare_exchange_strong(&places[at], &seen, GIVEN_UP))
			return true;
	}
	return is_lenient();
}

void *fp_libc_alloc(const struct fp_heap_request *request)
{
	void *block;

	if (request->align > LIBC_ALIGN)
		block = __libc_memalign(request->align, request->size);
	else if (request->is_zeroed)
		block = __libc_calloc(1, request->size);
	else
		block = __libc_malloc(request->size);
	if (block != NULL && fp_preload.sample == 1)
		add((uintptr_t)block);
	return block;
}

bool fp_libc_free(void *block)
{
	if (fp_preload.sample == 1 && !take((uintptr_t)block))
		return false;
	__libc_free(block);
	return true;
}

void *fp_libc_realloc(void *block, size_t size, bool *is_known)
{
	*is_known = fp_preload.sample > 1 || take((uintptr_t)block);
	if (!*is_known)
		return NULL;
	void *moved = __libc_realloc(block, size);
	if (fp_preload.sample > 1)
		return moved;
	if (moved != NULL)
		add((uintptr_t)moved);
	else if (size != 0)
		add((uintptr_t)block); /* it stays as it was */
	return moved;
}

size_t fp_libc_usable_size(void *block)
{
	return usable_size == NULL ? 0 : usable_size(block);
}

void fp_libc_find(void)
{
	*(void **)(void *)&usable_size = dlsym(RTLD_NEXT, "malloc_usable_size");
}
