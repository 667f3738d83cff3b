/* SPDX-License-Identifier: Apache-2.0
 *
 * Pointers to the inside of a block that own it all the same: by where they point, or by what
 * stands in the block around them. A wrong guess hides a leak, so what is far inside has to
 * look like something that is known.
 */
#include <string.h>

#include "leak/mark.h"

enum { WORD = sizeof(uint64_t) };

/* The layouts of the C++ ABI and of libraries, in words from the block's start. */
enum {
	STRING_CHARACTERS = 3, /* libstdc++'s shared strings: length, capacity, references */
	TABLE_OFFSET = 2,      /* words before a virtual table: how far it is into the object */
	TABLE_TYPE = 1         /* the type of the complete object */
};

/* Bytes in front of the characters of redis's strings, the last of which says how they are
 * counted. Shorter ones look like tags. */
enum { SDS_32_BYTES = 9, SDS_32 = 3, SDS_64_BYTES = 17, SDS_64 = 4, SDS_TYPES = 7 };

/* What the rules look at. */
struct view {
	const struct fp_leak_memory *memory;
	const struct fp_leak_block *block;
	size_t offset;                     /* of the pointer */
	uint64_t words[STRING_CHARACTERS]; /* of the block, before the pointer */
	uint64_t here[2];                  /* that the pointer points to; 0 behind the end */
};

static bool is_string(const struct view *view)
{
	uint64_t length = view->words[0];
	uint64_t capacity = view->words[1];

	return view->offset == STRING_CHARACTERS * WORD && length <= capacity &&
	       capacity == view->block->size - STRING_CHARACTERS * WORD - 1;
}

/* LENGTH and CAPACITY stand before the type, and a zero behind the characters. */
static bool is_sds_of(const struct view *view, uint64_t length, uint64_t capacity)
{
	return length <= capacity && capacity < view->block->size - view->offset;
}

static bool is_sds(const struct view *view)
{
	if (view->offset == SDS_32_BYTES)
		return (view->words[1] & SDS_TYPES) == SDS_32 &&
		       is_sds_of(view, (uint32_t)view->words[0], view->words[0] >> 32);
	return view->offset == SDS_64_BYTES && (view->words[2] & SDS_TYPES) == SDS_64 &&
	       is_sds_of(view, view->words[0], view->words[1]);
}

/* The place in its object and the type, which stand before a virtual table. */
static bool read_table(const struct fp_leak_memory *memory, uint64_t table, uint64_t found[2])
{
	return table % WORD == 0 && table > TABLE_OFFSET * WORD &&
	       fp_leak_memory_word(memory, table - TABLE_OFFSET * WORD, &found[0]) &&
	       fp_leak_memory_word(memory, table - TABLE_TYPE * WORD, &found[1]);
}

/* A base other than the first: its virtual table names the distance to the start, and the type
 * that the first one names. */
static bool is_second_base(const struct view *view)
{
	uint64_t first[2];
	uint64_t second[2];

	return read_table(view->memory, view->here[0], second) &&
	       second[0] == 0 - (uint64_t)view->offset &&
	       read_table(view->memory, view->words[0], first) && first[0] == 0 &&
	       first[1] == second[1];
}

static bool points_to(const struct view *view, uint64_t place)
{
	uint64_t word;

	return place != 0 && place % WORD == 0 &&
	       fp_leak_memory_word(view->memory, place, &word) &&
	       word == view->block->address + view->offset;
}

/* A member of a list whose links stand somewhere in it: its neighbours point back there. In
 * lists with one way the second link is to the place that points here. */
static bool is_linked(const struct view *view)
{
	return points_to(view, view->here[1]) ||
	       (view->here[0] != 0 && points_to(view, view->here[0] + WORD));
}

/* With a tag in the low bits, or behind one or two words that the allocation has in front of
 * what it is for: the number of an array's elements, its size, a collector's links. */
static bool is_near(size_t offset)
{
	return offset < WORD || offset == WORD || offset == 2 * WORD;
}

bool fp_leak_is_empty_array(const struct fp_leak_memory *memory,
                            const struct fp_leak_block *block)
{
	uint64_t count;

	return fp_leak_memory_word(memory, block->address + block->size - WORD, &count) &&
	       count == 0;
}

/* False when what is there cannot be read. */
static bool look(struct view *view)
{
	size_t before = view->offset < sizeof(view->words) ? view->offset : sizeof(view->words);
	size_t left = view->block->size - view->offset;
	size_t here = left < sizeof(view->here) ? left : sizeof(view->here);
	uintptr_t start = view->block->address;

	return fp_leak_memory_read(view->memory, start, view->words, before) == before &&
	       fp_leak_memory_read(view->memory, start + view->offset, view->here, here) ==
	               here;
}

bool fp_leak_is_owners(const struct fp_leak_memory *memory, const struct fp_leak_block *block,
                       uintptr_t pointer)
{
	struct view view = {
	        .memory = memory,
	        .block = block,
	        .offset = pointer - block->address,
	};

	if (is_near(view.offset) || view.offset == block->size)
		return true;
	if (view.offset == SDS_32_BYTES || view.offset == SDS_64_BYTES)
		return look(&view) && is_sds(&view);
	return view.offset % WORD == 0 && look(&view) &&
	       (is_string(&view) || is_second_base(&view) || is_linked(&view));
}
