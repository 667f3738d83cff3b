/* SPDX-License-Identifier: Apache-2.0
 *
 * A block of a released heap, freed through another one.
 */
#include "victim.h"

int main(void)
{
	IHostMalloc *released = victim_heap();
	IHostMalloc *heap = victim_heap();
	void *block = NULL;

	IHostMalloc_Alloc(released, 24, eTaskCritical, &block); /* plant: allocation */
	EXPECT(IHostMalloc_Release(released) == 0);
	REFUSED(IHostMalloc_Free(heap, block)); /* plant: call */
	IHostMalloc_Release(heap);
	return 0;
}
