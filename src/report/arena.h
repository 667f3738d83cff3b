/* SPDX-License-Identifier: Apache-2.0
 *
 * Memory of a report, but for what stands in an event log: taken piece by piece, given back all
 * at once. Equal strings are kept once.
 *
 * Context: report.
 */
#ifndef FP_REPORT_ARENA_H
#define FP_REPORT_ARENA_H

#include <stddef.h>
#include <stdint.h>

struct fp_report_arena_chunk;
struct fp_report_arena_string;

/* Zero it to begin. */
struct fp_report_arena {
	struct fp_report_arena_chunk *chunks;
	size_t left;                            /* bytes at the end of the first chunk */
	struct fp_report_arena_string *strings; /* open addressing */
	size_t string_count;
	size_t string_room; /* a power of two, or 0 */
};

/* SIZE bytes of zeros, aligned for everything; NULL when out of memory. */
void *fp_report_arena_take(struct fp_report_arena *arena, size_t size);

/* The one copy of the SIZE bytes at BYTES, with a zero behind it; NULL when out of memory. */
const char *fp_report_arena_keep(struct fp_report_arena *arena, const char *bytes, size_t size);

/*
 * Adds a copy of ITEM to the array of COUNT items, which grows by this function only or has
 * room for a power of two; ITEMS is where the pointer to it stands. 0 or -ENOMEM.
 */
int fp_report_append(struct fp_report_arena *arena, void *items, size_t *count,
                     const void *item, size_t item_size);

void fp_report_arena_free(struct fp_report_arena *arena);

#endif
