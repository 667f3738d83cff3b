/* SPDX-License-Identifier: Apache-2.0
 *
 * IHostMalloc over a heap, and IFencepostMalloc, which begins with the same methods: one object
 * with one table. The object is never given back: a call after its last Release is a finding,
 * and the object must be there to make it.
 */
#include <errno.h>

#include "base/meta.h"
#include "fault/fault.h"
#include "heap/heap.h"
#include "hosting/object.h"

#include <fencepost/extension.h>

struct host_malloc {
	IFencepostMalloc IFencepostMalloc_iface;
	_Atomic ULONG references;
	struct fp_heap *heap;
};

static struct host_malloc *from_iface(IFencepostMalloc *iface)
{
	_Static_assert(offsetof(struct host_malloc, IFencepostMalloc_iface) == 0,
	               "the cast below");
	return (struct host_malloc *)iface;
}

/* What the caller of a heap is told. */
static HRESULT result_of(int status)
{
	switch (status) {
	case 0:
		return S_OK;
	case -ENOMEM:
		return E_OUTOFMEMORY;
	case -ETIMEDOUT:
		return HOST_E_TIMEOUT;
	case -EBUSY:
		return HOST_E_NOT_OWNER;
	case -EOWNERDEAD:
		return HOST_E_ABANDONED;
	case -EUCLEAN:
		return E_FAIL;
	case -ESHUTDOWN:
		return HOST_E_CLRNOTAVAILABLE;
	default:
		return HOST_E_INVALIDOPERATION;
	}
}

static const struct fp_heap_error_codes error_codes = {
        .has_hresult = true,
        .misuse = HOST_E_INVALIDOPERATION,
        .no_memory = E_OUTOFMEMORY,
        .timeout = HOST_E_TIMEOUT,
        .not_owner = HOST_E_NOT_OWNER,
        .abandoned = HOST_E_ABANDONED,
        .failed = E_FAIL,
        .unavailable = HOST_E_CLRNOTAVAILABLE,
};

/* ---- IUnknown ---------------------------------------------------------------------------- */

/* Whether the object is dead; that CALL came nevertheless is then a finding. */
static bool is_dead(struct host_malloc *object, const char *call)
{
	if (atomic_load(&object->references) != 0)
		return false;
	fp_heap_report_released(object->heap, call);
	return true;
}

static ULONG STDMETHODCALLTYPE malloc_AddRef(IFencepostMalloc *iface)
{
	struct host_malloc *object = from_iface(iface);
	ULONG count = fp_object_add_ref(&object->references);

	if (count == 0)
		fp_heap_report_released(object->heap, "AddRef");
	return count;
}

static HRESULT STDMETHODCALLTYPE malloc_QueryInterface(IFencepostMalloc *iface, REFIID iid,
                                                       void **out)
{
	if (out == NULL)
		return E_POINTER;
	*out = NULL;
	if (iid == NULL)
		return E_POINTER;
	if (is_dead(from_iface(iface), "QueryInterface"))
		return HOST_E_INVALIDOPERATION;
	if (!fp_object_is_iid(iid, &IID_IUnknown) && !fp_object_is_iid(iid, &IID_IHostMalloc) &&
	    !fp_object_is_iid(iid, &IID_IFencepostMalloc))
		return E_NOINTERFACE;
	if (malloc_AddRef(iface) == 0)
		return HOST_E_INVALIDOPERATION;
	*out = iface;
	return S_OK;
}

static ULONG STDMETHODCALLTYPE malloc_Release(IFencepostMalloc *iface)
{
	FP_OBJECT_ENTER();
	struct host_malloc *object = from_iface(iface);
	bool was_dead;
	ULONG count = fp_object_release(&object->references, &was_dead);

	if (was_dead)
		fp_heap_report_released(object->heap, "Release");
	else if (count == 0)
		fp_heap_release(object->heap);
	return count;
}

/* ---- IHostMalloc ------------------------------------------------------------------------- */

static HRESULT allocate(IFencepostMalloc *iface, const struct fp_heap_request *request,
                        void **out)
{
	FP_OBJECT_ENTER();
	struct fp_heap *heap = from_iface(iface)->heap;

	if (out == NULL)
		return E_POINTER;
	*out = NULL;
	fp_fault_attach_thread();
	int status = fp_heap_enter(heap, request->file == NULL ? "Alloc" : "DebugAlloc");
	if (status != 0)
		return result_of(status);
	status = fp_heap_alloc(heap, request, out);
	fp_heap_leave(heap);
	return result_of(status);
}

static HRESULT STDMETHODCALLTYPE malloc_Alloc(IFencepostMalloc *iface, SIZE_T size,
                                              EMemoryCriticalLevel level, void **out)
{
	const struct fp_heap_request request = {
	        .size = size,
	        .family = FP_FAMILY_HOST,
	        .level = fp_object_level(level),
	};

	return allocate(iface, &request, out);
}

static HRESULT STDMETHODCALLTYPE malloc_DebugAlloc(IFencepostMalloc *iface, SIZE_T size,
                                                   EMemoryCriticalLevel level, char *file,
                                                   int line, void **out)
{
	const struct fp_heap_request request = {
	        .size = size,
	        .family = FP_FAMILY_HOST,
	        .level = fp_object_level(level),
	        .file = file,
	        .line = line,
	};

	return allocate(iface, &request, out);
}

static HRESULT STDMETHODCALLTYPE malloc_Free(IFencepostMalloc *iface, void *block)
{
	FP_OBJECT_ENTER();
	struct fp_heap *heap = from_iface(iface)->heap;
	int status = fp_heap_enter(heap, "Free");

	if (status != 0)
		return result_of(status);
	status = fp_heap_free(heap, block);
	fp_heap_leave(heap);
	return result_of(status);
}

/* ---- IFencepostMalloc -------------------------------------------------------------------- */

/* What the methods below share: 0 with the heap entered. */
static int enter_living(IFencepostMalloc *iface, const char *call)
{
	struct host_malloc *object = from_iface(iface);

	return is_dead(object, call) ? -EPERM : fp_heap_enter(object->heap, call);
}

static HRESULT STDMETHODCALLTYPE malloc_Realloc(IFencepostMalloc *iface, void *block,
                                                SIZE_T size, EMemoryCriticalLevel level,
                                                void **out)
{
	FP_OBJECT_ENTER();
	struct fp_heap *heap = from_iface(iface)->heap;
	const struct fp_heap_claim claim = {.block = block, .family = FP_FAMILY_HOST};
	const struct fp_heap_request request = {
	        .size = size,
	        .family = FP_FAMILY_HOST,
	        .level = fp_object_level(level),
	};

	if (block == NULL)
		return allocate(iface, &request, out);
	if (out == NULL)
		return E_POINTER;
	*out = NULL;
	int status = enter_living(iface, "Realloc");
	if (status != 0)
		return result_of(status);
	status = fp_heap_realloc(heap, &claim, &request, out);
	fp_heap_leave(heap);
	return result_of(status);
}

static HRESULT STDMETHODCALLTYPE malloc_GetSize(IFencepostMalloc *iface, void *block,
                                                SIZE_T *size)
{
	FP_OBJECT_ENTER();
	struct fp_heap *heap = from_iface(iface)->heap;

	if (size == NULL)
		return E_POINTER;
	*size = 0;
	int status = enter_living(iface, "GetSize");
	if (status != 0)
		return result_of(status);
	bool is_found = fp_heap_owns(heap, block, size);
	fp_heap_leave(heap);
	return is_found ? S_OK : HOST_E_INVALIDOPERATION;
}

static HRESULT STDMETHODCALLTYPE malloc_DidAlloc(IFencepostMalloc *iface, void *block)
{
	FP_OBJECT_ENTER();
	struct fp_heap *heap = from_iface(iface)->heap;
	int status = enter_living(iface, "DidAlloc");
	size_t size;

	if (status != 0)
		return result_of(status);
	bool is_found = fp_heap_owns(heap, block, &size);
	fp_heap_leave(heap);
	return is_found ? S_OK : S_FALSE;
}

static HRESULT STDMETHODCALLTYPE malloc_Identify(IFencepostMalloc *iface, void *address,
                                                 EFencepostPointer *out)
{
	static const EFencepostPointer answers[] = {
	        [FP_HEAP_FOREIGN] = eFencepostForeign,
	        [FP_HEAP_LIVE] = eFencepostLive,
	        [FP_HEAP_FREED] = eFencepostFreed,
	        [FP_HEAP_INSIDE] = eFencepostInside,
	        [FP_HEAP_OTHER] = eFencepostOther,
	        [FP_HEAP_FORGOTTEN] = eFencepostForgotten,
	};
	FP_OBJECT_ENTER();
	struct fp_heap *heap = from_iface(iface)->heap;

	if (out == NULL)
		return E_POINTER;
	*out = eFencepostForeign;
	int status = enter_living(iface, "Identify");
	if (status != 0)
		return result_of(status);
	*out = answers[fp_heap_identify(heap, address)];
	fp_heap_leave(heap);
	return S_OK;
}

static HRESULT STDMETHODCALLTYPE malloc_Check(IFencepostMalloc *iface, void *block)
{
	FP_OBJECT_ENTER();
	struct fp_heap *heap = from_iface(iface)->heap;
	int status = enter_living(iface, "Check");

	if (status != 0)
		return result_of(status);
	status = fp_heap_check_block(heap, block);
	fp_heap_leave(heap);
	return result_of(status);
}

static HRESULT STDMETHODCALLTYPE malloc_Lock(IFencepostMalloc *iface)
{
	return result_of(fp_heap_lock(from_iface(iface)->heap));
}

static HRESULT STDMETHODCALLTYPE malloc_Unlock(IFencepostMalloc *iface)
{
	return result_of(fp_heap_unlock(from_iface(iface)->heap));
}

struct walk {
	FencepostWalk visit;
	void *user;
};

static bool visit(const struct fp_block *block, void *user)
{
	static const EMemoryCriticalLevel levels[FP_LEVEL_COUNT] = {
	        [FP_LEVEL_TASK] = eTaskCritical,
	        [FP_LEVEL_APPDOMAIN] = eAppDomainCritical,
	        [FP_LEVEL_PROCESS] = eProcessCritical,
	};
	const struct walk *walk = user;
	const struct FencepostBlock shown = {
	        .address = (void *)block->address,
	        .size = block->size,
	        .serial = block->serial,
	        .level = levels[block->level],
	        .thread = block->alloc_thread,
	};

	return walk->visit(&shown, walk->user);
}

static HRESULT STDMETHODCALLTYPE malloc_Walk(IFencepostMalloc *iface, FencepostWalk function,
                                             void *user)
{
	struct fp_heap *heap = from_iface(iface)->heap;
	struct walk walk = {function, user};

	if (function == NULL)
		return E_POINTER;
	int status = fp_heap_lock(heap);
	if (status != 0)
		return result_of(status);
	status = fp_heap_walk(heap, visit, &walk);
	fp_heap_unlock(heap);
	return result_of(status);
}

static const IFencepostMallocVtbl malloc_vtbl = {
        .QueryInterface = malloc_QueryInterface,
        .AddRef = malloc_AddRef,
        .Release = malloc_Release,
        .Alloc = malloc_Alloc,
        .DebugAlloc = malloc_DebugAlloc,
        .Free = malloc_Free,
        .Realloc = malloc_Realloc,
        .GetSize = malloc_GetSize,
        .DidAlloc = malloc_DidAlloc,
        .Check = malloc_Check,
        .Lock = malloc_Lock,
        .Unlock = malloc_Unlock,
        .Walk = malloc_Walk,
        .Identify = malloc_Identify,
};

HRESULT fp_malloc_create(DWORD flags, IHostMalloc **out)
{
	const struct fp_heap_traits traits = {
	        .is_executable = (flags & MALLOC_EXECUTABLE) != 0,
	        .is_for_one_thread = (flags & MALLOC_THREADSAFE) == 0,
	        .error_codes = error_codes,
	};
	struct host_malloc *object = fp_meta_alloc(sizeof(*object));

	int status = object == NULL ? fp_heap_refuse_creation(&traits)
	                            : fp_heap_create(&traits, &object->heap);
	if (status != 0) {
		fp_meta_free(object, sizeof(*object));
		return result_of(status);
	}
	object->IFencepostMalloc_iface.lpVtbl = &malloc_vtbl;
	atomic_init(&object->references, 1);
	*out = (IHostMalloc *)(void *)&object->IFencepostMalloc_iface;
	return S_OK;
}
