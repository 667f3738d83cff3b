/* SPDX-License-Identifier: Apache-2.0
 *
 * Where a block stands in its slot. Pure arithmetic. Any context.
 */
#ifndef FP_HEAP_LAYOUT_H
#define FP_HEAP_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/align.h"

enum fp_placement { FP_PLACEMENT_RIGHT, FP_PLACEMENT_LEFT, FP_PLACEMENT_ALTERNATE };

/* No address space of a Linux machine holds more. */
#define FP_BLOCK_SIZE_MAX ((size_t)1 << 47)

/* Least padding on either side of a padded block, in bytes; also its least alignment. */
enum { FP_PADDED_SIDE = 16 };

/* Bytes from a block's start to the end of its slot, before alignment: a block of no bytes
 * still needs an address of its own. */
static inline size_t fp_layout_extent(size_t size)
{
	return size == 0 ? 1 : size;
}

/* Pages of the slot: with an alignment beyond a page, an aligned address is somewhere in it.
 * SIZE and ALIGN, a power of two, are at most FP_BLOCK_SIZE_MAX. */
static inline size_t fp_layout_pages(size_t size, size_t align, size_t page)
{
	size_t slack = align > page ? align - page : 0;

	return fp_align_up(fp_layout_extent(size) + slack, page) / page;
}

/* Whether a block touches the left end of its slot: SERIAL decides which end alternates. */
static inline bool fp_layout_is_left(enum fp_placement placement, uint64_t serial)
{
	return placement == FP_PLACEMENT_LEFT ||
	       (placement == FP_PLACEMENT_ALTERNATE && serial % 2 == 0);
}

/* The block's address: the least aligned one from LOWEST on, or the greatest up to HIGHEST. */
static inline uintptr_t fp_layout_address(bool is_left, uintptr_t lowest, uintptr_t highest,
                                          size_t align)
{
	return is_left ? fp_align_up(lowest, align) : fp_align_down(highest, align);
}

/* Most padding on either side: what an alignment leaves in front of a block may be gigabytes,
 * which nobody touches. */
enum { FP_PADDING_MAX = 64 << 10 };

/* Where the padding of a block at ADDRESS, in a slot from SLOT on, begins; and where that
 * behind ADDRESS, the block's end, ends in a slot up to SLOT_END. */
static inline uintptr_t fp_layout_padding_start(uintptr_t slot, uintptr_t address)
{
	return address - slot > FP_PADDING_MAX ? address - FP_PADDING_MAX : slot;
}

static inline uintptr_t fp_layout_padding_end(uintptr_t address, uintptr_t slot_end)
{
	return slot_end - address > FP_PADDING_MAX ? address + FP_PADDING_MAX : slot_end;
}

#endif
