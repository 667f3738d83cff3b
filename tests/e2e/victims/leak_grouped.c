/* SPDX-License-Identifier: Apache-2.0
 *
 * Blocks that are never freed: three from one line, which are one leak, and one large one.
 */
#include "victim.h"

int main(void)
{
	IHostMalloc *heap = victim_heap();
	char file[] = "Managed/Cache.cs";
	void *block = NULL;

	for (int i = 0; i < 3; i++)
		IHostMalloc_Alloc(heap, 100, eTaskCritical, &block);         /* plant: three */
	IHostMalloc_DebugAlloc(heap, 5000, eTaskCritical, file, 88, &block); /* plant: large */
	IHostMalloc_Release(heap); /* plant: release */
	return 0;
}
