/* SPDX-License-Identifier: Apache-2.0
 *
 * A control that has an answer for every manager that there is, most of them empty; BOOL, TRUE
 * and FALSE; interfaces that are only declared, with their identifiers.
 */
#include "runtime.h"

class AppHostControl : public IHostControl
{
      private:
	ULONG m_ulRefCount;
	BOOL m_bWithMemory;
	IHostTaskManager *m_pTaskManager;
	ICLRRuntimeHost *m_pRuntimeHost;
	ICLRControl *m_pControl;

      public:
	AppHostControl(BOOL bWithMemory);
	virtual ~AppHostControl();

      private:
	AppHostControl();
	AppHostControl(const AppHostControl &);
	AppHostControl &operator=(const AppHostControl &);

	// IUnknown
      public:
	virtual ULONG STDMETHODCALLTYPE AddRef();
	virtual ULONG STDMETHODCALLTYPE Release();
	virtual HRESULT STDMETHODCALLTYPE QueryInterface(const IID &iid, void **ppv);

	// IHostControl
      public:
	virtual HRESULT STDMETHODCALLTYPE GetHostManager(REFIID riid, void **ppObject);
	virtual HRESULT STDMETHODCALLTYPE SetAppDomainManager(DWORD dwAppDomainID,
	                                                      IUnknown *pUnkAppDomainManager);
};

AppHostControl::AppHostControl(BOOL bWithMemory)
    : m_ulRefCount(1), m_bWithMemory(bWithMemory ? TRUE : FALSE), m_pTaskManager(NULL),
      m_pRuntimeHost(NULL), m_pControl(NULL)
{
}

AppHostControl::~AppHostControl()
{
	if (m_pTaskManager || m_pRuntimeHost || m_pControl)
		m_ulRefCount = 0;
}

ULONG STDMETHODCALLTYPE AppHostControl::AddRef()
{
	return (ULONG)InterlockedIncrement((LONG *)&m_ulRefCount);
}

ULONG STDMETHODCALLTYPE AppHostControl::Release()
{
	return (ULONG)InterlockedDecrement((LONG *)&m_ulRefCount);
}

HRESULT STDMETHODCALLTYPE AppHostControl::QueryInterface(const IID &, void **ppv)
{
	if (ppv == NULL)
		return E_POINTER;
	*ppv = NULL;
	return E_NOINTERFACE;
}

HRESULT STDMETHODCALLTYPE AppHostControl::GetHostManager(REFIID riid, void **ppObject)
{
	if (ppObject == NULL)
		return E_POINTER;
	*ppObject = NULL;
	if (riid == IID_IHostMemoryManager) {
		if (m_bWithMemory == FALSE)
			return E_NOINTERFACE;
		*ppObject = runtime_memory();
		return S_OK;
	} else if (riid == IID_IHostTaskManager) {
		*ppObject = m_pTaskManager;
		return S_OK;
	} else if (riid == IID_IHostThreadpoolManager) {
	} else if (riid == IID_IHostIoCompletionManager) {
	} else if (riid == IID_IHostSyncManager) {
	} else if (riid == IID_IHostAssemblyManager) {
	} else if (riid == IID_IHostGCManager) {
	} else if (riid == IID_IHostPolicyManager) {
	} else if (riid == IID_IHostSecurityManager) {
	} else if (riid == IID_ICLRRuntimeHost || riid == IID_ICLRControl) {
		return E_INVALIDARG;
	}
	return E_NOINTERFACE;
}

HRESULT STDMETHODCALLTYPE AppHostControl::SetAppDomainManager(DWORD, IUnknown *)
{
	return S_OK;
}

int main()
{
	AppHostControl with(TRUE), without(FALSE);
	void *object = &with;

	if (without.GetHostManager(IID_IHostMemoryManager, &object) != E_NOINTERFACE || object)
		return 1;
	if (with.GetHostManager(IID_ICLRControl, &object) != E_INVALIDARG)
		return 2;
	return runtime_run(&with) == 0 ? 0 : 3;
}
