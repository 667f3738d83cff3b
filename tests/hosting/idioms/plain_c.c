/* SPDX-License-Identifier: Apache-2.0
 *
 * C with tables of its own types, which are filled in at run time; IN and OUT before
 * parameters; identifiers compared as memory. Compiled with -DIN= -DOUT=.
 */
#include "runtime.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct MyHostMalloc MyHostMalloc;

typedef struct MyHostMallocVtbl {
	HRESULT(STDMETHODCALLTYPE *QueryInterface)
	(MyHostMalloc *This, IN REFIID riid, _COM_Outptr_ void **ppvObject);
	ULONG(STDMETHODCALLTYPE *AddRef)(MyHostMalloc *This);
	ULONG(STDMETHODCALLTYPE *Release)(MyHostMalloc *This);
	HRESULT(STDMETHODCALLTYPE *Alloc)
	(MyHostMalloc *This, IN SIZE_T cbSize, IN EMemoryCriticalLevel eCriticalLevel,
	 OUT void **ppMem);
	HRESULT(STDMETHODCALLTYPE *DebugAlloc)
	(MyHostMalloc *This, IN SIZE_T cbSize, IN EMemoryCriticalLevel eCriticalLevel,
	 IN char *pszFileName, IN int iLineNo, _Outptr_result_maybenull_ void **ppMem);
	HRESULT(STDMETHODCALLTYPE *Free)(MyHostMalloc *This, IN void *pMem);
} MyHostMallocVtbl;

struct MyHostMalloc {
	MyHostMallocVtbl *lpVtbl;
	DWORD dwCount;
	HANDLE hHeap;
};

static HRESULT STDMETHODCALLTYPE QueryInterface(MyHostMalloc *This, IN REFIID riid,
                                                _COM_Outptr_ void **ppvObject)
{
	*ppvObject = NULL;
	if (memcmp(riid, &IID_IHostMalloc, sizeof(IID)) != 0)
		return E_NOINTERFACE;
	*ppvObject = This;
	This->dwCount++;
	return S_OK;
}

static ULONG STDMETHODCALLTYPE AddRef(MyHostMalloc *This)
{
	return ++This->dwCount;
}

static ULONG STDMETHODCALLTYPE Release(MyHostMalloc *This)
{
	return --This->dwCount;
}

static HRESULT STDMETHODCALLTYPE Alloc(MyHostMalloc *This, IN SIZE_T cbSize,
                                       IN EMemoryCriticalLevel eCriticalLevel, OUT void **ppMem)
{
	(void)This;
	(void)eCriticalLevel;
	*ppMem = malloc(cbSize);
	if (!*ppMem)
		return E_OUTOFMEMORY;
	return S_OK;
}

static HRESULT STDMETHODCALLTYPE DebugAlloc(MyHostMalloc *This, IN SIZE_T cbSize,
                                            IN EMemoryCriticalLevel eCriticalLevel,
                                            IN char *pszFileName, IN int iLineNo,
                                            _Outptr_result_maybenull_ void **ppMem)
{
	(void)pszFileName;
	(void)iLineNo;
	return This->lpVtbl->Alloc(This, cbSize, eCriticalLevel, ppMem);
}

static HRESULT STDMETHODCALLTYPE Free(MyHostMalloc *This, IN void *pMem)
{
	(void)This;
	free(pMem);
	return S_OK;
}

static MyHostMalloc *NewMyHostMalloc(void)
{
	MyHostMalloc *m = malloc(sizeof(MyHostMalloc));

	if (m == NULL)
		return NULL;
	memset(m, 0, sizeof(MyHostMalloc));
	m->lpVtbl = malloc(sizeof(MyHostMallocVtbl));
	if (m->lpVtbl == NULL)
		exit(1);
	m->dwCount = 1;
	m->lpVtbl->QueryInterface = &QueryInterface;
	m->lpVtbl->AddRef = &AddRef;
	m->lpVtbl->Release = &Release;
	m->lpVtbl->Alloc = &Alloc;
	m->lpVtbl->DebugAlloc = &DebugAlloc;
	m->lpVtbl->Free = &Free;
	return m;
}

/* The manager is Fencepost's with one method replaced: its object with another table. */
static struct IHostMemoryManagerVtbl methods;

static HRESULT STDMETHODCALLTYPE CreateMalloc(IHostMemoryManager *This, IN DWORD dwMallocType,
                                              OUT IHostMalloc **ppMalloc)
{
	(void)This;
	(void)dwMallocType;
	*ppMalloc = (IHostMalloc *)(void *)NewMyHostMalloc();
	return *ppMalloc != NULL ? S_OK : E_OUTOFMEMORY;
}

static HRESULT STDMETHODCALLTYPE GetHostManager(IHostControl *This, IN REFIID riid,
                                                OUT void **ppObject)
{
	(void)This;
	if (!memcmp(riid, &IID_IHostMemoryManager, sizeof(IID))) {
		static IHostMemoryManager manager;

		methods = *runtime_memory()->lpVtbl;
		methods.CreateMalloc = &CreateMalloc;
		manager.lpVtbl = &methods;
		*ppObject = &manager;
		return S_OK;
	}
	*ppObject = NULL;
	return E_NOINTERFACE;
}

static HRESULT STDMETHODCALLTYPE SetAppDomainManager(IHostControl *This, IN DWORD dwAppDomainID,
                                                     IN IUnknown *pUnkAppDomainManager)
{
	(void)This;
	(void)dwAppDomainID;
	(void)pUnkAppDomainManager;
	return S_OK;
}

int main(void)
{
	static struct IHostControlVtbl table;
	static IHostControl control = {&table};
	int line;

	table.GetHostManager = &GetHostManager;
	table.SetAppDomainManager = &SetAppDomainManager;
	line = runtime_run(&control);
	if (line != 0)
		printf("runtime.c:%d\n", line);
	return line == 0 ? 0 : 1;
}
