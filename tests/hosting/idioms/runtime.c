/* SPDX-License-Identifier: Apache-2.0
 *
 * What the published runtime does with a host, in its order: it asks for the managers, makes
 * one heap, registers its callback whatever the answer is, allocates and frees, and releases
 * none of them.
 */
#define COBJMACROS
#include "runtime.h"

#include <stdlib.h>
#include <string.h>

#define MUST(condition)                                                                        \
	do {                                                                                   \
		if (!(condition))                                                              \
			return __LINE__;                                                       \
	} while (0)

IHostMemoryManager *runtime_memory(void)
{
	IHostMemoryManager *manager = NULL;

	if (fp_create_memory_manager("log=/dev/null", &manager) != S_OK)
		exit(99);
	return manager;
}

/* A manager that the host has not is NULL, or the answer is not S_OK. */
static int ask_for_managers(IHostControl *control, IHostMemoryManager **memory)
{
	static const IID *const others[] = {
	        &IID_IHostTaskManager,         &IID_IHostThreadpoolManager,
	        &IID_IHostIoCompletionManager, &IID_IHostSyncManager,
	        &IID_IHostAssemblyManager,     &IID_IHostGCManager,
	        &IID_IHostSecurityManager,     &IID_IHostPolicyManager};
	void *manager = NULL;

	MUST(IHostControl_GetHostManager(control, &IID_IHostMemoryManager, &manager) == S_OK);
	MUST(manager != NULL);
	*memory = manager;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		HRESULT result;

		manager = NULL;
		result = IHostControl_GetHostManager(control, others[i], &manager);
		MUST(result != S_OK || manager == NULL);
	}
	return 0;
}

static int use_heap(IHostMalloc *heap)
{
	char file[] = "runtime.c";
	void *blocks[40];
	void *same = NULL;

	for (int i = 0; i < 40; i++) {
		blocks[i] = NULL;
		if (i % 4 == 0)
			MUST(IHostMalloc_DebugAlloc(heap, (SIZE_T)i, eProcessCritical, file,
			                            __LINE__, &blocks[i]) == S_OK);
		else
			MUST(IHostMalloc_Alloc(heap, (SIZE_T)i, eTaskCritical, &blocks[i]) ==
			     S_OK);
		MUST(blocks[i] != NULL);
		memset(blocks[i], i, (size_t)i);
	}
	for (int i = 0; i < 40; i++) {
		MUST(i == 0 || ((char *)blocks[i])[i - 1] == i);
		MUST(IHostMalloc_Free(heap, blocks[i]) == S_OK);
	}
	MUST(IHostMalloc_QueryInterface(heap, &IID_IHostMalloc, &same) == S_OK);
	MUST(same == heap);
	MUST(IHostMalloc_Release(heap) > 0);
	MUST(IHostMalloc_QueryInterface(heap, &IID_ICLRControl, &same) == E_NOINTERFACE);
	MUST(same == NULL);
	return 0;
}

static int use_regions(IHostMemoryManager *memory)
{
	MEMORY_BASIC_INFORMATION info;
	DWORD load = 1000, old = 0;
	SIZE_T available = 0, written = 0;
	void *region = NULL;

	MUST(IHostMemoryManager_VirtualAlloc(memory, NULL, 100000, MEM_RESERVE | MEM_COMMIT,
	                                     PAGE_READWRITE, eProcessCritical,
	                                     &region) == S_OK);
	memset(region, 1, 100000);
	MUST(IHostMemoryManager_VirtualProtect(memory, region, 1, PAGE_READONLY, &old) == S_OK);
	MUST(old == PAGE_READWRITE);
	MUST(IHostMemoryManager_VirtualQuery(memory, region, &info, sizeof(info), &written) ==
	     S_OK);
	MUST(info.AllocationBase == region && info.Protect == PAGE_READONLY);
	MUST(IHostMemoryManager_VirtualFree(memory, region, 0, MEM_RELEASE) == S_OK);
	MUST(IHostMemoryManager_GetMemoryLoad(memory, &load, &available) == S_OK);
	MUST(load <= 100 && available > 0);
	/* Success is not S_OK alone: S_FALSE, too. */
	MUST(SUCCEEDED(IHostMemoryManager_NeedsVirtualAddressSpace(memory, NULL, 1)) ||
	     IHostMemoryManager_NeedsVirtualAddressSpace(memory, NULL, 1) == E_OUTOFMEMORY);
	MUST(IHostMemoryManager_AcquiredVirtualAddressSpace(memory, &info, 1) == S_OK);
	MUST(IHostMemoryManager_ReleasedVirtualAddressSpace(memory, &info) == S_OK);
	return 0;
}

int runtime_run(IHostControl *control)
{
	IHostMemoryManager *memory = NULL;
	IHostMalloc *heap = NULL;
	int line = ask_for_managers(control, &memory);

	if (line != 0)
		return line;
	MUST(IHostMemoryManager_CreateMalloc(memory, MALLOC_THREADSAFE, &heap) == S_OK);
	MUST(heap != NULL);
	IHostMemoryManager_RegisterMemoryNotificationCallback(memory, NULL);
	line = use_heap(heap);
	return line != 0 ? line : use_regions(memory);
}
