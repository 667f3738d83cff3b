/* SPDX-License-Identifier: Apache-2.0
 *
 * A page for each block and one that is never touched behind it, and nothing else: what the
 * kernel takes of a process whose blocks stand so, whoever keeps them. Nothing is freed.
 */
#include "door.h"

#include <stdlib.h>
#include <sys/mman.h>

enum { PAGE = 4096, BLOCKS_MAX = 1 << 20 };

static char *next;
static size_t left = BLOCKS_MAX;

void door_open(void)
{
	size_t bytes = (size_t)BLOCKS_MAX * 2 * PAGE;
	void *base = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
	                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (base == MAP_FAILED)
		abort();
	madvise(base, bytes, MADV_NOHUGEPAGE);
	next = base;
}

double door_guarded_percent(void *const *blocks, size_t count)
{
	(void)blocks;
	(void)count;
	return -1;
}

void *door_alloc(size_t size)
{
	if (left == 0 || size > PAGE)
		return NULL;
	left--;
	next += 2 * (size_t)PAGE;
	return next - size;
}

void door_free(void *block)
{
	(void)block;
}
