/* SPDX-License-Identifier: Apache-2.0
 *
 * A class a file, declared and defined with STDMETHODIMP; identifiers compared with ==; errors
 * made of Windows' codes; Windows' heap, here malloc.
 */
#include "runtime.h"

#include <stdlib.h>

class QuotaMalloc : public IHostMalloc
{
      private:
	volatile LONG m_cRef;
	HANDLE m_hHeap;
	DWORD m_dwOptions;

      public:
	QuotaMalloc(DWORD dwMallocType);
	virtual ~QuotaMalloc();

	// IUnknown functions
	STDMETHODIMP_(DWORD) AddRef();
	STDMETHODIMP_(DWORD) Release();
	STDMETHODIMP QueryInterface(const IID &riid, void **ppvObject);

	// IHostMalloc functions
	STDMETHODIMP Alloc(
	        /* [in] */ SIZE_T cbSize,
	        /* [in] */ EMemoryCriticalLevel eCriticalLevel,
	        /* [out] */ void **ppMem);
	STDMETHODIMP DebugAlloc(SIZE_T cbSize, EMemoryCriticalLevel eCriticalLevel,
	                        char *pszFileName, int iLineNo, void **ppMem);
	STDMETHODIMP Free(void *pMem);
};

QuotaMalloc::QuotaMalloc(DWORD dwMallocType) : m_cRef(1), m_hHeap(NULL), m_dwOptions(0)
{
	if (!(dwMallocType & MALLOC_THREADSAFE))
		m_dwOptions |= 1;
	m_hHeap = &m_dwOptions;
}

QuotaMalloc::~QuotaMalloc()
{
	m_hHeap = NULL;
}

STDMETHODIMP_(DWORD) QuotaMalloc::AddRef()
{
	return (DWORD)InterlockedIncrement(&m_cRef);
}

STDMETHODIMP_(DWORD) QuotaMalloc::Release()
{
	ULONG cRef = (ULONG)InterlockedDecrement(&m_cRef);

	if (cRef == 0)
		delete this;
	return cRef;
}

STDMETHODIMP QuotaMalloc::QueryInterface(const IID &riid, void **ppvObject)
{
	if (riid == IID_IUnknown || riid == IID_IHostMalloc) {
		*ppvObject = this;
		AddRef();
		return S_OK;
	}
	*ppvObject = NULL;
	return E_NOINTERFACE;
}

STDMETHODIMP QuotaMalloc::Alloc(SIZE_T cbSize, EMemoryCriticalLevel eCriticalLevel,
                                void **ppMem)
{
	*ppMem = NULL;
	if (eCriticalLevel == eTaskCritical && cbSize > 1000000)
		return E_OUTOFMEMORY;
	*ppMem = malloc(cbSize);
	if (*ppMem == NULL)
		return HRESULT_FROM_WIN32(ERROR_NOT_ENOUGH_MEMORY);
	return S_OK;
}

STDMETHODIMP QuotaMalloc::DebugAlloc(SIZE_T cbSize, EMemoryCriticalLevel eCriticalLevel, char *,
                                     int, void **ppMem)
{
	return Alloc(cbSize, eCriticalLevel, ppMem);
}

STDMETHODIMP QuotaMalloc::Free(void *pMem)
{
	free(pMem);
	return S_OK;
}

class QuotaManager : public IHostMemoryManager
{
      private:
	volatile LONG m_cRef;
	IHostMemoryManager *m_pSystem;

      public:
	QuotaManager() : m_cRef(1), m_pSystem(runtime_memory())
	{
	}
	virtual ~QuotaManager()
	{
		m_pSystem->Release();
	}

	STDMETHODIMP_(DWORD) AddRef()
	{
		return (DWORD)InterlockedIncrement(&m_cRef);
	}
	STDMETHODIMP_(DWORD) Release();
	STDMETHODIMP QueryInterface(const IID &riid, void **ppvObject);

	STDMETHODIMP CreateMalloc(DWORD dwMallocType, IHostMalloc **ppMalloc)
	{
		*ppMalloc = new QuotaMalloc(dwMallocType);
		return S_OK;
	}
	STDMETHODIMP VirtualAlloc(void *pAddress, SIZE_T dwSize, DWORD flAllocationType,
	                          DWORD flProtect, EMemoryCriticalLevel eCriticalLevel,
	                          void **ppMem)
	{
		HRESULT hr = m_pSystem->VirtualAlloc(pAddress, dwSize, flAllocationType,
		                                     flProtect, eCriticalLevel, ppMem);
		return *ppMem == NULL ? HRESULT_FROM_WIN32(ERROR_INVALID_PARAMETER) : hr;
	}
	STDMETHODIMP VirtualFree(LPVOID lpAddress, SIZE_T dwSize, DWORD dwFreeType)
	{
		return m_pSystem->VirtualFree(lpAddress, dwSize, dwFreeType);
	}
	STDMETHODIMP VirtualQuery(void *lpAddress, void *lpBuffer, SIZE_T dwLength,
	                          SIZE_T *pResult)
	{
		return m_pSystem->VirtualQuery(lpAddress, (PMEMORY_BASIC_INFORMATION)lpBuffer,
		                               dwLength, pResult);
	}
	STDMETHODIMP VirtualProtect(void *lpAddress, SIZE_T dwSize, DWORD flNewProtect,
	                            DWORD *pflOldProtect)
	{
		return m_pSystem->VirtualProtect(lpAddress, dwSize, flNewProtect,
		                                 pflOldProtect);
	}
	STDMETHODIMP GetMemoryLoad(DWORD *pMemoryLoad, SIZE_T *pAvailableBytes)
	{
		return m_pSystem->GetMemoryLoad(pMemoryLoad, pAvailableBytes);
	}
	STDMETHODIMP RegisterMemoryNotificationCallback(ICLRMemoryNotificationCallback *)
	{
		return S_OK;
	}
	// "There is nothing to be done": a success to the runtime.
	STDMETHODIMP NeedsVirtualAddressSpace(LPVOID, SIZE_T)
	{
		return S_FALSE;
	}
	STDMETHODIMP AcquiredVirtualAddressSpace(LPVOID, SIZE_T)
	{
		return S_OK;
	}
	STDMETHODIMP ReleasedVirtualAddressSpace(LPVOID)
	{
		return S_OK;
	}
};

STDMETHODIMP_(DWORD) QuotaManager::Release()
{
	ULONG cRef = (ULONG)InterlockedDecrement(&m_cRef);

	if (cRef == 0)
		delete this;
	return cRef;
}

STDMETHODIMP QuotaManager::QueryInterface(const IID &riid, void **ppvObject)
{
	*ppvObject = riid == IID_IUnknown || riid == IID_IHostMemoryManager ? this : NULL;
	if (*ppvObject == NULL)
		return E_NOINTERFACE;
	AddRef();
	return S_OK;
}

class QuotaControl : public IHostControl
{
      private:
	volatile LONG m_cRef;
	QuotaManager m_memory;

      public:
	QuotaControl() : m_cRef(1)
	{
	}
	virtual ~QuotaControl()
	{
	}

	STDMETHODIMP_(DWORD) AddRef()
	{
		return (DWORD)InterlockedIncrement(&m_cRef);
	}
	STDMETHODIMP_(DWORD) Release()
	{
		return (DWORD)InterlockedDecrement(&m_cRef);
	}
	STDMETHODIMP QueryInterface(const IID &riid, void **ppvObject)
	{
		if (riid != IID_IUnknown && riid != IID_IHostControl) {
			*ppvObject = NULL;
			return E_NOINTERFACE;
		}
		*ppvObject = this;
		AddRef();
		return S_OK;
	}
	STDMETHODIMP GetHostManager(const IID &riid, void **ppvHostManager)
	{
		if (riid == IID_IHostMemoryManager)
			return m_memory.QueryInterface(IID_IHostMemoryManager, ppvHostManager);
		*ppvHostManager = NULL;
		return E_NOINTERFACE;
	}
	STDMETHODIMP SetAppDomainManager(DWORD, IUnknown *)
	{
		return E_NOTIMPL;
	}
};

int main()
{
	QuotaControl control;

	return runtime_run(&control) == 0 ? 0 : 1;
}
