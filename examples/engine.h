/* SPDX-License-Identifier: Apache-2.0
 *
 * What a runtime does with an IHostMemoryManager beside its IHostMalloc, in the patterns that
 * the published one has: a garbage-collected heap that is reserved once and committed in steps,
 * code pages that are committed without a reservation, stacks reserved from the top.
 */
#ifndef EXAMPLES_ENGINE_H
#define EXAMPLES_ENGINE_H

#include <stdbool.h>
#include <stddef.h>

#include <fencepost/hosting.h>

/* Reserves the heap of the garbage collector and asks to be told when memory gets scarce. */
bool engine_start(IHostMemoryManager *manager);

/* What a managed thread has of its own while it runs. */
struct engine_thread {
	void *stack; /* reserved, never touched */
	void *code;
};

bool engine_enter_thread(struct engine_thread *thread, EMemoryCriticalLevel level);
void engine_leave_thread(struct engine_thread *thread);

/* A piece more of the collected heap. Every so often there is none left, and a collection makes
 * room: pages are reset, given back and taken again. */
bool engine_grow(EMemoryCriticalLevel level);

/* How many regions stand, and how often a call failed. */
size_t engine_regions(void);
size_t engine_failures(void);

#endif
