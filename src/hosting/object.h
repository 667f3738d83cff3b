/* SPDX-License-Identifier: Apache-2.0
 *
 * What the COM objects share: reference counts and QueryInterface; and what else the files of
 * this door have for each other.
 *
 * Context: alloc.
 */
#ifndef FP_HOSTING_OBJECT_H
#define FP_HOSTING_OBJECT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define CONST_VTABLE /* our tables are constants */
#include <fencepost/hosting.h>

#include "model/block.h"
#include "session/session.h"

/* One reference more, unless there is none left: a dead object stays dead. 0 then, else the new
 * count. */
static inline ULONG fp_object_add_ref(_Atomic ULONG *references)
{
	ULONG count = atomic_load(references);

	while (count != 0 && !atomic_compare_exchange_weak(references, &count, count + 1))
		;
	return count == 0 ? 0 : count + 1;
}

/* One reference less; the new count. *WAS_DEAD when there was none to give back. */
static inline ULONG fp_object_release(_Atomic ULONG *references, bool *was_dead)
{
	ULONG count = atomic_load(references);

	while (count != 0 && !atomic_compare_exchange_weak(references, &count, count - 1))
		;
	*was_dead = count == 0;
	return count == 0 ? 0 : count - 1;
}

static inline bool fp_object_is_iid(REFIID a, REFIID b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

static inline void fp_object_leave(const bool *has_entered)
{
	if (*has_entered)
		fp_session_leave();
}

/* First in functions that take locks: until the function returns, the thread is inside. Not
 * where it waits for others, or calls the program. */
#define FP_OBJECT_ENTER()                                                                      \
	const bool has_entered __attribute__((cleanup(fp_object_leave))) = fp_session_enter(); \
	(void)has_entered

/* A heap's interface. S_OK; E_OUTOFMEMORY, E_FAIL or HOST_E_CLRNOTAVAILABLE with *OUT NULL. */
HRESULT fp_malloc_create(DWORD flags, IHostMalloc **out);

/* The process's memory manager, with a reference for the caller. */
IHostMemoryManager *fp_memory_manager_get(void);

/* The process's host control, with a reference for the caller. */
IHostControl *fp_host_control_get(void);

/* A level that the contract does not know is kept as the least one. */
static inline uint8_t fp_object_level(EMemoryCriticalLevel level)
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

/* Memory gets scarce: CALLBACK is told, instead of the one before, from a thread of our own;
 * NULL for none. S_OK, or E_OUTOFMEMORY and the one before stays (in notify.c). Context:
 * report. */
HRESULT fp_notify_register(ICLRMemoryNotificationCallback *callback);

/* In the child of a fork: the thread stayed behind, and a new one is made. Cheap elsewhere. */
void fp_notify_resume(void);

/* Ends that exit handlers are not told of are seen (in ends.c). After the session has started;
 * once, later calls do nothing. Context: report. */
void fp_ends_watch(void);

#endif
