/* SPDX-License-Identifier: Apache-2.0
 *
 * IHostMalloc over a heap. The object is never given back: a call after its last Release is a
 * finding, and the object must be there to make it.
 */
#include <errno.h>

#include "base/meta.h"
#include "fault/fault.h"
#include "heap/heap.h"
#include "hosting/object.h"

struct host_malloc {
	IHostMalloc IHostMalloc_iface;
	_Atomic ULONG references;
	struct fp_heap *heap;
};

static struct host_malloc *from_iface(IHostMalloc *iface)
{
	_Static_assert(offsetof(struct host_malloc, IHostMalloc_iface) == 0, "the cast below");
	return (struct host_malloc *)iface;
}

/* Whether the object is dead; that CALL came nevertheless is then a finding. */
static bool is_dead(struct host_malloc *object, const char *call)
{
	if (atomic_load(&object->references) != 0)
		return false;
	fp_heap_report_released(object->heap, call);
	return true;
}

static ULONG STDMETHODCALLTYPE malloc_AddRef(IHostMalloc *iface)
{
	struct host_malloc *object = from_iface(iface);
	ULONG count = fp_object_add_ref(&object->references);

	if (count == 0)
		fp_heap_report_released(object->heap, "AddRef");
	return count;
}

static HRESULT STDMETHODCALLTYPE malloc_QueryInterface(IHostMalloc *iface, REFIID iid,
                                                       void **out)
{
	if (out == NULL)
		return E_POINTER;
	*out = NULL;
	if (iid == NULL)
		return E_POINTER;
	if (is_dead(from_iface(iface), "QueryInterface"))
		return HOST_E_INVALIDOPERATION;
	if (!fp_object_is_iid(iid, &IID_IUnknown) && !fp_object_is_iid(iid, &IID_IHostMalloc))
		return E_NOINTERFACE;
	if (malloc_AddRef(iface) == 0)
		return HOST_E_INVALIDOPERATION;
	*out = iface;
	return S_OK;
}

static ULONG STDMETHODCALLTYPE malloc_Release(IHostMalloc *iface)
{
	struct host_malloc *object = from_iface(iface);
	bool was_dead;
	ULONG count = fp_object_release(&object->references, &was_dead);

	if (was_dead)
		fp_heap_report_released(object->heap, "Release");
	else if (count == 0)
		fp_heap_release(object->heap);
	return count;
}

static HRESULT allocate(IHostMalloc *iface, const struct fp_heap_request *request, void **out)
{
	if (out == NULL)
		return E_POINTER;
	fp_fault_attach_thread();
	switch (fp_heap_alloc(from_iface(iface)->heap, request, out)) {
	case 0:
		return S_OK;
	case -ENOMEM:
		return E_OUTOFMEMORY;
	default:
		return HOST_E_INVALIDOPERATION;
	}
}

/* A level that the contract does not know is kept as the least one. */
static uint8_t level_of(EMemoryCriticalLevel level)
{
	switch (level) {
	case eProcessCritical:
		return FP_LEVEL_PROCESS;
	case eAppDomainCritical:
		return FP_LEVEL_APPDOMAIN;
	default:
		return FP_LEVEL_TASK;
	}
}

static HRESULT STDMETHODCALLTYPE malloc_Alloc(IHostMalloc *iface, SIZE_T size,
                                              EMemoryCriticalLevel level, void **out)
{
	const struct fp_heap_request request = {
	        .size = size,
	        .family = FP_FAMILY_HOST,
	        .level = level_of(level),
	};

	return allocate(iface, &request, out);
}

static HRESULT STDMETHODCALLTYPE malloc_DebugAlloc(IHostMalloc *iface, SIZE_T size,
                                                   EMemoryCriticalLevel level, char *file,
                                                   int line, void **out)
{
	const struct fp_heap_request request = {
	        .size = size,
	        .family = FP_FAMILY_HOST,
	        .level = level_of(level),
	        .file = file,
	        .line = line,
	};

	return allocate(iface, &request, out);
}

static HRESULT STDMETHODCALLTYPE malloc_Free(IHostMalloc *iface, void *block)
{
	return fp_heap_free(from_iface(iface)->heap, block) == 0 ? S_OK
	                                                         : HOST_E_INVALIDOPERATION;
}

static const IHostMallocVtbl malloc_vtbl = {
        .QueryInterface = malloc_QueryInterface,
        .AddRef = malloc_AddRef,
        .Release = malloc_Release,
        .Alloc = malloc_Alloc,
        .DebugAlloc = malloc_DebugAlloc,
        .Free = malloc_Free,
};

IHostMalloc *fp_malloc_create(DWORD flags)
{
	static const struct fp_heap_answers answers = {
	        .has_hresult = true,
	        .misuse = HOST_E_INVALIDOPERATION,
	        .no_memory = E_OUTOFMEMORY,
	};
	struct host_malloc *object = fp_meta_alloc(sizeof(*object));

	if (object == NULL)
		return NULL;
	object->heap = fp_heap_create((flags & MALLOC_EXECUTABLE) != 0, &answers);
	if (object->heap == NULL) {
		fp_meta_free(object, sizeof(*object));
		return NULL;
	}
	object->IHostMalloc_iface.lpVtbl = &malloc_vtbl;
	atomic_init(&object->references, 1);
	return &object->IHostMalloc_iface;
}
