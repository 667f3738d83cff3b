/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of regions, in the order of addresses. What it holds never changes: a writer makes
 * a new record, or a new table, and publishes it with one store, so that a reader needs no
 * lock, never waits, and cannot be made to wait by a thread that was stopped while it wrote.
 * What was replaced is given back once nobody reads.
 *
 * Context: alloc; readers also fault. Private to the module.
 */
#ifndef FP_REGION_TABLE_H
#define FP_REGION_TABLE_H

#include <stdatomic.h>

#include "region/region.h"

/* Pages that are alike: up to the next run, or the region's end. */
struct fp_region_run {
	uintptr_t start;
	uint32_t protection; /* while committed */
	uint8_t state;       /* FP_PAGE_RESERVED, _COMMITTED, _DECOMMITTED */
	fp_trace_id committer;
	fp_thread_id committed_by;
	fp_trace_id decommitter;
	fp_thread_id decommitted_by;
};

/* In front of everything that readers may still read after it was replaced. */
struct fp_region_retired {
	struct fp_region_retired *next;
	size_t bytes;
};

struct fp_region {
	struct fp_region_retired retired;
	struct fp_block block;
	size_t guard_before; /* bytes of guards that are its own */
	size_t guard_after;
	uint64_t released_at; /* counts releases; 0 while live */
	uint32_t protection;  /* that it was reserved with */
	uint32_t run_count;   /* 0 once released */
	struct fp_region_run runs[];
};

struct fp_region_index {
	struct fp_region_retired retired;
	size_t count;
	const struct fp_region *_Atomic regions[];
};

static inline uintptr_t fp_region_end(const struct fp_region *region)
{
	return region->block.address + region->block.size;
}

/* With its guards. */
static inline uintptr_t fp_region_extent_start(const struct fp_region *region)
{
	return region->block.address - region->guard_before;
}

static inline uintptr_t fp_region_extent_end(const struct fp_region *region)
{
	return fp_region_end(region) + region->guard_after;
}

/* ---- Reading: between begin and end, what was found stays readable. ------------------------
 */

const struct fp_region_index *fp_table_begin_read(void);
void fp_table_end_read(void);

/* The first position whose region, guards included, ends above ADDRESS. */
size_t fp_table_position(const struct fp_region_index *index, uintptr_t address);

/* The region at POSITION, or NULL behind the last. */
const struct fp_region *fp_table_at(const struct fp_region_index *index, size_t position);

/* The region whose extent ADDRESS is in, or NULL. */
const struct fp_region *fp_table_find(const struct fp_region_index *index, uintptr_t address);

/* The run that ADDRESS, in the region, is in. */
const struct fp_region_run *fp_table_run(const struct fp_region *region, uintptr_t address);
uintptr_t fp_table_run_end(const struct fp_region *region, const struct fp_region_run *run);

/* ---- Writing, under the lock of regions
 * ------------------------------------------------------ */

/* The table as it is, for a writer. */
const struct fp_region_index *fp_table_current(void);

/* A new record with room for RUNS runs, zeroed but for these; NULL without memory. One that was
 * not published is dropped. */
struct fp_region *fp_table_make(uint32_t runs);
void fp_table_drop(struct fp_region *region);

/* Puts AFTER in the place of BEFORE, which is given back. They begin at one address. */
void fp_table_replace(const struct fp_region *before, const struct fp_region *after);

/* A table to be changed, with room for EXTRA more regions; NULL without memory. */
struct fp_region_index *fp_table_copy(size_t extra);
void fp_table_insert(struct fp_region_index *index, const struct fp_region *region);
void fp_table_remove(struct fp_region_index *index, const struct fp_region *region);

/* Removes the released regions whose extents meet [START, END); they are chained, to be retired
 * together. */
struct fp_region_retired *fp_table_remove_released(struct fp_region_index *index,
                                                   uintptr_t start, uintptr_t end);
void fp_table_retire_all(struct fp_region_retired *chain);

/* Puts AFTER in the place of BEFORE in a copy, as fp_table_replace does in the table. */
void fp_table_substitute(struct fp_region_index *index, const struct fp_region *before,
                         const struct fp_region *after);

/* A copy that was not published. NULL is accepted. */
void fp_table_drop_copy(struct fp_region_index *index);

/* Makes INDEX the table. What was removed from it is still to be retired. */
void fp_table_publish(struct fp_region_index *index);
void fp_table_retire(const struct fp_region *region);

/* In the child of a fork there are no other readers. */
void fp_table_forget_readers(void);

#endif
