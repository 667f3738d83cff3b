/* SPDX-License-Identifier: Apache-2.0
 *
 * What malloc(3) asks of a heap beyond alloc and free. A block never grows in place: the old
 * one is sealed, so that whoever kept its address is found out.
 */
#include <errno.h>
#include <string.h>

#include "base/pages.h"
#include "guard/guard.h"
#include "heap/exact.h"
#include "heap/state.h"
#include "poison/poison.h"
#include "registry/registry.h"
#include "stack/stack.h"

enum { SPARSE_BYTES = 1 << 20 };

bool fp_heap_is_ours(const void *address)
{
	struct fp_place where;

	return fp_guard_find((uintptr_t)address, &where);
}

static bool starts_at(const struct fp_block *block, const void *address)
{
	return block->address == (uintptr_t)address ||
	       fp_exact_is_masked(block, (uintptr_t)address);
}

static bool is_live_at(const struct fp_block *block, const void *address)
{
	return block->state == FP_BLOCK_LIVE && starts_at(block, address);
}

static bool find_live(const void *address, struct fp_block *block)
{
	return fp_heap_find((uintptr_t)address, block) && is_live_at(block, address);
}

bool fp_heap_size_of(const void *address, size_t *size)
{
	struct fp_block block;

	if (!find_live(address, &block))
		return false;
	*size = block.size;
	return true;
}

int fp_heap_ask_size(const struct fp_heap *heap, const char *call, const void *address,
                     size_t *size)
{
	int saved_errno = errno;
	struct fp_block block;
	bool is_known = fp_heap_find((uintptr_t)address, &block);

	*size = is_known && is_live_at(&block, address) ? block.size : 0;
	if (is_known && is_live_at(&block, address))
		return 0;
	const struct fp_misuse misuse = fp_heap_misuse(heap, address, fp_stack_capture());
	fp_findings_asked(&misuse, call, is_known ? &block : NULL);
	errno = saved_errno;
	return -EPERM;
}

bool fp_heap_owns(const struct fp_heap *heap, const void *address, size_t *size)
{
	struct fp_block block;

	if (!find_live(address, &block) || block.heap != heap->id)
		return false;
	*size = block.size;
	return true;
}

enum fp_heap_pointer fp_heap_identify(const struct fp_heap *heap, const void *address)
{
	struct fp_block block;

	if (!fp_heap_is_ours(address))
		return FP_HEAP_FOREIGN;
	if (!fp_heap_find((uintptr_t)address, &block))
		return FP_HEAP_FORGOTTEN;
	if (block.heap != heap->id)
		return FP_HEAP_OTHER;
	if (!starts_at(&block, address))
		return FP_HEAP_INSIDE;
	return block.state == FP_BLOCK_LIVE ? FP_HEAP_LIVE : FP_HEAP_FREED;
}

/* Of a large block most may never have been written, and the new one's memory is zeros then.
 * Its size is beyond that of slots that are filled. */
static void copy(void *to, const void *from, size_t bytes)
{
	fp_heap_mend_range((uintptr_t)from, bytes);
	if (bytes >= SPARSE_BYTES)
		fp_pages_copy(to, from, bytes);
	else
		memcpy(to, from, bytes);
}

int fp_heap_realloc(struct fp_heap *heap, const struct fp_heap_claim *claim,
                    const struct fp_heap_request *request, void **block)
{
	struct fp_block old;
	struct fp_place where;
	bool is_ours = fp_guard_find((uintptr_t)claim->block, &where);
	void *elsewhere = *block;

	*block = NULL;
	if (!is_ours && claim->may_be_foreign)
		return -ENXIO;
	/* Freeing what cannot be resized is the same misuse, and makes the finding. */
	if (!is_ours || !fp_heap_find_in(&where.slot, &old) ||
	    !is_live_at(&old, claim->block) || old.heap != heap->id)
		return fp_heap_free_as(heap, claim) == 0 ? -ENOMEM : -EPERM;
	fp_poison_remove(old.address, old.size);
	struct fp_heap_request wanted = *request;
	wanted.replaced = old.serial;
	/* Who needs that of the old block needs it of the new one. */
	wanted.align = fp_exact_align(request->align, old.alloc_trace);
	int status = elsewhere == NULL ? fp_heap_alloc(heap, &wanted, block) : 0;
	if (status != 0)
		return status;
	if (elsewhere != NULL)
		*block = elsewhere;
	copy(*block, claim->block, old.size < request->size ? old.size : request->size);
	fp_heap_free_at(heap, claim, &where);
	return 0;
}
