/* SPDX-License-Identifier: Apache-2.0
 *
 * Calls every method of a heap as C++ does, through the abstract classes. Exits with the line
 * of the first call that answered wrongly, 0 when there is none.
 */
#include <fencepost/extension.h>
#include <fencepost/fencepost.h>

#define MUST(condition)                                                                        \
	do {                                                                                   \
		if (!(condition))                                                              \
			return __LINE__ % 255 + 1;                                             \
	} while (0)

static bool count(const FencepostBlock *block, void *user)
{
	*static_cast<size_t *>(user) += block->size;
	return true;
}

static int call_heap(IHostMalloc *heap)
{
	char file[] = "every_call.cc";
	void *out = nullptr;

	MUST(heap->QueryInterface(IID_IUnknown, &out) == S_OK && out == heap);
	MUST(heap->AddRef() == 3);
	MUST(heap->Release() == 2);
	MUST(static_cast<IUnknown *>(heap)->Release() == 1);
	MUST(heap->Alloc(10, eProcessCritical, &out) == S_OK && out != nullptr);
	MUST(heap->Free(out) == S_OK);
	MUST(heap->DebugAlloc(10, eTaskCritical, file, 7, &out) == S_OK && out != nullptr);
	MUST(heap->Free(out) == S_OK);
	MUST(heap->Free(out) == HOST_E_INVALIDOPERATION);
	MUST(heap->Alloc(static_cast<SIZE_T>(-1), eTaskCritical, &out) == E_OUTOFMEMORY);
	MUST(out == nullptr);
	MUST(heap->QueryInterface(IID_IHostControl, &out) == E_NOINTERFACE && out == nullptr);
	return 0;
}

static int call_extension(IFencepostMalloc *heap)
{
	EFencepostPointer what;
	size_t sum = 0;
	SIZE_T size = 0;
	void *block = nullptr;

	MUST(heap->Alloc(10, eTaskCritical, &block) == S_OK);
	MUST(heap->Realloc(block, 20, eTaskCritical, &block) == S_OK);
	MUST(heap->GetSize(block, &size) == S_OK && size == 20);
	MUST(heap->DidAlloc(block) == S_OK);
	MUST(heap->DidAlloc(&block) == S_FALSE);
	MUST(heap->Identify(block, &what) == S_OK && what == eFencepostLive);
	MUST(heap->Identify(&block, &what) == S_OK && what == eFencepostForeign);
	MUST(heap->Check(block) == S_OK);
	MUST(heap->Lock() == S_OK);
	MUST(heap->Walk(count, &sum) == S_OK && sum == 20);
	MUST(heap->Unlock() == S_OK);
	MUST(heap->Free(block) == S_OK);
	return 0;
}

int main()
{
	IHostMemoryManager *manager = nullptr;
	IHostMalloc *heap = nullptr;
	void *extended = nullptr;
	int line;

	MUST(fp_create_memory_manager(nullptr, &manager) == S_OK);
	MUST(manager->CreateMalloc(MALLOC_THREADSAFE, &heap) == S_OK);
	line = call_heap(heap);
	if (line != 0)
		return line;
	MUST(heap->QueryInterface(IID_IFencepostMalloc, &extended) == S_OK);
	line = call_extension(static_cast<IFencepostMalloc *>(extended));
	if (line != 0)
		return line;
	MUST(static_cast<IFencepostMalloc *>(extended)->Release() == 1);
	MUST(heap->Release() == 0);
	manager->Release();
	return 0;
}
