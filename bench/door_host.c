/* SPDX-License-Identifier: Apache-2.0
 *
 * Memory from Fencepost, as a host's engine gets it: through the IHostMalloc's own table of
 * functions. FENCEPOST_OPTIONS chooses what is measured; this file sets no option.
 */
#define COBJMACROS
#include "door.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fencepost/fencepost.h>

static IHostMalloc *heap;

void door_open(void)
{
	IHostMemoryManager *manager;
	HRESULT result = fp_create_memory_manager(NULL, &manager);

	if (result == S_OK)
		result = IHostMemoryManager_CreateMalloc(manager, MALLOC_THREADSAFE, &heap);
	if (result == S_OK)
		return;
	if (result != E_INVALIDARG) /* Fencepost itself said why */
		fprintf(stderr, "no heap from Fencepost: error 0x%08X\n", (unsigned)result);
	exit(EXIT_FAILURE);
}

void *door_alloc(size_t size)
{
	void *block;

	if (IHostMalloc_Alloc(heap, size, eTaskCritical, &block) != S_OK)
		return NULL;
	return block;
}

void door_free(void *block)
{
	if (IHostMalloc_Free(heap, block) != S_OK)
		abort();
}

double door_guarded_percent(void *const *blocks, size_t count)
{
	struct fp_block_info info;
	size_t guarded = 0;

	for (size_t i = 0; i < count; i++)
		if (fp_describe(blocks[i], &info) && strcmp(info.tier, "guarded") == 0)
			guarded++;
	return (double)guarded * 100 / (double)count;
}
