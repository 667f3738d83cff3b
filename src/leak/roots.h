/* SPDX-License-Identifier: Apache-2.0
 *
 * Where the program can keep pointers: everything mapped that it may have written, but for what
 * is Fencepost's own and for the dead part of stacks. Blocks are no roots.
 *
 * Context: alloc. Private to leak.
 */
#ifndef FP_LEAK_ROOTS_H
#define FP_LEAK_ROOTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "leak/mark.h"
#include "leak/memory.h"
#include "leak/search.h"
#include "leak/threads.h"

struct fp_leak_root {
	uintptr_t start;
	uintptr_t end;
	bool is_shared;
	bool is_writable;
	bool is_own;        /* Fencepost's */
	bool is_main_stack; /* of the first thread */
	bool is_fenced;     /* what is mapped right below cannot be accessed */
	bool is_in_use;     /* a thread is there */
};

struct fp_leak_roots {
	struct fp_leak_root *items; /* in the order of addresses */
	size_t count;
	size_t capacity;
	size_t wanted; /* more than capacity: there was no room for all */
};

/* Lists them as they are mapped now, without the regions in the table. 0; -ENOMEM; why the
 * mappings cannot be read. */
int fp_leak_roots_make(struct fp_leak_roots *roots, const struct fp_leak_memory *memory,
                       const struct fp_leak_search *search);
void fp_leak_roots_free(struct fp_leak_roots *roots);

/* The stack of THREAD is in use from START on only. */
void fp_leak_roots_cut_stack(struct fp_leak_roots *roots, const struct fp_leak_thread *thread,
                             uintptr_t start);

/* The same for the calling thread, whose frames below STACK are Fencepost's. */
void fp_leak_roots_cut_own_stack(struct fp_leak_roots *roots, uintptr_t stack);

void fp_leak_roots_mark(const struct fp_leak_roots *roots, struct fp_leak_marker *marker);

#endif
