/* SPDX-License-Identifier: Apache-2.0
 *
 * The slot whose memory this thread touches at the moment. Private to the heap, but for what
 * heap.h has for the handler of faults.
 *
 * Context: alloc, and fault.
 */
#ifndef FP_HEAP_TOUCH_H
#define FP_HEAP_TOUCH_H

#include "guard/guard.h"
#include "heap/heap.h"

enum { FP_TOUCH_PAGES_MAX = 16 };

extern _Thread_local struct fp_touch {
	uintptr_t start; /* 0: no slot */
	uintptr_t end;
	int prot;      /* what pages get */
	bool is_dying; /* the block is being freed: whatever is there goes with it */
	size_t opened;
	struct fp_touched_page {
		uintptr_t base;
		int prot;            /* that it had */
	} pages[FP_TOUCH_PAGES_MAX]; /* that were opened */
	bool can_give_up;            /* JUMP leads out */
	void *jump[5];
} fp_touch;

/* The slot of a block that is being freed. */
void fp_touch_begin(const struct fp_slot *slot, bool is_executable);
void fp_touch_end(void);

/* The slot of a block that stays the program's: in the end, its pages are as they were. */
void fp_touch_begin_live(const struct fp_slot *slot);
void fp_touch_end_live(void);

#endif
