/* SPDX-License-Identifier: Apache-2.0
 *
 * A map of interfaces made by macros, with __uuidof; several interfaces in one object.
 */
#include "runtime.h"

#define QUERY_INTERFACE_BEGIN(first)                                                           \
      public:                                                                                  \
	virtual ULONG STDMETHODCALLTYPE AddRef()                                               \
	{                                                                                      \
		return (ULONG)InterlockedIncrement(&mRefs);                                    \
	}                                                                                      \
	virtual ULONG STDMETHODCALLTYPE Release()                                              \
	{                                                                                      \
		return (ULONG)InterlockedDecrement(&mRefs);                                    \
	}                                                                                      \
	virtual HRESULT STDMETHODCALLTYPE QueryInterface(REFIID riid, void **ppv)              \
	{                                                                                      \
		if (ppv == nullptr)                                                            \
			return E_POINTER;                                                      \
		*ppv = nullptr;                                                                \
		if (riid == __uuidof(IUnknown))                                                \
			*ppv = static_cast<IUnknown *>(static_cast<first *>(this));
#define QUERY_INTERFACE_IMPL(type)                                                             \
	if (riid == __uuidof(type))                                                            \
		*ppv = static_cast<type *>(this);
#define QUERY_INTERFACE_END()                                                                  \
	if (*ppv == nullptr)                                                                   \
		return E_NOINTERFACE;                                                          \
	AddRef();                                                                              \
	return S_OK;                                                                           \
	}                                                                                      \
                                                                                               \
      private:                                                                                 \
	LONG mRefs = 1;

class Control : public IHostControl, public ICLRMemoryNotificationCallback
{
	QUERY_INTERFACE_BEGIN(IHostControl)
	QUERY_INTERFACE_IMPL(IHostControl)
	QUERY_INTERFACE_IMPL(ICLRMemoryNotificationCallback)
	QUERY_INTERFACE_END()

      public:
	virtual ~Control()
	{
	}
	virtual HRESULT STDMETHODCALLTYPE GetHostManager(REFIID riid, void **ppObject)
	{
		if (mMemory == nullptr)
			mMemory = runtime_memory();
		if (riid == __uuidof(mMemory))
			return mMemory->QueryInterface(__uuidof(*mMemory), ppObject);
		*ppObject = nullptr;
		return riid == __uuidof(IHostTaskManager) ? E_NOTIMPL : E_NOINTERFACE;
	}
	virtual HRESULT STDMETHODCALLTYPE SetAppDomainManager(DWORD, IUnknown *)
	{
		return S_OK;
	}
	virtual HRESULT STDMETHODCALLTYPE OnMemoryNotification(EMemoryAvailable available)
	{
		return available == eMemoryAvailableLow ? S_FALSE : S_OK;
	}

      private:
	IHostMemoryManager *mMemory = nullptr;
};

#define SAME(type) (__uuidof(type) == IID_##type)

int main()
{
	Control control;
	void *callback = nullptr;

	if (!SAME(IUnknown) || !SAME(IHostMalloc) || !SAME(IHostMemoryManager) ||
	    !SAME(IHostControl) || !SAME(ICLRMemoryNotificationCallback) ||
	    !SAME(IHostTaskManager) || !SAME(IHostThreadpoolManager) ||
	    !SAME(IHostIoCompletionManager) || !SAME(IHostSyncManager) ||
	    !SAME(IHostAssemblyManager) || !SAME(IHostGCManager) ||
	    !SAME(IHostSecurityManager) || !SAME(IHostPolicyManager) ||
	    !SAME(ICLRRuntimeHost) || !SAME(ICLRControl))
		return 1;
	if (control.QueryInterface(__uuidof(ICLRMemoryNotificationCallback), &callback) != S_OK)
		return 2;
	ICLRMemoryNotificationCallback *mine = &control;
	return callback == mine && runtime_run(&control) == 0 ? 0 : 3;
}
