/* SPDX-License-Identifier: Apache-2.0
 *
 * With a back end that recycles, release moves a slot's memory straight into the next fresh
 * slot of its class. That one stands ready, so the next acquire makes no system call.
 */
#include "guard/arena.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>

#include "base/align.h"
#include "base/lock.h"
#include "base/maps.h"
#include "base/meta.h"
#include "base/thread.h"
#include "base/vm.h"

enum {
	ARENAS = 16,
	SHARED_STRIDE_MAX = 1 << 20, /* slots with larger strides get chunks of their own */
	CLASSES = SHARED_STRIDE_MAX / 4096,
	CHUNK_BYTES = 32 << 20,
	OPEN_BYTES = 512 << 10, /* how far a chunk is opened ahead of use */
	READY_CLASSES = 16,     /* slots of up to so many pages may stand ready */
	READY_PAGES = 64,       /* memory that a class may hold ready */
	FORCED_SHARE = 16,      /* one in so many mappings may go into slots sealed by force */
	TRIES = 4,
	RANGES_MAX = 64 /* in one call of the kernel */
};

enum arena_kind { ARENA_DATA, ARENA_CODE, ARENA_KINDS };

/* What there is to know of a slot whose class is known. */
struct ready_slot {
	uintptr_t base;
	struct fp_chunk *chunk;
	_Atomic(void *) *link;
};

/* Unsealed slots that nobody has. */
struct ready {
	uint32_t claimed; /* slots in the list or on their way into it */
	uint32_t count;
	struct ready_slot slots[READY_PAGES];
};

struct arena {
	_Alignas(64) struct fp_lock lock;
	struct fp_chunk *current[CLASSES + 1]; /* by pages of the slot */
	struct ready ready[READY_CLASSES + 1];
};

static struct fp_arena_config configuration;
static struct arena arenas[ARENA_KINDS][ARENAS];
FP_ALL_HELD_ACROSS_FORK(FP_RANK_ARENA, &arenas[0][0].lock, sizeof(arenas),
                        sizeof(arenas[0][0]));
static _Atomic uint64_t forced; /* slots sealed by force */
static uint64_t forced_max;

/* By a filter of system calls that came: new slots are of the back end for large ones. */
static _Atomic bool is_small_refused;

void fp_arena_init(const struct fp_arena_config *config)
{
	configuration = *config;
	forced_max = fp_vm_mappings_max() / FORCED_SHARE;
	for (size_t kind = 0; kind < ARENA_KINDS; kind++)
		for (size_t i = 0; i < ARENAS; i++)
			arenas[kind][i].lock.rank = FP_RANK_ARENA;
}

static struct arena *own_arena(bool is_executable)
{
	return &arenas[is_executable][fp_thread_ordinal() % ARENAS];
}

/* Whether the operation that gave STATUS is to be done once more. */
static bool is_worth_again(int status, bool *has_tried)
{
	if (status != -ESTALE || *has_tried)
		return false;
	*has_tried = true;
	return configuration.renew() == 0;
}

static const struct fp_backend *backend_for(size_t slot_bytes, bool is_shared)
{
	const struct fp_backend *small =
	        atomic_load(&is_small_refused) ? configuration.large : configuration.small;

	if (!is_shared && configuration.huge != NULL)
		return configuration.huge;
	return small->slot_bytes_max == 0 || slot_bytes <= small->slot_bytes_max
	               ? small
	               : configuration.large;
}

static struct fp_chunk *make_chunk(size_t slot_bytes, bool is_shared, int prot)
{
	size_t least = slot_bytes + 2 * configuration.guard_bytes;
	struct fp_chunk *chunk = fp_meta_alloc(sizeof(*chunk));

	if (chunk == NULL)
		return NULL;
	chunk->backend = backend_for(slot_bytes, is_shared);
	chunk->slot_bytes = slot_bytes;
	chunk->guard_bytes = configuration.guard_bytes;
	chunk->prot = prot;
	chunk->bytes = is_shared ? CHUNK_BYTES : least;
	/* A chunk of the least size must hold one slot, so only small ones may shrink. */
	if (fp_span_cut(chunk, is_shared && least <= SHARED_STRIDE_MAX) != 0) {
		fp_meta_free(chunk, sizeof(*chunk));
		return NULL;
	}
	return chunk;
}

static int open_range(const struct fp_chunk *chunk, uintptr_t base, size_t bytes)
{
	bool has_tried = false;
	int status;

	do
		status = chunk->backend->open(base, bytes, chunk->prot);
	while (is_worth_again(status, &has_tried));
	return status;
}

static int hold(const struct fp_chunk *chunk, uintptr_t base, size_t bytes)
{
	bool has_tried = false;
	int status;

	do
		status = chunk->backend->hold(base, bytes);
	while (is_worth_again(status, &has_tried));
	return status;
}

/* Opens what the slot at INDEX and the guard behind it need, and more, to do it seldom. */
static int open_for(struct fp_chunk *chunk, size_t index)
{
	uintptr_t from = fp_chunk_opened_from(chunk);
	size_t most = chunk->base + chunk->bytes - from;
	size_t opened = atomic_load(&chunk->opened_bytes);
	size_t needed = fp_chunk_slot(chunk, index) + fp_chunk_stride(chunk) - from;

	if (needed <= opened)
		return 0;
	/* Twice as much each time where that costs no more: few programs need a whole chunk,
	 * and what is open counts as data of the program (RLIMIT_DATA, core files). */
	size_t ahead =
	        chunk->backend->opens_widely && opened > OPEN_BYTES ? opened : OPEN_BYTES;
	size_t wanted = needed + ahead;
	if (wanted > most)
		wanted = most;
	int status = open_range(chunk, from + opened, wanted - opened);
	if (status == 0)
		atomic_store(&chunk->opened_bytes, wanted);
	return status;
}

static void describe_slot(struct fp_slot *slot, const struct ready_slot *ready, bool is_filled)
{
	*slot = (struct fp_slot){
	        .base = ready->base,
	        .bytes = ready->chunk->slot_bytes,
	        .chunk = ready->chunk,
	        .link = ready->link,
	        .is_filled = is_filled,
	        .used = ready->base,
	        .used_bytes = ready->chunk->slot_bytes,
	};
}

static int take_fresh_locked(struct fp_chunk *chunk, struct fp_slot *slot)
{
	uint32_t index = atomic_load(&chunk->fresh);
	int status = open_for(chunk, index);

	if (status != 0)
		return status;
	const struct ready_slot fresh = {
	        .base = fp_chunk_slot(chunk, index),
	        .chunk = chunk,
	        .link = fp_chunk_link(chunk, index),
	};
	describe_slot(slot, &fresh, chunk->backend->fills);
	atomic_store(&chunk->fresh, index + 1);
	return 0;
}

static struct fp_chunk *shared_chunk_locked(struct arena *arena, size_t pages, int prot)
{
	/* What may be NULL is ready_of() ARENA.
	 * NOLINTNEXTLINE(clang-analyzer-core.NullDereference) */
	struct fp_chunk *chunk = arena->current[pages];

	if (chunk != NULL && atomic_load(&chunk->fresh) < chunk->slots &&
	    chunk->backend == backend_for(chunk->slot_bytes, true))
		return chunk;
	chunk = make_chunk(pages * fp_vm_page_size(), true, prot);
	if (chunk != NULL)
		arena->current[pages] = chunk;
	return chunk;
}

/* A slot that was never used, still sealed. */
static int fresh_slot_locked(struct arena *arena, size_t pages, int prot, struct fp_slot *slot)
{
	size_t bytes = pages * fp_vm_page_size();
	bool is_shared = bytes + configuration.guard_bytes <= SHARED_STRIDE_MAX;
	struct fp_chunk *chunk = is_shared ? shared_chunk_locked(arena, pages, prot)
	                                   : make_chunk(bytes, false, prot);
	int status = chunk == NULL ? -ENOMEM : take_fresh_locked(chunk, slot);
	/* A limit that came behind the chunk does not count a new one. */
	if (status == -ENOMEM && is_shared && chunk != NULL &&
	    fp_span_is_limited(chunk->base)) {
		arena->current[pages] = NULL;
		status = fresh_slot_locked(arena, pages, prot, slot);
	}
	return status;
}

static struct ready *ready_of(struct arena *arena, size_t pages)
{
	return pages <= READY_CLASSES ? &arena->ready[pages] : NULL;
}

/* The pages that have no other chunk's. */
static void give_links_back(const struct fp_chunk *chunk)
{
	uintptr_t links = (uintptr_t)chunk->links;
	uintptr_t end = links + chunk->bytes / fp_chunk_link_step() * sizeof(*chunk->links);

	links = fp_align_up(links, fp_vm_page_size());
	end = fp_align_down(end, fp_vm_page_size());
	if (links != 0 && end > links)
		fp_vm_advise(links, end - links, MADV_DONTNEED);
}

/* The last slot of a full chunk died: its page tables and links go back, its addresses stay
 * reserved. */
static void bury(struct fp_chunk *chunk)
{
	if (atomic_fetch_add(&chunk->dead, 1) + 1 != chunk->slots)
		return;
	atomic_store(&chunk->opened_bytes, 0);
	fp_span_remap(chunk->base, chunk->bytes, PROT_NONE);
	give_links_back(chunk);
}

static int unseal(const struct fp_slot *slot)
{
	const struct fp_chunk *chunk = slot->chunk;
	bool has_tried = false;
	int status;

	do
		status = chunk->backend->unseal(slot->base, slot->bytes, chunk->prot);
	while (is_worth_again(status, &has_tried));
	return status;
}

/* The kernel refused the back end what it granted before: a filter came, memory was locked, or
 * descriptors ran out. This way costs mappings, so only a share of them may go into it. */
static int seal_by_force(const struct fp_slot *slot)
{
	int status = -ENOMEM;

	if (atomic_fetch_add(&forced, 1) < forced_max)
		status = fp_span_remap(slot->base, slot->bytes, PROT_NONE);
	if (status == 0)
		return 0;
	/* No mapping is left: a slot that has one of its own needs no other. */
	status = fp_vm_protect(slot->base, slot->bytes, PROT_NONE);
	if (status == 0)
		fp_vm_advise(slot->base, slot->bytes, MADV_DONTNEED);
	return status;
}

static int seal(const struct fp_chunk *chunk, const struct fp_slot *slot)
{
	bool has_tried = false;
	int status;

	do
		status = chunk->backend->seal(slot->base, slot->bytes);
	while (is_worth_again(status, &has_tried));
	return status == 0 ? 0 : seal_by_force(slot);
}

/* Whether a slot stood ready; then SLOT is it. */
static int take(struct arena *arena, size_t pages, int prot, struct fp_slot *slot,
                bool *was_ready)
{
	struct ready *ready = ready_of(arena, pages);
	int status = 0;

	fp_lock_acquire(&arena->lock);
	*was_ready = ready != NULL && ready->count > 0;
	if (*was_ready) {
		ready->claimed--;
		describe_slot(slot, &ready->slots[--ready->count], true);
	} else {
		status = fresh_slot_locked(arena, pages, prot, slot);
	}
	fp_lock_release(&arena->lock);
	return status;
}

/* Whether STATUS says that a filter of system calls came, and there is another back end. */
static bool turns_to_other(int status)
{
	return (status == -EPERM || status == -EACCES || status == -ENOSYS) &&
	       configuration.large != configuration.small &&
	       !atomic_exchange(&is_small_refused, true);
}

int fp_arena_acquire(size_t pages, bool is_executable, struct fp_slot *slot)
{
	int prot = PROT_READ | PROT_WRITE | (is_executable ? PROT_EXEC : 0);
	bool was_ready = false;
	int status = -EEXIST;

	/* A stray write that came while the back end had lost its hold leaves a page behind
	 * that must not become a block's. */
	for (int tries = 0; (status == -EEXIST || turns_to_other(status)) && tries < TRIES;
	     tries++) {
		status = take(own_arena(is_executable), pages, prot, slot, &was_ready);
		if (was_ready)
			return 0;
		if (status != 0)
			continue;
		status = unseal(slot);
		if (status != 0)
			bury(slot->chunk);
	}
	return status;
}

/* A fresh slot for SLOT's memory to move into; false when enough stand ready. */
static bool claim_ready(struct arena *arena, const struct fp_chunk *chunk,
                        struct fp_slot *fresh)
{
	size_t pages = chunk->slot_bytes / fp_vm_page_size();
	struct ready *ready = ready_of(arena, pages);
	bool is_claimed = false;

	if (ready == NULL)
		return false;
	fp_lock_acquire(&arena->lock);
	if ((ready->claimed + 1) * pages <= READY_PAGES &&
	    fresh_slot_locked(arena, pages, chunk->prot, fresh) == 0) {
		ready->claimed++;
		is_claimed = true;
	}
	fp_lock_release(&arena->lock);
	return is_claimed;
}

static void settle_ready(struct arena *arena, const struct fp_slot *fresh, bool is_unsealed)
{
	struct ready *ready = ready_of(arena, fresh->bytes / fp_vm_page_size());

	fp_lock_acquire(&arena->lock);
	if (is_unsealed)
		ready->slots[ready->count++] =
		        (struct ready_slot){fresh->base, fresh->chunk, fresh->link};
	else
		ready->claimed--;
	fp_lock_release(&arena->lock);
	if (!is_unsealed)
		bury(fresh->chunk);
}

static int recycle(const struct fp_chunk *chunk, const struct fp_slot *from,
                   const struct fp_slot *to)
{
	bool has_tried = false;
	int status;

	do
		status = chunk->backend->recycle(from->base, to->base, from->bytes);
	while (is_worth_again(status, &has_tried));
	return status;
}

/* The program has mapped something of its own in the slot, which died with the block. The range
 * is made anew and joins its neighbours again. */
static int seal_anew(const struct fp_chunk *chunk, const struct fp_slot *slot)
{
	int status = fp_span_remap(slot->base, slot->bytes, PROT_NONE);

	if (status == 0 && open_range(chunk, slot->base, slot->bytes) != 0)
		atomic_fetch_add(&forced, 1);
	return status == 0 ? 0 : seal_by_force(slot);
}

/* Whether nobody but the back end has the slot's pages. */
static bool is_held(const struct fp_chunk *chunk, const struct fp_slot *slot)
{
	return !slot->is_shared || chunk->backend->hold == NULL ||
	       hold(chunk, slot->base, slot->bytes) == 0;
}

/* What moved into FRESH becomes the fill byte there, where it is ours alone. */
static void fill(const struct fp_slot *slot, const struct fp_slot *fresh)
{
	if (!slot->is_filled)
		memset((void *)(fresh->base + (slot->used - slot->base)), configuration.fill,
		       slot->used_bytes);
}

static int seal_or_recycle(const struct fp_chunk *chunk, const struct fp_slot *slot)
{
	struct arena *arena = own_arena((chunk->prot & PROT_EXEC) != 0);
	struct fp_slot fresh;

	if (!is_held(chunk, slot))
		return seal_anew(chunk, slot);
	if (chunk->backend->recycle == NULL || atomic_load(&is_small_refused) ||
	    !claim_ready(arena, chunk, &fresh))
		return seal(chunk, slot);
	int status = recycle(chunk, slot, &fresh);
	if (status == 0) {
		fill(slot, &fresh);
		settle_ready(arena, &fresh, true);
		return 0;
	}
	/* The pages could not move (shared with a process since a fork): new ones do as well.
	 */
	settle_ready(arena, &fresh, unseal(&fresh) == 0);
	return status == -EINVAL ? seal_anew(chunk, slot) : seal(chunk, slot);
}

int fp_arena_release(const struct fp_slot *slot)
{
	int status = seal_or_recycle(slot->chunk, slot);

	bury(slot->chunk);
	return status;
}

/* The slots from START on that are of one back end, at most RANGES_MAX. */
static size_t gather(const struct fp_slot *slots, size_t count, struct iovec *ranges,
                     const struct fp_backend **backend)
{
	size_t taken = 0;

	for (; taken < count && taken < RANGES_MAX; taken++) {
		const struct fp_chunk *chunk = slots[taken].chunk;

		if (taken > 0 && chunk->backend != *backend)
			break;
		*backend = chunk->backend;
		ranges[taken] = (struct iovec){.iov_base = (void *)slots[taken].base,
		                               .iov_len = slots[taken].bytes};
	}
	return taken;
}

void fp_arena_release_many(const struct fp_slot *slots, size_t count)
{
	struct iovec ranges[RANGES_MAX];
	const struct fp_backend *backend = NULL;

	while (count > 0) {
		size_t taken = gather(slots, count, ranges, &backend);
		int status = backend->seal_many(ranges, taken);

		for (size_t i = 0; i < taken; i++) {
			struct fp_chunk *chunk = slots[i].chunk;

			/* What was sealed already takes no harm. */
			if (status != 0)
				seal(chunk, &slots[i]);
			bury(chunk);
		}
		slots += taken;
		count -= taken;
	}
}

/* Piece by piece, for a mapping of the program's is in the way: that stays its own. */
static int hold_pieces(const struct fp_chunk *chunk, uintptr_t from, uintptr_t end)
{
	struct fp_maps_place piece;
	int first_error = 0;

	for (uintptr_t at = from; at < end; at = piece.end) {
		int status = fp_maps_at(at, &piece);

		if (status != 0)
			return status;
		if (!piece.is_mapped || piece.is_file)
			continue;
		uintptr_t start = piece.start > from ? piece.start : from;
		status = chunk->backend->hold(start,
		                              (piece.end < end ? piece.end : end) - start);
		if (first_error == 0)
			first_error = status;
	}
	return first_error;
}

static void hold_again(struct fp_chunk *chunk, void *user)
{
	int *first_error = user;
	uintptr_t from = fp_chunk_opened_from(chunk);
	size_t opened = atomic_load(&chunk->opened_bytes);

	if (opened == 0 || chunk->backend->hold == NULL)
		return;
	int status = chunk->backend->hold(from, opened);
	if (status == -EINVAL || status == -EPERM)
		status = hold_pieces(chunk, from, from + opened);
	if (*first_error == 0)
		*first_error = status;
}

int fp_arena_hold_all(void)
{
	int first_error = 0;

	fp_span_each_chunk(hold_again, &first_error);
	return first_error;
}

void fp_arena_prepare_fork(void)
{
	static _Atomic bool is_prepared;
	struct arena *arena = own_arena(false);

	/* Later forks do not touch the lock: parent and child would each copy its page. */
	if (atomic_load(&is_prepared) || atomic_exchange(&is_prepared, true))
		return;
	fp_lock_acquire(&arena->lock);
	struct fp_chunk *chunk = shared_chunk_locked(arena, 1, PROT_READ | PROT_WRITE);
	if (chunk != NULL)
		open_for(chunk, atomic_load(&chunk->fresh));
	fp_lock_release(&arena->lock);
}
