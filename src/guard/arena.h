/* SPDX-License-Identifier: Apache-2.0
 *
 * Arenas hand out slots: per class (number of pages) the chunk that new slots come from, and
 * the slots that stand ready. A thread keeps to one arena, and a chunk belongs to one, so
 * threads seldom meet on a lock of ours or of the kernel's.
 *
 * Context: alloc. Private to guard.
 */
#ifndef FP_GUARD_ARENA_H
#define FP_GUARD_ARENA_H

#include <stdbool.h>
#include <stddef.h>

#include "guard/backend.h"
#include "guard/guard.h"
#include "guard/span.h"

struct fp_arena_config {
	const struct fp_backend *small; /* for the slots it takes */
	const struct fp_backend *large; /* for the others */
	const struct fp_backend *huge;  /* for those that have a chunk of their own, or NULL */
	unsigned char fill;
	size_t guard_bytes;
	int (*renew)(void); /* called when a back end says -ESTALE */
};

void fp_arena_init(const struct fp_arena_config *config);

/* As fp_guard_acquire and fp_guard_release. */
int fp_arena_acquire(size_t pages, bool is_executable, struct fp_slot *slot);
int fp_arena_release(const struct fp_slot *slot);

/* Slots of chunks whose back end seals many at once. */
void fp_arena_release_many(const struct fp_slot *slots, size_t count);

/* The back end holds again all that is in use, but for what the program has mapped there. 0 or
 * the first error. */
int fp_arena_hold_all(void);

/* Before a fork. The children of a process that has no block yet, such as a fork server, find
 * room for small ones, instead of each making it. */
void fp_arena_prepare_fork(void);

#endif
