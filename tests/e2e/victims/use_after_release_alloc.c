/* SPDX-License-Identifier: Apache-2.0
 *
 * Alloc on a heap that was released.
 */
#include "victim.h"

int main(void)
{
	IHostMalloc *heap = victim_heap();
	void *block = heap;

	EXPECT(IHostMalloc_Release(heap) == 0);
	REFUSED(IHostMalloc_Alloc(heap, 24, eTaskCritical, &block)); /* plant: call */
	EXPECT(block == NULL);
	return 0;
}
