/* SPDX-License-Identifier: Apache-2.0
 *
 * IHostMemoryManager, and IHostControl for hosts that begin there. There is one of each for the
 * process, for as long as the process lives: hosts ask for it more than once, and the published
 * runtime never releases it.
 */
#include <errno.h>

#include "fault/fault.h"
#include "heap/heap.h"
#include "hosting/object.h"
#include "machine/machine.h"
#include "region/region.h"

static const IHostMemoryManagerVtbl memory_manager_vtbl;

static struct {
	IHostMemoryManager IHostMemoryManager_iface;
	_Atomic ULONG references;
} manager = {.IHostMemoryManager_iface = {.lpVtbl = &memory_manager_vtbl}};

static HRESULT query(void *iface, REFIID own, _Atomic ULONG *references, REFIID iid, void **out)
{
	if (out == NULL)
		return E_POINTER;
	*out = NULL;
	if (iid == NULL)
		return E_POINTER;
	if (!fp_object_is_iid(iid, &IID_IUnknown) && !fp_object_is_iid(iid, own))
		return E_NOINTERFACE;
	atomic_fetch_add(references, 1);
	*out = iface;
	return S_OK;
}

static ULONG STDMETHODCALLTYPE memory_manager_AddRef(IHostMemoryManager *iface)
{
	(void)iface;
	return atomic_fetch_add(&manager.references, 1) + 1;
}

/* What every method begins with. */
static void enter(IHostMemoryManager *iface)
{
	(void)iface;
	fp_fault_attach_thread();
	fp_notify_resume();
}

static HRESULT STDMETHODCALLTYPE memory_manager_QueryInterface(IHostMemoryManager *iface,
                                                               REFIID iid, void **out)
{
	return query(iface, &IID_IHostMemoryManager, &manager.references, iid, out);
}

static ULONG STDMETHODCALLTYPE memory_manager_Release(IHostMemoryManager *iface)
{
	bool was_dead;
	ULONG count = fp_object_release(&manager.references, &was_dead);

	(void)iface;
	if (count == 0 && !was_dead)
		fp_notify_register(NULL);
	return count;
}

static HRESULT STDMETHODCALLTYPE memory_manager_CreateMalloc(IHostMemoryManager *iface,
                                                             DWORD flags, IHostMalloc **out)
{
	FP_OBJECT_ENTER();
	enter(iface);
	if (out == NULL)
		return E_POINTER;
	*out = NULL;
	if ((flags & ~(DWORD)(MALLOC_THREADSAFE | MALLOC_EXECUTABLE)) != 0)
		return E_INVALIDARG;
	return fp_malloc_create(flags, out);
}

/* ---- Virtual memory ------------------------------------------------------------------------
 */

_Static_assert(MEM_COMMIT == FP_REGION_COMMIT && MEM_RESERVE == FP_REGION_RESERVE &&
                       MEM_DECOMMIT == FP_REGION_DECOMMIT && MEM_RELEASE == FP_REGION_RELEASE &&
                       MEM_RESET == FP_REGION_RESET && MEM_TOP_DOWN == FP_REGION_TOP_DOWN &&
                       MEM_FREE == FP_REGION_FREE && MEM_PRIVATE == FP_REGION_PRIVATE &&
                       MEM_MAPPED == FP_REGION_MAPPED,
               "flags are passed on as they are");
_Static_assert(PAGE_NOACCESS == FP_PROTECT_NOACCESS && PAGE_READONLY == FP_PROTECT_READONLY &&
                       PAGE_READWRITE == FP_PROTECT_READWRITE &&
                       PAGE_EXECUTE == FP_PROTECT_EXECUTE &&
                       PAGE_EXECUTE_READ == FP_PROTECT_EXECUTE_READ &&
                       PAGE_EXECUTE_READWRITE == FP_PROTECT_EXECUTE_READWRITE &&
                       PAGE_GUARD == FP_PROTECT_GUARD && PAGE_NOCACHE == FP_PROTECT_NOCACHE &&
                       PAGE_WRITECOMBINE == FP_PROTECT_WRITECOMBINE,
               "protections are passed on as they are");

/* What a region's call answers, as HRESULT. */
static HRESULT answer(int status)
{
	switch (status) {
	case 0:
		return S_OK;
	case -EINVAL:
		return E_INVALIDARG;
	case -EPERM:
		return HOST_E_INVALIDOPERATION;
	default:
		return E_OUTOFMEMORY;
	}
}

static HRESULT STDMETHODCALLTYPE memory_manager_VirtualAlloc(IHostMemoryManager *iface,
                                                             void *address, SIZE_T size,
                                                             DWORD type, DWORD protect,
                                                             EMemoryCriticalLevel level,
                                                             void **out)
{
	FP_OBJECT_ENTER();
	const struct fp_region_request request = {
	        .address = (uintptr_t)address,
	        .size = size,
	        .type = type,
	        .protection = protect,
	        .level = fp_object_level(level),
	};
	uintptr_t base;

	enter(iface);
	if (out == NULL)
		return E_POINTER;
	int status = fp_region_alloc(&request, &base);
	*out = (void *)base;
	return answer(status);
}

static HRESULT STDMETHODCALLTYPE memory_manager_VirtualFree(IHostMemoryManager *iface,
                                                            LPVOID address, SIZE_T size,
                                                            DWORD type)
{
	FP_OBJECT_ENTER();
	enter(iface);
	return answer(fp_region_free((uintptr_t)address, size, type));
}

/* Not through enter(): other threads may be stopped, this one may be in a signal handler. */
static HRESULT STDMETHODCALLTYPE memory_manager_VirtualQuery(IHostMemoryManager *iface,
                                                             void *address, void *buffer,
                                                             SIZE_T length, SIZE_T *result)
{
	FP_OBJECT_ENTER();
	MEMORY_BASIC_INFORMATION *out = buffer;
	struct fp_region_info info;

	(void)iface;
	if (result == NULL)
		return E_POINTER;
	*result = 0;
	if (buffer == NULL)
		return E_POINTER;
	if (length < sizeof(*out))
		return E_INVALIDARG;
	int status = fp_region_query((uintptr_t)address, &info);
	if (status != 0)
		return answer(status);
	*out = (MEMORY_BASIC_INFORMATION){
	        .BaseAddress = (void *)info.base,
	        .AllocationBase = (void *)info.allocation_base,
	        .AllocationProtect = info.allocation_protection,
	        .RegionSize = info.bytes,
	        .State = info.state,
	        .Protect = info.protection,
	        .Type = info.type,
	};
	*result = sizeof(*out);
	return S_OK;
}

static HRESULT STDMETHODCALLTYPE memory_manager_VirtualProtect(IHostMemoryManager *iface,
                                                               void *address, SIZE_T size,
                                                               DWORD protect, DWORD *old)
{
	FP_OBJECT_ENTER();
	enter(iface);
	if (old == NULL)
		return E_POINTER;
	return answer(fp_region_protect((uintptr_t)address, size, protect, old));
}

/* ---- How much memory there is --------------------------------------------------------------
 */

static HRESULT STDMETHODCALLTYPE memory_manager_GetMemoryLoad(IHostMemoryManager *iface,
                                                              DWORD *load, SIZE_T *available)
{
	struct fp_machine_memory memory;
	int saved_errno = errno;

	enter(iface);
	if (load != NULL)
		*load = 0;
	if (available != NULL)
		*available = 0;
	if (load == NULL || available == NULL)
		return E_POINTER;
	int status = fp_machine_memory(&memory);
	uint64_t space = fp_machine_space_left();
	errno = saved_errno;
	if (status != 0)
		return E_OUTOFMEMORY;
	if (memory.available > memory.total)
		memory.available = memory.total;
	*load = (DWORD)(100 - memory.available * 100 / memory.total);
	*available = memory.available < space ? memory.available : space;
	return S_OK;
}

static HRESULT STDMETHODCALLTYPE memory_manager_RegisterMemoryNotificationCallback(
        IHostMemoryManager *iface, ICLRMemoryNotificationCallback *callback)
{
	enter(iface);
	return fp_notify_register(callback);
}

static HRESULT STDMETHODCALLTYPE
memory_manager_NeedsVirtualAddressSpace(IHostMemoryManager *iface, LPVOID start, SIZE_T size)
{
	FP_OBJECT_ENTER();
	(void)start;
	(void)size;
	enter(iface);
	return fp_region_need() ? S_OK : E_OUTOFMEMORY;
}

static HRESULT STDMETHODCALLTYPE
memory_manager_AcquiredVirtualAddressSpace(IHostMemoryManager *iface, LPVOID start, SIZE_T size)
{
	FP_OBJECT_ENTER();
	enter(iface);
	fp_region_acquired((uintptr_t)start, size);
	return S_OK;
}

static HRESULT STDMETHODCALLTYPE
memory_manager_ReleasedVirtualAddressSpace(IHostMemoryManager *iface, LPVOID start)
{
	FP_OBJECT_ENTER();
	enter(iface);
	fp_region_returned((uintptr_t)start);
	return S_OK;
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
	static const struct fp_region_error_codes codes = {
	        .misuse = HOST_E_INVALIDOPERATION,
	        .invalid = E_INVALIDARG,
	};

	fp_region_set_error_codes(&codes);
	memory_manager_AddRef(&manager.IHostMemoryManager_iface);
	return &manager.IHostMemoryManager_iface;
}

/* ---- IHostControl --------------------------------------------------------------------------
 */

static _Atomic ULONG control_references;

static HRESULT STDMETHODCALLTYPE host_control_QueryInterface(IHostControl *iface, REFIID iid,
                                                             void **out)
{
	return query(iface, &IID_IHostControl, &control_references, iid, out);
}

static ULONG STDMETHODCALLTYPE host_control_AddRef(IHostControl *iface)
{
	(void)iface;
	return atomic_fetch_add(&control_references, 1) + 1;
}

static ULONG STDMETHODCALLTYPE host_control_Release(IHostControl *iface)
{
	bool was_dead;

	(void)iface;
	return fp_object_release(&control_references, &was_dead);
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
                                                                  IUnknown *chosen)
{
	(void)iface;
	(void)domain;
	return chosen == NULL ? E_POINTER : S_OK;
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
	static IHostControl control = {.lpVtbl = &host_control_vtbl};

	host_control_AddRef(&control);
	return &control;
}
