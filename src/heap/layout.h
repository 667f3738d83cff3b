/* SPDX-License-Identifier: Apache-2.0
 *
 * Where a block stands in its slot. Pure arithmetic. Any context.
 */
#ifndef FP_HEAP_LAYOUT_H
#define FP_HEAP_LAYOUT_H

#include <stddef.h>
#include <stdint.h>

#include "base/align.h"

enum fp_placement { FP_PLACEMENT_RIGHT, FP_PLACEMENT_LEFT, FP_PLACEMENT_ALTERNATE };

/* No address space of a Linux machine holds more. */
#define FP_BLOCK_SIZE_MAX ((size_t)1 << 47)

/* Padding on either side of a padded block, in bytes; also its alignment. */
enum { FP_PADDED_SIDE = 16 };

/* Bytes a block takes at the end of its slot: a block of no bytes still needs an address of its
 * own. SIZE is at most FP_BLOCK_SIZE_MAX, ALIGN a power of two. */
static inline size_t fp_layout_extent(size_t size, size_t align)
{
	return fp_align_up(size == 0 ? 1 : size, align);
}

static inline size_t fp_layout_pages(size_t size, size_t align, size_t page)
{
	return fp_align_up(fp_layout_extent(size, align), page) / page;
}

/* The block's address in the slot of SLOT_BYTES at SLOT. SERIAL decides which end alternates.
 */
static inline uintptr_t fp_layout_address(enum fp_placement placement, uint64_t serial,
                                          uintptr_t slot_end, size_t slot_bytes, size_t extent)
{
	if (placement == FP_PLACEMENT_LEFT ||
	    (placement == FP_PLACEMENT_ALTERNATE && serial % 2 == 0))
		return slot_end - slot_bytes;
	return slot_end - extent;
}

#endif
