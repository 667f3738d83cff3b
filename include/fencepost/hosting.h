/* SPDX-License-Identifier: Apache-2.0
 *
 * The memory interfaces of the .NET Framework hosting API, with the names, slots, types and
 * values of the SDK's mscoree.h, for C (lpVtbl, COBJMACROS, CINTERFACE, CONST_VTABLE) and for
 * C++ (abstract classes). fp_create_memory_manager() in <fencepost/fencepost.h> returns an
 * IHostMemoryManager; a host may implement the same interfaces itself.
 *
 * Where the Windows SDK, the .NET PAL or the WSL stubs were included first, this header takes
 * their types and interfaces and adds only what they lack. Include it after them. The IIDs are
 * objects of libfencepost.
 *
 * Contract: Microsoft's "Unmanaged API Reference", Hosting Interfaces (IHostMalloc,
 * IHostMemoryManager), and, where those pages are silent, what the runtimes that called
 * these interfaces relied on; such rules are marked [caller]. What is marked [Fencepost] is
 * this implementation's choice where the contract leaves one.
 *
 * Every method may be called on any thread, but, VirtualQuery apart, not from a signal handler.
 * None throws, calls back into the caller or changes errno. Out parameters are written on every
 * path.
 */
#ifndef FENCEPOST_HOSTING_H
#define FENCEPOST_HOSTING_H

#include <fencepost/com.h>
#include <fencepost/virtual.h>

/* ---- Results ----------------------------------------------------------------------- */

/*
 * The codes every hosting method may return. What they mean here:
 *   S_OK                     done
 *   E_FAIL                   this heap can serve nobody any more (see heap-unusable in the
 *                            report); every later call returns HOST_E_CLRNOTAVAILABLE
 *   HOST_E_INVALIDOPERATION  the caller misused the heap; the report says how
 *   HOST_E_CLRNOTAVAILABLE   the heap failed earlier
 *   HOST_E_TIMEOUT, HOST_E_NOT_OWNER, HOST_E_ABANDONED
 *                            a lock was not free in time; two threads were inside a heap
 *                            without MALLOC_THREADSAFE; the heap went away while waiting
 */
#ifndef HOST_E_INVALIDOPERATION
#define HOST_E_DEADLOCK ((HRESULT)0x80131020)
#define HOST_E_INTERRUPTED ((HRESULT)0x80131021)
#define HOST_E_INVALIDOPERATION ((HRESULT)0x80131022)
#define HOST_E_CLRNOTAVAILABLE ((HRESULT)0x80131023)
#define HOST_E_TIMEOUT ((HRESULT)0x80131024)
#define HOST_E_NOT_OWNER ((HRESULT)0x80131025)
#define HOST_E_ABANDONED ((HRESULT)0x80131026)
#define HOST_E_EXITPROCESS_THREADABORT ((HRESULT)0x80131027)
#define HOST_E_EXITPROCESS_ADUNLOAD ((HRESULT)0x80131028)
#define HOST_E_EXITPROCESS_TIMEOUT ((HRESULT)0x80131029)
#define HOST_E_EXITPROCESS_OUTOFMEMORY ((HRESULT)0x8013102A)
#define HOST_E_EXITPROCESS_STACKOVERFLOW ((HRESULT)0x8013102B)
#endif

/* ---- Enumerations ------------------------------------------------------------------ */

#ifndef __IHostMalloc_INTERFACE_DEFINED__
/* What is lost when a request fails: the task, its application domain, or the process. */
typedef enum {
	eTaskCritical = 0,
	eAppDomainCritical = 1,
	eProcessCritical = 2
} EMemoryCriticalLevel;
#endif

#ifndef __IHostMemoryManager_INTERFACE_DEFINED__
/* Flags of CreateMalloc. THREADSAFE: several threads may call the heap at once; without it
 * the caller serializes. EXECUTABLE: code may be run from blocks. */
typedef enum { MALLOC_THREADSAFE = 0x1, MALLOC_EXECUTABLE = 0x2 } MALLOC_TYPE;
#endif

#ifndef __ICLRMemoryNotificationCallback_INTERFACE_DEFINED__
/* How much memory the machine has left. */
typedef enum {
	eMemoryAvailableLow = 1,
	eMemoryAvailableNeutral = 2,
	eMemoryAvailableHigh = 3
} EMemoryAvailable;
#endif

/* ---- Forward declarations ------------------------------------------------------------ */

#ifndef __IHostMalloc_FWD_DEFINED__
#define __IHostMalloc_FWD_DEFINED__
typedef struct IHostMalloc IHostMalloc;
#endif
#ifndef __ICLRMemoryNotificationCallback_FWD_DEFINED__
#define __ICLRMemoryNotificationCallback_FWD_DEFINED__
typedef struct ICLRMemoryNotificationCallback ICLRMemoryNotificationCallback;
#endif
#ifndef __IHostMemoryManager_FWD_DEFINED__
#define __IHostMemoryManager_FWD_DEFINED__
typedef struct IHostMemoryManager IHostMemoryManager;
#endif
#ifndef __IHostControl_FWD_DEFINED__
#define __IHostControl_FWD_DEFINED__
typedef struct IHostControl IHostControl;
#endif

/* One method a line, as in the SDK. */
/* clang-format off */

/* ---- IHostMalloc ------------------------------------------------------------------- */

/*
 * One heap. Blocks are freed through the heap that gave them. When its last reference goes, live
 * blocks stay valid, can be freed no more and count as leaks; calls on it are findings [Fencepost].
 *
 * Alloc(cbSize, eCriticalLevel, ppMem): cbSize bytes, aligned to 16 bytes (the `align` option),
 *   contents undefined, in *ppMem; the caller owns the block until Free. NULL in *ppMem on
 *   every failure. cbSize 0 gives a unique block [caller].
 *   E_OUTOFMEMORY            no memory or address space, or cbSize too large for any: a finding
 *                            that names the limit; or the `fail_alloc` option chose it
 *   E_POINTER                ppMem is NULL [Fencepost]
 *   HOST_E_INVALIDOPERATION  the heap was released; a finding [Fencepost]
 *
 * DebugAlloc(cbSize, eCriticalLevel, pszFileName, iLineNo, ppMem): Alloc on behalf of a source
 *   line, which every report of the block names. pszFileName is copied, never written, and
 *   may be NULL. Same results; Free takes the block back.
 *
 * Free(pMem): give a live block of this heap back. NULL is S_OK and does nothing [caller].
 *   HOST_E_INVALIDOPERATION  a finding, and the heap stays usable. Either pMem is no live block
 *                            of this heap: freed already, inside a block, another heap's, or
 *                            never a block; or the heap was released: then nothing changes.
 *                            Or the block's padding was written to: then the block is freed
 *                            all the same [Fencepost].
 */
#ifndef __IHostMalloc_INTERFACE_DEFINED__
#define __IHostMalloc_INTERFACE_DEFINED__
FP_IID(IID_IHostMalloc, IHostMalloc, 0x1831991c, 0xcc53, 0x4a31, 0xb2, 0x18, 0x04, 0xe9, 0x10, 0x44, 0x64, 0x79)

#if defined(__cplusplus) && !defined(CINTERFACE)
struct IHostMalloc : public IUnknown {
	virtual HRESULT STDMETHODCALLTYPE Alloc(SIZE_T cbSize, EMemoryCriticalLevel eCriticalLevel,
						void **ppMem) = 0;
	virtual HRESULT STDMETHODCALLTYPE DebugAlloc(SIZE_T cbSize,
						     EMemoryCriticalLevel eCriticalLevel,
						     char *pszFileName, int iLineNo,
						     void **ppMem) = 0;
	virtual HRESULT STDMETHODCALLTYPE Free(void *pMem) = 0;
};
#else
typedef struct IHostMallocVtbl {
	HRESULT (STDMETHODCALLTYPE *QueryInterface)(IHostMalloc *This, REFIID riid, void **ppvObject);
	ULONG (STDMETHODCALLTYPE *AddRef)(IHostMalloc *This);
	ULONG (STDMETHODCALLTYPE *Release)(IHostMalloc *This);
	HRESULT (STDMETHODCALLTYPE *Alloc)(IHostMalloc *This, SIZE_T cbSize,
					   EMemoryCriticalLevel eCriticalLevel, void **ppMem);
	HRESULT (STDMETHODCALLTYPE *DebugAlloc)(IHostMalloc *This, SIZE_T cbSize,
						EMemoryCriticalLevel eCriticalLevel,
						char *pszFileName, int iLineNo, void **ppMem);
	HRESULT (STDMETHODCALLTYPE *Free)(IHostMalloc *This, void *pMem);
} IHostMallocVtbl;

struct IHostMalloc {
	CONST_VTBL struct IHostMallocVtbl *lpVtbl;
};

#ifdef COBJMACROS
#define IHostMalloc_QueryInterface(This, riid, ppvObject) \
	((This)->lpVtbl->QueryInterface(This, riid, ppvObject))
#define IHostMalloc_AddRef(This) ((This)->lpVtbl->AddRef(This))
#define IHostMalloc_Release(This) ((This)->lpVtbl->Release(This))
#define IHostMalloc_Alloc(This, cbSize, eCriticalLevel, ppMem) \
	((This)->lpVtbl->Alloc(This, cbSize, eCriticalLevel, ppMem))
#define IHostMalloc_DebugAlloc(This, cbSize, eCriticalLevel, pszFileName, iLineNo, ppMem) \
	((This)->lpVtbl->DebugAlloc(This, cbSize, eCriticalLevel, pszFileName, iLineNo, ppMem))
#define IHostMalloc_Free(This, pMem) ((This)->lpVtbl->Free(This, pMem))
#endif
#endif
#endif

/* ---- ICLRMemoryNotificationCallback --------------------------------------------------- */

/*
 * Implemented by the runtime, called by the host.
 *
 * OnMemoryNotification(eMemoryAvailable): the state of the machine's memory changed. Returns
 *   at once; S_OK also before the runtime has started.
 */
#ifndef __ICLRMemoryNotificationCallback_INTERFACE_DEFINED__
#define __ICLRMemoryNotificationCallback_INTERFACE_DEFINED__
FP_IID(IID_ICLRMemoryNotificationCallback, ICLRMemoryNotificationCallback, 0x47eb8e57, 0x0846, 0x4546, 0xaf, 0x76, 0x6f, 0x42, 0xfc, 0xfc, 0x26, 0x49)

#if defined(__cplusplus) && !defined(CINTERFACE)
struct ICLRMemoryNotificationCallback : public IUnknown {
	virtual HRESULT STDMETHODCALLTYPE OnMemoryNotification(EMemoryAvailable eMemoryAvailable) = 0;
};
#else
typedef struct ICLRMemoryNotificationCallbackVtbl {
	HRESULT (STDMETHODCALLTYPE *QueryInterface)(ICLRMemoryNotificationCallback *This,
						    REFIID riid, void **ppvObject);
	ULONG (STDMETHODCALLTYPE *AddRef)(ICLRMemoryNotificationCallback *This);
	ULONG (STDMETHODCALLTYPE *Release)(ICLRMemoryNotificationCallback *This);
	HRESULT (STDMETHODCALLTYPE *OnMemoryNotification)(ICLRMemoryNotificationCallback *This,
							  EMemoryAvailable eMemoryAvailable);
} ICLRMemoryNotificationCallbackVtbl;

struct ICLRMemoryNotificationCallback {
	CONST_VTBL struct ICLRMemoryNotificationCallbackVtbl *lpVtbl;
};

#ifdef COBJMACROS
#define ICLRMemoryNotificationCallback_QueryInterface(This, riid, ppvObject) \
	((This)->lpVtbl->QueryInterface(This, riid, ppvObject))
#define ICLRMemoryNotificationCallback_AddRef(This) ((This)->lpVtbl->AddRef(This))
#define ICLRMemoryNotificationCallback_Release(This) ((This)->lpVtbl->Release(This))
#define ICLRMemoryNotificationCallback_OnMemoryNotification(This, eMemoryAvailable) \
	((This)->lpVtbl->OnMemoryNotification(This, eMemoryAvailable))
#endif
#endif
#endif

/* ---- IHostMemoryManager ------------------------------------------------------------- */

/*
 * CreateMalloc(dwMallocType, ppMalloc): a new, empty heap, with a reference that the caller
 *   owns. dwMallocType is an OR of MALLOC_TYPE, 0 included. NULL in *ppMalloc on failure.
 *   E_INVALIDARG   dwMallocType has other bits [Fencepost]
 *   E_OUTOFMEMORY  no memory for the heap
 *   E_POINTER      ppMalloc is NULL [Fencepost]
 *
 * Sizes are in bytes, flags and protections Win32's. A region is one reservation: it begins at a
 * multiple of 64 KiB and has whole pages, which are reserved, committed or decommitted. Each
 * region stands between two guards [Fencepost]; one reserved at an address right beside another
 * has none there. Misuse is a finding, and a call that fails has changed nothing. The common
 * codes that are not named below are never returned: no call waits, or can break more than
 * itself.
 *
 * VirtualAlloc(pAddress, dwSize, flAllocationType, flProtect, eCriticalLevel, ppMem): as the flags
 *   say. The result is in *ppMem, which is written only; NULL on failure.
 *     MEM_RESERVE   a new region, anywhere when pAddress is NULL, else at pAddress rounded down
 *                   to 64 KiB or nowhere; up to the page of the last byte asked for
 *     MEM_COMMIT    every page that the range touches, which must be of one region; zeros, but
 *                   pages committed before keep their content and take flProtect. With
 *                   MEM_RESERVE, or with a NULL pAddress [caller], the new region's pages
 *     MEM_RESET     alone: the content of committed pages is not needed any more, and gone at
 *                   once [Fencepost]. flProtect must be valid and is ignored
 *     MEM_TOP_DOWN  is accepted; Linux places from the top in any case
 *   flProtect is one PAGE_ value, with PAGE_GUARD, PAGE_NOCACHE or PAGE_WRITECOMBINE where Win32
 *   permits them. The first access to a page with PAGE_GUARD raises SIGSEGV and ends its guard; the other
 *   two change nothing here.
 *   E_INVALIDARG             dwSize is 0, or an unknown flag, combination or protection; also
 *                            MEM_WRITE_WATCH, MEM_LARGE_PAGES, MEM_PHYSICAL, MEM_RESET_UNDO and
 *                            write copying, which callers probe for
 *   E_OUTOFMEMORY            no memory or address space, or that at pAddress is taken
 *   HOST_E_INVALIDOPERATION  a finding: MEM_COMMIT or MEM_RESET of pages that are not all of
 *                            one region, or MEM_RESET of pages that are not committed
 *   E_POINTER                ppMem is NULL [Fencepost]
 *
 * VirtualFree(lpAddress, dwSize, dwFreeType): either
 *     MEM_DECOMMIT  every page that the range touches becomes reserved and loses its content; a
 *                   region's start with dwSize 0 means all of it; pages that are not committed
 *                   are fine
 *     MEM_RELEASE   dwSize is 0, lpAddress is what the reservation returned: all of the region.
 *                   It stays inaccessible, so that later use is found, for as long as address
 *                   space lasts or until it is reserved by address
 *   E_INVALIDARG             a finding: another dwFreeType, or MEM_RELEASE with a size
 *   HOST_E_INVALIDOPERATION  a finding: lpAddress is in no region, in one that was released, or
 *                            not the start of one where it has to be; or the range ends outside
 *   E_OUTOFMEMORY            the system refused to take the pages back
 *
 * VirtualQuery(lpAddress, lpBuffer, dwLength, pResult): what is at lpAddress, into the
 *   MEMORY_BASIC_INFORMATION at lpBuffer; *pResult: bytes written. Memory that is not from here
 *   is looked up in /proc/self/maps, one mapping being one allocation. Guards and released regions
 *   are MEM_FREE: they may be reserved by address. Takes no lock, allocates nothing and waits for no
 *   thread: may be called while any others are suspended, and in signal handlers.
 *   E_INVALIDARG   dwLength is less than the structure, or lpAddress above all memory
 *   E_OUTOFMEMORY  lpAddress is in no region and there is no descriptor to look further
 *   E_POINTER      lpBuffer or pResult is NULL [Fencepost]
 *
 * VirtualProtect(lpAddress, dwSize, flNewProtect, pflOldProtect): every page that the range
 *   touches, all committed and of one region. *pflOldProtect: protection of the first before, 0
 *   on failure.
 *   E_INVALIDARG             dwSize is 0, or flNewProtect is no protection
 *   HOST_E_INVALIDOPERATION  a finding: pages that are not committed, or not all of one region
 *   E_OUTOFMEMORY            the system refused (vm.max_map_count)
 *   E_POINTER                pflOldProtect is NULL, as Win32
 *
 * GetMemoryLoad(pMemoryLoad, pAvailableBytes): percent of memory in use, and bytes that may
 *   still be used without swapping: of the machine, or of the memory cgroup (v1 or v2, or one
 *   above it) that has the least to give. The bytes are no more than the address space that
 *   RLIMIT_AS leaves; without that limit address space is always plenty [Fencepost].
 *   E_POINTER      pMemoryLoad or pAvailableBytes is NULL; the other one is 0 then [Fencepost]
 *   E_OUTOFMEMORY  /proc/meminfo cannot be read
 *
 * RegisterMemoryNotificationCallback(pCallback): whom to tell of each change of how much memory
 *   is left; replaces the one before, NULL ends it [Fencepost]. It is AddRef'd, and released once
 *   it is replaced or the manager's last reference goes, and its last call has returned. The
 *   state is taken to be neutral at first. Low: a task waited for memory for a tenth of two
 *   seconds (pressure-stall information of the cgroup or the machine, where the kernel has it),
 *   or less than a 32nd is left. High: more than a quarter is left, and nobody waited for ten
 *   seconds. Calls come one at a time from a thread of libfencepost, which has all signals blocked
 *   but those of its own faults and of leak checks, 256 KiB of stack, and no lock of libfencepost. In the child of a
 *   fork they go on with the child's next call of any method of the manager.
 *   E_OUTOFMEMORY  no thread could be made; the one before goes on being told
 *
 * NeedsVirtualAddressSpace(startAddress, size): a mapping of the caller's failed for lack of
 *   address space. S_OK: that of released regions was given back, try again. E_OUTOFMEMORY:
 *   there was none. Counted in the report.
 * AcquiredVirtualAddressSpace(startAddress, size), ReleasedVirtualAddressSpace(startAddress):
 *   the caller mapped, or unmapped, a file by itself. S_OK; counted in the report.
 */
#ifndef __IHostMemoryManager_INTERFACE_DEFINED__
#define __IHostMemoryManager_INTERFACE_DEFINED__
FP_IID(IID_IHostMemoryManager, IHostMemoryManager, 0x7bc698d1, 0xf9e3, 0x4460, 0x9c, 0xde, 0xd0, 0x42, 0x48, 0xe9, 0xfa, 0x25)

#if defined(__cplusplus) && !defined(CINTERFACE)
struct IHostMemoryManager : public IUnknown {
	virtual HRESULT STDMETHODCALLTYPE CreateMalloc(DWORD dwMallocType,
						       IHostMalloc **ppMalloc) = 0;
	virtual HRESULT STDMETHODCALLTYPE VirtualAlloc(void *pAddress, SIZE_T dwSize,
						       DWORD flAllocationType, DWORD flProtect,
						       EMemoryCriticalLevel eCriticalLevel,
						       void **ppMem) = 0;
	virtual HRESULT STDMETHODCALLTYPE VirtualFree(LPVOID lpAddress, SIZE_T dwSize,
						      DWORD dwFreeType) = 0;
	virtual HRESULT STDMETHODCALLTYPE VirtualQuery(void *lpAddress, void *lpBuffer,
						       SIZE_T dwLength, SIZE_T *pResult) = 0;
	virtual HRESULT STDMETHODCALLTYPE VirtualProtect(void *lpAddress, SIZE_T dwSize,
							 DWORD flNewProtect,
							 DWORD *pflOldProtect) = 0;
	virtual HRESULT STDMETHODCALLTYPE GetMemoryLoad(DWORD *pMemoryLoad,
							SIZE_T *pAvailableBytes) = 0;
	virtual HRESULT STDMETHODCALLTYPE
	RegisterMemoryNotificationCallback(ICLRMemoryNotificationCallback *pCallback) = 0;
	virtual HRESULT STDMETHODCALLTYPE NeedsVirtualAddressSpace(LPVOID startAddress,
								   SIZE_T size) = 0;
	virtual HRESULT STDMETHODCALLTYPE AcquiredVirtualAddressSpace(LPVOID startAddress,
								      SIZE_T size) = 0;
	virtual HRESULT STDMETHODCALLTYPE ReleasedVirtualAddressSpace(LPVOID startAddress) = 0;
};
#else
typedef struct IHostMemoryManagerVtbl {
	HRESULT (STDMETHODCALLTYPE *QueryInterface)(IHostMemoryManager *This, REFIID riid,
						    void **ppvObject);
	ULONG (STDMETHODCALLTYPE *AddRef)(IHostMemoryManager *This);
	ULONG (STDMETHODCALLTYPE *Release)(IHostMemoryManager *This);
	HRESULT (STDMETHODCALLTYPE *CreateMalloc)(IHostMemoryManager *This, DWORD dwMallocType,
						  IHostMalloc **ppMalloc);
	HRESULT (STDMETHODCALLTYPE *VirtualAlloc)(IHostMemoryManager *This, void *pAddress,
						  SIZE_T dwSize, DWORD flAllocationType,
						  DWORD flProtect,
						  EMemoryCriticalLevel eCriticalLevel, void **ppMem);
	HRESULT (STDMETHODCALLTYPE *VirtualFree)(IHostMemoryManager *This, LPVOID lpAddress,
						 SIZE_T dwSize, DWORD dwFreeType);
	HRESULT (STDMETHODCALLTYPE *VirtualQuery)(IHostMemoryManager *This, void *lpAddress,
						  void *lpBuffer, SIZE_T dwLength, SIZE_T *pResult);
	HRESULT (STDMETHODCALLTYPE *VirtualProtect)(IHostMemoryManager *This, void *lpAddress,
						    SIZE_T dwSize, DWORD flNewProtect,
						    DWORD *pflOldProtect);
	HRESULT (STDMETHODCALLTYPE *GetMemoryLoad)(IHostMemoryManager *This, DWORD *pMemoryLoad,
						   SIZE_T *pAvailableBytes);
	HRESULT (STDMETHODCALLTYPE *RegisterMemoryNotificationCallback)(
		IHostMemoryManager *This, ICLRMemoryNotificationCallback *pCallback);
	HRESULT (STDMETHODCALLTYPE *NeedsVirtualAddressSpace)(IHostMemoryManager *This,
							      LPVOID startAddress, SIZE_T size);
	HRESULT (STDMETHODCALLTYPE *AcquiredVirtualAddressSpace)(IHostMemoryManager *This,
								 LPVOID startAddress, SIZE_T size);
	HRESULT (STDMETHODCALLTYPE *ReleasedVirtualAddressSpace)(IHostMemoryManager *This,
								 LPVOID startAddress);
} IHostMemoryManagerVtbl;

struct IHostMemoryManager {
	CONST_VTBL struct IHostMemoryManagerVtbl *lpVtbl;
};

#ifdef COBJMACROS
#define IHostMemoryManager_QueryInterface(This, riid, ppvObject) \
	((This)->lpVtbl->QueryInterface(This, riid, ppvObject))
#define IHostMemoryManager_AddRef(This) ((This)->lpVtbl->AddRef(This))
#define IHostMemoryManager_Release(This) ((This)->lpVtbl->Release(This))
#define IHostMemoryManager_CreateMalloc(This, dwMallocType, ppMalloc) \
	((This)->lpVtbl->CreateMalloc(This, dwMallocType, ppMalloc))
#define IHostMemoryManager_VirtualAlloc(This, pAddress, dwSize, flAllocationType, flProtect, \
					eCriticalLevel, ppMem)                               \
	((This)->lpVtbl->VirtualAlloc(This, pAddress, dwSize, flAllocationType, flProtect,   \
				      eCriticalLevel, ppMem))
#define IHostMemoryManager_VirtualFree(This, lpAddress, dwSize, dwFreeType) \
	((This)->lpVtbl->VirtualFree(This, lpAddress, dwSize, dwFreeType))
#define IHostMemoryManager_VirtualQuery(This, lpAddress, lpBuffer, dwLength, pResult) \
	((This)->lpVtbl->VirtualQuery(This, lpAddress, lpBuffer, dwLength, pResult))
#define IHostMemoryManager_VirtualProtect(This, lpAddress, dwSize, flNewProtect, pflOldProtect) \
	((This)->lpVtbl->VirtualProtect(This, lpAddress, dwSize, flNewProtect, pflOldProtect))
#define IHostMemoryManager_GetMemoryLoad(This, pMemoryLoad, pAvailableBytes) \
	((This)->lpVtbl->GetMemoryLoad(This, pMemoryLoad, pAvailableBytes))
#define IHostMemoryManager_RegisterMemoryNotificationCallback(This, pCallback) \
	((This)->lpVtbl->RegisterMemoryNotificationCallback(This, pCallback))
#define IHostMemoryManager_NeedsVirtualAddressSpace(This, startAddress, size) \
	((This)->lpVtbl->NeedsVirtualAddressSpace(This, startAddress, size))
#define IHostMemoryManager_AcquiredVirtualAddressSpace(This, startAddress, size) \
	((This)->lpVtbl->AcquiredVirtualAddressSpace(This, startAddress, size))
#define IHostMemoryManager_ReleasedVirtualAddressSpace(This, startAddress) \
	((This)->lpVtbl->ReleasedVirtualAddressSpace(This, startAddress))
#endif
#endif
#endif

/* ---- IHostControl ------------------------------------------------------------------ */

/*
 * How a runtime asks its host for managers. fp_create_host_control() returns one that has the
 * memory manager; a host with other managers of its own implements it and asks ours for that one.
 *
 * GetHostManager(riid, ppObject): the host's manager riid, with a reference that the caller owns.
 *   The runtime takes it when the result is S_OK and *ppObject is not NULL, and never releases
 *   it. NULL in *ppObject on failure.
 *   E_NOINTERFACE  the host has no such manager: here, any but IID_IHostMemoryManager
 *   E_INVALIDARG   riid is NULL, in C
 *   E_POINTER      ppObject is NULL [Fencepost]
 * SetAppDomainManager(dwAppDomainID, pUnkAppDomainManager): the manager of a new domain. S_OK;
 *   ours has no use for it and takes no reference.
 *   E_POINTER      pUnkAppDomainManager is NULL [Fencepost]
 */
#ifndef __IHostControl_INTERFACE_DEFINED__
#define __IHostControl_INTERFACE_DEFINED__
FP_IID(IID_IHostControl, IHostControl, 0x02ca073c, 0x7079, 0x4860, 0x88, 0x0a, 0xc2, 0xf7, 0xa4, 0x49, 0xc9, 0x91)

#if defined(__cplusplus) && !defined(CINTERFACE)
struct IHostControl : public IUnknown {
	virtual HRESULT STDMETHODCALLTYPE GetHostManager(REFIID riid, void **ppObject) = 0;
	virtual HRESULT STDMETHODCALLTYPE SetAppDomainManager(DWORD dwAppDomainID,
							      IUnknown *pUnkAppDomainManager) = 0;
};
#else
typedef struct IHostControlVtbl {
	HRESULT (STDMETHODCALLTYPE *QueryInterface)(IHostControl *This, REFIID riid, void **ppvObject);
	ULONG (STDMETHODCALLTYPE *AddRef)(IHostControl *This);
	ULONG (STDMETHODCALLTYPE *Release)(IHostControl *This);
	HRESULT (STDMETHODCALLTYPE *GetHostManager)(IHostControl *This, REFIID riid, void **ppObject);
	HRESULT (STDMETHODCALLTYPE *SetAppDomainManager)(IHostControl *This, DWORD dwAppDomainID,
							 IUnknown *pUnkAppDomainManager);
} IHostControlVtbl;

struct IHostControl {
	CONST_VTBL struct IHostControlVtbl *lpVtbl;
};

#ifdef COBJMACROS
#define IHostControl_QueryInterface(This, riid, ppvObject) \
	((This)->lpVtbl->QueryInterface(This, riid, ppvObject))
#define IHostControl_AddRef(This) ((This)->lpVtbl->AddRef(This))
#define IHostControl_Release(This) ((This)->lpVtbl->Release(This))
#define IHostControl_GetHostManager(This, riid, ppObject) \
	((This)->lpVtbl->GetHostManager(This, riid, ppObject))
#define IHostControl_SetAppDomainManager(This, dwAppDomainID, pUnkAppDomainManager) \
	((This)->lpVtbl->SetAppDomainManager(This, dwAppDomainID, pUnkAppDomainManager))
#endif
#endif
#endif

/* ---- Other interfaces of the hosting API ----------------------------------------------- */

/*
 * Named by hosts beside the ones above: what a runtime asks GetHostManager for, and what of the
 * runtime a host holds. Nothing here implements or calls them; their methods are in the SDK.
 */
#ifndef __IHostTaskManager_FWD_DEFINED__
#define __IHostTaskManager_FWD_DEFINED__
typedef struct IHostTaskManager IHostTaskManager;
#endif
#ifndef __IHostThreadpoolManager_FWD_DEFINED__
#define __IHostThreadpoolManager_FWD_DEFINED__
typedef struct IHostThreadpoolManager IHostThreadpoolManager;
#endif
#ifndef __IHostIoCompletionManager_FWD_DEFINED__
#define __IHostIoCompletionManager_FWD_DEFINED__
typedef struct IHostIoCompletionManager IHostIoCompletionManager;
#endif
#ifndef __IHostSyncManager_FWD_DEFINED__
#define __IHostSyncManager_FWD_DEFINED__
typedef struct IHostSyncManager IHostSyncManager;
#endif
#ifndef __IHostAssemblyManager_FWD_DEFINED__
#define __IHostAssemblyManager_FWD_DEFINED__
typedef struct IHostAssemblyManager IHostAssemblyManager;
#endif
#ifndef __IHostGCManager_FWD_DEFINED__
#define __IHostGCManager_FWD_DEFINED__
typedef struct IHostGCManager IHostGCManager;
#endif
#ifndef __IHostSecurityManager_FWD_DEFINED__
#define __IHostSecurityManager_FWD_DEFINED__
typedef struct IHostSecurityManager IHostSecurityManager;
#endif
#ifndef __IHostPolicyManager_FWD_DEFINED__
#define __IHostPolicyManager_FWD_DEFINED__
typedef struct IHostPolicyManager IHostPolicyManager;
#endif
#ifndef __ICLRRuntimeHost_FWD_DEFINED__
#define __ICLRRuntimeHost_FWD_DEFINED__
typedef struct ICLRRuntimeHost ICLRRuntimeHost;
#endif
#ifndef __ICLRControl_FWD_DEFINED__
#define __ICLRControl_FWD_DEFINED__
typedef struct ICLRControl ICLRControl;
#endif

#ifndef __IHostTaskManager_INTERFACE_DEFINED__
FP_IID(IID_IHostTaskManager, IHostTaskManager, 0x997ff24c, 0x43b7, 0x4352, 0x86, 0x67, 0x0d, 0xc0, 0x4f, 0xaf, 0xd3, 0x54)
#endif
#ifndef __IHostThreadpoolManager_INTERFACE_DEFINED__
FP_IID(IID_IHostThreadpoolManager, IHostThreadpoolManager, 0x983d50e2, 0xcb15, 0x466b, 0x80, 0xfc, 0x84, 0x5d, 0xc6, 0xe8, 0xc5, 0xfd)
#endif
#ifndef __IHostIoCompletionManager_INTERFACE_DEFINED__
FP_IID(IID_IHostIoCompletionManager, IHostIoCompletionManager, 0x8bde9d80, 0xec06, 0x41d6, 0x83, 0xe6, 0x22, 0x58, 0x0e, 0xff, 0xcc, 0x20)
#endif
#ifndef __IHostSyncManager_INTERFACE_DEFINED__
FP_IID(IID_IHostSyncManager, IHostSyncManager, 0x234330c7, 0x5f10, 0x4f20, 0x96, 0x15, 0x51, 0x22, 0xda, 0xb7, 0xa0, 0xac)
#endif
#ifndef __IHostAssemblyManager_INTERFACE_DEFINED__
FP_IID(IID_IHostAssemblyManager, IHostAssemblyManager, 0x613dabd7, 0x62b2, 0x493e, 0x9e, 0x65, 0xc1, 0xe3, 0x2a, 0x1e, 0x0c, 0x5e)
#endif
#ifndef __IHostGCManager_INTERFACE_DEFINED__
FP_IID(IID_IHostGCManager, IHostGCManager, 0x5d4ec34e, 0xf248, 0x457b, 0xb6, 0x03, 0x25, 0x5f, 0xaa, 0xba, 0x0d, 0x21)
#endif
#ifndef __IHostSecurityManager_INTERFACE_DEFINED__
FP_IID(IID_IHostSecurityManager, IHostSecurityManager, 0x75ad2468, 0xa349, 0x4d02, 0xa7, 0x64, 0x76, 0xa6, 0x8a, 0xee, 0x0c, 0x4f)
#endif
#ifndef __IHostPolicyManager_INTERFACE_DEFINED__
FP_IID(IID_IHostPolicyManager, IHostPolicyManager, 0x7ae49844, 0xb1e3, 0x4683, 0xba, 0x7c, 0x1e, 0x82, 0x12, 0xea, 0x3b, 0x79)
#endif
/* mingw-w64's mscoree.h has these two, and may come later. */
#ifdef _WIN32
FP_API_DATA const IID IID_ICLRRuntimeHost;
FP_API_DATA const IID IID_ICLRControl;
#else
FP_IID(IID_ICLRRuntimeHost, ICLRRuntimeHost, 0x90f1a06c, 0x7712, 0x4762, 0x86, 0xb5, 0x7a, 0x5e, 0xba, 0x6b, 0xdb, 0x02)
FP_IID(IID_ICLRControl, ICLRControl, 0x9065597e, 0xd1a1, 0x4fb2, 0xb6, 0xba, 0x7e, 0x1f, 0xce, 0x23, 0x0f, 0x61)
#endif

/* clang-format on */

/* ---- The binary contract --------------------------------------------------------------- */

#if defined(__cplusplus) && __cplusplus >= 201103L
#define FP_STATIC_ASSERT(condition, text) static_assert(condition, text)
#elif defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L
#define FP_STATIC_ASSERT(condition, text) _Static_assert(condition, text)
#endif
#ifdef FP_STATIC_ASSERT
FP_STATIC_ASSERT(sizeof(HRESULT) == 4 && E_FAIL < 0, "HRESULT has 32 bits and a sign");
FP_STATIC_ASSERT(sizeof(ULONG) == 4 && sizeof(DWORD) == 4, "ULONG and DWORD have 32 bits");
FP_STATIC_ASSERT(sizeof(SIZE_T) == sizeof(void *), "SIZE_T is as wide as a pointer");
FP_STATIC_ASSERT(sizeof(GUID) == 16, "a GUID has 16 bytes");
FP_STATIC_ASSERT(HOST_E_INVALIDOPERATION < 0 && HOST_E_ABANDONED < 0, "failures are negative");
FP_STATIC_ASSERT(sizeof(EMemoryCriticalLevel) == 4 && sizeof(EMemoryAvailable) == 4 &&
                         sizeof(MALLOC_TYPE) == 4,
                 "enumerations have 32 bits");
FP_STATIC_ASSERT(sizeof(IHostMalloc) == sizeof(void *) &&
                         sizeof(IHostMemoryManager) == sizeof(void *),
                 "an interface is one pointer to its table");
#undef FP_STATIC_ASSERT
#endif

#endif /* FENCEPOST_HOSTING_H */
