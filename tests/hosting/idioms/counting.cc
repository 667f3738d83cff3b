/* SPDX-License-Identifier: Apache-2.0
 *
 * A host that counts: its class hands on to Fencepost's heap. Then its own code loses blocks,
 * and frees one twice, so that the report can be looked at: it has to name who called the
 * class.
 */
#include "runtime.h"

class CountingMalloc : public IHostMalloc
{
	LONG m_cRef;
	volatile LONG m_cBlocks;
	IHostMalloc *m_pInner;

      public:
	explicit CountingMalloc(IHostMalloc *pInner) : m_cRef(1), m_cBlocks(0), m_pInner(pInner)
	{
	}
	virtual ~CountingMalloc()
	{
		m_pInner->Release();
	}

	LONG Blocks() const
	{
		return m_cBlocks;
	}

	STDMETHODIMP QueryInterface(REFIID riid, void **ppv)
	{
		// Whoever asks for more than IHostMalloc asks the heap itself.
		if (riid != IID_IUnknown && riid != IID_IHostMalloc)
			return m_pInner->QueryInterface(riid, ppv);
		*ppv = this;
		AddRef();
		return S_OK;
	}
	STDMETHODIMP_(ULONG) AddRef()
	{
		return (ULONG)InterlockedIncrement(&m_cRef);
	}
	STDMETHODIMP_(ULONG) Release()
	{
		LONG left = InterlockedDecrement(&m_cRef);
		if (left == 0)
			delete this;
		return (ULONG)left;
	}
	STDMETHODIMP Alloc(SIZE_T cbSize, EMemoryCriticalLevel eCriticalLevel, void **ppMem)
	{
		HRESULT hr = m_pInner->Alloc(cbSize, eCriticalLevel, ppMem);
		if (SUCCEEDED(hr))
			InterlockedIncrement(&m_cBlocks);
		return hr;
	}
	STDMETHODIMP DebugAlloc(SIZE_T cbSize, EMemoryCriticalLevel eCriticalLevel,
	                        char *pszFileName, int iLineNo, void **ppMem)
	{
		HRESULT hr = m_pInner->DebugAlloc(cbSize, eCriticalLevel, pszFileName, iLineNo,
		                                  ppMem);
		if (SUCCEEDED(hr))
			InterlockedIncrement(&m_cBlocks);
		return hr;
	}
	STDMETHODIMP Free(void *pMem)
	{
		HRESULT hr = m_pInner->Free(pMem);
		if (SUCCEEDED(hr) && pMem != nullptr)
			InterlockedDecrement(&m_cBlocks);
		return hr;
	}
};

__attribute__((noinline)) static void lose(IHostMalloc *heap)
{
	void *block = nullptr;

	heap->Alloc(111, eTaskCritical, &block); /* plant: lost */
	block = nullptr;
	heap->Alloc(222, eTaskCritical, &block); /* plant: lost elsewhere */
}

__attribute__((noinline)) static void lose_told(IHostMalloc *heap)
{
	char file[] = "engine.cpp";
	void *block = nullptr;

	heap->DebugAlloc(333, eTaskCritical, file, 77, &block); /* plant: told */
	heap->DebugAlloc(444, eTaskCritical, file, 78, &block); /* plant: told again */
}

/* What gives a pointer to something is no allocator, unless --alloc-fn says so. */
struct Maker {
	__attribute__((noinline)) static char *Make(IHostMalloc *heap)
	{
		void *block = nullptr;

		heap->Alloc(99, eTaskCritical, &block);
		return static_cast<char *>(block);
	}
};

__attribute__((noinline)) static void lose_made(IHostMalloc *heap)
{
	Maker::Make(heap); /* plant: made */
}

__attribute__((noinline)) static HRESULT free_twice(IHostMalloc *heap)
{
	void *block = nullptr;

	heap->Alloc(55, eProcessCritical, &block); /* plant: twice allocated */
	heap->Free(block);                         /* plant: twice once */
	return heap->Free(block);                  /* plant: twice */
}

int main()
{
	IHostMemoryManager *memory = nullptr;
	IHostMalloc *inner = nullptr;

	if (fp_create_memory_manager(nullptr, &memory) != S_OK ||
	    memory->CreateMalloc(MALLOC_THREADSAFE, &inner) != S_OK)
		return 1;
	CountingMalloc *heap = new CountingMalloc(inner);
	lose(heap);
	lose_told(heap);
	lose_made(heap);
	if (free_twice(heap) != HOST_E_INVALIDOPERATION)
		return 2;
	return heap->Blocks() == 5 ? 0 : 3;
}
