/* SPDX-License-Identifier: Apache-2.0
 *
 * A bad access of a program that has used up its descriptors: all that its soft limit allows.
 */
#include "victim.h"

#include <sys/resource.h>
#include <unistd.h>

enum { DESCRIPTORS = 100 };

static volatile char result;

int main(void)
{
	IHostMalloc *heap = victim_heap();
	void *block = NULL;
	struct rlimit limit;

	IHostMalloc_Alloc(heap, 1000, eTaskCritical, &block); /* plant: allocation */
	IHostMalloc_Free(heap, block);                        /* plant: free */
	EXPECT(getrlimit(RLIMIT_NOFILE, &limit) == 0);
	limit.rlim_cur = DESCRIPTORS;
	EXPECT(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	while (dup(STDIN_FILENO) >= 0)
		;
	result = ((volatile char *)block)[500]; /* plant: access */
	return 1;
}
