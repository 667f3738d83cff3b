/* SPDX-License-Identifier: Apache-2.0
 *
 * An atexit handler reads a freed block. Argument: "early" when it was registered before the
 * session started.
 */
#include "victim.h"

#include <string.h>

static volatile char *block;
static volatile char result;

static void at_exit(void)
{
	result = block[500]; /* plant: access */
}

int main(int argc, char **argv)
{
	bool is_early = argc > 1 && strcmp(argv[1], "early") == 0;
	void *memory = NULL;

	if (is_early)
		atexit(at_exit);
	IHostMalloc *heap = victim_heap();
	IHostMalloc_Alloc(heap, 1000, eTaskCritical, &memory); /* plant: allocation */
	block = memory;
	IHostMalloc_Free(heap, memory); /* plant: free */
	if (!is_early)
		atexit(at_exit);
	return 0;
}
