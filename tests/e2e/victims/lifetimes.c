/* SPDX-License-Identifier: Apache-2.0
 *
 * The ends of a heap's life: lifetimes SCENARIO. "unreleased": nothing is ever released, as the
 * published runtime has it. "many": heaps are created until the kernel has no memory for one
 * more.
 */
#include "victim.h"

#include <string.h>
#include <sys/resource.h>

static int leave_all(void)
{
	IHostMemoryManager *manager = victim_manager();
	IHostMalloc *heap = NULL;
	void *block = NULL;

	EXPECT(IHostMemoryManager_CreateMalloc(manager, MALLOC_THREADSAFE, &heap) == S_OK);
	EXPECT(IHostMalloc_Alloc(heap, 10, eTaskCritical, &block) == S_OK);
	EXPECT(IHostMalloc_Free(heap, block) == S_OK);
	IHostMalloc_Alloc(heap, 77, eProcessCritical, &block); /* plant: unreleased */
	EXPECT(block != NULL);
	heap = NULL;
	block = NULL;
	return 0;
}

static int create_many(void)
{
	struct rlimit limit = {.rlim_cur = 64 << 20, .rlim_max = RLIM_INFINITY};
	IHostMemoryManager *manager;
	IHostMalloc *heap;
	IHostMalloc *another = NULL;
	HRESULT got = S_OK;
	void *block = NULL;
	unsigned long created = 0;

	EXPECT(setrlimit(RLIMIT_AS, &limit) == 0);
	manager = victim_manager();
	heap = victim_heap();
	EXPECT(IHostMalloc_Alloc(heap, 10, eTaskCritical, &block) == S_OK);
	for (; got == S_OK && created < 1000000; created++)
		got = IHostMemoryManager_CreateMalloc(manager, 1, &another); /* plant: many */
	EXPECT(got == E_OUTOFMEMORY && another == NULL && created > 1);
	EXPECT(IHostMalloc_Free(heap, block) == S_OK);
	limit.rlim_cur = RLIM_INFINITY;
	EXPECT(setrlimit(RLIMIT_AS, &limit) == 0);
	EXPECT(IHostMemoryManager_CreateMalloc(manager, MALLOC_THREADSAFE, &another) == S_OK);
	EXPECT(IHostMalloc_Alloc(another, 10, eTaskCritical, &block) == S_OK);
	EXPECT(IHostMalloc_Free(another, block) == S_OK);
	return 0;
}

int main(int argc, char **argv)
{
	EXPECT(argc == 2);
	return strcmp(argv[1], "many") == 0 ? create_many() : leave_all();
}
