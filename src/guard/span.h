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

#include "base/vm.h"

struct fp_backend;

struct fp_chunk {
	const struct fp_backend *backend; /* NULL: a chunk of cells, without guards */
	uintptr_t base;
	size_t bytes;
	size_t slot_bytes;
	size_t guard_bytes;
	uint32_t slots;
	int prot;                    /* of unsealed slots */
	bool is_joined;              /* stands right behind the last one like it */
	_Atomic size_t opened_bytes; /* in use, from fp_chunk_opened_from(); 0 once buried */
	_Atomic uint32_t fresh;      /* index of the first slot never handed out */
	_Atomic uint32_t dead;       /* slots released */
	/* One for each place where a slot of a page may begin (struct fp_slot); NULL: it is for
	 * one slot, or there was no memory for them. */
	_Atomic(void *) *links;
};

/* The first page of the leading guard is never opened: it keeps the kernel from merging the
 * areas of two chunks, whose threads would then wait for each other. */
static inline uintptr_t fp_chunk_opened_from(const struct fp_chunk *chunk)
{
	return chunk->base + fp_vm_page_size();
}

static inline size_t fp_chunk_stride(const struct fp_chunk *chunk)
{
	return chunk->slot_bytes + chunk->guard_bytes;
}

static inline uintptr_t fp_chunk_slot(const struct fp_chunk *chunk, size_t index)
{
	return chunk->base + chunk->guard_bytes + index * fp_chunk_stride(chunk);
}

/* Bytes of address space that have a link: a slot and its guard take no less. */
static inline size_t fp_chunk_link_step(void)
{
	return 2 * fp_vm_page_size();
}

static inline _Atomic(void *) *fp_chunk_link(const struct fp_chunk *chunk, size_t index)
{
	size_t offset = fp_chunk_slot(chunk, index) - chunk->base;

	return chunk->links == NULL ? NULL : &chunk->links[offset / fp_chunk_link_step()];
}

/*
 * Cuts at least CHUNK->bytes from a span, fills in base, bytes and slots (from slot_bytes and
 * guard_bytes) and makes the chunk findable.
 * Joined chunks have a span of their own, so that opening one takes no mapping: the kernel
 * merges it with the one before. With IS_DIVISIBLE the chunk may be made smaller where address
 * space is scarce. Where the process has a limit on it (RLIMIT_AS), guarded chunks take less
 * than half: the rest is the program's. 0 or -ENOMEM.
 */
int fp_span_cut(struct fp_chunk *chunk, bool is_divisible);

/* Gives the address space back that no chunk was cut from. */
void fp_span_give_back(void);

/* The chunk that holds ADDRESS, or NULL. Takes no lock. */
struct fp_chunk *fp_span_find(uintptr_t address);

/* Replaces what is mapped at BASE, in a span or not, by fresh memory of PROT. 0 or a negative
 * errno. */
int fp_span_remap(uintptr_t base, size_t bytes, int prot);

/* Makes what has no content accessible: by mprotect(2), or, where a sandbox forbids that, by a
 * mapping in its place. */
int fp_span_open(uintptr_t base, size_t bytes, int prot);

/* Whether RLIMIT_DATA counts what is opened at ADDRESS, which is in a span, and would not count
 * a new chunk. */
bool fp_span_is_limited(uintptr_t address);

/* The chunk of a span that ADDRESS is in no chunk of, but before, behind or in a fence of: the
 * nearest, or NULL. Takes no lock. */
struct fp_chunk *fp_span_find_near(uintptr_t address);

/* The chunk of the same span that stands behind CHUNK, or before it; NULL: none. No lock. */
struct fp_chunk *fp_span_next(const struct fp_chunk *chunk, bool is_behind);

/* Visits all chunks cut so far. Takes no lock. */
void fp_span_each_chunk(void (*visit)(struct fp_chunk *chunk, void *user), void *user);

#endif
