/* SPDX-License-Identifier: Apache-2.0
 *
 * The interface identifiers, as the SDK publishes them, and our own; the slots of the tables.
 */
#include <fencepost/extension.h>

const IID IID_IUnknown = {
        0x00000000, 0x0000, 0x0000, {0xc0, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x46}};
const IID IID_IHostMalloc = {
        0x1831991c, 0xcc53, 0x4a31, {0xb2, 0x18, 0x04, 0xe9, 0x10, 0x44, 0x64, 0x79}};
const IID IID_IHostMemoryManager = {
        0x7bc698d1, 0xf9e3, 0x4460, {0x9c, 0xde, 0xd0, 0x42, 0x48, 0xe9, 0xfa, 0x25}};
const IID IID_ICLRMemoryNotificationCallback = {
        0x47eb8e57, 0x0846, 0x4546, {0xaf, 0x76, 0x6f, 0x42, 0xfc, 0xfc, 0x26, 0x49}};
const IID IID_IHostControl = {
        0x02ca073c, 0x7079, 0x4860, {0x88, 0x0a, 0xc2, 0xf7, 0xa4, 0x49, 0xc9, 0x91}};
const IID IID_IFencepostMalloc = {
        0xe788e7ff, 0xff84, 0x4e48, {0x8c, 0x09, 0x5a, 0x5c, 0x9a, 0x15, 0x2b, 0x84}};

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
