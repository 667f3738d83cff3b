/* SPDX-License-Identifier: Apache-2.0
 *
 * A module whose host takes and gives blocks.
 */
#include <stdlib.h>
#include <string.h>

static void *early;

__attribute__((constructor)) static void begin(void)
{
	early = malloc(40);
}

void *get_early(void)
{
	return early;
}

void *make(size_t size)
{
	return malloc(size);
}

void release(void *block)
{
	free(block); /* plant: release */
}

char *copy(const char *text)
{
	return strdup(text);
}
