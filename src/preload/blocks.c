/* SPDX-License-Identifier: Apache-2.0
 *
 * The ways through the door. The picker's decision comes first: a block that it leaves to libc
 * costs a look at thread-local storage and nothing else.
 */
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include "base/align.h"
#include "base/hash.h"
#include "base/maps.h"
#include "base/room.h"
#include "base/sys.h"
#include "base/vm.h"
#include "heap/refusal.h"
#include "heap/tier.h"
#include "preload/blocks.h"
#include "preload/door.h"
#include "preload/next.h"

/* ---- Chunks --------------------------------------------------------------------------------
 *
 * glibc keeps a chunk's size right before the block, with three flags in its low bits, and the
 * size of the free chunk before that. All of it has to agree: with the chunk's place in memory
 * that belongs to no file and to no stack, with the chunks on both sides, with the arena. So a
 * wild pointer stays one, and what does pass libc verifies again before it takes it.
 */

enum {
	IS_PREVIOUS_IN_USE = 1,
	IS_MAPPING = 2,   /* of its own */
	IS_OF_A_HEAP = 4, /* not of the main arena */
	FLAGS = 7,
	ALIGN = 2 * sizeof(size_t),
	HEADER = 2 * sizeof(size_t), /* what comes before a chunk's block */
	LEAST = 4 * sizeof(size_t),
	HEAP_BYTES = 64 << 20 /* HEAP_MAX_SIZE: where it lies, too */
};

/* START is that of the header, which the chunk before may use the first word of. */
struct chunk {
	size_t previous;
	size_t size;
	unsigned flags;
	uintptr_t start;
};

static struct chunk read_chunk(uintptr_t start)
{
	const size_t *words = (const void *)start;

	return (struct chunk){
	        .previous = words[0],
	        .size = words[1] & ~(size_t)FLAGS,
	        .flags = words[1] & FLAGS,
	        .start = start,
	};
}

static bool has_memory_at(uintptr_t address, struct fp_maps_place *place)
{
	return fp_maps_at(address, place) == 0 && place->is_mapped && place->is_readable &&
	       place->is_writable && !place->is_file;
}

static bool is_mapping(const struct chunk *chunk, const struct fp_maps_place *place)
{
	size_t page = fp_vm_page_size();
	uintptr_t start = chunk->start - chunk->previous;
	size_t bytes = chunk->previous + chunk->size;

	return chunk->flags == IS_MAPPING && chunk->previous <= chunk->start &&
	       bytes >= chunk->size && start % page == 0 && bytes % page == 0 &&
	       start >= place->start && bytes <= place->end - start;
}

/* A heap begins with the address of its arena, which the first of an arena's heaps is before.
 */
static bool is_heap_there(const struct chunk *chunk, const struct fp_maps_place *place)
{
	uintptr_t heap = fp_align_down(chunk->start, HEAP_BYTES);
	struct fp_maps_place arenas;

	if (heap < place->start)
		return false;
	uintptr_t arena = *(const uintptr_t *)heap;
	return arena % sizeof(arena) == 0 && arena % HEAP_BYTES != 0 &&
	       has_memory_at(fp_align_down(arena, HEAP_BYTES), &arenas) && arena < arenas.end;
}

static bool fits_next(const struct chunk *chunk, const struct fp_maps_place *place)
{
	size_t left = place->end - chunk->start;

	if (chunk->size > left - HEADER)
		return false;
	const struct chunk next = read_chunk(chunk->start + chunk->size);
	return (next.flags & (IS_PREVIOUS_IN_USE | IS_MAPPING)) == IS_PREVIOUS_IN_USE &&
	       next.size >= HEADER && next.size % ALIGN == 0 && next.size <= left - chunk->size;
}

static bool fits_previous(const struct chunk *chunk, const struct fp_maps_place *place)
{
	if ((chunk->flags & IS_PREVIOUS_IN_USE) != 0)
		return true;
	return chunk->previous % ALIGN == 0 && chunk->previous >= LEAST &&
	       chunk->previous <= chunk->start - place->start &&
	       read_chunk(chunk->start - chunk->previous).size == chunk->previous;
}

static bool is_in_arena(const struct chunk *chunk, const struct fp_maps_place *place)
{
	return chunk->size % ALIGN == 0 && fits_next(chunk, place) &&
	       fits_previous(chunk, place) &&
	       ((chunk->flags & IS_OF_A_HEAP) == 0 || is_heap_there(chunk, place));
}

/* BLOCK is what a caller of malloc has. Any pointer may be asked about. */
static bool is_chunk_in_use(uintptr_t block)
{
	uintptr_t stack = fp_room_outside((uintptr_t)__builtin_frame_address(0));
	struct fp_maps_place place;

	if (block % ALIGN != 0 || block < HEADER || !has_memory_at(block, &place) ||
	    block - place.start < HEADER || place.end - block < LEAST - HEADER ||
	    (stack >= place.start && stack < place.end))
		return false;
	const struct chunk chunk = read_chunk(block - HEADER);
	if (chunk.size < LEAST)
		return false;
	return (chunk.flags & IS_MAPPING) != 0 ? is_mapping(&chunk, &place)
	                                       : is_in_arena(&chunk, &place);
}

/* ---- Blocks of libc ------------------------------------------------------------------------
 *
 * A set with open addressing in which a place is taken, and given up, by one exchange. There
 * are few such blocks: what was allocated before the session stood, and inside it. Should a
 * program have more than the set holds, unknown pointers are taken for libc's from then on.
 */

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
	bool may_be = fp_preload.picks ||
	              atomic_load_explicit(&fp_preload.state, memory_order_relaxed) !=
	                      FP_PRELOAD_OPEN ||
	              atomic_load(&is_full) || may_be_foreign(block) ||
	              (!fp_preload_next.is_foreign && is_chunk_in_use(block));

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

/* Whether BLOCK may be one of libc's. */
static bool libc_has(void *block)
{
	return find((uintptr_t)block) != NULL || may_be_libcs((uintptr_t)block);
}

/* A block of libc's as REQUEST says, or NULL. */
static void *libc_alloc(const struct fp_heap_request *request)
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

/* False: BLOCK is none of libc's, and nothing has happened. */
static bool libc_free(void *block)
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

/* As realloc(3); *IS_KNOWN is false, and nothing has happened, when BLOCK is none of libc's. */
static void *libc_realloc(void *block, size_t size, bool *is_known)
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

/* ---- Parked --------------------------------------------------------------------------------
 *
 * Blocks that are freed while the thread is inside: by handlers of signals, and by what our own
 * code calls. They wait until it leaves, however many they are. No lock is taken and nothing is
 * allocated, because the thread may have been interrupted anywhere.
 *
 * Whoever parks interrupts whoever takes out, or another one who parks, and is through before
 * those go on.
 */

enum { SHELF_BYTES = 64 << 10 };

struct fp_preload_shelf {
	struct fp_preload_shelf *_Atomic next;
	struct fp_heap_claim claims[];
};

enum {
	ON_SHELF = (SHELF_BYTES - offsetof(struct fp_preload_shelf, claims)) /
	           sizeof(struct fp_heap_claim)
};

/* The shelf that LINK leads to; NULL: there is no memory for one. */
static struct fp_preload_shelf *get_shelf(struct fp_preload_shelf *_Atomic *link)
{
	struct fp_preload_shelf *shelf = atomic_load(link);
	uintptr_t made;

	if (shelf != NULL || fp_vm_map(SHELF_BYTES, PROT_READ | PROT_WRITE, &made) != 0)
		return shelf;
	if (atomic_compare_exchange_strong(link, &shelf, (struct fp_preload_shelf *)made))
		return (struct fp_preload_shelf *)made;
	fp_vm_unmap(made, SHELF_BYTES);
	return shelf;
}

/* NULL: there is no memory for that many. */
static struct fp_heap_claim *get_place(struct fp_preload_thread *thread, size_t index)
{
	struct fp_preload_shelf *shelf;

	if (index < FP_PRELOAD_PARKED_AT_HAND)
		return &thread->parked[index];
	index -= FP_PRELOAD_PARKED_AT_HAND;
	shelf = get_shelf(&thread->shelf);
	for (; shelf != NULL && index >= ON_SHELF; index -= ON_SHELF)
		shelf = get_shelf(&shelf->next);
	return shelf != NULL ? &shelf->claims[index] : NULL;
}

static void park(const struct fp_heap_claim *claim)
{
	struct fp_preload_thread *thread = &fp_preload_thread;
	struct fp_heap_claim *place =
	        get_place(thread, atomic_fetch_add(&thread->parked_count, 1));

	if (place != NULL)
		*place = *claim;
}

static void free_all(struct fp_preload_thread *thread)
{
	uint32_t done = 0;
	uint32_t count;

	do {
		for (; done < atomic_load(&thread->parked_count); done++) {
			struct fp_heap_claim *place = get_place(thread, done);

			/* (NULL, too, where a handler was left by a jump in the midst.) */
			if (place == NULL || place->block == NULL)
				continue;
			fp_heap_free_as(fp_preload.heap, place);
			place->block = NULL;
		}
		count = done;
	} while (!atomic_compare_exchange_strong(&thread->parked_count, &count, 0));
}

/* Unless handlers have parked since; now there are none. */
static void drop_shelves(struct fp_preload_thread *thread)
{
	const uint64_t all = ~UINT64_C(0);
	uint64_t before;

	fp_sys_sigmask(SIG_SETMASK, &all, &before);
	struct fp_preload_shelf *shelf = NULL;
	if (atomic_load(&thread->parked_count) == 0)
		shelf = atomic_exchange(&thread->shelf, NULL);
	while (shelf != NULL) {
		struct fp_preload_shelf *next = atomic_load(&shelf->next);

		fp_vm_unmap((uintptr_t)shelf, SHELF_BYTES);
		shelf = next;
	}
	fp_sys_sigmask(SIG_SETMASK, &before, NULL);
}

void fp_preload_free_parked(void *unused)
{
	struct fp_preload_thread *thread = &fp_preload_thread;

	(void)unused;
	free_all(thread);
	while (atomic_load(&thread->shelf) != NULL) {
		drop_shelves(thread);
		free_all(thread);
	}
}

/* ---- The ways through the door
 * ----------------------------------------------------------------
 */

/* The kernel refuses what the heap needs: a limit was reached, or a filter came. libc may have
 * memory of its own left, and a block that nobody watches is better than none. What
 * `fail_alloc` refuses stays refused. */
static void *alloc_beside(const struct fp_heap_request *request)
{
	int saved_errno = errno;
	void *block = fp_refusal_rule == FP_REFUSE_NONE ? libc_alloc(request) : NULL;

	if (block != NULL)
		fp_tier_count_beside();
	errno = saved_errno;
	return block;
}

/* The block of CLAIM, if it is a live one of ours, becomes MOVED, which is libc's. */
static void *move_to_libc(const struct fp_heap_claim *claim,
                          const struct fp_heap_request *request, void *moved)
{
	void *block = moved;

	if (moved != NULL)
		fp_heap_realloc(fp_preload.heap, claim, request, &block);
	if (moved != NULL && block == NULL)
		libc_free(moved);
	return block;
}

/* One way through the door. Only the least of it is done on the stack of the program, which may
 * be a coroutine's. */
struct visit {
	struct fp_heap_request request;
	const struct fp_heap_claim *claim;
	void *block;
	size_t size;
	fp_trace_id trace;
	bool is_left;
};
/* The thread is inside. */
static void pass(void (*work)(void *), struct visit *visit)
{
	uint64_t begun = fp_picker_begin();

	fp_room_run(work, visit);
	if (begun != 0)
		fp_picker_end(begun);
	if (visit->trace != FP_TRACE_NONE)
		fp_picker_keep_trace(visit->trace);
	fp_preload_leave();
}

static void alloc_inside(void *argument)
{
	struct visit *visit = argument;

	fp_preload_watch("malloc");
	visit->request.trace = &visit->trace;
	if (fp_heap_alloc(fp_preload.heap, &visit->request, &visit->block) == -ENOMEM)
		visit->block = alloc_beside(&visit->request);
}

void *fp_preload_alloc(const struct fp_heap_request *request, bool is_left)
{
	struct visit visit = {.request = *request};

	if (is_left || !fp_preload_enter()) {
		int saved_errno = errno;

		visit.block = libc_alloc(request);
		errno = saved_errno;
	} else {
		pass(alloc_inside, &visit);
	}
	return visit.block;
}

static void refuse_inside(void *argument)
{
	struct visit *visit = argument;

	fp_preload_watch("malloc");
	fp_heap_alloc(fp_preload.heap, &visit->request, &visit->block);
}

void fp_preload_refuse(const struct fp_heap_request *request)
{
	struct visit visit = {.request = *request};

	if (fp_preload_enter())
		pass(refuse_inside, &visit);
}

/* What is in no slot of ours may be libc's; if not, it is nobody's. */
static void free_inside(void *argument)
{
	const struct visit *visit = argument;
	struct fp_heap_claim claim = *visit->claim;

	fp_preload_watch("free");
	claim.may_be_foreign = true;
	if (fp_heap_free_as(fp_preload.heap, &claim) != -ENXIO || libc_free(claim.block))
		return;
	fp_heap_free_as(fp_preload.heap, visit->claim);
}

void fp_preload_free(const struct fp_heap_claim *claim)
{
	struct visit visit = {.claim = claim};

	if (claim->block == NULL)
		return;
	if (fp_preload_enter())
		pass(free_inside, &visit);
	else if (fp_heap_is_ours(claim->block) || !libc_free(claim->block))
		park(claim);
}

/* Whether the block was libc's, which has made another of it, or not. */
static bool realloc_of_libc(struct visit *visit)
{
	int saved_errno = errno;
	bool is_known = false;

	if (!fp_heap_is_ours(visit->claim->block))
		visit->block =
		        libc_realloc(visit->claim->block, visit->request.size, &is_known);
	errno = saved_errno;
	return is_known;
}

/* What libc has may become a block of ours; the picker's is a program whose libc has no others.
 */
static bool move_to_heap(struct visit *visit)
{
	void *old = visit->claim->block;
	size_t size = visit->request.size;

	if (!fp_preload.picks || visit->is_left || fp_heap_is_ours(old) ||
	    fp_heap_alloc(fp_preload.heap, &visit->request, &visit->block) != 0)
		return false;
	size_t bytes = fp_preload_next.usable_size(old);
	memcpy(visit->block, old, bytes < size ? bytes : size);
	libc_free(old);
	return true;
}

static void realloc_inside(void *argument)
{
	struct visit *visit = argument;
	struct fp_heap_claim claim = *visit->claim;
	size_t size;

	fp_preload_watch("realloc");
	visit->request.trace = &visit->trace;
	if (visit->is_left && fp_heap_size_of(claim.block, &size)) {
		visit->block =
		        move_to_libc(&claim, &visit->request, libc_alloc(&visit->request));
		return;
	}
	claim.may_be_foreign = true;
	int status = fp_heap_realloc(fp_preload.heap, &claim, &visit->request, &visit->block);
	if (status == -ENXIO && (move_to_heap(visit) || realloc_of_libc(visit)))
		return;
	if (status == -ENXIO)
		status = fp_heap_realloc(fp_preload.heap, visit->claim, &visit->request,
		                         &visit->block);
	if (status == -ENOMEM)
		visit->block = move_to_libc(visit->claim, &visit->request,
		                            alloc_beside(&visit->request));
}

void *fp_preload_realloc(void *block, size_t size, bool is_left)
{
	const struct fp_heap_claim claim = {.block = block, .family = FP_FAMILY_MALLOC};
	const struct fp_heap_request request = {.size = size, .family = FP_FAMILY_MALLOC};
	struct visit visit = {.claim = &claim, .request = request, .is_left = is_left};

	if (fp_preload_enter())
		pass(realloc_inside, &visit);
	else if (!realloc_of_libc(&visit))
		visit.block = NULL;
	return visit.block;
}

static void size_inside(void *argument)
{
	struct visit *visit = argument;
	void *block = visit->block;

	if (fp_heap_size_of(block, &visit->size))
		return;
	if (!fp_heap_is_ours(block) && libc_has(block))
		visit->size = fp_preload_next.usable_size(block);
	else
		fp_heap_ask_size(fp_preload.heap, "malloc_usable_size", block, &visit->size);
}

size_t fp_preload_size_of(void *block)
{
	struct visit visit = {.block = block};

	if (fp_preload_enter())
		pass(size_inside, &visit);
	else if (!fp_heap_is_ours(block) && libc_has(block))
		visit.size = fp_preload_next.usable_size(block);
	return visit.size;
}
