/* SPDX-License-Identifier: Apache-2.0
 *
 * A first minute with Fencepost, in C++: the interfaces are abstract classes.
 */
#include <cstdio>
#include <cstring>

#include <fencepost/fencepost.h>

int main()
{
	IHostMemoryManager *manager;
	IHostMalloc *heap;
	void *block;

	if (fp_create_memory_manager(nullptr, &manager) != S_OK)
		return 1;
	if (manager->CreateMalloc(MALLOC_THREADSAFE, &heap) != S_OK)
		return 1;

	if (heap->Alloc(100, eTaskCritical, &block) != S_OK)
		return 1;
	std::memset(block, 0, 100);
	heap->Free(block);
	if (heap->Free(block) == HOST_E_INVALIDOPERATION)
		std::puts("the second Free was refused, and the program goes on");

	heap->Release();
	manager->Release();
	return 0; /* the report comes now */
}
