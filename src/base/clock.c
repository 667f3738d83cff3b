/* SPDX-License-Identifier: Apache-2.0
 *
 * The kernel's coarse clock: no system call, and a few nanoseconds.
 */
#include "base/clock.h"

#include <time.h>

enum { PER_SECOND = 100, NSEC = 10000000 };

uint32_t fp_clock_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return (uint32_t)((uint64_t)now.tv_sec * PER_SECOND + (uint64_t)now.tv_nsec / NSEC);
}
