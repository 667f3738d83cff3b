/* SPDX-License-Identifier: Apache-2.0
 *
 * A module whose host takes and gives blocks.
 */
#include <stdlib.h>
#include <string.h>

void *make(size_t size)
{
	return malloc(size);
}

void release(void *block)
{
	free(block);
}

char *copy(const char *text)
{
	return strdup(text);
}
