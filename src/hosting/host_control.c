/* SPDX-License-Identifier: Apache-2.0
 *
 * IHostControl, for hosts that begin there. Like the manager there is one for the process.
 */
#include "hosting/object.h"

struct host_control {
	IHostControl IHostControl_iface;
	_Atomic ULONG references;
};

static ULONG STDMETHODCALLTYPE host_control_AddRef(IHostControl *iface)
{
	struct host_control *control = (struct host_control *)iface;

	return atomic_fetch_add(&control->references, 1) + 1;
}

static HRESULT STDMETHODCALLTYPE host_control_QueryInterface(IHostControl *iface, REFIID iid,
                                                             void **out)
{
	if (out == NULL)
		return E_POINTER;
	*out = NULL;
	if (iid == NULL)
		return E_POINTER;
	if (!fp_object_is_iid(iid, &IID_IUnknown) && !fp_object_is_iid(iid, &IID_IHostControl))
		return E_NOINTERFACE;
	host_control_AddRef(iface);
	*out = iface;
	return S_OK;
}

static ULONG STDMETHODCALLTYPE host_control_Release(IHostControl *iface)
{
	struct host_control *control = (struct host_control *)iface;
	bool was_dead;

	return fp_object_release(&control->references, &was_dead);
}

static HRESULT STDMETHODCALLTYPE host_control_GetHostManager(IHostControl *iface, REFIID iid,
                                                             void **out)
{
	(void)iface;
	if (out == NULL)
		return E_POINTER;
	*out = NULL;
	if (iid == NULL)
		return E_INVALIDARG;
	if (!fp_object_is_iid(iid, &IID_IHostMemoryManager))
		return E_NOINTERFACE;
	*out = fp_memory_manager_get();
	return S_OK;
}

static HRESULT STDMETHODCALLTYPE host_control_SetAppDomainManager(IHostControl *iface,
                                                                  DWORD domain,
                                                                  IUnknown *manager)
{
	(void)iface;
	(void)domain;
	return manager == NULL ? E_POINTER : S_OK;
}

static const IHostControlVtbl host_control_vtbl = {
        .QueryInterface = host_control_QueryInterface,
        .AddRef = host_control_AddRef,
        .Release = host_control_Release,
        .GetHostManager = host_control_GetHostManager,
        .SetAppDomainManager = host_control_SetAppDomainManager,
};

IHostControl *fp_host_control_get(void)
{
	static struct host_control control = {
	        .IHostControl_iface = {.lpVtbl = &host_control_vtbl},
	};

	host_control_AddRef(&control.IHostControl_iface);
	return &control.IHostControl_iface;
}
