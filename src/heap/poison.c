/* SPDX-License-Identifier: Apache-2.0
 *
 * What the program poisons of its blocks, and of other memory that it has. A block is looked at
 * under the registry's lock, so that it cannot be freed meanwhile, and with the block what is
 * poisoned of it ends. Of other memory only what is private and of no file is closed, and never
 * a stack that somebody stands on.
 */
#include <errno.h>

#include "base/lock.h"
#include "base/maps.h"
#include "base/room.h"
#include "base/thread.h"
#include "guard/guard.h"
#include "heap/pools.h"
#include "heap/state.h"
#include "poison/poison.h"
#include "registry/registry.h"
#include "stack/stack.h"

struct change {
	uintptr_t start;
	uintptr_t end;
	const struct fp_poisoner *by; /* NULL: no longer poisoned */
};

static void change_range(const struct change *change)
{
	if (change->by != NULL)
		fp_poison_add(change->start, change->end - change->start, change->by);
	else
		fp_poison_remove(change->start, change->end - change->start);
}

/* Pages of a host's blocks may be executable, and its runtime's to protect. */
static void change_block(const struct fp_block *block, void *user)
{
	struct change change = *(const struct change *)user;
	uintptr_t end = block->address + block->size;

	if (change.start < block->address)
		change.start = block->address;
	if (change.end > end)
		change.end = end;
	if (change.start < change.end && block->family != FP_FAMILY_HOST)
		change_range(&change);
}

static void change(uintptr_t address, size_t bytes, const struct fp_poisoner *by)
{
	struct change change = {.start = address, .by = by};
	struct fp_place where;

	change.end = bytes < UINTPTR_MAX - address ? address + bytes : UINTPTR_MAX;
	if (fp_guard_find(address, &where))
		fp_registry_look_at(fp_heap_key(&where.slot), change_block, &change);
	else if (bytes > 0 && change.end != UINTPTR_MAX)
		change_range(&change);
}

void fp_heap_poison_by(uintptr_t address, size_t bytes, const struct fp_poisoner *by)
{
	change(address, bytes, by);
}

void fp_heap_poison(const void *address, size_t bytes)
{
	const struct fp_poisoner by = {fp_stack_capture(), fp_thread_self()};
	int saved_errno = errno;

	change((uintptr_t)address, bytes, &by);
	errno = saved_errno;
}

void fp_heap_unpoison(const void *address, size_t bytes)
{
	int saved_errno = errno;

	if (fp_poison_is_used())
		change((uintptr_t)address, bytes, NULL);
	errno = saved_errno;
}

const void *fp_heap_find_poisoned(const void *address, size_t bytes)
{
	struct fp_poisoned found;

	return fp_poison_find((uintptr_t)address, bytes, &found) ? (const void *)found.address
	                                                         : NULL;
}

bool fp_heap_is_watched(const void *address)
{
	return fp_heap_is_ours(address) || fp_poison_spans((uintptr_t)address);
}

struct ending {
	uintptr_t address;
	fp_heap_id heap;
};

static void end_of_block(const struct fp_block *block, void *user)
{
	const struct ending *ending = user;

	if (block->address != ending->address || block->heap != ending->heap)
		return;
	fp_poison_remove(block->address, block->size);
	fp_pools_forget(block->address, block->size);
}

void fp_heap_end_poison(const struct fp_heap *heap, const struct fp_slot *slot,
                        uintptr_t address)
{
	struct ending ending = {address, heap->id};

	if (fp_poison_is_used() || fp_pools_are_used())
		fp_registry_look_at(fp_heap_key(slot), end_of_block, &ending);
}

/* ---- Memory that is none of a block --------------------------------------------------------
 */

/* The last that was found to be the program's alone; under the lock of what is poisoned. */
static struct fp_maps_place known;

static bool is_alone(const struct fp_maps_place *place)
{
	uintptr_t stack = fp_room_outside((uintptr_t)__builtin_frame_address(0));

	return place->is_mapped && place->is_readable && place->is_writable &&
	       !place->is_executable && !place->is_file &&
	       (stack < place->start || stack >= place->end);
}

static bool may_close(uintptr_t start, size_t bytes)
{
	struct fp_maps_place place;
	bool is_known = start >= known.start && start + bytes <= known.end;

	if (is_known || fp_heap_is_ours((const void *)start))
		return true;
	if (fp_maps_at(start, &place) != 0 || !is_alone(&place) || start + bytes > place.end)
		return false;
	known = place;
	return true;
}

void fp_heap_start_poison(void)
{
	fp_poison_init(may_close);
}

void fp_heap_forget_memory(const void *address, size_t bytes)
{
	uintptr_t start = (uintptr_t)address;

	if ((!fp_poison_is_used() && !fp_pools_are_used()) || fp_heap_is_ours(address) ||
	    bytes >= UINTPTR_MAX - start || fp_lock_is_any_held())
		return;
	known.end = 0;
	fp_poison_remove(start, bytes);
	fp_pools_forget(start, bytes);
}
