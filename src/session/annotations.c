/* SPDX-License-Identifier: Apache-2.0
 *
 * What the program says about leaks: blocks that are none, and more memory to look for pointers
 * in. Regions are taken as they are told: the search leaves out what cannot be read.
 */
#include <string.h>

#include "base/messages.h"
#include "base/remains.h"
#include "heap/heap.h"
#include "region/region.h"
#include "session/session.h"
#include "session/state.h"

enum { ROOTS_MAX = 1024 };

/* Under the session's lock. */
static struct fp_leak_range roots[ROOTS_MAX];
static size_t root_count;

void fp_session_ignore_block(const void *address)
{
	uintptr_t inside = (uintptr_t)address;
	struct fp_region_place place;
	struct fp_block block;

	if (fp_session_is_started() && fp_region_find(inside, &place))
		fp_region_mark(inside, place.block.serial, FP_BLOCK_IGNORED);
	else if (fp_session_is_started() && fp_heap_find(inside, &block) &&
	         block.state == FP_BLOCK_LIVE && inside >= block.address &&
	         inside - block.address <= block.size)
		fp_heap_mark(inside, block.serial, FP_BLOCK_IGNORED);
}

void fp_session_add_root(const void *start, size_t bytes)
{
	fp_lock_acquire(&fp_session.lock);
	bool is_full = root_count == ROOTS_MAX;
	if (!is_full)
		roots[root_count++] = (struct fp_leak_range){
		        .start = (uintptr_t)start,
		        .end = (uintptr_t)start + bytes,
		};
	fp_lock_release(&fp_session.lock);
	if (is_full && fp_session_is_started())
		fp_log_note(fp_session_log(), FP_TELL_ROOTS_FULL);
}

/* The newest of several equal ones. */
static size_t find_locked(uintptr_t start, uintptr_t end)
{
	for (size_t i = root_count; i-- > 0;)
		if (roots[i].start == start && roots[i].end == end)
			return i;
	return ROOTS_MAX;
}

void fp_session_remove_root(const void *start, size_t bytes)
{
	fp_lock_acquire(&fp_session.lock);
	size_t place = find_locked((uintptr_t)start, (uintptr_t)start + bytes);
	if (place < ROOTS_MAX) {
		root_count--;
		memmove(&roots[place], &roots[place + 1],
		        (root_count - place) * sizeof(roots[0]));
	}
	fp_lock_release(&fp_session.lock);
}

size_t fp_session_copy_roots(struct fp_leak_range *copy, size_t room)
{
	fp_lock_acquire(&fp_session.lock);
	size_t count = root_count < room ? root_count : room;
	if (copy != NULL)
		memcpy(copy, roots, count * sizeof(roots[0]));
	fp_lock_release(&fp_session.lock);
	return count;
}

void fp_session_leave_roots(struct fp_remains *remains)
{
	remains->roots = (struct fp_remains_ranges){
	        .first = (uintptr_t)roots,
	        .count = (uintptr_t)&root_count,
	        .bytes = sizeof(roots[0]),
	        .start = offsetof(struct fp_leak_range, start),
	        .end = offsetof(struct fp_leak_range, end),
	};
}
