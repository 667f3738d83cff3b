/* SPDX-License-Identifier: Apache-2.0
 *
 * Bytes that the program poisoned: it has them, and does not want them used, as an arena does
 * with what it has not given out. Byte by byte it is known who poisoned them; a page that is
 * poisoned whole is made inaccessible and keeps what is in it. What a block is this module does
 * not know: who initialises it says which pages are the program's alone.
 *
 * Context: alloc; what reads also fault. Thread-safe.
 */
#ifndef FP_POISON_POISON_H
#define FP_POISON_POISON_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/block.h"

struct fp_poisoner {
	fp_trace_id trace;
	fp_thread_id thread;
};

struct fp_poisoned {
	uintptr_t address; /* of the first byte */
	struct fp_poisoner by;
};

/* How many pages have poisoned bytes. */
extern _Atomic size_t fp_poison_pages;

static inline bool fp_poison_is_used(void)
{
	return atomic_load_explicit(&fp_poison_pages, memory_order_relaxed) > 0;
}

/* Where they are, and where some were. */
extern _Atomic uintptr_t fp_poison_low;
extern _Atomic uintptr_t fp_poison_high;

static inline bool fp_poison_spans(uintptr_t address)
{
	uintptr_t low = atomic_load_explicit(&fp_poison_low, memory_order_relaxed);

	return fp_poison_is_used() && address >= low &&
	       address < atomic_load_explicit(&fp_poison_high, memory_order_relaxed);
}

/* MAY_CLOSE is asked, with a lock held, before pages are made inaccessible; without it all may.
 */
void fp_poison_init(bool (*may_close)(uintptr_t start, size_t bytes));

/* Poisons BYTES from START on, which BY does, or has them no longer poisoned. Without memory
 * for it add leaves some of them as they were: -ENOMEM. */
int fp_poison_add(uintptr_t start, size_t bytes, const struct fp_poisoner *by);
void fp_poison_remove(uintptr_t start, size_t bytes);

/* The first of so many bytes that is poisoned; false: none is. */
bool fp_poison_find(uintptr_t start, size_t bytes, struct fp_poisoned *found);

/* Whether ADDRESS is in a page that is inaccessible because all of it is poisoned. */
bool fp_poison_is_closed(uintptr_t address);

/* Makes such a page accessible for a moment, and inaccessible again if it is still poisoned. 0
 * or a negative errno. Context: fault. */
int fp_poison_expose(uintptr_t page);
void fp_poison_conceal(uintptr_t page);

/* How many times the kernel refused to make a poisoned page inaccessible. */
uint64_t fp_poison_refusals(void);

#endif
