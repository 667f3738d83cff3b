/* SPDX-License-Identifier: Apache-2.0
 *
 * What another file has for tests/cli/lines_victim.c: a mistake that is made here is not here.
 */

/* Optimized, calls would be jumps, or nowhere. */
#ifdef __clang__
#pragma clang optimize off
#else
#pragma GCC optimize("O0")
#endif

#include <stdlib.h>

void helper_put(char *block, long offset, char byte)
{
	block[offset] = byte; /* put */
}

void helper_drop(char *block)
{
	free(block); /* drop */
}

char *helper_make(unsigned long size)
{
	return malloc(size); /* make */
}
