/* SPDX-License-Identifier: Apache-2.0
 *
 * A block freed after its heap was released; it stays readable, and leaks.
 */
#include "victim.h"

int main(void)
{
	IHostMalloc *heap = victim_heap();
	void *block = NULL;

	IHostMalloc_Alloc(heap, 24, eTaskCritical, &block); /* plant: allocation */
	EXPECT(IHostMalloc_Release(heap) == 0);
	*(char *)block = 'x';
	REFUSED(IHostMalloc_Free(heap, block)); /* plant: call */
	EXPECT(*(char *)block == 'x');
	return 0;
}
