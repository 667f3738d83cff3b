/* SPDX-License-Identifier: Apache-2.0
 *
 * The search of a census: through all memory that may hold pointers, while nothing moves.
 *
 * Context: as holders.h. Private to leak.
 */
#ifndef FP_LEAK_HUNT_H
#define FP_LEAK_HUNT_H

#include "leak/holders.h"
#include "leak/mark.h"
#include "leak/memory.h"
#include "leak/roots.h"
#include "leak/threads.h"

enum { FP_LEAK_FRAMES_MAX = 128 };

struct fp_leak_hunt {
	struct fp_leak_marker marker; /* first: the marker is the hunt */
	struct fp_leak_census *told;
	struct fp_leak_threads threads; /* that stand still */
	struct fp_leak_thread own;      /* the calling one */
	struct fp_leak_roots roots;
	struct fp_leak_memory memory;
	unsigned listed[FP_HOLDER_KINDS];
	/* What is being looked at: a block, a thread's registers, or neither. */
	const struct fp_block *block;
	const struct fp_leak_thread *registers;
	uint64_t deadline;
	/* FP_LEAK_FRAMES_MAX each. */
	uintptr_t *frames;
	uintptr_t *stacks;
};

/* With BUFFER of FP_LEAK_BUFFER_BYTES. */
void fp_leak_hunt_begin(struct fp_leak_hunt *hunt, struct fp_leak_census *told,
                        uint8_t *buffer);

/* Fills in hunt->told. */
void fp_leak_hunt(struct fp_leak_hunt *hunt);

/* Whether time is up; the census says so then. */
bool fp_leak_hunt_is_over(struct fp_leak_hunt *hunt);

/* The census has RESULT, and the first reason WHY. */
void fp_leak_set_obstacle(struct fp_leak_census *told, enum fp_census_result result,
                          const char *why);

#endif
