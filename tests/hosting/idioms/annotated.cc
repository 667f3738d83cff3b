/* SPDX-License-Identifier: Apache-2.0
 *
 * Microsoft's annotations on every parameter, IsEqualGUID, and members of types that are only
 * declared; the process's heap or new[], as a flag says.
 */
#include "runtime.h"

#include <stdlib.h>

class CHostMalloc : public IHostMalloc
{
      private:
	volatile ULONG MReferenceCounter;
	bool MUseHeap;

      public:
	virtual HRESULT STDMETHODCALLTYPE Alloc(_In_ SIZE_T Size,
	                                        EMemoryCriticalLevel CriticalLevel,
	                                        _Outptr_ void **Mem);
	virtual HRESULT STDMETHODCALLTYPE DebugAlloc(_In_ SIZE_T Size,
	                                             EMemoryCriticalLevel CriticalLevel,
	                                             _In_ char *FileName, _In_ int LineNo,
	                                             _Outptr_result_maybenull_ void **Mem);
	virtual HRESULT STDMETHODCALLTYPE Free(_In_opt_ void *Mem);

	virtual HRESULT STDMETHODCALLTYPE QueryInterface(REFIID RIID,
	                                                 _COM_Outptr_ void **PointerToObject);
	virtual ULONG STDMETHODCALLTYPE AddRef(void);
	virtual ULONG STDMETHODCALLTYPE Release(void);

	CHostMalloc(bool UseHeap) : MReferenceCounter(1), MUseHeap(UseHeap)
	{
	}
	virtual ~CHostMalloc(void)
	{
	}
};

HRESULT STDMETHODCALLTYPE CHostMalloc::Alloc(_In_ SIZE_T Size, EMemoryCriticalLevel,
                                             _Outptr_ void **Mem)
{
	if (MUseHeap == false) {
		*Mem = new BYTE[Size];
		return (S_OK);
	}
	if ((*Mem = malloc(Size)) != NULL)
		return (S_OK);
	return (E_FAIL);
}

HRESULT STDMETHODCALLTYPE CHostMalloc::DebugAlloc(_In_ SIZE_T Size,
                                                  EMemoryCriticalLevel CriticalLevel,
                                                  _In_ char *FileName, _In_ int LineNo,
                                                  _Outptr_result_maybenull_ void **Mem)
{
	if (FileName == NULL || LineNo <= 0)
		return (E_INVALIDARG);
	return (Alloc(Size, CriticalLevel, Mem));
}

HRESULT STDMETHODCALLTYPE CHostMalloc::Free(_In_opt_ void *Mem)
{
	if (MUseHeap == false)
		delete[] static_cast<BYTE *>(Mem);
	else
		free(Mem);
	return (S_OK);
}

HRESULT STDMETHODCALLTYPE CHostMalloc::QueryInterface(REFIID RIID,
                                                      _COM_Outptr_ void **PointerToObject)
{
	if (IsEqualGUID(RIID, IID_IUnknown)) {
		*PointerToObject = static_cast<IUnknown *>(static_cast<IHostMalloc *>(this));
	} else if (IsEqualGUID(RIID, IID_IHostMalloc)) {
		*PointerToObject = static_cast<IHostMalloc *>(this);
	} else {
		*PointerToObject = NULL;
		return (E_NOINTERFACE);
	}
	AddRef();
	return (S_OK);
}

ULONG STDMETHODCALLTYPE CHostMalloc::AddRef(void)
{
	return ((ULONG)InterlockedIncrement((volatile LONG *)&MReferenceCounter));
}

ULONG STDMETHODCALLTYPE CHostMalloc::Release(void)
{
	ULONG Ret = (ULONG)InterlockedDecrement((volatile LONG *)&MReferenceCounter);

	if (Ret == 0)
		delete (this);
	return (Ret);
}

struct CRuntime {
	ICLRRuntimeHost *RuntimeHost;
	ICLRControl *CLRControl;
	REFCLSID ClassOf(REFCLSID Class, _Inout_ LPVOID *Interface)
	{
		*Interface = RuntimeHost;
		return (Class);
	}
};

int main()
{
	CRuntime Runtime = {NULL, NULL};
	LPVOID Interface = &Runtime;
	HRESULT HR;

	if (!IsEqualCLSID(Runtime.ClassOf(IID_ICLRRuntimeHost, &Interface),
	                  IID_ICLRRuntimeHost) ||
	    Interface != NULL)
		return (1);
	for (int UseHeap = 0; UseHeap < 2; UseHeap++) {
		IHostMalloc *Heap = new CHostMalloc(UseHeap != 0);
		char FileName[] = "host.cpp";
		void *Mem = NULL;
		if (FAILED(HR = Heap->QueryInterface(IID_IHostMalloc, &Mem)) || Mem != Heap)
			return (2);
		if (FAILED(HR = Heap->DebugAlloc(100, eProcessCritical, FileName, 7, &Mem)))
			return (3);
		if (FAILED(HR = Heap->Free(Mem)) || Heap->Release() != 1 ||
		    Heap->Release() != 0)
			return (4);
	}
	return (0);
}
