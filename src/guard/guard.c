/* SPDX-License-Identifier: Apache-2.0
 *
 * The choice of a back end, its renewal, and the way from an address to its slot.
 */
#include "guard/guard.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>

#include "base/align.h"
#include "base/child.h"
#include "base/lock.h"
#include "base/messages.h"
#include "base/vm.h"
#include "guard/arena.h"
#include "guard/backend.h"
#include "guard/batch.h"
#include "guard/dense.h"
#include "guard/span.h"

/* Best first. */
static const struct fp_backend *const backends[] = {
        &fp_backend_move,
        &fp_backend_guard,
        &fp_backend_mprotect,
        &fp_backend_none,
};

enum { BACKENDS = sizeof(backends) / sizeof(backends[0]) };

static const struct fp_backend *backend = &fp_backend_none;
FP_CHILD_WRITES static struct fp_lock renewal_lock = FP_LOCK_INITIALIZER(FP_RANK_RENEWAL);
FP_HELD_ACROSS_FORK(FP_RANK_RENEWAL, &renewal_lock);
FP_CHILD_WRITES static _Atomic uint32_t renewals;
static _Atomic bool has_lapsed;

static const struct fp_backend *backend_named(const char *name)
{
	for (size_t i = 0; i < BACKENDS; i++)
		if (strcmp(backends[i]->name, name) == 0)
			return backends[i];
	return NULL;
}

/* The best back end that works and takes slots of any size, or of some when IS_ANY. "none"
 * always works, so there is one. */
static const struct fp_backend *best(bool is_any)
{
	size_t i = 0;

	while ((!is_any && backends[i]->slot_bytes_max != 0) ||
	       fp_backend_probe(backends[i]) != 0)
		i++;
	return backends[i];
}

static int choose(const char *name, const char **why)
{
	const struct fp_backend *chosen = backend_named(name);
	int status = 0;

	if (strcmp(name, "auto") == 0)
		chosen = best(true);
	else
		status = chosen == NULL ? -EINVAL : fp_backend_probe(chosen);
	*why = chosen == NULL ? FP_TELL_NEEDS_NAME : chosen->needs;
	if (status == 0)
		backend = chosen;
	return status;
}

/* Two threads that find the back end stale at once renew it once. */
static int renew(void)
{
	uint32_t seen = atomic_load(&renewals);
	int status = 0;

	fp_lock_acquire(&renewal_lock);
	if (seen == atomic_load(&renewals)) {
		status = backend->renew == NULL ? -ESTALE : backend->renew();
		if (status == 0)
			status = fp_arena_hold_all();
		if (status == 0)
			atomic_fetch_add(&renewals, 1);
		else
			atomic_store(&has_lapsed, true);
	}
	fp_lock_release(&renewal_lock);
	return status;
}

/* A mapping or two for a slot of its own chunk is little, and of gigabytes that nobody touches
 * no page gets a mark of its own. NULL: as for others. */
static const struct fp_backend *for_huge_slots(void)
{
	return backend != &fp_backend_none && fp_backend_probe(&fp_backend_mprotect) == 0
	               ? &fp_backend_mprotect
	               : NULL;
}

int fp_guard_init(const struct fp_guard_config *config, const char **why)
{
	fp_backend_move_set_fill(config->fill);
	int status = choose(config->backend, why);

	if (status != 0)
		return status;
	const struct fp_arena_config arenas = {
	        .small = backend,
	        .large = backend->slot_bytes_max == 0 ? backend : best(false),
	        .huge = for_huge_slots(),
	        .fill = config->fill,
	        .guard_bytes = config->guard_pages * fp_vm_page_size(),
	        .renew = renew,
	};
	fp_arena_init(&arenas);
	fp_dense_init(config->fill);
	fp_batch_init(config);
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

bool fp_guard_has_lapsed(void)
{
	return atomic_load(&has_lapsed);
}

int fp_guard_probe(const char *name)
{
	const struct fp_backend *named = backend_named(name);

	return named == NULL ? -EINVAL : fp_backend_probe(named);
}

int fp_guard_acquire(size_t pages, bool is_executable, struct fp_slot *slot)
{
	return fp_arena_acquire(pages, is_executable, slot);
}

int fp_guard_acquire_dense(size_t bytes, bool is_executable, struct fp_slot *slot)
{
	return fp_dense_acquire(bytes, is_executable, slot);
}

/* Chunks of cells have no back end. */
static bool is_dense(const struct fp_chunk *chunk)
{
	return chunk->backend == NULL;
}

int fp_guard_release(const struct fp_slot *slot)
{
	if (slot->is_dense)
		return fp_dense_release(slot);
	if (!slot->is_filled || !fp_batch_takes(slot->chunk))
		return fp_arena_release(slot);
	fp_batch_release(slot);
	return 0;
}

void fp_guard_seal_waiting(void)
{
	fp_batch_seal_all();
}

static void describe(struct fp_chunk *chunk, size_t index, struct fp_place *place)
{
	place->slot.chunk = chunk;
	place->slot.link = fp_chunk_link(chunk, index);
	place->slot.base = fp_chunk_slot(chunk, index);
	place->slot.bytes = chunk->slot_bytes;
	place->slot.is_dense = is_dense(chunk);
	place->slot.is_filled = !is_dense(chunk) && fp_batch_takes(chunk);
	place->slot.is_shared = false;
	place->slot.used = place->slot.base;
	place->slot.used_bytes = chunk->slot_bytes;
	place->stride = fp_chunk_stride(chunk);
	place->is_in_guard = false;
	place->state = index < atomic_load(&chunk->fresh) ? FP_PLACE_USED : FP_PLACE_FRESH;
}

/* What is before slot 0 counts to it, what is behind the last slot to that. */
static size_t index_at(const struct fp_chunk *chunk, uintptr_t address)
{
	uintptr_t first = fp_chunk_slot(chunk, 0);
	size_t index = address < first ? 0 : (address - first) / fp_chunk_stride(chunk);

	return index < chunk->slots ? index : chunk->slots - 1;
}

bool fp_guard_find(uintptr_t address, struct fp_place *place)
{
	struct fp_chunk *chunk = fp_span_find(address);

	if (chunk == NULL)
		chunk = fp_span_find_near(address);
	if (chunk == NULL)
		return false;
	describe(chunk, index_at(chunk, address), place);
	place->is_in_guard = address - place->slot.base >= chunk->slot_bytes;
	return true;
}

/* The slot of a chunk that was handed out last, or first. */
static bool find_used_end(struct fp_chunk *chunk, bool is_last, struct fp_place *place)
{
	uint32_t fresh = atomic_load(&chunk->fresh);

	if (fresh == 0)
		return false;
	describe(chunk, is_last ? fresh - 1 : 0, place);
	return true;
}

bool fp_guard_find_beside(const struct fp_place *place, bool is_behind, struct fp_place *beside)
{
	struct fp_chunk *chunk = place->slot.chunk;
	size_t index = index_at(chunk, place->slot.base);
	size_t fresh = atomic_load(&chunk->fresh);
	bool is_here = is_behind ? index + 1 < fresh : index > 0 && fresh > 0;

	if (is_here && !is_behind)
		index = index < fresh ? index : fresh;
	if (is_here) {
		describe(chunk, is_behind ? index + 1 : index - 1, beside);
		return true;
	}
	while ((chunk = fp_span_next(chunk, is_behind)) != NULL)
		if (find_used_end(chunk, !is_behind, beside))
			return true;
	return false;
}

/* Whether the chunk's back end has PAGE in its hold: it was opened, and its chunk lives. */
static bool is_held(const struct fp_chunk *chunk, uintptr_t page)
{
	if (chunk == NULL) /* a fence */
		return false;
	uintptr_t from = fp_chunk_opened_from(chunk);
	return page >= from && page - from < atomic_load(&chunk->opened_bytes);
}

bool fp_guard_can_miss(uintptr_t address)
{
	const struct fp_chunk *chunk = fp_span_find(address);

	return chunk != NULL && !is_dense(chunk) && chunk->backend->mend != NULL;
}

bool fp_guard_mend(uintptr_t address)
{
	return fp_guard_can_miss(address) && fp_span_find(address)->backend->mend(fp_align_down(
	                                             address, fp_vm_page_size())) == 0;
}

int fp_guard_expose(uintptr_t page)
{
	const struct fp_chunk *chunk = fp_span_find(page);

	if (is_held(chunk, page))
		return chunk->backend->unseal(page, fp_vm_page_size(), chunk->prot);
	return fp_span_remap(page, fp_vm_page_size(), PROT_READ | PROT_WRITE);
}

int fp_guard_conceal(uintptr_t page)
{
	const struct fp_chunk *chunk = fp_span_find(page);

	if (is_held(chunk, page))
		return chunk->backend->seal(page, fp_vm_page_size());
	return fp_span_remap(page, fp_vm_page_size(), PROT_NONE);
}

int fp_guard_deny(uintptr_t page)
{
	return fp_vm_protect(page, fp_vm_page_size(), PROT_NONE);
}

void fp_guard_give_reserve_back(void)
{
	fp_span_give_back();
}

void fp_guard_prepare_fork(void)
{
	fp_arena_prepare_fork();
}

int fp_guard_renew_in_child(void)
{
	return backend->renew == NULL ? 0 : renew();
}
