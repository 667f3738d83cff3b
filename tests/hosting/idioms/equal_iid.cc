/* SPDX-License-Identifier: Apache-2.0
 *
 * IsEqualIID, methods without a calling convention, a list of what was allocated under a lock.
 * The manager is Fencepost's, behind a class that forwards nothing but the pointer.
 */
#include "runtime.h"

#include <stdlib.h>

typedef enum { ALLOC_LIST_HEAD, ALLOC_MALLOC } AllocTracker;

struct AllocEntry {
	AllocEntry *next;
	void *Address;
	SIZE_T size;
	AllocTracker type;
};

class TrackingMalloc : public IHostMalloc
{
      public:
	TrackingMalloc(IHostMalloc *heap) : count(1), m_heap(heap), m_lock(0), m_list()
	{
	}
	virtual ~TrackingMalloc()
	{
		m_heap->Release();
	}

	virtual HRESULT STDMETHODCALLTYPE QueryInterface(REFIID vTableGuid, void **ppv);
	virtual ULONG STDMETHODCALLTYPE AddRef(void);
	virtual ULONG STDMETHODCALLTYPE Release(void);

	virtual HRESULT Alloc(SIZE_T cbSize, EMemoryCriticalLevel eCriticalLevel, void **ppMem);
	virtual HRESULT DebugAlloc(SIZE_T cbSize, EMemoryCriticalLevel eCriticalLevel,
	                           char *pszFileName, int iLineNo, void **ppMem);
	virtual HRESULT Free(void *pMem);

      protected:
	LONG count;

      private:
	void Enter()
	{
		while (__atomic_exchange_n(&m_lock, 1, __ATOMIC_ACQUIRE) != 0)
			continue;
	}
	void Leave()
	{
		__atomic_store_n(&m_lock, 0, __ATOMIC_RELEASE);
	}
	HRESULT Track(void *pMem, SIZE_T cbSize);

	IHostMalloc *m_heap;
	int m_lock;
	AllocEntry m_list;
};

HRESULT STDMETHODCALLTYPE TrackingMalloc::QueryInterface(REFIID vTableGuid, void **ppv)
{
	if (ppv == NULL)
		return E_POINTER;
	if (!IsEqualIID(vTableGuid, IID_IUnknown) && !IsEqualIID(vTableGuid, IID_IHostMalloc)) {
		*ppv = 0;
		return E_NOINTERFACE;
	}
	*ppv = this;
	this->AddRef();
	return S_OK;
}

ULONG STDMETHODCALLTYPE TrackingMalloc::AddRef()
{
	return static_cast<ULONG>(InterlockedIncrement(&count));
}

ULONG STDMETHODCALLTYPE TrackingMalloc::Release()
{
	ULONG refCount = static_cast<ULONG>(InterlockedDecrement(&count));
	if (refCount == 0) {
		delete this;
		return 0;
	}
	return refCount;
}

HRESULT TrackingMalloc::Track(void *pMem, SIZE_T cbSize)
{
	AllocEntry *entry = static_cast<AllocEntry *>(malloc(sizeof(AllocEntry)));

	if (entry == NULL)
		return E_OUTOFMEMORY;
	entry->Address = pMem;
	entry->size = cbSize;
	entry->type = ALLOC_MALLOC;
	Enter();
	entry->next = m_list.next;
	m_list.next = entry;
	Leave();
	return S_OK;
}

HRESULT TrackingMalloc::Alloc(SIZE_T cbSize, EMemoryCriticalLevel eCriticalLevel, void **ppMem)
{
	if (ppMem == NULL)
		return E_POINTER;
	HRESULT result = m_heap->Alloc(cbSize, eCriticalLevel, ppMem);
	return SUCCEEDED(result) ? Track(*ppMem, cbSize) : result;
}

HRESULT TrackingMalloc::DebugAlloc(SIZE_T cbSize, EMemoryCriticalLevel eCriticalLevel,
                                   char *pszFileName, int iLineNo, void **ppMem)
{
	HRESULT result =
	        m_heap->DebugAlloc(cbSize, eCriticalLevel, pszFileName, iLineNo, ppMem);
	return SUCCEEDED(result) ? Track(*ppMem, cbSize) : result;
}

HRESULT TrackingMalloc::Free(void *pMem)
{
	if (pMem == NULL)
		return S_OK;
	Enter();
	AllocEntry **at = &m_list.next;
	while (*at != NULL && (*at)->Address != pMem)
		at = &(*at)->next;
	AllocEntry *entry = *at;
	if (entry != NULL)
		*at = entry->next;
	Leave();
	if (entry == NULL)
		return HRESULT_FROM_WIN32(ERROR_INVALID_PARAMETER);
	free(entry);
	return m_heap->Free(pMem);
}

/* The control of Fencepost's, whose manager makes the heap that this host wraps afterwards. */
int main()
{
	IHostMemoryManager *memory = runtime_memory();
	IHostControl *control = NULL;
	IHostMalloc *heap = NULL;
	void *block = NULL;
	char file[] = "host.cpp";

	if (FAILED(fp_create_host_control(NULL, &control)) || runtime_run(control) != 0 ||
	    FAILED(memory->CreateMalloc(MALLOC_THREADSAFE, &heap)))
		return 1;
	IHostMalloc *tracking = new TrackingMalloc(heap);
	if (tracking->Alloc(10, eTaskCritical, &block) != S_OK ||
	    tracking->Free(block) != S_OK ||
	    tracking->DebugAlloc(10, eTaskCritical, file, 1, &block) != S_OK ||
	    tracking->Free(block) != S_OK || tracking->Free(NULL) != S_OK ||
	    tracking->Free(file) != E_INVALIDARG)
		return 2;
	return tracking->Release() == 0 && fp_finding_count() == 0 ? 0 : 3;
}
