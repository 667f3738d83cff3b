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
	int prot; /* what pages get */
	size_t opened;
	uintptr_t pages[FP_TOUCH_PAGES_MAX]; /* that were opened */
	bool can_give_up;                    /* JUMP leads out */
	void *jump[5];
} fp_touch;

void fp_touch_begin(const struct fp_slot *slot, bool is_executable);
void fp_touch_end(void);

/* Ends it, and what was opened is inaccessible again. */
void fp_touch_conceal(void);

#endif
