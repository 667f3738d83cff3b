/* SPDX-License-Identifier: Apache-2.0
 *
 * Where a process keeps what it knows, for whoever finds its memory in a core file: addresses,
 * and places in structs that are each module's own. It stands once in the process, begins with
 * FP_REMAINS_MAGIC and its own address, and is read by the fencepost program of that version.
 *
 * Context: alloc. Each module that remembers something has a function that fills in its part.
 */
#ifndef FP_BASE_REMAINS_H
#define FP_BASE_REMAINS_H

#include <stdint.h>

#define FP_REMAINS_MAGIC "fencepostremains"

enum { FP_REMAINS_MAGIC_BYTES = 16, FP_REMAINS_VERSION_MAX = 24 };

/* An array of ranges: how many there are stands at COUNT, as a size_t. */
struct fp_remains_ranges {
	uintptr_t first;
	uintptr_t count;
	uint32_t bytes; /* of an element */
	uint32_t start; /* the places of its words in it */
	uint32_t end;
	uint32_t is_size; /* END counts from START */
};

struct fp_remains {
	char magic[FP_REMAINS_MAGIC_BYTES];
	uintptr_t self;
	char version[FP_REMAINS_VERSION_MAX];
	uint32_t bytes;       /* of this */
	uint32_t block_bytes; /* of struct fp_block */
	/* The registry: shards, each with a list of batches of records, which have live blocks
	 * unless their address is 0, and a ring of freed ones, of which each run is followed by
	 * those of the other shards. */
	struct {
		uintptr_t first;
		uintptr_t places; /* where the number of places in each ring stands */
		uint32_t count;
		uint32_t bytes;
		uint32_t batches;
		uint32_t ring;
		uint32_t freed_count;
	} shards;
	struct {
		uint32_t bytes; /* also what records are aligned to */
		uint32_t block;
		uint32_t next; /* of batches, and behind what their first record is */
		uint32_t first;
		uint32_t batch_bytes;
	} live;
	struct {
		uint32_t bytes;
		uint32_t run; /* in a row, of one ring */
		uint32_t slot;
		uint32_t block;
		uint32_t kept;
		uint32_t kept_bytes;
	} freed;
	uintptr_t regions; /* where the address of the table of regions stands */
	uintptr_t traces;  /* struct fp_depot */
	uintptr_t sites;
	/* The event log: where the address of its first piece stands, and its pieces. */
	struct {
		uintptr_t first;
		uint32_t next;
		uint32_t used;
		uint32_t bytes;
	} log;
	/* What is ours, and no memory of the program's. */
	struct fp_remains_ranges spans;
	struct fp_remains_ranges metadata;
	struct fp_remains_ranges objects;
	struct {
		uintptr_t first; /* where the address of the first one stands */
		uint32_t bytes;
		uint32_t next;
		uint32_t outside;
	} rooms;
	uint32_t thread;                /* that is ours, or 0 */
	struct fp_remains_ranges roots; /* that the program registered */
	uintptr_t inherited;   /* the last serial of the process that forked this one */
	uint32_t is_aligning;  /* align=auto */
	uint32_t guard_bytes;  /* behind a slot */
	uint32_t last_finding; /* fp_clock_now() then */
};

#endif
