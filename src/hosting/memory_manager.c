/* SPDX-License-Identifier: Apache-2.0
 *
 * IHostMemoryManager. There is one for the process, for as long as the process lives: hosts
 * ask for it more than once, and the published runtime never releases it.
 */
#include "heap/heap.h"
#include "hosting/object.h"

struct memory_manager {
	IHostMemoryManager IHostMemoryManager_iface;
	_Atomic ULONG references;
};

static ULONG STDMETHODCALLTYPE memory_manager_AddRef(IHostMemoryManager *iface)
{
	struct memory_manager *manager = (struct memory_manager *)iface;

	return atomic_fetch_add(&manager->references, 1) + 1;
}

static HRESULT STDMETHODCALLTYPE memory_manager_QueryInterface(IHostMemoryManager *iface,
                                                               REFIID iid, void **out)
{
	if (out == NULL)
		return E_POINTER;
	*out = NULL;
	if (iid == NULL)
		return E_POINTER;
	if (!fp_object_is_iid(iid, &IID_IUnknown) &&
	    !fp_object_is_iid(iid, &IID_IHostMemoryManager))
		return E_NOINTERFACE;
	memory_manager_AddRef(iface);
	*out = iface;
	return S_OK;
}

static ULONG STDMETHODCALLTYPE memory_manager_Release(IHostMemoryManager *iface)
{
	struct memory_manager *manager = (struct memory_manager *)iface;
	bool was_dead;

	return fp_object_release(&manager->references, &was_dead);
}

static HRESULT STDMETHODCALLTYPE memory_manager_CreateMalloc(IHostMemoryManager *iface,
                                                             DWORD flags, IHostMalloc **out)
{
	(void)iface;
	if (out == NULL)
		return E_POINTER;
	*out = NULL;
	if ((flags & ~(DWORD)(MALLOC_THREADSAFE | MALLOC_EXECUTABLE)) != 0)
		return E_INVALIDARG;
	return fp_malloc_create(flags, out);
}

static HRESULT STDMETHODCALLTYPE memory_manager_VirtualAlloc(IHostMemoryManager *iface,
                                                             void *address, SIZE_T size,
                                                             DWORD type, DWORD protect,
                                                             EMemoryCriticalLevel level,
                                                             void **out)
{
	(void)iface;
	(void)address;
	(void)size;
	(void)type;
	(void)protect;
	(void)level;
	if (out == NULL)
		return E_POINTER;
	*out = NULL;
	return E_NOTIMPL;
}

static HRESULT STDMETHODCALLTYPE memory_manager_VirtualFree(IHostMemoryManager *iface,
                                                            LPVOID address, SIZE_T size,
                                                            DWORD type)
{
	(void)iface;
	(void)address;
	(void)size;
	(void)type;
	return E_NOTIMPL;
}

static HRESULT STDMETHODCALLTYPE memory_manager_VirtualQuery(IHostMemoryManager *iface,
                                                             void *address, void *buffer,
                                                             SIZE_T length, SIZE_T *result)
{
	(void)iface;
	(void)address;
	(void)buffer;
	(void)length;
	if (result == NULL)
		return E_POINTER;
	*result = 0;
	return E_NOTIMPL;
}

static HRESULT STDMETHODCALLTYPE memory_manager_VirtualProtect(IHostMemoryManager *iface,
                                                               void *address, SIZE_T size,
                                                               DWORD protect, DWORD *old)
{
	(void)iface;
	(void)address;
	(void)size;
	(void)protect;
	if (old == NULL)
		return E_POINTER;
	*old = 0;
	return E_NOTIMPL;
}

static HRESULT STDMETHODCALLTYPE memory_manager_GetMemoryLoad(IHostMemoryManager *iface,
                                                              DWORD *load, SIZE_T *available)
{
	(void)iface;
	if (load != NULL)
		*load = 0;
	if (available != NULL)
		*available = 0;
	return load == NULL || available == NULL ? E_POINTER : E_NOTIMPL;
}

static HRESULT STDMETHODCALLTYPE memory_manager_RegisterMemoryNotificationCallback(
        IHostMemoryManager *iface, ICLRMemoryNotificationCallback *callback)
{
	(void)iface;
	(void)callback;
	return E_NOTIMPL;
}

static HRESULT STDMETHODCALLTYPE
memory_manager_NeedsVirtualAddressSpace(IHostMemoryManager *iface, LPVOID start, SIZE_T size)
{
	(void)iface;
	(void)start;
	(void)size;
	return E_NOTIMPL;
}

static HRESULT STDMETHODCALLTYPE
memory_manager_AcquiredVirtualAddressSpace(IHostMemoryManager *iface, LPVOID start, SIZE_T size)
{
	(void)iface;
	(void)start;
	(void)size;
	return E_NOTIMPL;
}

static HRESULT STDMETHODCALLTYPE
memory_manager_ReleasedVirtualAddressSpace(IHostMemoryManager *iface, LPVOID start)
{
	(void)iface;
	(void)start;
	return E_NOTIMPL;
}

static const IHostMemoryManagerVtbl memory_manager_vtbl = {
        .QueryInterface = memory_manager_QueryInterface,
        .AddRef = memory_manager_AddRef,
        .Release = memory_manager_Release,
        .CreateMalloc = memory_manager_CreateMalloc,
        .VirtualAlloc = memory_manager_VirtualAlloc,
        .VirtualFree = memory_manager_VirtualFree,
        .VirtualQuery = memory_manager_VirtualQuery,
        .VirtualProtect = memory_manager_VirtualProtect,
        .GetMemoryLoad = memory_manager_GetMemoryLoad,
        .RegisterMemoryNotificationCallback = memory_manager_RegisterMemoryNotificationCallback,
        .NeedsVirtualAddressSpace = memory_manager_NeedsVirtualAddressSpace,
        .AcquiredVirtualAddressSpace = memory_manager_AcquiredVirtualAddressSpace,
        .ReleasedVirtualAddressSpace = memory_manager_ReleasedVirtualAddressSpace,
};

IHostMemoryManager *fp_memory_manager_get(void)
{
	static struct memory_manager manager = {
	        .IHostMemoryManager_iface = {.lpVtbl = &memory_manager_vtbl},
	};

	memory_manager_AddRef(&manager.IHostMemoryManager_iface);
	return &manager.IHostMemoryManager_iface;
}
