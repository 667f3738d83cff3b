/* SPDX-License-Identifier: Apache-2.0
 *
 * IFencepostMalloc: what an adapter for realloc(), or a host that looks into its heap, needs
 * beyond IHostMalloc. Every IHostMalloc of this library has it; ask for it with
 *
 *	heap->QueryInterface(IID_IFencepostMalloc, &extended)
 *
 * A host that gets E_NOINTERFACE there has another library's heap, and has to do without. The
 * interface derives from IHostMalloc, of which it is the same object: what IHostMalloc says of
 * its methods, of threads and of the codes that every method may return holds here, too.
 */
#ifndef FENCEPOST_EXTENSION_H
#define FENCEPOST_EXTENSION_H

#include <fencepost/hosting.h>

#ifndef __cplusplus
#include <stdbool.h>
#endif

#ifndef __IFencepostMalloc_FWD_DEFINED__
#define __IFencepostMalloc_FWD_DEFINED__
typedef struct IFencepostMalloc IFencepostMalloc;
#endif

/* What a pointer is to a heap, as Identify tells. */
typedef enum {
	eFencepostForeign =
	        0, /* not in memory of any of Fencepost's heaps: NULL, a block of libc's
	            * own malloc, the stack, a global, a region of VirtualAlloc */
	eFencepostLive = 1,     /* the start of a live block of this heap: Free takes it */
	eFencepostFreed = 2,    /* the start of a block of this heap that was freed */
	eFencepostInside = 3,   /* in a block of this heap, live or freed, but not at its start;
	                         * or in   the padding or guard beside one */
	eFencepostOther = 4,    /* in, or beside, a block of another heap, live or freed; under
	                         * fencepost run also malloc's and new's, which are one heap */
	eFencepostForgotten = 5 /* in memory of Fencepost's heaps where no block is known: the
	                         * record of a freed one was dropped (the `history` option), or
	                         * none was ever handed out there */
} EFencepostPointer;

/* A live block, for the length of a FencepostWalk. */
struct FencepostBlock {
	void *address;              /* what Alloc returned */
	SIZE_T size;                /* what was asked for, in bytes */
	uint64_t serial;            /* 1 for the first block of the process */
	EMemoryCriticalLevel level; /* it was asked for with */
	uint32_t thread;            /* the kernel's id of the thread that asked */
};

/* Called by Walk for one block. Returns false to end the walk. */
typedef bool (*FencepostWalk)(const struct FencepostBlock *block, void *user);

/*
 * Realloc(pMem, cbSize, eCriticalLevel, ppMem): a block of cbSize bytes, in *ppMem, that begins
 *   with what the block pMem holds, which is freed. Blocks never grow in place, so that whoever
 *   kept the old address is found out. pMem NULL is Alloc; cbSize 0 gives a unique block. On
 *   every failure *ppMem is NULL and pMem is as it was.
 *   E_OUTOFMEMORY            as Alloc
 *   E_POINTER                ppMem is NULL
 *   HOST_E_INVALIDOPERATION  pMem is no live block of this heap: a finding, as of Free
 *
 * GetSize(pMem, pcbSize): the bytes that were asked for, in *pcbSize; 0 there on failure.
 *   E_POINTER                pcbSize is NULL
 *   HOST_E_INVALIDOPERATION  pMem is no live block of this heap; no finding
 *
 * DidAlloc(pMem): S_OK when pMem is the start of a live block of this heap, S_FALSE when not.
 *
 * Identify(pMem, pePointer): what pMem is to this heap, in *pePointer; pMem may have any value,
 *   and is never accessed. No finding. An adapter under a library that frees what others
 *   allocated, too, passes eFencepostForeign on to them, and all else to Free, which takes live
 *   blocks and reports the rest.
 *     Other threads may free the block, or allocate it, at the same time: who has a reference
 * to it can rely on the answer. A freed block stays eFencepostFreed for as long as its record
 * is kept and its memory is not handed out again: that of a guarded block is not while address
 *   space lasts, that of a padded one (see the report's "protection") soon, and then the answer
 *   is about the new block.
 *     Blocks of malloc that `sample` or a shortage left to libc are eFencepostForeign.
 *   E_POINTER                pePointer is NULL
 *   On every failure *pePointer is eFencepostForeign.
 *
 * Check(pMem): verifies the padding of the block pMem now rather than at its Free; of every
 *   live block of the process with NULL.
 *   HOST_E_INVALIDOPERATION  padding was written to, or pMem is no live block of this heap; in
 *                            the first case a finding, which is made once
 *
 * Lock(), Unlock(): between them the calling thread, and it alone, is served. Calls of others
 *   wait, as long as lock_timeout_ms says; what they had begun before may still end. A thread
 *   may lock again what it has locked. For a heap without MALLOC_THREADSAFE others do not wait:
 *   they get HOST_E_NOT_OWNER.
 *   HOST_E_TIMEOUT           another thread has the heap locked, and kept it
 *   HOST_E_ABANDONED         the thread that had it locked has ended, or the heap was released;
 *                            in the first case the next call finds it free
 *   HOST_E_NOT_OWNER         Unlock: another thread has the heap locked, or nobody
 *   Each of these is a finding with the stacks of both threads.
 *
 * Walk(walk, user): calls walk for each live block, in no order, with the heap locked. walk may
 *   call the heap, also to free blocks; the walk is over the blocks that lived when it began.
 *   E_OUTOFMEMORY            no memory for the list of blocks
 *   E_POINTER                walk is NULL
 */
/* One method a line, as in the SDK. */
/* clang-format off */
FP_IID(IID_IFencepostMalloc, IFencepostMalloc, 0xe788e7ff, 0xff84, 0x4e48, 0x8c, 0x09, 0x5a, 0x5c, 0x9a, 0x15, 0x2b, 0x84)

#if defined(__cplusplus) && !defined(CINTERFACE)
struct IFencepostMalloc : public IHostMalloc {
	virtual HRESULT STDMETHODCALLTYPE Realloc(void *pMem, SIZE_T cbSize, EMemoryCriticalLevel eCriticalLevel, void **ppMem) = 0;
	virtual HRESULT STDMETHODCALLTYPE GetSize(void *pMem, SIZE_T *pcbSize) = 0;
	virtual HRESULT STDMETHODCALLTYPE DidAlloc(void *pMem) = 0;
	virtual HRESULT STDMETHODCALLTYPE Check(void *pMem) = 0;
	virtual HRESULT STDMETHODCALLTYPE Lock() = 0;
	virtual HRESULT STDMETHODCALLTYPE Unlock() = 0;
	virtual HRESULT STDMETHODCALLTYPE Walk(FencepostWalk walk, void *user) = 0;
	virtual HRESULT STDMETHODCALLTYPE Identify(void *pMem, EFencepostPointer *pePointer) = 0;
};
#else
typedef struct IFencepostMallocVtbl {
	HRESULT (STDMETHODCALLTYPE *QueryInterface)(IFencepostMalloc *This, REFIID riid, void **ppvObject);
	ULONG (STDMETHODCALLTYPE *AddRef)(IFencepostMalloc *This);
	ULONG (STDMETHODCALLTYPE *Release)(IFencepostMalloc *This);
	HRESULT (STDMETHODCALLTYPE *Alloc)(IFencepostMalloc *This, SIZE_T cbSize, EMemoryCriticalLevel eCriticalLevel, void **ppMem);
	HRESULT (STDMETHODCALLTYPE *DebugAlloc)(IFencepostMalloc *This, SIZE_T cbSize, EMemoryCriticalLevel eCriticalLevel, char *pszFileName, int iLineNo, void **ppMem);
	HRESULT (STDMETHODCALLTYPE *Free)(IFencepostMalloc *This, void *pMem);
	HRESULT (STDMETHODCALLTYPE *Realloc)(IFencepostMalloc *This, void *pMem, SIZE_T cbSize, EMemoryCriticalLevel eCriticalLevel, void **ppMem);
	HRESULT (STDMETHODCALLTYPE *GetSize)(IFencepostMalloc *This, void *pMem, SIZE_T *pcbSize);
	HRESULT (STDMETHODCALLTYPE *DidAlloc)(IFencepostMalloc *This, void *pMem);
	HRESULT (STDMETHODCALLTYPE *Check)(IFencepostMalloc *This, void *pMem);
	HRESULT (STDMETHODCALLTYPE *Lock)(IFencepostMalloc *This);
	HRESULT (STDMETHODCALLTYPE *Unlock)(IFencepostMalloc *This);
	HRESULT (STDMETHODCALLTYPE *Walk)(IFencepostMalloc *This, FencepostWalk walk, void *user);
	HRESULT (STDMETHODCALLTYPE *Identify)(IFencepostMalloc *This, void *pMem, EFencepostPointer *pePointer);
} IFencepostMallocVtbl;

struct IFencepostMalloc {
	CONST_VTBL struct IFencepostMallocVtbl *lpVtbl;
};

#ifdef COBJMACROS
#define IFencepostMalloc_QueryInterface(This, riid, ppvObject) \
	((This)->lpVtbl->QueryInterface(This, riid, ppvObject))
#define IFencepostMalloc_AddRef(This) ((This)->lpVtbl->AddRef(This))
#define IFencepostMalloc_Release(This) ((This)->lpVtbl->Release(This))
#define IFencepostMalloc_Alloc(This, cbSize, eCriticalLevel, ppMem) \
	((This)->lpVtbl->Alloc(This, cbSize, eCriticalLevel, ppMem))
#define IFencepostMalloc_DebugAlloc(This, cbSize, eCriticalLevel, pszFileName, iLineNo, ppMem) \
	((This)->lpVtbl->DebugAlloc(This, cbSize, eCriticalLevel, pszFileName, iLineNo, ppMem))
#define IFencepostMalloc_Free(This, pMem) ((This)->lpVtbl->Free(This, pMem))
#define IFencepostMalloc_Realloc(This, pMem, cbSize, eCriticalLevel, ppMem) \
	((This)->lpVtbl->Realloc(This, pMem, cbSize, eCriticalLevel, ppMem))
#define IFencepostMalloc_GetSize(This, pMem, pcbSize) ((This)->lpVtbl->GetSize(This, pMem, pcbSize))
#define IFencepostMalloc_DidAlloc(This, pMem) ((This)->lpVtbl->DidAlloc(This, pMem))
#define IFencepostMalloc_Check(This, pMem) ((This)->lpVtbl->Check(This, pMem))
#define IFencepostMalloc_Lock(This) ((This)->lpVtbl->Lock(This))
#define IFencepostMalloc_Unlock(This) ((This)->lpVtbl->Unlock(This))
#define IFencepostMalloc_Walk(This, walk, user) ((This)->lpVtbl->Walk(This, walk, user))
#define IFencepostMalloc_Identify(This, pMem, pePointer) \
	((This)->lpVtbl->Identify(This, pMem, pePointer))
#endif
#endif
/* clang-format on */

#if !defined(__cplusplus) && defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L
_Static_assert(offsetof(IFencepostMallocVtbl, Realloc) == sizeof(IHostMallocVtbl) &&
                       sizeof(IFencepostMallocVtbl) == 14 * sizeof(void *),
               "the slots of IFencepostMalloc follow those of IHostMalloc");
#endif

#endif /* FENCEPOST_EXTENSION_H */
