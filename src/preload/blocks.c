/* SPDX-License-Identifier: Apache-2.0
 *
 * The ways through the door. The decision of sampling comes first: a block that it leaves to
 * libc costs a look at thread-local storage and nothing else.
 */
#include "preload/blocks.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

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

void *fp_preload_alloc(const struct fp_heap_request *request)
{
	void *block = NULL;

	if (is_left_to_libc() || !fp_preload_enter()) {
		int saved_errno = errno;

		block = fp_libc_alloc(request);
		errno = saved_errno;
		return block;
	}
	fp_preload_watch("malloc");
	if (fp_heap_alloc(fp_preload.heap, request, &block) == -ENOMEM)
		block = alloc_beside(request);
	fp_preload_leave();
	return block;
}

void fp_preload_refuse(const struct fp_heap_request *request)
{
	void *none;

	if (!fp_preload_enter())
		return;
	fp_preload_watch("malloc");
	fp_heap_alloc(fp_preload.heap, request, &none);
	fp_preload_leave();
}

void fp_preload_free(const struct fp_heap_claim *claim)
{
	if (claim->block == NULL)
		return;
	if (!fp_heap_is_ours(claim->block) && fp_libc_free(claim->block))
		return;
	if (!fp_preload_enter()) {
		fp_preload_park(claim);
		return;
	}
	fp_preload_watch("free");
	fp_heap_free_as(fp_preload.heap, claim);
	fp_preload_leave();
}

void *fp_preload_realloc(void *block, size_t size)
{
	const struct fp_heap_claim claim = {.block = block, .family = FP_FAMILY_MALLOC};
	const struct fp_heap_request request = {.size = size, .family = FP_FAMILY_MALLOC};
	void *moved = NULL;

	if (!fp_heap_is_ours(block)) {
		int saved_errno = errno;
		bool is_known;

		moved = fp_libc_realloc(block, size, &is_known);
		errno = saved_errno;
		if (is_known)
			return moved;
	}
	if (!fp_preload_enter())
		return NULL;
	fp_preload_watch("realloc");
	if (fp_heap_realloc(fp_preload.heap, &claim, &request, &moved) == -ENOMEM)
		moved = move_beside(&claim, &request);
	fp_preload_leave();
	return moved;
}

size_t fp_preload_size_of(void *block)
{
	size_t size = 0;

	if (!fp_heap_is_ours(block) && fp_libc_has(block))
		return fp_libc_usable_size(block);
	if (!fp_preload_enter())
		return 0;
	fp_heap_ask_size(fp_preload.heap, "malloc_usable_size", block, &size);
	fp_preload_leave();
	return size;
}
