/* SPDX-License-Identifier: Apache-2.0
 *
 * The C side of test_abi_cxx. Nothing here knows that the other side is C++.
 */
#define COBJMACROS
#include "abi_calls.h"

struct abi_call abi_last_call;

static HRESULT note(const struct abi_call *call)
{
	abi_last_call = *call;
	return HOST_E_ABANDONED;
}

static HRESULT STDMETHODCALLTYPE object_QueryInterface(IHostMalloc *This, REFIID riid,
                                                       void **ppvObject)
{
	*ppvObject = NULL;
	return note(&(struct abi_call){"QueryInterface", This, riid->Data1, 0, NULL, 0, NULL});
}

static ULONG STDMETHODCALLTYPE object_AddRef(IHostMalloc *This)
{
	note(&(struct abi_call){"AddRef", This, 0, 0, NULL, 0, NULL});
	return 0xfffffff0;
}

static ULONG STDMETHODCALLTYPE object_Release(IHostMalloc *This)
{
	note(&(struct abi_call){"Release", This, 0, 0, NULL, 0, NULL});
	return 0xfffffff1;
}

static HRESULT STDMETHODCALLTYPE object_Alloc(IHostMalloc *This, SIZE_T cbSize,
                                              EMemoryCriticalLevel eCriticalLevel, void **ppMem)
{
	*ppMem = &abi_last_call;
	return note(&(struct abi_call){"Alloc", This, cbSize, eCriticalLevel, NULL, 0, *ppMem});
}

static HRESULT STDMETHODCALLTYPE object_DebugAlloc(IHostMalloc *This, SIZE_T cbSize,
                                                   EMemoryCriticalLevel eCriticalLevel,
                                                   char *pszFileName, int iLineNo, void **ppMem)
{
	*ppMem = &abi_last_call;
	return note(&(struct abi_call){"DebugAlloc", This, cbSize, eCriticalLevel, pszFileName,
	                               iLineNo, *ppMem});
}

static HRESULT STDMETHODCALLTYPE object_Free(IHostMalloc *This, void *pMem)
{
	return note(&(struct abi_call){"Free", This, 0, 0, NULL, 0, pMem});
}

IHostMalloc *abi_c_object(void)
{
	static IHostMallocVtbl table = {
	        object_QueryInterface, object_AddRef,     object_Release,
	        object_Alloc,          object_DebugAlloc, object_Free,
	};
	static IHostMalloc object = {&table};

	return &object;
}

int abi_call_every_slot(IHostMalloc *heap)
{
	char file[] = "file.cs";
	void *out = NULL;

	if (IHostMalloc_QueryInterface(heap, &IID_IHostMalloc, &out) != E_NOINTERFACE ||
	    out != heap)
		return 1;
	if (IHostMalloc_AddRef(heap) != 0xfffffffe)
		return 2;
	if (IHostMalloc_Release(heap) != 0xffffffff)
		return 3;
	if (IHostMalloc_Alloc(heap, (SIZE_T)-1, eAppDomainCritical, &out) != E_OUTOFMEMORY ||
	    out != NULL)
		return 4;
	if (IHostMalloc_DebugAlloc(heap, 3, eProcessCritical, file, -7, &out) != S_OK ||
	    out != file)
		return 5;
	if (IHostMalloc_Free(heap, file) != HOST_E_INVALIDOPERATION)
		return 6;
	return 0;
}
