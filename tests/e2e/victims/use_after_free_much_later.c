/* SPDX-License-Identifier: Apache-2.0
 *
 * A block is read after so many other blocks were allocated and freed. Argument: how many.
 */
#include "victim.h"

static volatile char result;

int main(int argc, char **argv)
{
	IHostMalloc *heap = victim_heap();
	void *block = NULL;

	EXPECT(argc == 2);
	IHostMalloc_Alloc(heap, 1000, eTaskCritical, &block); /* plant: allocation */
	IHostMalloc_Free(heap, block);                        /* plant: free */
	for (long i = atol(argv[1]); i > 0; i--) {
		void *other = NULL;

		IHostMalloc_Alloc(heap, 1000, eTaskCritical, &other);
		EXPECT(other != NULL && other != block);
		IHostMalloc_Free(heap, other);
	}
	result = ((volatile char *)block)[999]; /* plant: access */
	return 1;
}
