/* SPDX-License-Identifier: Apache-2.0
 *
 * A size that is a negative number made unsigned.
 */
#include "victim.h"

int main(void)
{
	IHostMalloc *heap = victim_heap();
	void *block = heap;
	HRESULT result;

	result = IHostMalloc_Alloc(heap, (SIZE_T)-5, eTaskCritical, &block); /* plant: call */
	EXPECT(result == E_OUTOFMEMORY);
	EXPECT(block == NULL);
	IHostMalloc_Release(heap);
	return 0;
}
