/* SPDX-License-Identifier: Apache-2.0
 *
 * What the victims share. A victim commits one kind of misuse, says nothing, and exits with 0
 * when every call answered as it must.
 */
#ifndef TESTS_E2E_VICTIM_H
#define TESTS_E2E_VICTIM_H

#define COBJMACROS
#include <stdio.h>
#include <stdlib.h>

#include <fencepost/fencepost.h>

/* Optimized, calls would move to other lines. */
#ifdef __clang__
#pragma clang optimize off
#else
#pragma GCC optimize("O0")
#endif

#define EXPECT(condition)                                                                      \
	do {                                                                                   \
		if (!(condition)) {                                                            \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__,             \
			        #condition);                                                   \
			exit(1);                                                               \
		}                                                                              \
	} while (0)

#define REFUSED(call) EXPECT((call) == HOST_E_INVALIDOPERATION)

static inline IHostMemoryManager *victim_manager(void)
{
	IHostMemoryManager *manager = NULL;

	EXPECT(fp_create_memory_manager(NULL, &manager) == S_OK);
	return manager;
}

static inline IHostMalloc *victim_heap(void)
{
	IHostMemoryManager *manager = victim_manager();
	IHostMalloc *heap = NULL;

	EXPECT(IHostMemoryManager_CreateMalloc(manager, MALLOC_THREADSAFE, &heap) == S_OK);
	IHostMemoryManager_Release(manager);
	return heap;
}

#endif
