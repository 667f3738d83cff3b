/* SPDX-License-Identifier: Apache-2.0
 *
 * How often a test does again what it does many times. On a machine where an operation on pages
 * costs ten times what it costs elsewhere that is a tenth as often: tests/support/page_cost.c
 * measures it once for a build directory, and `make check-long` takes every repetition.
 */
#ifndef TESTS_SUPPORT_TIMES_H
#define TESTS_SUPPORT_TIMES_H

#include <stdlib.h>

/* TIMES, or fewer on a slow machine, but not below LEAST, with which the test still shows what
 * it is there for; even where TIMES is. A victim that its test starts gets the same answer. */
static inline long test_times(long times, long least)
{
	const char *divisor = getenv("FP_TEST_DIVISOR");
	long fewer = divisor != NULL && atol(divisor) > 1 ? times / atol(divisor) : times;

	fewer += fewer & ~times & 1;
	if (fewer < least)
		return times < least ? times : least;
	return fewer;
}

#endif
