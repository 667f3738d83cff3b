/* SPDX-License-Identifier: Apache-2.0
 *
 * The ways through the door. The picker's decision comes first: a block that it leaves to libc
 * costs a look at thread-local storage and nothing else.
 */
#include "preload/blocks.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "base/room.h"
#include "heap/refusal.h"
#include "heap/tier.h"
#include "preload/door.h"
#include "preload/libc_blocks.h"

/* The kernel refuses what the heap needs: a limit was reached, or a filter came. libc may have
 * memory of its own left, and a block that nobody watches is better than none. What
 * `fail_alloc` refuses stays refused. */
static void *alloc_beside(const struct fp_heap_request *request)
{
	int saved_errno = errno;
	void *block = fp_refusal_rule == FP_REFUSE_NONE ? fp_libc_alloc(request) : NULL;

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
		fp_libc_free(moved);
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

		visit.block = fp_libc_alloc(request);
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
	if (fp_heap_free_as(fp_preload.heap, &claim) != -ENXIO || fp_libc_free(claim.block))
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
	else if (fp_heap_is_ours(claim->block) || !fp_libc_free(claim->block))
		fp_preload_park(claim);
}

/* Whether the block was libc's, which has made another of it, or not. */
static bool realloc_of_libc(struct visit *visit)
{
	int saved_errno = errno;
	bool is_known = false;

	if (!fp_heap_is_ours(visit->claim->block))
		visit->block =
		        fp_libc_realloc(visit->claim->block, visit->request.size, &is_known);
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
	size_t bytes = fp_libc_usable_size(old);
	memcpy(visit->block, old, bytes < size ? bytes : size);
	fp_libc_free(old);
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
		        move_to_libc(&claim, &visit->request, fp_libc_alloc(&visit->request));
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
	if (!fp_heap_is_ours(block) && fp_libc_has(block))
		visit->size = fp_libc_usable_size(block);
	else
		fp_heap_ask_size(fp_preload.heap, "malloc_usable_size", block, &visit->size);
}

size_t fp_preload_size_of(void *block)
{
	struct visit visit = {.block = block};

	if (fp_preload_enter())
		pass(size_inside, &visit);
	else if (!fp_heap_is_ours(block) && fp_libc_has(block))
		visit.size = fp_libc_usable_size(block);
	return visit.size;
}
