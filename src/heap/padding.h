/* SPDX-License-Identifier: Apache-2.0
 *
 * The padding of a slot: filled when a block is placed, verified when it is freed, at exit and
 * on demand. It shows the writes that are too close to a block for the guard to see.
 *
 * Context: alloc.
 */
#ifndef FP_HEAP_PADDING_H
#define FP_HEAP_PADDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Odd, not a character, not zero, not a pointer's byte: what overflows write differs from it.
 */
enum { FP_PADDING_BYTE = 0xcb };

void fp_padding_fill(uintptr_t start, uintptr_t end);

/* Both sides of a block from START to END in a slot. */
void fp_padding_fill_around(uintptr_t start, uintptr_t end, uintptr_t slot, uintptr_t slot_end);

/* The changed bytes of a run of padding, first to last. */
struct fp_damage {
	uintptr_t start;
	uintptr_t end;
};

/* Whether any byte of START..END has changed; then DAMAGE says where. */
bool fp_padding_is_damaged(uintptr_t start, uintptr_t end, struct fp_damage *damage);

#endif
