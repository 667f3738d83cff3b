/* SPDX-License-Identifier: Apache-2.0
 *
 * Pointers to the inside of a block that own it all the same, known by what stands in the block
 * before them. Each rule asks for enough to be right: a wrong guess hides a leak.
 */
#include <string.h>

#include "leak/mark.h"

enum { WORD = sizeof(uint64_t) };

/* The layouts of the C++ ABI and of libraries, in words from the block's start. */
enum {
	STRING_CHARACTERS = 3, /* libstdc++'s shared strings: length, capacity, references */
	TABLE_OFFSET = 2,      /* words before a virtual table: how far it is into the object */
	TABLE_TYPE = 1,        /* the type of the complete object */
	THREAD_VECTOR_FIRST = 2 /* glibc's table of thread-local storage; two words an entry */
};

/* What stands before POINTER, as far as the rules look. */
struct view {
	const struct fp_leak_memory *memory;
	const struct fp_leak_block *block;
	size_t offset; /* of the pointer */
	uint64_t words[STRING_CHARACTERS];
};

/* An array whose elements have destructors: their number stands right before the first. */
static bool is_counted(const struct view *view)
{
	size_t bytes = view->block->size - view->offset;

	bool is_array = view->block->family == FP_FAMILY_NEW_ARRAY ||
	                view->block->family == FP_FAMILY_ALIGNED_ARRAY;

	if (!is_array || view->offset > 2 * WORD)
		return false;
	uint64_t count = view->words[view->offset / WORD - 1];
	return count > 0 && count <= bytes && bytes % count == 0;
}

/* Libraries that keep the size of a block in front of it. */
static bool is_behind_size(const struct view *view)
{
	return view->offset == WORD && view->words[0] == view->block->size - WORD;
}

static bool is_string(const struct view *view)
{
	uint64_t length = view->words[0];
	uint64_t capacity = view->words[1];

	return view->offset == STRING_CHARACTERS * WORD && length <= capacity &&
	       capacity == view->block->size - STRING_CHARACTERS * WORD - 1;
}

/* The thread's descriptor points to the first entry; the one before counts them. */
static bool is_thread_vector(const struct view *view)
{
	size_t entry = THREAD_VECTOR_FIRST * WORD;

	return view->offset == entry && view->block->size % entry == 0 &&
	       view->words[0] == view->block->size / entry - 2;
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
	uint64_t table;
	uint64_t first[2];
	uint64_t second[2];

	if (view->offset % WORD != 0 ||
	    !fp_leak_memory_word(view->memory, view->block->address + view->offset, &table))
		return false;
	return read_table(view->memory, table, second) &&
	       second[0] == 0 - (uint64_t)view->offset &&
	       read_table(view->memory, view->words[0], first) && first[0] == 0 &&
	       first[1] == second[1];
}

bool fp_leak_is_owners(const struct fp_leak_memory *memory, const struct fp_leak_block *block,
                       uintptr_t pointer)
{
	struct view view = {
	        .memory = memory,
	        .block = block,
	        .offset = pointer - block->address,
	};
	size_t before = view.offset < sizeof(view.words) ? view.offset : sizeof(view.words);

	if (view.offset % WORD != 0 ||
	    fp_leak_memory_read(memory, block->address, view.words, before) != before)
		return false;
	return is_counted(&view) || is_behind_size(&view) || is_string(&view) ||
	       is_thread_vector(&view) || is_second_base(&view);
}
