/* SPDX-License-Identifier: Apache-2.0
 *
 * Arenas: per class of slot (its number of pages) the chunk that new slots come from. A thread
 * keeps to one arena, so threads seldom meet on a lock.
 */
#include "guard/guard.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "base/align.h"
#include "base/lock.h"
#include "base/meta.h"
#include "base/thread.h"
#include "base/vm.h"
#include "guard/backend.h"
#include "guard/span.h"

enum {
	ARENAS = 16,
	SHARED_STRIDE_MAX = 1 << 20, /* slots with larger strides get chunks of their own */
	CLASSES = SHARED_STRIDE_MAX / 4096,
	CHUNK_BYTES = 32 << 20,
	OPEN_BYTES = 512 << 10 /* how far a chunk is opened ahead of use */
};

enum arena_kind { ARENA_DATA, ARENA_CODE, ARENA_KINDS };

struct arena {
	_Alignas(64) struct fp_lock lock;
	struct fp_chunk *current[CLASSES + 1]; /* by pages of the slot */
};

/* Best first. */
static const struct fp_backend *const backends[] = {
        &fp_backend_guard,
        &fp_backend_mprotect,
        &fp_backend_none,
};

enum { BACKENDS = sizeof(backends) / sizeof(backends[0]) };

static const struct fp_backend *backend = &fp_backend_none;
static size_t guard_bytes;
static struct arena arenas[ARENA_KINDS][ARENAS];

static const struct fp_backend *backend_named(const char *name)
{
	for (size_t i = 0; i < BACKENDS; i++)
		if (strcmp(backends[i]->name, name) == 0)
			return backends[i];
	return NULL;
}

static int choose(const char *name, const char **why)
{
	const struct fp_backend *chosen = NULL;
	int status = -EINVAL;

	if (strcmp(name, "auto") != 0) {
		chosen = backend_named(name);
		if (chosen != NULL)
			status = chosen->probe();
	}
	/* "none" always works, so the loop ends with a choice. */
	for (size_t i = 0; strcmp(name, "auto") == 0 && status != 0; i++) {
		chosen = backends[i];
		status = chosen->probe();
	}
	*why = chosen == NULL ? "a name that exists" : chosen->needs;
	if (status == 0)
		backend = chosen;
	return status;
}

int fp_guard_init(const struct fp_guard_config *config, const char **why)
{
	int status = choose(config->backend, why);

	if (status != 0)
		return status;
	guard_bytes = config->guard_pages * fp_vm_page_size();
	for (size_t kind = 0; kind < ARENA_KINDS; kind++)
		for (size_t i = 0; i < ARENAS; i++)
			arenas[kind][i].lock.rank = FP_RANK_ARENA;
	return 0;
}

const char *fp_guard_backend_name(void)
{
	return backend->name;
}

bool fp_guard_is_protecting(void)
{
	return backend != &fp_backend_none;
}

int fp_guard_probe(const char *name)
{
	const struct fp_backend *named = backend_named(name);

	return named == NULL ? -EINVAL : named->probe();
}

static size_t stride_of(const struct fp_chunk *chunk)
{
	return chunk->slot_bytes + chunk->guard_bytes;
}

static uintptr_t slot_base(const struct fp_chunk *chunk, size_t index)
{
	return chunk->base + chunk->guard_bytes + index * stride_of(chunk);
}

static struct fp_chunk *make_chunk(size_t slot_bytes, bool is_shared, int prot)
{
	size_t least = slot_bytes + 2 * guard_bytes;
	struct fp_chunk *chunk = fp_meta_alloc(sizeof(*chunk));

	if (chunk == NULL)
		return NULL;
	chunk->slot_bytes = slot_bytes;
	chunk->guard_bytes = guard_bytes;
	chunk->prot = prot;
	chunk->bytes = is_shared ? CHUNK_BYTES : least;
	/* A chunk of the least size must hold one slot, so only small ones may shrink. */
	if (fp_span_cut(chunk, is_shared && least <= SHARED_STRIDE_MAX) != 0) {
		fp_meta_free(chunk, sizeof(*chunk));
		return NULL;
	}
	chunk->slots =
	        (uint32_t)(is_shared ? (chunk->bytes - guard_bytes) / stride_of(chunk) : 1);
	return chunk;
}

/* Opens what the slot at INDEX and the guard behind it need, and more, to do it seldom. */
static int open_for(struct fp_chunk *chunk, size_t index)
{
	size_t needed = slot_base(chunk, index) + stride_of(chunk) - chunk->base;

	if (needed <= chunk->opened_bytes)
		return 0;
	size_t end = needed + OPEN_BYTES;
	if (end > chunk->bytes)
		end = chunk->bytes;
	uintptr_t base = chunk->base + chunk->opened_bytes;
	size_t bytes = end - chunk->opened_bytes;
	int status = backend->open(base, bytes, chunk->prot);
	if (status == 0)
		chunk->opened_bytes = end;
	return status;
}

static int take_fresh_locked(struct fp_chunk *chunk, struct fp_slot *slot)
{
	uint32_t index = atomic_load(&chunk->fresh);
	int status = open_for(chunk, index);

	if (status != 0)
		return status;
	slot->base = slot_base(chunk, index);
	slot->bytes = chunk->slot_bytes;
	atomic_store(&chunk->fresh, index + 1);
	return 0;
}

static struct fp_chunk *shared_chunk_locked(struct arena *arena, size_t pages, int prot)
{
	struct fp_chunk *chunk = arena->current[pages];

	if (chunk != NULL && atomic_load(&chunk->fresh) < chunk->slots)
		return chunk;
	chunk = make_chunk(pages * fp_vm_page_size(), true, prot);
	if (chunk != NULL)
		arena->current[pages] = chunk;
	return chunk;
}

static int reserve_slot(size_t pages, bool is_executable, struct fp_slot *slot)
{
	struct arena *arena = &arenas[is_executable][fp_thread_ordinal() % ARENAS];
	int prot = PROT_READ | PROT_WRITE | (is_executable ? PROT_EXEC : 0);
	bool is_shared = pages * fp_vm_page_size() + guard_bytes <= SHARED_STRIDE_MAX;
	int status = -ENOMEM;

	fp_lock_acquire(&arena->lock);
	struct fp_chunk *chunk = is_shared ? shared_chunk_locked(arena, pages, prot)
	                                   : make_chunk(pages * fp_vm_page_size(), false, prot);
	if (chunk != NULL)
		status = take_fresh_locked(chunk, slot);
	fp_lock_release(&arena->lock);
	return status;
}

/* The last slot of a full chunk died: its page tables go back, its addresses stay reserved. */
static void bury(struct fp_chunk *chunk)
{
	if (atomic_fetch_add(&chunk->dead, 1) + 1 == chunk->slots)
		fp_vm_remap(chunk->base, chunk->bytes, PROT_NONE);
}

int fp_guard_acquire(size_t pages, bool is_executable, struct fp_slot *slot)
{
	int status = reserve_slot(pages, is_executable, slot);

	if (status != 0)
		return status;
	struct fp_chunk *chunk = fp_span_find(slot->base);
	status = backend->unseal(slot->base, slot->bytes, chunk->prot);
	if (status != 0)
		bury(chunk);
	return status;
}

int fp_guard_release(const struct fp_slot *slot)
{
	int status = backend->seal(slot->base, slot->bytes);

	bury(fp_span_find(slot->base));
	return status;
}

bool fp_guard_find(uintptr_t address, struct fp_place *place)
{
	const struct fp_chunk *chunk = fp_span_find(address);

	if (chunk == NULL)
		return false;
	size_t offset = address - chunk->base;
	/* The leading guard counts to slot 0, the tail of the chunk to its last slot. */
	size_t index = offset < chunk->guard_bytes
	                       ? 0
	                       : (offset - chunk->guard_bytes) / stride_of(chunk);
	if (index >= chunk->slots)
		index = chunk->slots - 1;
	place->slot.base = slot_base(chunk, index);
	place->slot.bytes = chunk->slot_bytes;
	place->is_in_guard = address - place->slot.base >= chunk->slot_bytes;
	place->state = index < atomic_load(&chunk->fresh) ? FP_PLACE_USED : FP_PLACE_FRESH;
	return true;
}

void fp_guard_lock_for_fork(void)
{
	for (size_t kind = 0; kind < ARENA_KINDS; kind++)
		for (size_t i = 0; i < ARENAS; i++)
			fp_lock_acquire_for_fork(&arenas[kind][i].lock);
	fp_span_lock_for_fork();
}

void fp_guard_unlock_after_fork(void)
{
	fp_span_unlock_after_fork();
	for (size_t kind = 0; kind < ARENA_KINDS; kind++)
		for (size_t i = 0; i < ARENAS; i++)
			fp_lock_release_after_fork(&arenas[kind][i].lock);
}
