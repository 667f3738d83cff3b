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
#include "base/vm.h"
#include "region/runs.h"

enum { KEPT_MAX = 1024 }; /* released regions: an insertion copies the table */

static struct fp_space_config config;
static uint64_t kept;
static size_t kept_bytes;

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

int fp_space_remove(const struct fp_region *region)
{
	struct fp_region_index *index = fp_table_copy(0);

	if (index == NULL)
		return -ENOMEM;
	fp_table_remove(index, region);
	fp_table_publish(index);
	forget_kept(region);
	unmap_extent(region);
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

static const struct fp_region *next_from(uintptr_t address)
{
	const struct fp_region_index *index = fp_table_current();

	return fp_table_at(index, fp_table_position(index, address));
}

/* Released regions, guards included, give way to [START, END). */
static void displace_kept(uintptr_t start, uintptr_t end)
{
	const struct fp_region *region;
	uintptr_t at = start;

	while ((region = next_from(at)) != NULL && fp_region_extent_start(region) < end) {
		at = fp_region_extent_end(region);
		if (region->released_at != 0)
			fp_space_remove(region);
	}
}

/* The live regions next to a place, and what becomes of their guards there. */
struct neighbours {
	const struct fp_region *before; /* whose guard reaches into the place, or NULL */
	const struct fp_region *after;
	struct fp_region *shrunk_before;
	struct fp_region *shrunk_after;
};

static struct fp_region *copy_of(const struct fp_region *region)
{
	const struct fp_runs_change nothing = {.state = FP_PAGE_NONE};

	return region == NULL ? NULL : fp_runs_changed(region, &nothing);
}

static void find_neighbours(uintptr_t start, uintptr_t end, struct neighbours *found)
{
	const struct fp_region_index *index = fp_table_current();
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
static size_t reserve_guard(uintptr_t start)
{
	const struct fp_region *region = next_from(start);

	if (region != NULL && fp_region_extent_start(region) < start + config.guard_bytes)
		return 0;
	return fp_vm_reserve_at(start, config.guard_bytes) == 0 ? config.guard_bytes : 0;
}

static void replace_neighbours(const struct neighbours *neighbours)
{
	if (neighbours->before != NULL)
		fp_table_replace(neighbours->before, neighbours->shrunk_before);
	if (neighbours->after != NULL)
		fp_table_replace(neighbours->after, neighbours->shrunk_after);
}

static int enter_at(struct fp_region *region)
{
	uintptr_t start = region->block.address;
	uintptr_t end = fp_region_end(region);
	struct neighbours neighbours;

	if (start < config.guard_bytes || end + config.guard_bytes < start)
		return -EEXIST;
	if (is_taken(start, end))
		return -EEXIST;
	displace_kept(start - config.guard_bytes, end + config.guard_bytes);
	find_neighbours(start, end, &neighbours);
	struct fp_region_index *index = fp_table_copy(1);
	int status = index != NULL && shrink_neighbours(start, end, &neighbours) ? 0 : -ENOMEM;
	if (status == 0)
		status = reserve_between(start, end, &neighbours);
	if (status != 0) {
		drop_neighbours(&neighbours);
		fp_table_drop_copy(index);
		return status;
	}
	region->guard_before = reserve_guard(start - config.guard_bytes);
	region->guard_after = reserve_guard(end);
	/* First the smaller guards, so that no table has two owners of an address. */
	replace_neighbours(&neighbours);
	fp_table_refresh(index);
	region->runs[0].start = region->block.address;
	fp_table_insert(index, region);
	fp_table_publish(index);
	return 0;
}

int fp_space_enter(struct fp_region *region)
{
	return region->block.address == 0 ? enter_anywhere(region) : enter_at(region);
}
