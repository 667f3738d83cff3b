/* SPDX-License-Identifier: Apache-2.0
 *
 * A hundred blocks, each freed twice at the same two places.
 */
#include "victim.h"

int main(void)
{
	IHostMalloc *heap = victim_heap();

	for (int i = 0; i < 100; i++) {
		void *block = NULL;

		IHostMalloc_Alloc(heap, 24, eTaskCritical, &block); /* plant: allocation */
		EXPECT(IHostMalloc_Free(heap, block) == S_OK);      /* plant: first free */
		REFUSED(IHostMalloc_Free(heap, block));             /* plant: second free */
	}
	EXPECT(fp_finding_count() == 1);
	IHostMalloc_Release(heap);
	return 0;
}
