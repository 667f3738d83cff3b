/* SPDX-License-Identifier: Apache-2.0
 *
 * Memory from malloc: the C library's, or that of the tool which the program runs under. Own
 * file, so that the compiler cannot see that a workload's malloc and free cancel out.
 */
#include "door.h"

#include <stdlib.h>

void door_open(void)
{
}

double door_guarded_percent(void *const *blocks, size_t count)
{
	(void)blocks;
	(void)count;
	return -1;
}

void *door_alloc(size_t size)
{
	return malloc(size);
}

void door_free(void *block)
{
	free(block);
}
