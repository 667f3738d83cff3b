/* SPDX-License-Identifier: Apache-2.0
 *
 * The census of pointers to one block: who holds it now. All other threads stand still as for a
 * search for leaks, but not for long: what is not searched in time is not searched. Only
 * addresses are told; whoever reads them finds the names.
 *
 * Context: alloc, and fault in fault mode: takes no lock that it cannot have in time, and reads
 * memory through the kernel, so that nothing here faults.
 */
#ifndef FP_LEAK_HOLDERS_H
#define FP_LEAK_HOLDERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/block.h"
#include "model/finding.h"

enum { FP_LEAK_HOLDERS_OF_KIND = 4, FP_LEAK_HOLDERS_MAX = 32, FP_LEAK_HOLDER_FRAMES = 16 };

struct fp_leak_holder {
	enum fp_holder_kind kind; /* never GLOBAL: memory that a file has is for the reader */
	uintptr_t address;        /* where the pointer stands; 0 of a register */
	uintptr_t value;
	fp_thread_id thread; /* of a stack, a register, thread-local storage; or 0 */
	const char *name;    /* of a register; or NULL */
	int64_t place;       /* of a stack: from the end of the frame; of thread-local storage:
	                      * from the thread pointer */
	/* Of a stack: the addresses that a trace has of the frame and those further out. */
	uintptr_t frames[FP_LEAK_HOLDER_FRAMES];
	unsigned frame_count;
	struct fp_block block; /* of a block, and of one that was freed */
};

struct fp_leak_census {
	/* Set by the caller: the block, what a fault interrupted or NULL, how long it may take.
	 */
	uintptr_t start;
	size_t size;
	const void *context;
	unsigned milliseconds;
	/* The result. */
	enum fp_census_result result;
	const char *obstacle; /* why it is not WHOLE, or NULL */
	uint64_t found;       /* pointers, those included that are not listed */
	uint64_t bytes;       /* that were searched */
	uint64_t nsec;
	unsigned count;
	struct fp_leak_holder holders[FP_LEAK_HOLDERS_MAX]; /* at most so many of a kind */
};

/* Sets the memory aside that a census needs: at the start. */
void fp_leak_reserve_for_holders(void);

/* Fills in CENSUS. STACK is as fp_leak_from_here() tells it. */
void fp_leak_find_holders(struct fp_leak_census *census, uintptr_t stack);

#endif
