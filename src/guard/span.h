/* SPDX-License-Identifier: Apache-2.0
 *
 * Spans: the address space that chunks are cut from, and the way from an address back to its
 * chunk. Chunks are cut in address order and never returned.
 *
 * Context: alloc; fp_span_find also fault.
 */
#ifndef FP_GUARD_SPAN_H
#define FP_GUARD_SPAN_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fp_chunk {
	uintptr_t base;
	size_t bytes;
	size_t slot_bytes;
	size_t guard_bytes;
	uint32_t slots;
	int prot;               /* of unsealed slots */
	size_t opened_bytes;    /* from base; under the arena's lock */
	_Atomic uint32_t fresh; /* index of the first slot never handed out */
	_Atomic uint32_t dead;  /* slots released */
};

/*
 * Cuts at least CHUNK->bytes from a span, fills in base and bytes and makes the chunk findable.
 * With IS_DIVISIBLE the chunk may be made smaller where address space is scarce. 0 or -ENOMEM.
 */
int fp_span_cut(struct fp_chunk *chunk, bool is_divisible);

/* The chunk that holds ADDRESS, or NULL. Takes no lock. */
struct fp_chunk *fp_span_find(uintptr_t address);

void fp_span_lock_for_fork(void);
void fp_span_unlock_after_fork(void);

#endif
