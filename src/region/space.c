/* SPDX-License-Identifier: Apache-2.0
 *
 * Placing of regions. Guards, reserved pages and released regions are all the same to the
 * kernel, memory without access, so a guard or a released region that a new region takes the
 * place of only changes its owner here.
 */
#include "region/space.h"

#include <errno.h>
#include <sys/mman.h>

#include "base/align.h"
#include "base/lock.h"
#include "base/vm.h"
#include "region/region.h"
#include "region/runs.h"
#include "region/state.h"

enum { KEPT_MAX = 1024 }; /* released regions: an insertion copies the table */

static struct fp_space_config config;
static uint64_t kept;
static size_t kept_bytes;
static struct fp_region_unguarded unguarded; /* under the lock of regions */

void fp_space_init(const struct fp_space_config *new_config)
{
	config = *new_config;
}

static size_t extent_bytes(const struct fp_region *region)
{
	return fp_region_extent_end(region) - fp_region_extent_start(region);
}

static void unmap_extent(const struct fp_region *region)
{
	fp_vm_unmap(fp_region_extent_start(region), extent_bytes(region));
}

static void forget_kept(const struct fp_region *region)
{
	if (region->released_at == 0)
		return;
	kept--;
	kept_bytes -= extent_bytes(region);
}

static struct fp_region *copy_of(const struct fp_region *region)
{
	const struct fp_runs_change nothing = {.state = FP_PAGE_NONE};

	return region == NULL ? NULL : fp_runs_changed(region, &nothing);
}

/* In the table, too: no table is to have two owners of an address. */
static void replace(struct fp_region_index *index, const struct fp_region *before,
                    const struct fp_region *after)
{
	if (before == NULL)
		return;
	fp_table_substitute(index, before, after);
	fp_table_replace(before, after);
}

/* Gives NEIGHBOUR, unless it has a guard there, one that begins at START, in the place of what
 * is going. How many bytes that takes. */
static size_t leave_guard(struct fp_region_index *index, const struct fp_region *neighbour,
                          uintptr_t start)
{
	bool is_before = neighbour != NULL && fp_region_end(neighbour) == start;
	size_t guard = config.guard_bytes;

	if (neighbour == NULL || neighbour->released_at != 0 ||
	    (!is_before && neighbour->block.address != start + guard))
		return 0;
	struct fp_region *guarded = copy_of(neighbour);
	if (guarded == NULL || fp_vm_remap(start, guard, PROT_NONE) != 0) {
		fp_table_drop(guarded);
		return 0;
	}
	*(is_before ? &guarded->guard_after : &guarded->guard_before) = guard;
	replace(index, neighbour, guarded);
	return guard;
}

int fp_space_remove(const struct fp_region *region)
{
	struct fp_region_index *index = fp_table_copy(0);
	uintptr_t start = fp_region_extent_start(region);
	uintptr_t end = fp_region_extent_end(region);

	if (index == NULL)
		return -ENOMEM;
	const struct fp_region *before = fp_table_find(index, start - 1);
	const struct fp_region *after = fp_table_find(index, end);
	fp_table_remove(index, region);
	if (end - start >= 2 * config.guard_bytes) {
		start += leave_guard(index, before, start);
		end -= leave_guard(index, after, end - config.guard_bytes);
	}
	fp_table_publish(index);
	forget_kept(region);
	if (start < end)
		fp_vm_unmap(start, end - start);
	fp_table_retire(region);
	return 0;
}

static const struct fp_region *oldest_kept(void)
{
	const struct fp_region_index *index = fp_table_current();
	const struct fp_region *oldest = NULL;

	for (size_t i = 0; i < index->count; i++) {
		const struct fp_region *region = fp_table_at(index, i);

		if (region->released_at != 0 &&
		    (oldest == NULL || region->released_at < oldest->released_at))
			oldest = region;
	}
	return oldest;
}

size_t fp_space_give_back(void)
{
	size_t before = kept_bytes;
	const struct fp_region *region;

	while ((region = oldest_kept()) != NULL && fp_space_remove(region) == 0)
		;
	return before - kept_bytes;
}

int fp_space_bury(const struct fp_region *region)
{
	size_t bytes = extent_bytes(region);

	if (bytes > config.kept_bytes)
		return -ENOMEM;
	while (kept >= KEPT_MAX || kept_bytes + bytes > config.kept_bytes)
		if (fp_space_remove(oldest_kept()) != 0)
			return -ENOMEM;
	int status = fp_vm_remap(region->block.address, region->block.size, PROT_NONE);
	if (status != 0)
		return status;
	kept++;
	kept_bytes += bytes;
	return 0;
}

/* ---- Anywhere
 * -------------------------------------------------------------------------------- */

/* More is mapped than is needed, and the ends are given back. */
static int map_anywhere(struct fp_region *region)
{
	size_t guard = config.guard_bytes;
	size_t needed = region->block.size + 2 * guard;
	size_t bytes = needed + FP_REGION_GRANULARITY;
	uintptr_t base;

	if (bytes < needed || needed < region->block.size)
		return -ENOMEM;
	int status = fp_vm_reserve(bytes, &base);
	if (status != 0)
		return status;
	region->block.address = fp_align_up(base + guard, FP_REGION_GRANULARITY);
	region->guard_before = guard;
	region->guard_after = guard;
	uintptr_t start = fp_region_extent_start(region);
	uintptr_t end = fp_region_extent_end(region);
	if (start > base)
		fp_vm_unmap(base, start - base);
	if (base + bytes > end)
		fp_vm_unmap(end, base + bytes - end);
	return 0;
}

static int enter_anywhere(struct fp_region *region)
{
	int status = map_anywhere(region);

	if (status == -ENOMEM && fp_space_give_back() > 0)
		status = map_anywhere(region);
	if (status != 0)
		return status;
	struct fp_region_index *index = fp_table_copy(1);
	if (index == NULL) {
		unmap_extent(region);
		region->block.address = 0;
		return -ENOMEM;
	}
	region->runs[0].start = region->block.address;
	fp_table_insert(index, region);
	fp_table_publish(index);
	return 0;
}

/* ---- At an address
 * ----------------------------------------------------------------------------
 */

/* Whether a live region, apart from its guards, overlaps [START, END). */
static bool is_taken(uintptr_t start, uintptr_t end)
{
	const struct fp_region_index *index = fp_table_current();
	size_t at = fp_table_position(index, start);
	const struct fp_region *region;

	for (; (region = fp_table_at(index, at)) != NULL && region->block.address < end; at++)
		if (region->released_at == 0 && fp_region_end(region) > start)
			return true;
	return false;
}

/* The live regions next to a place, and what becomes of their guards there. */
struct neighbours {
	const struct fp_region *before; /* whose guard reaches into the place, or NULL */
	const struct fp_region *after;
	struct fp_region *shrunk_before;
	struct fp_region *shrunk_after;
};

/* INDEX has live regions only at the place. */
static void find_neighbours(const struct fp_region_index *index, uintptr_t start, uintptr_t end,
                            struct neighbours *found)
{
	size_t at = fp_table_position(index, start);
	const struct fp_region *region = fp_table_at(index, at);

	*found = (struct neighbours){.before = NULL};
	if (region != NULL && fp_region_end(region) <= start) {
		found->before = region;
		region = fp_table_at(index, at + 1);
	}
	if (region != NULL && fp_region_extent_start(region) < end)
		found->after = region;
}

static void drop_neighbours(struct neighbours *neighbours)
{
	fp_table_drop(neighbours->shrunk_before);
	fp_table_drop(neighbours->shrunk_after);
}

static bool shrink_neighbours(uintptr_t start, uintptr_t end, struct neighbours *neighbours)
{
	neighbours->shrunk_before = copy_of(neighbours->before);
	neighbours->shrunk_after = copy_of(neighbours->after);
	if ((neighbours->before != NULL && neighbours->shrunk_before == NULL) ||
	    (neighbours->after != NULL && neighbours->shrunk_after == NULL))
		return false;
	if (neighbours->before != NULL)
		neighbours->shrunk_before->guard_after =
		        start - fp_region_end(neighbours->before);
	if (neighbours->after != NULL)
		neighbours->shrunk_after->guard_before = neighbours->after->block.address - end;
	return true;
}

/* What is between the neighbours' guards; those are reserved already. */
static int reserve_between(uintptr_t start, uintptr_t end, const struct neighbours *neighbours)
{
	if (neighbours->before != NULL)
		start = fp_region_extent_end(neighbours->before);
	if (neighbours->after != NULL)
		end = fp_region_extent_start(neighbours->after);
	return start < end ? fp_vm_reserve_at(start, end - start) : 0;
}

/* A guard of our own, where nothing of anybody's stands already. */
static size_t reserve_guard(const struct fp_region_index *index, uintptr_t start)
{
	const struct fp_region *region = fp_table_at(index, fp_table_position(index, start));

	if (region != NULL && fp_region_extent_start(region) < start + config.guard_bytes)
		return 0;
	return fp_vm_reserve_at(start, config.guard_bytes) == 0 ? config.guard_bytes : 0;
}

/* Counts the end of REGION that ADDRESS, right outside of it, is at, unless a guard is there.
 */
static void count_unguarded(const struct fp_region_index *index, const struct fp_region *region,
                            uintptr_t address)
{
	const struct fp_region *there = fp_table_find(index, address);

	if (there != NULL && (there->released_at != 0 || address < there->block.address ||
	                      address >= fp_region_end(there)))
		return;
	if (there == NULL)
		unguarded.others++;
	else
		unguarded.between++;
	if (unguarded.first != 0)
		return;
	unguarded.first = region->block.address;
	unguarded.first_bytes = region->block.size;
}

static void unmap_displaced(const struct fp_region_retired *displaced)
{
	for (; displaced != NULL; displaced = displaced->next) {
		const struct fp_region *region = (const struct fp_region *)displaced;

		forget_kept(region);
		unmap_extent(region);
	}
}

/* INDEX is a copy without the released regions at the place. It is published in any case; from
 * their unmapping to our mapping nothing may be mapped. */
static int take_place(struct fp_region *region, struct fp_region_index *index,
                      struct fp_region_retired *displaced, struct neighbours *neighbours)
{
	uintptr_t start = region->block.address;
	uintptr_t end = fp_region_end(region);

	unmap_displaced(displaced);
	int status = reserve_between(start, end, neighbours);
	if (status == 0) {
		region->guard_before = reserve_guard(index, start - config.guard_bytes);
		region->guard_after = reserve_guard(index, end);
		replace(index, neighbours->before, neighbours->shrunk_before);
		replace(index, neighbours->after, neighbours->shrunk_after);
		region->runs[0].start = start;
		fp_table_insert(index, region);
		count_unguarded(index, region, start - 1);
		count_unguarded(index, region, end);
	} else {
		drop_neighbours(neighbours);
	}
	fp_table_publish(index);
	fp_table_retire_all(displaced);
	return status;
}

static int enter_at(struct fp_region *region)
{
	size_t guard = config.guard_bytes;
	uintptr_t start = region->block.address;
	uintptr_t end = fp_region_end(region);
	struct neighbours neighbours;

	if (start < guard || end + guard < start || is_taken(start, end))
		return -EEXIST;
	struct fp_region_index *index = fp_table_copy(1);
	if (index == NULL)
		return -ENOMEM;
	struct fp_region_retired *displaced =
	        fp_table_remove_released(index, start - guard, end + guard);
	find_neighbours(index, start, end, &neighbours);
	if (shrink_neighbours(start, end, &neighbours))
		return take_place(region, index, displaced, &neighbours);
	drop_neighbours(&neighbours);
	fp_table_drop_copy(index);
	return -ENOMEM;
}

int fp_space_enter(struct fp_region *region)
{
	return region->block.address == 0 ? enter_anywhere(region) : enter_at(region);
}

void fp_region_unguarded(struct fp_region_unguarded *copy)
{
	fp_lock_acquire(&fp_region_lock);
	*copy = unguarded;
	fp_lock_release(&fp_region_lock);
}
