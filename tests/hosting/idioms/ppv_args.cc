/* SPDX-License-Identifier: Apache-2.0
 *
 * IID_PPV_ARGS into a pointer and into a smart one; SUCCEEDED; a class declared with STDMETHOD
 * and STDMETHOD_.
 */
#include "runtime.h"

template <class T> class ComPtr
{
	T *m_p;

      public:
	ComPtr() : m_p(nullptr)
	{
	}
	~ComPtr()
	{
		if (m_p != nullptr)
			m_p->Release();
	}
	T **operator&()
	{
		return &m_p;
	}
	T *operator->() const
	{
		return m_p;
	}
	T *Get() const
	{
		return m_p;
	}
};

class MemoryCallback : public ICLRMemoryNotificationCallback
{
	LONG m_cRef;

      public:
	MemoryCallback() : m_cRef(1)
	{
	}
	virtual ~MemoryCallback()
	{
	}
	STDMETHOD(QueryInterface)(REFIID riid, void **ppv)
	{
		if (!IsEqualIID(riid, IID_IUnknown) &&
		    !IsEqualIID(riid, __uuidof(ICLRMemoryNotificationCallback))) {
			*ppv = nullptr;
			return E_NOINTERFACE;
		}
		*ppv = this;
		AddRef();
		return S_OK;
	}
	STDMETHOD_(ULONG, AddRef)()
	{
		return (ULONG)InterlockedIncrement(&m_cRef);
	}
	STDMETHOD_(ULONG, Release)()
	{
		return (ULONG)InterlockedDecrement(&m_cRef);
	}
	STDMETHOD(OnMemoryNotification)(EMemoryAvailable)
	{
		return S_OK;
	}
};

int main()
{
	ComPtr<IHostControl> control;
	ComPtr<IHostMemoryManager> memory;
	ComPtr<IHostMalloc> heap, same;
	IHostMalloc *raw = nullptr;
	MemoryCallback callback;
	ICLRMemoryNotificationCallback *itself = nullptr;

	if (!SUCCEEDED(fp_create_host_control("log=/dev/null", &control)))
		return 1;
	if (FAILED(control->GetHostManager(IID_PPV_ARGS(&memory))))
		return 2;
	if (FAILED(memory->CreateMalloc(MALLOC_THREADSAFE, &heap)))
		return 3;
	if (heap->QueryInterface(IID_PPV_ARGS(&same)) != S_OK || same.Get() != heap.Get())
		return 4;
	if (heap->QueryInterface(IID_PPV_ARGS(&raw)) != S_OK || raw->Release() != 2)
		return 5;
	if (callback.QueryInterface(IID_PPV_ARGS(&itself)) != S_OK || itself->Release() != 1)
		return 6;
	if (FAILED(memory->RegisterMemoryNotificationCallback(&callback)) ||
	    FAILED(memory->RegisterMemoryNotificationCallback(nullptr)))
		return 7;
	return runtime_run(control.Get()) == 0 ? 0 : 8;
}
