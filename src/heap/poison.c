/* SPDX-License-Identifier: Apache-2.0
 *
 * What the program poisons of its blocks. A block is looked at under the registry's lock, so
 * that it cannot be freed meanwhile, and with the block what is poisoned of it ends.
 */
#include <errno.h>

#include "base/thread.h"
#include "guard/guard.h"
#include "heap/state.h"
#include "poison/poison.h"
#include "registry/registry.h"
#include "stack/stack.h"

struct change {
	uintptr_t start;
	uintptr_t end;
	const struct fp_poisoner *by; /* NULL: no longer poisoned */
};

/* Pages of a host's blocks may be executable, and its runtime's to protect. */
static void change_block(const struct fp_block *block, void *user)
{
	const struct change *change = user;
	uintptr_t end = block->address + block->size;
	uintptr_t from = change->start > block->address ? change->start : block->address;
	uintptr_t to = change->end < end ? change->end : end;

	if (from >= to || block->family == FP_FAMILY_HOST)
		return;
	if (change->by != NULL)
		fp_poison_add(from, to - from, change->by);
	else
		fp_poison_remove(from, to - from);
}

static void change(const void *address, size_t bytes, const struct fp_poisoner *by)
{
	struct change change = {.start = (uintptr_t)address, .by = by};
	struct fp_place where;

	change.end = bytes < UINTPTR_MAX - change.start ? change.start + bytes : UINTPTR_MAX;
	if (fp_guard_find(change.start, &where))
		fp_registry_look_at(fp_heap_key(&where.slot), change_block, &change);
}

void fp_heap_poison(const void *address, size_t bytes)
{
	int saved_errno = errno;

	if (fp_heap_is_ours(address)) {
		const struct fp_poisoner by = {fp_stack_capture(), fp_thread_self()};

		change(address, bytes, &by);
	}
	errno = saved_errno;
}

void fp_heap_unpoison(const void *address, size_t bytes)
{
	int saved_errno = errno;

	if (fp_poison_is_used())
		change(address, bytes, NULL);
	errno = saved_errno;
}

const void *fp_heap_find_poisoned(const void *address, size_t bytes)
{
	struct fp_poisoned found;

	return fp_poison_find((uintptr_t)address, bytes, &found) ? (const void *)found.address
	                                                         : NULL;
}

struct ending {
	uintptr_t address;
	fp_heap_id heap;
};

static void end_of_block(const struct fp_block *block, void *user)
{
	const struct ending *ending = user;

	if (block->address == ending->address && block->heap == ending->heap)
		fp_poison_remove(block->address, block->size);
}

void fp_heap_end_poison(const struct fp_heap *heap, const struct fp_slot *slot,
                        uintptr_t address)
{
	struct ending ending = {address, heap->id};

	if (fp_poison_is_used())
		fp_registry_look_at(fp_heap_key(slot), end_of_block, &ending);
}
