/* SPDX-License-Identifier: Apache-2.0
 *
 * The time at which something was made, small and cheap enough to be kept with every block. It
 * says how long ago that was, and not what time of day; only the process's start is told so.
 *
 * Context: alloc.
 */
#ifndef FP_BASE_CLOCK_H
#define FP_BASE_CLOCK_H

#include <stdint.h>

/* Hundredths of a second; it starts again from 0 after 497 days, and differences stay right as
 * long as they are shorter. As fine as the kernel's tick. */
uint32_t fp_clock_now(void);

/* Nanoseconds of CLOCK_MONOTONIC, as fine as the kernel's tick, which is some milliseconds. */
uint64_t fp_clock_nanoseconds(void);

/* Nanoseconds of processor time, by a system call: CLOCK_PROCESS_CPUTIME_ID, or the calling
 * thread's CLOCK_THREAD_CPUTIME_ID. */
uint64_t fp_clock_processor(int clock);

/* Seconds since 1970. */
uint64_t fp_clock_calendar(void);

static inline uint64_t fp_clock_milliseconds(void)
{
	return fp_clock_nanoseconds() / 1000000;
}

/* Milliseconds from THEN to NOW. */
static inline uint64_t fp_clock_between(uint32_t then, uint32_t now)
{
	return (uint64_t)(uint32_t)(now - then) * 10;
}

#endif
