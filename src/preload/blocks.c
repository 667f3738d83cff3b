/* SPDX-License-Identifier: Apache-2.0
 *
 * The ways through the door. The decision of sampling comes first: a block that it leaves to
 * libc costs a look at thread-local storage and nothing else.
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

static bool is_left_to_libc(void)
{
	struct fp_preload_thread *thread = &fp_preload_thread;

	if (fp_preload.sample == 1)
		return false;
	if (fp_sampling_skips(thread->sampling))
		return true;
	fp_sampling_draw(&thread->sampling);
	return false;
}

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

static void *move_beside(const struct fp_heap_claim *claim,
                         const struct fp_heap_request *request)
{
	void *moved = NULL;
	size_t size;

	if (fp_heap_size_of(claim->block, &size))
		moved = alloc_beside(request);
	if (moved == NULL)
		return NULL;
	memcpy(moved, claim->block, size < request->size ? size : request->size);
	fp_heap_free_as(fp_preload.heap, claim);
	return moved;
}

/* One way through the door. Only the least of it is done on the stack of the program, which may
 * be a coroutine's. */
struct visit {
	const struct fp_heap_request *request;
	const struct fp_heap_claim *claim;
	void *block;
	size_t size;
};

/* The thread is inside. */
static void pass(void (*work)(void *), struct visit *visit)
{
	fp_room_run(work, visit);
	fp_preload_leave();
}

static void alloc_inside(void *argument)
{
	struct visit *visit = argument;

	fp_preload_watch("malloc");
	if (fp_heap_alloc(fp_preload.heap, visit->request, &visit->block) == -ENOMEM)
		visit->block = alloc_beside(visit->request);
}

void *fp_preload_alloc(const struct fp_heap_request *request)
{
	struct visit visit = {.request = request};

	if (is_left_to_libc() || !fp_preload_enter()) {
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
	fp_heap_alloc(fp_preload.heap, visit->request, &visit->block);
}

void fp_preload_refuse(const struct fp_heap_request *request)
{
	struct visit visit = {.request = request};

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
		        fp_libc_realloc(visit->claim->block, visit->request->size, &is_known);
	errno = saved_errno;
	return is_known;
}

static void realloc_inside(void *argument)
{
	struct visit *visit = argument;
	struct fp_heap_claim claim = *visit->claim;

	fp_preload_watch("realloc");
	claim.may_be_foreign = true;
	int status = fp_heap_realloc(fp_preload.heap, &claim, visit->request, &visit->block);
	if (status == -ENXIO && realloc_of_libc(visit))
		return;
	if (status == -ENXIO)
		status = fp_heap_realloc(fp_preload.heap, visit->claim, visit->request,
		                         &visit->block);
	if (status == -ENOMEM)
		visit->block = move_beside(visit->claim, visit->request);
}

void *fp_preload_realloc(void *block, size_t size)
{
	const struct fp_heap_claim claim = {.block = block, .family = FP_FAMILY_MALLOC};
	const struct fp_heap_request request = {.size = size, .family = FP_FAMILY_MALLOC};
	struct visit visit = {.claim = &claim, .request = &request};

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
