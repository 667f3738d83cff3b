/* SPDX-License-Identifier: Apache-2.0
 *
 * Rounding to powers of two. Any context.
 */
#ifndef FP_BASE_ALIGN_H
#define FP_BASE_ALIGN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline bool fp_is_power_of_two(size_t value)
{
	return value != 0 && (value & (value - 1)) == 0;
}

/* UNIT is a power of two; the caller has excluded overflow. */
static inline uintptr_t fp_align_up(uintptr_t value, size_t unit)
{
	return (value + unit - 1) & ~((uintptr_t)unit - 1);
}

static inline uintptr_t fp_align_down(uintptr_t value, size_t unit)
{
	return value & ~((uintptr_t)unit - 1);
}

#endif
