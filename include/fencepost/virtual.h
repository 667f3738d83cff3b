/* SPDX-License-Identifier: Apache-2.0
 *
 * Flags, protections and the answer of VirtualQuery, with Win32's names and values. Included by
 * hosting.h, not meant to be included alone. Where a header of Windows, Wine or the .NET PAL
 * was included first, its definitions are taken.
 */
#ifndef FENCEPOST_VIRTUAL_H
#define FENCEPOST_VIRTUAL_H

#include <fencepost/com.h>

/* MEM_FREE, MEM_PRIVATE and MEM_MAPPED are answers; the others are asked for. */
#ifndef MEM_COMMIT
#define MEM_COMMIT 0x1000
#define MEM_RESERVE 0x2000
#define MEM_DECOMMIT 0x4000
#define MEM_RELEASE 0x8000
#define MEM_FREE 0x10000
#define MEM_PRIVATE 0x20000
#define MEM_MAPPED 0x40000
#define MEM_RESET 0x80000
#define MEM_TOP_DOWN 0x100000

typedef struct _MEMORY_BASIC_INFORMATION {
	void *BaseAddress;       /* the page asked about */
	void *AllocationBase;    /* where its reservation begins */
	DWORD AllocationProtect; /* the protection that was reserved with */
	SIZE_T RegionSize;       /* bytes of pages alike from BaseAddress on */
	DWORD State;             /* MEM_COMMIT, MEM_RESERVE or MEM_FREE */
	DWORD Protect;           /* of committed pages, else 0 */
	DWORD Type;              /* MEM_PRIVATE or MEM_MAPPED; of free pages 0 */
} MEMORY_BASIC_INFORMATION, *PMEMORY_BASIC_INFORMATION;
#endif

/* What VirtualAlloc here refuses with E_INVALIDARG, for callers that probe, and the one answer
 * of Windows that VirtualQuery here never gives (MEM_IMAGE). */
#ifndef MEM_WRITE_WATCH
#define MEM_WRITE_WATCH 0x200000
#endif
#ifndef MEM_PHYSICAL
#define MEM_PHYSICAL 0x400000
#endif
#ifndef MEM_RESET_UNDO
#define MEM_RESET_UNDO 0x1000000
#endif
#ifndef MEM_IMAGE
#define MEM_IMAGE 0x1000000
#endif
#ifndef MEM_LARGE_PAGES
#define MEM_LARGE_PAGES 0x20000000
#endif
#ifndef PAGE_WRITECOPY
#define PAGE_WRITECOPY 0x08
#endif
#ifndef PAGE_EXECUTE_WRITECOPY
#define PAGE_EXECUTE_WRITECOPY 0x80
#endif

/* One of the first six; the others are added to it. */
#ifndef PAGE_READWRITE
#define PAGE_NOACCESS 0x01
#define PAGE_READONLY 0x02
#define PAGE_READWRITE 0x04
#define PAGE_EXECUTE 0x10
#define PAGE_EXECUTE_READ 0x20
#define PAGE_EXECUTE_READWRITE 0x40
#define PAGE_GUARD 0x100
#define PAGE_NOCACHE 0x200
#define PAGE_WRITECOMBINE 0x400
#endif

/* As on Windows, where the pointers are 64 or 32 bits wide. */
#if defined(__cplusplus) && __cplusplus >= 201103L
static_assert(sizeof(MEMORY_BASIC_INFORMATION) == (sizeof(void *) == 8 ? 48 : 28),
              "MEMORY_BASIC_INFORMATION is laid out as on Windows");
#elif defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L
_Static_assert(sizeof(MEMORY_BASIC_INFORMATION) == (sizeof(void *) == 8 ? 48 : 28),
               "MEMORY_BASIC_INFORMATION is laid out as on Windows");
#endif

#endif /* FENCEPOST_VIRTUAL_H */
