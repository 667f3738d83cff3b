/* SPDX-License-Identifier: Apache-2.0
 *
 * The native side of mono_demo.cs: a checksum, computed in a copy on the host's heap. The
 * mistakes of plant.h are made from here, so that managed frames call what is wrong.
 */
#define COBJMACROS
#include "mono_plugin.h"

#include <stdlib.h>
#include <string.h>

#include "plant.h"

static struct {
	IHostMemoryManager *manager;
	IHostMalloc *heap;
	const struct plant *plant; /* NULL: none, or made */
} host;

void mono_plugin_open(IHostMemoryManager *manager, IHostMalloc *heap, const char *plant)
{
	host.manager = manager;
	host.heap = heap;
	host.plant = plant != NULL ? plant_find(plant) : NULL;
}

bool mono_plugin_has_planted(void)
{
	return host.plant == NULL;
}

static void *allocate(size_t size)
{
	void *block = NULL;

	if (host.heap == NULL)
		return malloc(size);
	IHostMalloc_Alloc(host.heap, size, eTaskCritical, &block);
	return block;
}

static void release(void *block)
{
	if (host.heap == NULL)
		free(block);
	else
		IHostMalloc_Free(host.heap, block);
}

/* Adler's. */
unsigned mono_plugin_checksum(const unsigned char *bytes, int count)
{
	unsigned char *copy = allocate((size_t)count);
	unsigned low = 1;
	unsigned high = 0;
	const struct plant *plant = host.plant;

	host.plant = NULL;
	if (plant != NULL)
		plant->commit(host.manager, host.heap);
	if (copy == NULL)
		return 0;
	memcpy(copy, bytes, (size_t)count);
	for (int i = 0; i < count; i++) {
		low = (low + copy[i]) % 65521;
		high = (high + low) % 65521;
	}
	release(copy);
	return high << 16 | low;
}

char *mono_plugin_name(void)
{
	return strdup("adler32");
}
