/* SPDX-License-Identifier: Apache-2.0
 *
 * A region with a pointer to a block in it, and a pointer to the region in the place that the
 * argument names; a second region is held only by the first, and holds a block, too.
 */
#include <string.h>

#include "victim.h"

enum { PAGE = 4096, REGION_BYTES = 16 * PAGE, BLOCK_BYTES = 72, SCRUB_BYTES = 32 << 10 };

/* Only one page of it is ever committed. The larger, the more words look like pointers into it.
 */
static const size_t first_bytes = (size_t)1 << 30;

static IHostMemoryManager *manager;
static IHostMalloc *heap;
static void *volatile global; /* a compiler leaves out what is never read */

/* On one line each, which the report is to name. */
#define ALLOC(address, size, type)                                                             \
	IHostMemoryManager_VirtualAlloc(manager, address, size, type, PAGE_READWRITE,          \
	                                eTaskCritical, &out)

static void *reserve_first(void)
{
	void *out = NULL;

	EXPECT(ALLOC(NULL, first_bytes, MEM_RESERVE) == S_OK); /* plant: first */
	return out;
}

static void *reserve_second(void)
{
	void *out = NULL;

	EXPECT(ALLOC(NULL, REGION_BYTES, MEM_RESERVE | MEM_COMMIT) == S_OK); /* plant: second */
	return out;
}

static void *allocate(void)
{
	void *out = NULL;

	IHostMalloc_Alloc(heap, BLOCK_BYTES, eTaskCritical, &out); /* plant: block */
	EXPECT(out != NULL);
	return out;
}

static void **commit(void *region)
{
	char *page = (char *)region + first_bytes / 2;
	void *out = NULL;

	EXPECT(ALLOC(page, PAGE, MEM_COMMIT) == S_OK);
	return out;
}

static void scrub(void)
{
	volatile char area[SCRUB_BYTES];

	for (size_t i = 0; i < sizeof(area); i++)
		area[i] = 0;
}

static void keep(const char *place, void *region)
{
	void **page = commit(region);
	void **second = reserve_second();

	page[7] = second + 100;
	second[200] = allocate();
	if (strcmp(place, "global") == 0)
		global = region;
	else if (strcmp(place, "inside") == 0)
		global = (char *)region + 12345;
	else if (strcmp(place, "ring") == 0)
		second[300] = region;
	if (strcmp(place, "heap") == 0) {
		void **holder = NULL;

		EXPECT(IHostMalloc_Alloc(heap, 64, eTaskCritical, (void **)&holder) == S_OK);
		holder[1] = region;
		global = holder;
	}
	if (strcmp(place, "decommitted") == 0) {
		global = region;
		EXPECT(IHostMemoryManager_VirtualFree(manager, page, PAGE, MEM_DECOMMIT) ==
		       S_OK);
	}
}

int main(int argc, char **argv)
{
	manager = victim_manager();
	EXPECT(IHostMemoryManager_CreateMalloc(manager, MALLOC_THREADSAFE, &heap) == S_OK);
	EXPECT(argc == 2);
	keep(argv[1], reserve_first());
	scrub();
	exit(0);
}
