/* SPDX-License-Identifier: Apache-2.0
 *
 * A first minute with Fencepost, in C: allocate a block, free it twice, read the report.
 */
#define COBJMACROS
#include <stdio.h>
#include <string.h>

#include <fencepost/fencepost.h>

int main(void)
{
	IHostMemoryManager *manager;
	IHostMalloc *heap;
	void *block;

	if (fp_create_memory_manager(NULL, &manager) != S_OK)
		return 1;
	if (IHostMemoryManager_CreateMalloc(manager, MALLOC_THREADSAFE, &heap) != S_OK)
		return 1;

	if (IHostMalloc_Alloc(heap, 100, eTaskCritical, &block) != S_OK)
		return 1;
	memset(block, 0, 100);
	IHostMalloc_Free(heap, block);
	if (IHostMalloc_Free(heap, block) == HOST_E_INVALIDOPERATION)
		puts("the second Free was refused, and the program goes on");

	IHostMalloc_Release(heap);
	IHostMemoryManager_Release(manager);
	return 0; /* the report comes now */
}
