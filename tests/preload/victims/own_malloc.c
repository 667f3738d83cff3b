/* SPDX-License-Identifier: Apache-2.0
 *
 * A program with a malloc of its own, as those that link another allocator have.
 */
#include <stdio.h>
#include <stdlib.h>

static _Alignas(16) char arena[1 << 20];
static size_t used;

void *malloc(size_t size)
{
	void *block = arena + used;

	used += (size + 15) / 16 * 16;
	return block;
}

void *calloc(size_t count, size_t size)
{
	return malloc(count * size);
}

void *realloc(void *block, size_t size)
{
	return block == NULL ? malloc(size) : NULL;
}

void free(void *block)
{
	(void)block;
}

int main(void)
{
	free(malloc(100));
	puts("done");
	return used == 0;
}
