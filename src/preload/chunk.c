/* SPDX-License-Identifier: Apache-2.0
 *
 * glibc keeps a chunk's size right before the block, with three flags in its low bits, and the
 * size of the free chunk before that. All of it has to agree: with the chunk's place in memory
 * that belongs to no file and to no stack, with the chunks on both sides, with the arena. So a
 * wild pointer stays one, and what does pass libc verifies again before it takes it.
 */
#include "preload/chunk.h"

#include <stddef.h>

#include "base/align.h"
#include "base/maps.h"
#include "base/room.h"
#include "base/vm.h"

enum {
	IS_PREVIOUS_IN_USE = 1,
	IS_MAPPING = 2,   /* of its own */
	IS_OF_A_HEAP = 4, /* not of the main arena */
	FLAGS = 7,
	ALIGN = 2 * sizeof(size_t),
	HEADER = 2 * sizeof(size_t), /* what comes before a chunk's block */
	LEAST = 4 * sizeof(size_t),
	HEAP_BYTES = 64 << 20 /* HEAP_MAX_SIZE: where it lies, too */
};

/* START is that of the header, which the chunk before may use the first word of. */
struct chunk {
	size_t previous;
	size_t size;
	unsigned flags;
	uintptr_t start;
};

static struct chunk read_chunk(uintptr_t start)
{
	const size_t *words = (const void *)start;

	return (struct chunk){
	        .previous = words[0],
	        .size = words[1] & ~(size_t)FLAGS,
	        .flags = words[1] & FLAGS,
	        .start = start,
	};
}

static bool has_memory_at(uintptr_t address, struct fp_maps_place *place)
{
	return fp_maps_at(address, place) == 0 && place->is_mapped && place->is_readable &&
	       place->is_writable && !place->is_file;
}

static bool is_mapping(const struct chunk *chunk, const struct fp_maps_place *place)
{
	size_t page = fp_vm_page_size();
	uintptr_t start = chunk->start - chunk->previous;
	size_t bytes = chunk->previous + chunk->size;

	return chunk->flags == IS_MAPPING && chunk->previous <= chunk->start &&
	       bytes >= chunk->size && start % page == 0 && bytes % page == 0 &&
	       start >= place->start && bytes <= place->end - start;
}

/* A heap begins with the address of its arena, which the first of an arena's heaps is before.
 */
static bool is_heap_there(const struct chunk *chunk, const struct fp_maps_place *place)
{
	uintptr_t heap = fp_align_down(chunk->start, HEAP_BYTES);
	struct fp_maps_place arenas;

	if (heap < place->start)
		return false;
	uintptr_t arena = *(const uintptr_t *)heap;
	return arena % sizeof(arena) == 0 && arena % HEAP_BYTES != 0 &&
	       has_memory_at(fp_align_down(arena, HEAP_BYTES), &arenas) && arena < arenas.end;
}

static bool fits_next(const struct chunk *chunk, const struct fp_maps_place *place)
{
	size_t left = place->end - chunk->start;

	if (chunk->size > left - HEADER)
		return false;
	const struct chunk next = read_chunk(chunk->start + chunk->size);
	return (next.flags & (IS_PREVIOUS_IN_USE | IS_MAPPING)) == IS_PREVIOUS_IN_USE &&
	       next.size >= HEADER && next.size % ALIGN == 0 && next.size <= left - chunk->size;
}

static bool fits_previous(const struct chunk *chunk, const struct fp_maps_place *place)
{
	if ((chunk->flags & IS_PREVIOUS_IN_USE) != 0)
		return true;
	return chunk->previous % ALIGN == 0 && chunk->previous >= LEAST &&
	       chunk->previous <= chunk->start - place->start &&
	       read_chunk(chunk->start - chunk->previous).size == chunk->previous;
}

static bool is_in_arena(const struct chunk *chunk, const struct fp_maps_place *place)
{
	return chunk->size % ALIGN == 0 && fits_next(chunk, place) &&
	       fits_previous(chunk, place) &&
	       ((chunk->flags & IS_OF_A_HEAP) == 0 || is_heap_there(chunk, place));
}

bool fp_chunk_is_in_use(uintptr_t block)
{
	uintptr_t stack = fp_room_outside((uintptr_t)__builtin_frame_address(0));
	struct fp_maps_place place;

	if (block % ALIGN != 0 || block < HEADER || !has_memory_at(block, &place) ||
	    block - place.start < HEADER || place.end - block < LEAST - HEADER ||
	    (stack >= place.start && stack < place.end))
		return false;
	const struct chunk chunk = read_chunk(block - HEADER);
	if (chunk.size < LEAST)
		return false;
	return (chunk.flags & IS_MAPPING) != 0 ? is_mapping(&chunk, &place)
	                                       : is_in_arena(&chunk, &place);
}
