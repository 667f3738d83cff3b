/* SPDX-License-Identifier: Apache-2.0
 *
 * Looking at regions, and at the memory of others, without a lock: these functions run in
 * signal handlers and while other threads are stopped wherever they happened to be.
 */
#include <errno.h>
#include <sys/mman.h>

#include "base/align.h"
#include "base/maps.h"
#include "base/vm.h"
#include "region/region.h"
#include "region/table.h"

/* ---- Places --------------------------------------------------------------------------------
 */

static void fill_guard(const struct fp_region *region, uintptr_t address,
                       struct fp_region_place *place)
{
	bool is_before = address < region->block.address;

	place->page.state = FP_PAGE_GUARD;
	place->start = is_before ? fp_region_extent_start(region) : fp_region_end(region);
	place->end = is_before ? region->block.address : fp_region_extent_end(region);
}

static void fill_run(const struct fp_region *region, uintptr_t address,
                     struct fp_region_place *place)
{
	const struct fp_region_run *run = fp_table_run(region, address);

	place->page = (struct fp_page){
	        .state = run->state,
	        .protection = run->protection,
	        .commit_trace = run->committer,
	        .commit_thread = run->committed_by,
	};
	place->start = run->start;
	place->end = fp_table_run_end(region, run);
	place->decommitter = run->decommitter;
	place->by_thread = run->decommitted_by;
}

static void fill_place(const struct fp_region *region, uintptr_t address,
                       struct fp_region_place *place)
{
	*place = (struct fp_region_place){.block = region->block};
	if (address < region->block.address || address >= fp_region_end(region)) {
		fill_guard(region, address, place);
	} else if (region->released_at != 0) {
		place->page.state = FP_PAGE_RELEASED;
		place->start = region->block.address;
		place->end = fp_region_end(region);
	} else {
		fill_run(region, address, place);
	}
}

bool fp_region_find(uintptr_t address, struct fp_region_place *place)
{
	const struct fp_region *region = fp_table_find(fp_table_begin_read(), address);

	if (region != NULL)
		fill_place(region, address, place);
	fp_table_end_read();
	return region != NULL;
}

void fp_region_each_live(uint64_t after, fp_region_visitor visit, void *user)
{
	const struct fp_region_index *index = fp_table_begin_read();

	for (size_t i = 0; i < index->count; i++) {
		const struct fp_region *region = fp_table_at(index, i);

		if (region->released_at == 0 && region->block.serial > after)
			visit(&region->block, user);
	}
	fp_table_end_read();
}

int fp_region_expose(uintptr_t page)
{
	struct fp_region_place place;

	if (!fp_region_find(page, &place) || place.page.state == FP_PAGE_COMMITTED)
		return -EINVAL;
	return fp_vm_remap(page, fp_vm_page_size(), PROT_READ | PROT_WRITE);
}

void fp_region_conceal(uintptr_t page)
{
	struct fp_region_place place;

	/* Committed meanwhile: it is to stay as it is. */
	if (fp_region_find(page, &place) && place.page.state == FP_PAGE_COMMITTED)
		return;
	fp_vm_remap(page, fp_vm_page_size(), PROT_NONE);
}

/* ---- VirtualQuery ---------------------------------------------------------------------------
 */

static uint32_t state_of(const struct fp_region_run *run)
{
	return run->state == FP_PAGE_COMMITTED ? FP_REGION_COMMIT : FP_REGION_RESERVE;
}

static uint32_t protection_of(const struct fp_region_run *run)
{
	return run->state == FP_PAGE_COMMITTED ? run->protection : 0;
}

static void fill_info(const struct fp_region *region, struct fp_region_info *info)
{
	const struct fp_region_run *run = fp_table_run(region, info->base);
	const struct fp_region_run *end = region->runs + region->run_count;
	const struct fp_region_run *last = run;

	/* Runs differ in who committed them, too, which Win32 does not tell. */
	while (last + 1 < end && state_of(last + 1) == state_of(run) &&
	       protection_of(last + 1) == protection_of(run))
		last++;
	info->bytes = fp_table_run_end(region, last) - info->base;
	info->allocation_base = region->block.address;
	info->allocation_protection = region->protection;
	info->state = state_of(run);
	info->protection = protection_of(run);
	info->type = FP_REGION_PRIVATE;
}

/* Whether a live region is at the page; then INFO is filled in. */
static bool query_region(struct fp_region_info *info)
{
	const struct fp_region *region = fp_table_find(fp_table_begin_read(), info->base);
	bool is_inside = region != NULL && region->released_at == 0 &&
	                 info->base >= region->block.address &&
	                 info->base < fp_region_end(region);

	if (is_inside)
		fill_info(region, info);
	fp_table_end_read();
	return is_inside;
}

static uint32_t protection_of_others(const struct fp_maps_place *place)
{
	if (place->is_executable)
		return place->is_writable   ? FP_PROTECT_EXECUTE_READWRITE
		       : place->is_readable ? FP_PROTECT_EXECUTE_READ
		                            : FP_PROTECT_EXECUTE;
	return place->is_writable   ? FP_PROTECT_READWRITE
	       : place->is_readable ? FP_PROTECT_READONLY
	                            : FP_PROTECT_NOACCESS;
}

/* The kernel joins mappings that look alike, ours with those of others, too. */
static void clip(uintptr_t at, uintptr_t *start, uintptr_t *end)
{
	const struct fp_region_index *index = fp_table_begin_read();
	size_t position = fp_table_position(index, at);
	const struct fp_region *next = fp_table_at(index, position);
	const struct fp_region *before = position > 0 ? fp_table_at(index, position - 1) : NULL;

	if (next != NULL && fp_region_extent_start(next) < *end)
		*end = fp_region_extent_start(next);
	if (before != NULL && fp_region_extent_end(before) > *start)
		*start = fp_region_extent_end(before);
	fp_table_end_read();
}

static void fill_others(struct fp_maps_place *place, struct fp_region_info *info)
{
	uint32_t protection = protection_of_others(place);

	clip(info->base, &place->start, &place->end);
	info->bytes = place->end - info->base;
	info->allocation_base = place->start;
	info->allocation_protection = protection;
	info->state = protection == FP_PROTECT_NOACCESS ? FP_REGION_RESERVE : FP_REGION_COMMIT;
	info->protection = protection == FP_PROTECT_NOACCESS ? 0 : protection;
	info->type = place->is_file ? FP_REGION_MAPPED : FP_REGION_PRIVATE;
}

/* Where the free memory ends that AT is in: a guard, a released region, or nothing. AT itself
 * when it is in use, with PLACE telling by whom when that is not us. */
static int free_until(uintptr_t at, uintptr_t *end, struct fp_maps_place *place)
{
	struct fp_region_place ours;

	*end = at;
	if (fp_region_find(at, &ours)) {
		if (ours.page.state == FP_PAGE_GUARD || ours.page.state == FP_PAGE_RELEASED)
			*end = ours.end;
		return 0;
	}
	int status = fp_maps_at(at, place);
	if (status != 0 || place->is_mapped)
		return status;
	*end = place->end;
	return 0;
}

static int query_others(struct fp_region_info *info)
{
	enum { PIECES_MAX = 64 }; /* of free memory that are looked at */
	struct fp_maps_place place = {.is_mapped = false};
	uintptr_t end;
	int status = free_until(info->base, &end, &place);

	if (status != 0)
		return status;
	if (end == info->base) {
		fill_others(&place, info);
		return 0;
	}
	info->state = FP_REGION_FREE;
	info->bytes = end - info->base;
	for (int pieces = 1; pieces < PIECES_MAX && end < fp_vm_user_end(); pieces++) {
		uintptr_t from = end;

		if (free_until(from, &end, &place) != 0 || end == from)
			break;
		info->bytes = end - info->base;
	}
	return 0;
}

int fp_region_query(uintptr_t address, struct fp_region_info *info)
{
	*info = (struct fp_region_info){.base = fp_align_down(address, fp_vm_page_size())};
	if (address >= fp_vm_user_end())
		return -EINVAL;
	if (query_region(info))
		return 0;
	int saved_errno = errno;
	int status = query_others(info);
	errno = saved_errno;
	return status;
}
