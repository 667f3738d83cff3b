/* SPDX-License-Identifier: Apache-2.0
 *
 * Regions, as the published runtime uses them. Any result but S_OK is a failure to it.
 */
#define COBJMACROS
#include "engine.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

enum {
	PIECE_BYTES = 64 << 10,
	PIECES = 128, /* of the collected heap */
	STACK_BYTES = 1 << 20,
	CODE_BYTES = 64 << 10,
	PAGE_BYTES = 4096,
	RETURN_INSTRUCTION = 0xc3,
	REGIONS_MAX = 1024
};

static IHostMemoryManager *memory;
static char *heap;
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static size_t pieces; /* committed, under the gate */
static void *regions[REGIONS_MAX];
static size_t region_count; /* under the gate */
static _Atomic size_t failures;
static _Atomic unsigned long collections_due;

static bool is_done(HRESULT result)
{
	if (result != S_OK)
		atomic_fetch_add(&failures, 1);
	return result == S_OK;
}

/* ---- Scarce memory -------------------------------------------------------------------------
 */

/* One static object, as in the published runtime: it counts nothing, and is never gone. */

static HRESULT STDMETHODCALLTYPE callback_QueryInterface(ICLRMemoryNotificationCallback *This,
                                                         REFIID riid, void **ppvObject)
{
	bool is_known = memcmp(riid, &IID_IUnknown, sizeof(*riid)) == 0 ||
	                memcmp(riid, &IID_ICLRMemoryNotificationCallback, sizeof(*riid)) == 0;

	*ppvObject = is_known ? This : NULL;
	return is_known ? S_OK : E_NOINTERFACE;
}

static ULONG STDMETHODCALLTYPE callback_AddRef(ICLRMemoryNotificationCallback *This)
{
	(void)This;
	return 1;
}

static ULONG STDMETHODCALLTYPE callback_Release(ICLRMemoryNotificationCallback *This)
{
	(void)This;
	return 1;
}

/* Must not block: the collection is left to the next thread that wants a piece. */
static HRESULT STDMETHODCALLTYPE
callback_OnMemoryNotification(ICLRMemoryNotificationCallback *This, EMemoryAvailable available)
{
	(void)This;
	if (available == eMemoryAvailableLow)
		atomic_fetch_add(&collections_due, 1);
	return S_OK;
}

static ICLRMemoryNotificationCallbackVtbl callback_methods = {
        .QueryInterface = callback_QueryInterface,
        .AddRef = callback_AddRef,
        .Release = callback_Release,
        .OnMemoryNotification = callback_OnMemoryNotification,
};

static ICLRMemoryNotificationCallback callback = {.lpVtbl = &callback_methods};

/* ---- Regions
 * ---------------------------------------------------------------------------------
 */

static void keep_region(void *region)
{
	pthread_mutex_lock(&gate);
	if (region_count < REGIONS_MAX)
		regions[region_count++] = region;
	pthread_mutex_unlock(&gate);
}

static void *allocate(void *address, size_t size, DWORD type, EMemoryCriticalLevel level)
{
	DWORD protection =
	        type == MEM_COMMIT && address == NULL ? PAGE_EXECUTE_READWRITE : PAGE_READWRITE;
	void *region = NULL;

	if (!is_done(IHostMemoryManager_VirtualAlloc(memory, address, size, type, protection,
	                                             level, &region)))
		return NULL;
	return region;
}

bool engine_start(IHostMemoryManager *manager)
{
	memory = manager;
	heap = allocate(NULL, (size_t)PIECES * PIECE_BYTES, MEM_RESERVE, eProcessCritical);
	if (heap == NULL)
		return false;
	keep_region(heap);
	/* The runtime goes on whatever the answer is. */
	IHostMemoryManager_RegisterMemoryNotificationCallback(manager, &callback);
	return engine_grow(eProcessCritical);
}

/* Compiled code is written, made executable, and looked up again. */
static bool compile(void *code)
{
	MEMORY_BASIC_INFORMATION information;
	SIZE_T size = 0;
	DWORD before = 0;

	memset(code, RETURN_INSTRUCTION, PAGE_BYTES);
	if (!is_done(IHostMemoryManager_VirtualProtect(memory, code, PAGE_BYTES,
	                                               PAGE_EXECUTE_READ, &before)) ||
	    !is_done(IHostMemoryManager_VirtualQuery(memory, code, &information,
	                                             sizeof(information), &size)))
		return false;
	return before == PAGE_EXECUTE_READWRITE && information.AllocationBase == code &&
	       information.Protect == PAGE_EXECUTE_READ && information.RegionSize == PAGE_BYTES;
}

bool engine_enter_thread(struct engine_thread *thread, EMemoryCriticalLevel level)
{
	thread->stack = allocate(NULL, STACK_BYTES, MEM_RESERVE | MEM_TOP_DOWN, level);
	thread->code = allocate(NULL, CODE_BYTES, MEM_COMMIT, level);
	if (thread->code != NULL)
		keep_region(thread->code);
	return thread->stack != NULL && thread->code != NULL && compile(thread->code);
}

/* Code stays for those who may call it. */
void engine_leave_thread(struct engine_thread *thread)
{
	if (thread->stack != NULL)
		is_done(IHostMemoryManager_VirtualFree(memory, thread->stack, 0, MEM_RELEASE));
}

/* The first half is said to be of no interest; the other goes back, and its reservation stays.
 */
static bool collect_locked(void)
{
	size_t half = pieces / 2 * PIECE_BYTES;
	bool is_reset = half == 0 || allocate(heap, half, MEM_RESET, eTaskCritical) != NULL;
	bool is_back = is_done(IHostMemoryManager_VirtualFree(
	        memory, heap + half, pieces * PIECE_BYTES - half, MEM_DECOMMIT));

	pieces /= 2;
	return is_reset && is_back;
}

static bool grow_locked(EMemoryCriticalLevel level)
{
	bool is_due = atomic_exchange(&collections_due, 0) > 0;

	if ((pieces == PIECES || (is_due && pieces > 0)) && !collect_locked())
		return false;
	char *piece = allocate(heap + pieces * PIECE_BYTES, PIECE_BYTES, MEM_COMMIT, level);
	if (piece == NULL)
		return false;
	memset(piece, (int)pieces, PIECE_BYTES);
	pieces++;
	return true;
}

bool engine_grow(EMemoryCriticalLevel level)
{
	pthread_mutex_lock(&gate);
	bool is_grown = grow_locked(level);
	pthread_mutex_unlock(&gate);
	return is_grown;
}

size_t engine_regions(void)
{
	MEMORY_BASIC_INFORMATION information;
	size_t count = 0;

	for (size_t i = 0; i < region_count; i++) {
		SIZE_T size = 0;

		if (is_done(IHostMemoryManager_VirtualQuery(memory, regions[i], &information,
		                                            sizeof(information), &size)) &&
		    information.AllocationBase == regions[i])
			count++;
	}
	return count;
}

size_t engine_failures(void)
{
	return failures;
}
