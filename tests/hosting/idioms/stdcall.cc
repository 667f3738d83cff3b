/* SPDX-License-Identifier: Apache-2.0
 *
 * One object that is control and memory manager, its methods __stdcall and override; the heap's
 * class is complete where it is declared.
 */
#include "runtime.h"

class LockedMalloc : public IHostMalloc
{
	LONG m_cRef;
	DWORD m_dwAllocFlags;
	IHostMalloc *m_heap;

      public:
	explicit LockedMalloc(MALLOC_TYPE type, IHostMalloc *heap)
	    : m_cRef(1), m_dwAllocFlags(0), m_heap(heap)
	{
		if ((type & MALLOC_THREADSAFE) == 0)
			m_dwAllocFlags |= 1;
	}

	virtual ~LockedMalloc()
	{
		m_heap->Release();
	}

	ULONG __stdcall AddRef() override
	{
		return (ULONG)InterlockedIncrement(&m_cRef);
	}

	ULONG __stdcall Release() override
	{
		ULONG cRef = (ULONG)InterlockedDecrement(&m_cRef);
		if (cRef == 0)
			delete this;
		return cRef;
	}

	HRESULT __stdcall QueryInterface(REFIID riid, void **ppvObject) override
	{
		*ppvObject = nullptr;
		if (riid == IID_IUnknown)
			*ppvObject = static_cast<IUnknown *>(this);
		if (riid == IID_IHostMalloc)
			*ppvObject = static_cast<IHostMalloc *>(this);
		if (*ppvObject == nullptr)
			return E_NOINTERFACE;
		AddRef();
		return S_OK;
	}

	HRESULT __stdcall Alloc(SIZE_T cbSize, EMemoryCriticalLevel dwCriticalLevel,
	                        void **ppMem) override
	{
		return m_heap->Alloc(cbSize, dwCriticalLevel, ppMem);
	}

	HRESULT __stdcall DebugAlloc(SIZE_T cbSize, EMemoryCriticalLevel dwCriticalLevel,
	                             char *pszFileName, int iLineNo, void **ppMem) override
	{
		return m_heap->DebugAlloc(cbSize, dwCriticalLevel, pszFileName, iLineNo, ppMem);
	}

	HRESULT __stdcall Free(void *pMem) override
	{
		return FALSE == (m_heap->Free(pMem) == S_OK) ? E_FAIL : S_OK;
	}
};

class HostControl : public IHostControl, public IHostMemoryManager
{
	LONG m_cRef;
	IHostMemoryManager *m_system;
	ICLRMemoryNotificationCallback *m_pMemoryCallback;
	typedef BOOL(WINAPI *PFN_Touch)(HANDLE, SIZE_T, DWORD);
	PFN_Touch m_pfnTouch;

      public:
	HostControl()
	    : m_cRef(1), m_system(runtime_memory()), m_pMemoryCallback(nullptr),
	      m_pfnTouch(nullptr)
	{
	}
	virtual ~HostControl()
	{
	}

	// IUnknown
	ULONG __stdcall AddRef() override
	{
		return (ULONG)InterlockedIncrement(&m_cRef);
	}
	ULONG __stdcall Release() override
	{
		return (ULONG)InterlockedDecrement(&m_cRef);
	}
	HRESULT __stdcall QueryInterface(REFIID riid, void **ppvObject) override
	{
		*ppvObject = nullptr;
		if (riid == IID_IUnknown)
			*ppvObject = static_cast<IUnknown *>(static_cast<IHostControl *>(this));
		else if (riid == IID_IHostControl)
			*ppvObject = static_cast<IHostControl *>(this);
		else if (riid == IID_IHostMemoryManager)
			*ppvObject = static_cast<IHostMemoryManager *>(this);
		if (*ppvObject == nullptr)
			return E_NOINTERFACE;
		AddRef();
		return S_OK;
	}

	// IHostControl
	HRESULT __stdcall GetHostManager(REFIID riid, void **ppObject) override
	{
		if (riid == IID_IHostMemoryManager)
			return QueryInterface(riid, ppObject);
		*ppObject = nullptr;
		return E_NOINTERFACE;
	}
	HRESULT __stdcall SetAppDomainManager(DWORD, IUnknown *) override
	{
		return S_OK;
	}

	// IHostMemoryManager
	HRESULT __stdcall CreateMalloc(DWORD dwMallocType, IHostMalloc **ppMalloc) override
	{
		IHostMalloc *heap = nullptr;

		*ppMalloc = nullptr;
		HRESULT hr = m_system->CreateMalloc(dwMallocType, &heap);
		if (FAILED(hr))
			return hr;
		*ppMalloc = new LockedMalloc((MALLOC_TYPE)dwMallocType, heap);
		return S_OK;
	}
	HRESULT __stdcall VirtualAlloc(void *pAddress, SIZE_T dwSize, DWORD flAllocationType,
	                               DWORD flProtect, EMemoryCriticalLevel level,
	                               void **ppMem) override;
	HRESULT __stdcall VirtualFree(LPVOID lpAddress, SIZE_T dwSize,
	                              DWORD dwFreeType) override;
	HRESULT __stdcall VirtualQuery(void *lpAddress, void *lpBuffer, SIZE_T dwLength,
	                               SIZE_T *pResult) override;
	HRESULT __stdcall VirtualProtect(void *lpAddress, SIZE_T dwSize, DWORD flNewProtect,
	                                 DWORD *pflOldProtect) override;
	HRESULT __stdcall GetMemoryLoad(DWORD *pMemoryLoad, SIZE_T *pAvailableBytes) override;
	HRESULT __stdcall RegisterMemoryNotificationCallback(
	        ICLRMemoryNotificationCallback *pCallback) override
	{
		m_pMemoryCallback = pCallback;
		return m_pfnTouch == nullptr ? S_OK : E_FAIL;
	}
	HRESULT __stdcall NeedsVirtualAddressSpace(LPVOID, SIZE_T) override
	{
		return S_OK;
	}
	HRESULT __stdcall AcquiredVirtualAddressSpace(LPVOID, SIZE_T) override
	{
		return S_OK;
	}
	HRESULT __stdcall ReleasedVirtualAddressSpace(LPVOID) override
	{
		return S_OK;
	}
};

HRESULT __stdcall HostControl::VirtualAlloc(void *pAddress, SIZE_T dwSize,
                                            DWORD flAllocationType, DWORD flProtect,
                                            EMemoryCriticalLevel level, void **ppMem)
{
	return m_system->VirtualAlloc(pAddress, dwSize, flAllocationType, flProtect, level,
	                              ppMem);
}

HRESULT __stdcall HostControl::VirtualFree(LPVOID lpAddress, SIZE_T dwSize, DWORD dwFreeType)
{
	return m_system->VirtualFree(lpAddress, dwSize, dwFreeType);
}

HRESULT __stdcall HostControl::VirtualQuery(void *lpAddress, void *lpBuffer, SIZE_T dwLength,
                                            SIZE_T *pResult)
{
	return m_system->VirtualQuery(lpAddress, lpBuffer, dwLength, pResult);
}

HRESULT __stdcall HostControl::VirtualProtect(void *lpAddress, SIZE_T dwSize,
                                              DWORD flNewProtect, DWORD *pflOldProtect)
{
	return m_system->VirtualProtect(lpAddress, dwSize, flNewProtect, pflOldProtect);
}

HRESULT __stdcall HostControl::GetMemoryLoad(DWORD *pMemoryLoad, SIZE_T *pAvailableBytes)
{
	// Whoever locks its working set never has less.
	*pMemoryLoad = 30;
	*pAvailableBytes = 100 * 1024 * 1024;
	return S_OK;
}

int main()
{
	HostControl control;

	return runtime_run(&control) == 0 ? 0 : 1;
}
