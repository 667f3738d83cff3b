/* SPDX-License-Identifier: Apache-2.0
 *
 * A block from DebugAlloc, freed twice: reports name the caller's own file and line.
 */
#include <string.h>

#include "victim.h"

int main(void)
{
	IHostMalloc *heap = victim_heap();
	char file[] = "Managed/Cache.cs";
	void *block = NULL;

	IHostMalloc_DebugAlloc(heap, 9, eTaskCritical, file, 77, &block); /* plant: alloc */
	memset(file, 'x', sizeof(file) - 1);           /* the name was copied */
	EXPECT(IHostMalloc_Free(heap, block) == S_OK); /* plant: first free */
	REFUSED(IHostMalloc_Free(heap, block));        /* plant: second free */
	IHostMalloc_Release(heap);
	return 0;
}
