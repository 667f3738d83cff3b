/* SPDX-License-Identifier: Apache-2.0
 *
 * Defines the interface identifiers that the headers declare; the slots of the tables.
 */
#define FP_DEFINE_IIDS
#include <fencepost/extension.h>

/* The slots of the published tables, and ours behind those of IHostMalloc. */
#define SLOT(table, method) (offsetof(table, method) / sizeof(void *))
_Static_assert(SLOT(IHostMallocVtbl, QueryInterface) == 0 &&
                       SLOT(IHostMallocVtbl, AddRef) == 1 &&
                       SLOT(IHostMallocVtbl, Release) == 2 &&
                       SLOT(IHostMallocVtbl, Alloc) == 3 &&
                       SLOT(IHostMallocVtbl, DebugAlloc) == 4 &&
                       SLOT(IHostMallocVtbl, Free) == 5 &&
                       sizeof(IHostMallocVtbl) == 6 * sizeof(void *),
               "the slots of IHostMalloc");
_Static_assert(SLOT(IHostMemoryManagerVtbl, CreateMalloc) == 3 &&
                       SLOT(IHostMemoryManagerVtbl, VirtualAlloc) == 4 &&
                       SLOT(IHostMemoryManagerVtbl, VirtualFree) == 5 &&
                       SLOT(IHostMemoryManagerVtbl, VirtualQuery) == 6 &&
                       SLOT(IHostMemoryManagerVtbl, VirtualProtect) == 7 &&
                       SLOT(IHostMemoryManagerVtbl, GetMemoryLoad) == 8 &&
                       SLOT(IHostMemoryManagerVtbl, RegisterMemoryNotificationCallback) == 9 &&
                       SLOT(IHostMemoryManagerVtbl, NeedsVirtualAddressSpace) == 10 &&
                       SLOT(IHostMemoryManagerVtbl, AcquiredVirtualAddressSpace) == 11 &&
                       SLOT(IHostMemoryManagerVtbl, ReleasedVirtualAddressSpace) == 12 &&
                       sizeof(IHostMemoryManagerVtbl) == 13 * sizeof(void *),
               "the slots of IHostMemoryManager");
_Static_assert(SLOT(IHostControlVtbl, GetHostManager) == 3 &&
                       SLOT(IHostControlVtbl, SetAppDomainManager) == 4 &&
                       sizeof(IHostControlVtbl) == 5 * sizeof(void *),
               "the slots of IHostControl");
_Static_assert(SLOT(ICLRMemoryNotificationCallbackVtbl, OnMemoryNotification) == 3,
               "the slots of ICLRMemoryNotificationCallback");
_Static_assert(SLOT(IFencepostMallocVtbl, Realloc) == 6 &&
                       sizeof(IFencepostMallocVtbl) == 14 * sizeof(void *),
               "the slots of IFencepostMalloc");
