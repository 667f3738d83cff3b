/* SPDX-License-Identifier: Apache-2.0
 *
 * The time at which something was made, small and cheap enough to be kept with every block. It
 * says how long ago that was, and never what time of day.
 *
 * Context: alloc.
 */
#ifndef FP_BASE_CLOCK_H
#define FP_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

/* Hundredths of a second; it starts again from 0 after 497 days, and differences stay right as
 * long as they are shorter. As fine as the kernel's tick. */
uint32_t fp_clock_now(void);

/* clock_gettime(2), in the kernel's own page where there is one. */
void fp_clock_read(clockid_t clock, struct timespec *now);

/* Milliseconds from THEN to NOW. */
static inline uint64_t fp_clock_between(uint32_t then, uint32_t now)
{
	return (uint64_t)(uint32_t)(now - then) * 10;
}

#endif
