/* SPDX-License-Identifier: Apache-2.0
 *
 * Publishing and reading of the table. A reader counts itself before it loads a pointer; a
 * writer stores the new pointer before it looks at the count. If that is zero, whoever reads
 * next finds the new pointer, and all that was retired before can go; if it is not, it waits
 * for a later writer. Both orders need the sequentially consistent operations used here.
 */
#include "region/table.h"

#include <string.h>

#include "base/meta.h"
#include "base/remains.h"
#include "base/vm.h"

static struct fp_region_index *_Atomic table;
static _Atomic uint32_t readers;
static struct fp_region_retired *retired; /* under the lock of regions */

/* Of what was given back, kept for the next copies: those of a large table or region would
 * otherwise be mapped anew, page by page, for each change. Under the lock of regions. */
enum { SPARES = 4, LARGE_BYTES = 512 };

static struct fp_region_retired *spares[SPARES];

const struct fp_region_index *fp_table_begin_read(void)
{
	static const struct fp_region_index empty;

	atomic_fetch_add(&readers, 1);
	const struct fp_region_index *index = atomic_load(&table);
	return index == NULL ? &empty : index;
}

void fp_table_end_read(void)
{
	atomic_fetch_sub(&readers, 1);
}

const struct fp_region *fp_table_at(const struct fp_region_index *index, size_t position)
{
	return position < index->count ? atomic_load(&index->regions[position]) : NULL;
}

size_t fp_table_position(const struct fp_region_index *index, uintptr_t address)
{
	size_t low = 0;
	size_t high = index->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (fp_region_extent_end(fp_table_at(index, middle)) <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct fp_region *fp_table_find(const struct fp_region_index *index, uintptr_t address)
{
	const struct fp_region *region = fp_table_at(index, fp_table_position(index, address));

	return region != NULL && fp_region_extent_start(region) <= address ? region : NULL;
}

const struct fp_region_run *fp_table_run(const struct fp_region *region, uintptr_t address)
{
	size_t low = 0;
	size_t high = region->run_count;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (region->runs[middle].start <= address)
			low = middle;
		else
			high = middle;
	}
	return &region->runs[low];
}

uintptr_t fp_table_run_end(const struct fp_region *region, const struct fp_region_run *run)
{
	return run + 1 < region->runs + region->run_count ? run[1].start
	                                                  : fp_region_end(region);
}

const struct fp_region_index *fp_table_current(void)
{
	static const struct fp_region_index empty;
	const struct fp_region_index *index = atomic_load(&table);

	return index == NULL ? &empty : index;
}

/* BYTES bytes or more, of any content behind the header, which knows how many. */
static void *take_memory(size_t bytes)
{
	/* Room to grow, so that the next copy but one fits where this one was. */
	size_t wanted = bytes <= LARGE_BYTES ? bytes : bytes + bytes / 4;

	for (size_t i = 0; bytes > LARGE_BYTES && i < SPARES; i++) {
		struct fp_region_retired *spare = spares[i];

		if (spare == NULL || spare->bytes < bytes || spare->bytes / 4 > wanted)
			continue;
		spares[i] = NULL;
		return spare;
	}
	struct fp_region_retired *memory = fp_meta_alloc(wanted);
	if (memory == NULL)
		return NULL;
	memory->bytes = wanted;
	fp_vm_show((uintptr_t)memory, wanted);
	return memory;
}

/* Keeps the larger ones. */
static void give_memory(struct fp_region_retired *memory)
{
	for (size_t i = 0; i < SPARES && memory->bytes > LARGE_BYTES; i++) {
		struct fp_region_retired *spare = spares[i];

		if (spare != NULL && spare->bytes >= memory->bytes)
			continue;
		spares[i] = memory;
		if (spare == NULL)
			return;
		memory = spare;
	}
	fp_meta_free(memory, memory->bytes);
}

struct fp_region *fp_table_make(uint32_t runs)
{
	size_t bytes = sizeof(struct fp_region) + runs * sizeof(struct fp_region_run);
	struct fp_region *region = take_memory(bytes);

	if (region == NULL)
		return NULL;
	const struct fp_region_retired header = region->retired;
	memset(region, 0, sizeof(*region));
	region->retired.bytes = header.bytes;
	return region;
}

void fp_table_drop(struct fp_region *region)
{
	if (region != NULL)
		give_memory(&region->retired);
}

static void retire(struct fp_region_retired *old)
{
	old->next = retired;
	retired = old;
	if (atomic_load(&readers) != 0)
		return;
	while (retired != NULL) {
		struct fp_region_retired *gone = retired;

		retired = gone->next;
		give_memory(gone);
	}
}

void fp_table_retire(const struct fp_region *region)
{
	/* The constness is that of published records; this one is ours again. */
	retire((struct fp_region_retired *)(uintptr_t)region);
}

void fp_table_replace(const struct fp_region *before, const struct fp_region *after)
{
	struct fp_region_index *index = atomic_load(&table);

	atomic_store(&index->regions[fp_table_position(index, before->block.address)], after);
	fp_table_retire(before);
}

struct fp_region_index *fp_table_copy(size_t extra)
{
	const struct fp_region_index *now = fp_table_current();
	size_t bytes = sizeof(*now) + (now->count + extra) * sizeof(now->regions[0]);
	struct fp_region_index *index = take_memory(bytes);

	if (index == NULL)
		return NULL;
	index->count = now->count;
	for (size_t i = 0; i < now->count; i++)
		atomic_init(&index->regions[i], fp_table_at(now, i));
	return index;
}

void fp_table_substitute(struct fp_region_index *index, const struct fp_region *before,
                         const struct fp_region *after)
{
	atomic_init(&index->regions[fp_table_position(index, before->block.address)], after);
}

struct fp_region_retired *fp_table_remove_released(struct fp_region_index *index,
                                                   uintptr_t start, uintptr_t end)
{
	size_t at = fp_table_position(index, start);
	struct fp_region_retired *chain = NULL;
	const struct fp_region *region;

	while ((region = fp_table_at(index, at)) != NULL &&
	       fp_region_extent_start(region) < end) {
		/* The link is no reader's affair. */
		struct fp_region_retired *link = (struct fp_region_retired *)(uintptr_t)region;

		if (region->released_at == 0) {
			at++;
			continue;
		}
		fp_table_remove(index, region);
		link->next = chain;
		chain = link;
	}
	return chain;
}

void fp_table_retire_all(struct fp_region_retired *chain)
{
	while (chain != NULL) {
		struct fp_region_retired *next = chain->next;

		retire(chain);
		chain = next;
	}
}

void fp_table_drop_copy(struct fp_region_index *index)
{
	if (index != NULL)
		give_memory(&index->retired);
}

void fp_table_insert(struct fp_region_index *index, const struct fp_region *region)
{
	size_t at = fp_table_position(index, region->block.address);

	for (size_t i = index->count++; i > at; i--)
		atomic_init(&index->regions[i], fp_table_at(index, i - 1));
	atomic_init(&index->regions[at], region);
}

void fp_table_remove(struct fp_region_index *index, const struct fp_region *region)
{
	size_t at = fp_table_position(index, region->block.address);

	index->count--;
	for (size_t i = at; i < index->count; i++)
		atomic_init(&index->regions[i], atomic_load(&index->regions[i + 1]));
}

void fp_table_publish(struct fp_region_index *index)
{
	struct fp_region_index *before = atomic_exchange(&table, index);

	if (before != NULL)
		retire(&before->retired);
}

void fp_table_forget_readers(void)
{
	if (atomic_load(&readers) != 0)
		atomic_store(&readers, 0);
}

void fp_region_leave_remains(struct fp_remains *remains)
{
	remains->regions = (uintptr_t)&table;
}
