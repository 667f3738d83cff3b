/* SPDX-License-Identifier: Apache-2.0
 *
 * C whose objects begin with the SDK's interface and have a constant table; COBJMACROS for
 * calls; IsEqualIID on pointers; a method for each name.
 */
#define COBJMACROS
#define CONST_VTABLE
#include "runtime.h"

#include <stdlib.h>

typedef struct {
	IHostMalloc iface;
	LONG count;
	IHostMalloc *inner;
} HostMalloc;

static HRESULT STDMETHODCALLTYPE HostMalloc_QueryInterface(IHostMalloc *this, REFIID vTableGuid,
                                                           void **ppv)
{
	if (!IsEqualIID(vTableGuid, &IID_IUnknown) &&
	    !IsEqualIID(vTableGuid, &IID_IHostMalloc)) {
		*ppv = 0;
		return E_NOINTERFACE;
	}
	*ppv = this;
	this->lpVtbl->AddRef(this);
	return S_OK;
}

static ULONG STDMETHODCALLTYPE HostMalloc_AddRef(IHostMalloc *this)
{
	return (ULONG)InterlockedIncrement(&((HostMalloc *)this)->count);
}

static ULONG STDMETHODCALLTYPE HostMalloc_Release(IHostMalloc *this)
{
	LONG left = InterlockedDecrement(&((HostMalloc *)this)->count);

	if (left == 0)
		free(this);
	return (ULONG)left;
}

static HRESULT STDMETHODCALLTYPE HostMalloc_Alloc(IHostMalloc *This, SIZE_T cbSize,
                                                  EMemoryCriticalLevel eCriticalLevel,
                                                  void **ppMem)
{
	return IHostMalloc_Alloc(((HostMalloc *)This)->inner, cbSize, eCriticalLevel, ppMem);
}

static HRESULT STDMETHODCALLTYPE HostMalloc_DebugAlloc(IHostMalloc *This, SIZE_T cbSize,
                                                       EMemoryCriticalLevel eCriticalLevel,
                                                       char *pszFileName, int iLineNo,
                                                       void **ppMem)
{
	return IHostMalloc_DebugAlloc(((HostMalloc *)This)->inner, cbSize, eCriticalLevel,
	                              pszFileName, iLineNo, ppMem);
}

static HRESULT STDMETHODCALLTYPE HostMalloc_Free(IHostMalloc *This, void *pMem)
{
	return IHostMalloc_Free(((HostMalloc *)This)->inner, pMem);
}

static const IHostMallocVtbl HostMalloc_Vtbl = {HostMalloc_QueryInterface, HostMalloc_AddRef,
                                                HostMalloc_Release,        HostMalloc_Alloc,
                                                HostMalloc_DebugAlloc,     HostMalloc_Free};

int main(void)
{
	HostMalloc *heap = calloc(1, sizeof(*heap));
	char file[] = "host.c";
	void *block = NULL;

	if (heap == NULL)
		return 1;
	heap->iface.lpVtbl = &HostMalloc_Vtbl;
	heap->count = 1;
	if (FAILED(IHostMemoryManager_CreateMalloc(runtime_memory(), MALLOC_THREADSAFE,
	                                           &heap->inner)))
		return 2;
	if (IHostMalloc_Alloc(&heap->iface, 10, eAppDomainCritical, &block) != S_OK ||
	    IHostMalloc_Free(&heap->iface, block) != S_OK ||
	    IHostMalloc_DebugAlloc(&heap->iface, 10, eTaskCritical, file, 1, &block) != S_OK ||
	    IHostMalloc_Free(&heap->iface, block) != S_OK)
		return 3;
	if (IHostMalloc_QueryInterface(&heap->iface, &IID_IHostMalloc, &block) != S_OK ||
	    IHostMalloc_Release(&heap->iface) != 1 || IHostMalloc_Release(&heap->iface) != 0)
		return 4;
	return fp_finding_count() == 0 ? 0 : 5;
}
