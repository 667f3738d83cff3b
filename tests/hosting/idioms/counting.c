/* SPDX-License-Identifier: Apache-2.0
 *
 * counting.cc in C: an object that begins with the interface and hands on to Fencepost's heap.
 */
#define COBJMACROS
#include "runtime.h"

#include <stddef.h>

struct counting {
	IHostMalloc iface;
	IHostMalloc *inner;
	LONG blocks;
};

static struct counting *from(IHostMalloc *iface)
{
	return (struct counting *)(void *)iface;
}

static HRESULT STDMETHODCALLTYPE counting_query(IHostMalloc *This, REFIID riid, void **ppv)
{
	return IHostMalloc_QueryInterface(from(This)->inner, riid, ppv);
}

static ULONG STDMETHODCALLTYPE counting_keep(IHostMalloc *This)
{
	return IHostMalloc_AddRef(from(This)->inner);
}

static ULONG STDMETHODCALLTYPE counting_release(IHostMalloc *This)
{
	return IHostMalloc_Release(from(This)->inner);
}

static HRESULT STDMETHODCALLTYPE counting_alloc(IHostMalloc *This, SIZE_T cbSize,
                                                EMemoryCriticalLevel eCriticalLevel,
                                                void **ppMem)
{
	HRESULT hr = IHostMalloc_Alloc(from(This)->inner, cbSize, eCriticalLevel, ppMem);

	if (SUCCEEDED(hr))
		InterlockedIncrement(&from(This)->blocks);
	return hr;
}

static HRESULT STDMETHODCALLTYPE counting_debug_alloc(IHostMalloc *This, SIZE_T cbSize,
                                                      EMemoryCriticalLevel eCriticalLevel,
                                                      char *pszFileName, int iLineNo,
                                                      void **ppMem)
{
	HRESULT hr = IHostMalloc_DebugAlloc(from(This)->inner, cbSize, eCriticalLevel,
	                                    pszFileName, iLineNo, ppMem);

	if (SUCCEEDED(hr))
		InterlockedIncrement(&from(This)->blocks);
	return hr;
}

static HRESULT STDMETHODCALLTYPE counting_free(IHostMalloc *This, void *pMem)
{
	HRESULT hr = IHostMalloc_Free(from(This)->inner, pMem);

	if (SUCCEEDED(hr) && pMem != NULL)
		InterlockedDecrement(&from(This)->blocks);
	return hr;
}

static IHostMallocVtbl methods = {counting_query, counting_keep,        counting_release,
                                  counting_alloc, counting_debug_alloc, counting_free};

__attribute__((noinline)) static void lose(IHostMalloc *heap)
{
	void *block = NULL;

	IHostMalloc_Alloc(heap, 111, eTaskCritical, &block); /* plant: lost */
	block = NULL;
	IHostMalloc_Alloc(heap, 222, eTaskCritical, &block); /* plant: lost elsewhere */
}

__attribute__((noinline)) static void lose_told(IHostMalloc *heap)
{
	char file[] = "engine.cpp";
	void *block = NULL;

	IHostMalloc_DebugAlloc(heap, 333, eTaskCritical, file, 77, &block); /* plant: told */
	IHostMalloc_DebugAlloc(heap, 444, eTaskCritical, file, 78,
	                       &block); /* plant: told again */
}

__attribute__((noinline)) static HRESULT free_twice(IHostMalloc *heap)
{
	void *block = NULL;

	IHostMalloc_Alloc(heap, 55, eProcessCritical, &block); /* plant: twice allocated */
	IHostMalloc_Free(heap, block);                         /* plant: twice once */
	return IHostMalloc_Free(heap, block);                  /* plant: twice */
}

int main(void)
{
	static struct counting heap = {.iface = {&methods}};
	IHostMemoryManager *memory = NULL;

	if (fp_create_memory_manager(NULL, &memory) != S_OK ||
	    IHostMemoryManager_CreateMalloc(memory, MALLOC_THREADSAFE, &heap.inner) != S_OK)
		return 1;
	lose(&heap.iface);
	lose_told(&heap.iface);
	if (free_twice(&heap.iface) != HOST_E_INVALIDOPERATION)
		return 2;
	return heap.blocks == 4 ? 0 : 3;
}
