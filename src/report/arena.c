/* SPDX-License-Identifier: Apache-2.0
 *
 * Chunks, newest first, and the table of strings in them. Nothing is ever given back alone.
 */
#include "base/hash.h"
#include "report/arena.h"

#include <errno.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK_BYTES = 1 << 16, STRINGS_FIRST = 64 };

struct fp_report_arena_chunk {
	struct fp_report_arena_chunk *next;
	size_t size;
	alignas(max_align_t) char bytes[];
};

struct fp_report_arena_string {
	const char *bytes; /* NULL is a free place */
	size_t size;
	uint64_t hash;
};

static bool add_chunk(struct fp_report_arena *arena, size_t least)
{
	size_t size = least > CHUNK_BYTES ? least : CHUNK_BYTES;
	struct fp_report_arena_chunk *chunk =
	        size <= SIZE_MAX - sizeof(*chunk) ? calloc(1, sizeof(*chunk) + size) : NULL;

	if (!chunk)
		return false;
	chunk->next = arena->chunks;
	chunk->size = size;
	arena->chunks = chunk;
	arena->left = size;
	return true;
}

void *fp_report_arena_take(struct fp_report_arena *arena, size_t size)
{
	const size_t unit = alignof(max_align_t);

	if (size > SIZE_MAX - unit)
		return NULL;
	size = (size + unit - 1) / unit * unit;
	if ((!arena->chunks || size > arena->left) && !add_chunk(arena, size))
		return NULL;
	void *bytes = arena->chunks->bytes + arena->chunks->size - arena->left;
	arena->left -= size;
	return bytes;
}

static struct fp_report_arena_string *find_place(const struct fp_report_arena *arena,
                                                 const struct fp_report_arena_string *wanted)
{
	size_t at = fp_hash_place(wanted->hash, arena->string_room);

	for (;; at = fp_hash_next(at, arena->string_room)) {
		struct fp_report_arena_string *string = &arena->strings[at];

		if (!string->bytes ||
		    (string->hash == wanted->hash && string->size == wanted->size &&
		     memcmp(string->bytes, wanted->bytes, wanted->size) == 0))
			return string;
	}
}

/* Keeps a quarter of the table free. */
static bool make_room(struct fp_report_arena *arena)
{
	struct fp_report_arena grown = {
	        .string_room = arena->string_room > 0 ? 2 * arena->string_room : STRINGS_FIRST};

	if (arena->string_count < arena->string_room / 4 * 3)
		return true;
	grown.strings = calloc(grown.string_room, sizeof(*grown.strings));
	if (!grown.strings)
		return false;
	for (size_t i = 0; i < arena->string_room; i++) {
		if (arena->strings[i].bytes)
			*find_place(&grown, &arena->strings[i]) = arena->strings[i];
	}
	free(arena->strings);
	arena->strings = grown.strings;
	arena->string_room = grown.string_room;
	return true;
}

const char *fp_report_arena_keep(struct fp_report_arena *arena, const char *bytes, size_t size)
{
	const struct fp_report_arena_string wanted = {
	        size > 0 ? bytes : "", size, fp_hash_bytes(fp_hash_start, bytes, size)};

	if (!make_room(arena))
		return NULL;
	struct fp_report_arena_string *string = find_place(arena, &wanted);
	if (string->bytes)
		return string->bytes;
	char *copy = size < SIZE_MAX ? fp_report_arena_take(arena, size + 1) : NULL;
	if (!copy)
		return NULL;
	memcpy(copy, wanted.bytes, size);
	*string = wanted;
	string->bytes = copy;
	arena->string_count++;
	return copy;
}

int fp_report_append(struct fp_report_arena *arena, void *items, size_t *count,
                     const void *item, size_t item_size)
{
	char *array;

	memcpy(&array, items, sizeof(array));
	if ((*count & (*count - 1)) == 0) {
		char *grown =
		        fp_report_arena_take(arena, (*count > 0 ? 2 * *count : 1) * item_size);

		if (!grown)
			return -ENOMEM;
		if (*count > 0)
			memcpy(grown, array, *count * item_size);
		array = grown;
		memcpy(items, &array, sizeof(array));
	}
	memcpy(array + (*count)++ * item_size, item, item_size);
	return 0;
}

void fp_report_arena_free(struct fp_report_arena *arena)
{
	while (arena->chunks) {
		struct fp_report_arena_chunk *next = arena->chunks->next;

		free(arena->chunks);
		arena->chunks = next;
	}
	free(arena->strings);
	*arena = (struct fp_report_arena){0};
}
