/* SPDX-License-Identifier: Apache-2.0
 *
 * A heap under test: wired as a session would, with a sink that keeps what it is given.
 */
#ifndef TESTS_HEAP_HEAPS_H
#define TESTS_HEAP_HEAPS_H

#include "guard/backends.h"
#include "heap/heap.h"
#include "support/support.h"

enum {
	MISUSE = -4242,    /* what callers of test heaps are told */
	NO_MEMORY = -4343, /* and when there is no memory */
	TIMEOUT = -4541,
	NOT_OWNER = -4542,
	ABANDONED = -4543,
	FAILED = -4544,
	UNAVAILABLE = -4545,
	LOCK_TIMEOUT_MS = 100,
	ERRNO = 4444, /* stands in errno before every call, and after it */
	FOUND_MAX = 6000
};

/* The findings made so far; beyond FOUND_MAX they are only counted. */
extern struct fp_finding found[FOUND_MAX];
extern _Atomic unsigned found_count;

/* Wires the modules with the back end of that index, or "auto" when it is negative; whether it
 * works here. */
bool start_heaps(int backend, size_t align, enum fp_placement placement);

/* The same with slots that are sealed BATCH at a time. */
bool start_heaps_batched(int backend, unsigned batch);

struct fp_heap *new_heap(void);
struct fp_heap *new_heap_with(bool is_for_one_thread);

/* A block of the heap; the test fails when there is none. */
char *take(struct fp_heap *heap, size_t size);

/* What fp_heap_alloc and fp_heap_free return, with errno verified. */
int try_alloc(struct fp_heap *heap, size_t size, void **block);
int give(struct fp_heap *heap, const void *block);

/* The only finding since the last call; its kind is KIND. */
const struct fp_finding *expect_finding(enum fp_finding_kind kind);
void expect_no_finding(void);

/* The findings since the last call that tell of a lack of memory; they count as no others do.
 */
unsigned take_shortages(void);

#endif
