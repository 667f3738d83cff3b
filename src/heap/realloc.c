/* SPDX-License-Identifier: Apache-2.0
 *
 * What malloc(3) asks of a heap beyond alloc and free. A block never grows in place: the old
 * one is sealed, so that whoever kept its address is found out.
 */
#include <errno.h>
#include <string.h>

#include "guard/guard.h"
#include "heap/state.h"
#include "registry/registry.h"

bool fp_heap_is_ours(const void *address)
{
	struct fp_place where;

	return fp_guard_find((uintptr_t)address, &where);
}

static bool find_live(const void *address, struct fp_block *block)
{
	return fp_heap_find((uintptr_t)address, block) && block->state == FP_BLOCK_LIVE &&
	       block->address == (uintptr_t)address;
}

bool fp_heap_size_of(const void *address, size_t *size)
{
	struct fp_block block;

	if (!find_live(address, &block))
		return false;
	*size = block.size;
	return true;
}

bool fp_heap_owns(const struct fp_heap *heap, const void *address, size_t *size)
{
	struct fp_block block;

	if (!find_live(address, &block) || block.heap != heap->id)
		return false;
	*size = block.size;
	return true;
}

int fp_heap_realloc(struct fp_heap *heap, const struct fp_heap_claim *claim,
                    const struct fp_heap_request *request, void **block)
{
	struct fp_block old;

	*block = NULL;
	/* Freeing what cannot be resized is the same misuse, and makes the finding. */
	if (!find_live(claim->block, &old) || old.heap != heap->id)
		return fp_heap_free_as(heap, claim) == 0 ? -ENOMEM : -EPERM;
	struct fp_heap_request wanted = *request;
	wanted.replaced = old.serial;
	int status = fp_heap_alloc(heap, &wanted, block);
	if (status != 0)
		return status;
	memcpy(*block, claim->block, old.size < request->size ? old.size : request->size);
	fp_heap_free_as(heap, claim);
	return 0;
}
