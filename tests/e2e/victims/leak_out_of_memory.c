/* SPDX-License-Identifier: Apache-2.0
 *
 * Blocks until there is no more memory to be had, and never freed; prints how many. The limit
 * is on address space and reached soon; `mprotect` may meet the kernel's limit on mappings
 * first.
 */
#include <sys/resource.h>

#include "victim.h"

int main(void)
{
	const struct rlimit limit = {1UL << 26, 1UL << 26};
	IHostMalloc *heap = victim_heap();
	void *block = NULL;
	long count = 0;

	EXPECT(setrlimit(RLIMIT_AS, &limit) == 0);
	while (IHostMalloc_Alloc(heap, 2000, eTaskCritical, &block) == S_OK) /* plant: alloc */
		count++;
	EXPECT(block == NULL);
	EXPECT(IHostMalloc_Alloc(heap, 2000, eTaskCritical, &block) == E_OUTOFMEMORY);
	printf("%ld\n", count);
	return 0;
}
