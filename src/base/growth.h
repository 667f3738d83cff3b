/* SPDX-License-Identifier: Apache-2.0
 *
 * Memory that grows where it stands. Its address space is reserved at once and opened from the
 * front, so the kernel merges each step with the one before: a program that has taken all of
 * vm.max_map_count does not keep us from growing, as it does not keep its own brk(2).
 *
 * Context: alloc. The owner locks.
 */
#ifndef FP_BASE_GROWTH_H
#define FP_BASE_GROWTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fp_growth {
	uintptr_t at; /* what is before it is open */
	uintptr_t end;
	uintptr_t fence_end;   /* nobody can access what is from END to here */
	uintptr_t fence_start; /* nor what is from here on, so many bytes */
	size_t fence_bytes;
};

/* Reserves LARGEST bytes, or half of it and so on down to SMALLEST. 0 or -ENOMEM. */
int fp_growth_reserve(struct fp_growth *growth, size_t largest, size_t smallest);

/* Opens the next BYTES, whole pages, zeroed; 0 when the reserve is used up or the kernel
 * refuses. */
uintptr_t fp_growth_take(struct fp_growth *growth, size_t bytes);

/* Gives back the address space that was not taken, but for KEPT bytes. */
void fp_growth_give_back(struct fp_growth *growth, size_t kept);

#endif
