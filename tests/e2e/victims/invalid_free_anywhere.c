/* SPDX-License-Identifier: Apache-2.0
 *
 * Free of a pointer to what the argument names: stack, global, zeroed, code, malloc
 * or nothing.
 */
#include <string.h>
#include <stdint.h>
#include <sys/mman.h>

#include "victim.h"

static int global = 1;
static char zeroed[100000];

static void *address_of_nothing(void)
{
	void *page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	munmap(page, 4096);
	return page;
}

static void *find_pointer(const char *kind, int *local)
{
	if (strcmp(kind, "stack") == 0)
		return local;
	if (strcmp(kind, "global") == 0)
		return &global;
	if (strcmp(kind, "zeroed") == 0)
		return &zeroed[sizeof(zeroed) - 16];
	if (strcmp(kind, "code") == 0)
		return (void *)(uintptr_t)find_pointer;
	if (strcmp(kind, "malloc") == 0)
		return malloc(24);
	return address_of_nothing();
}

int main(int argc, char **argv)
{
	IHostMalloc *heap = victim_heap();
	int local = 0;
	void *pointer;

	EXPECT(argc == 2);
	pointer = find_pointer(argv[1], &local);
	REFUSED(IHostMalloc_Free(heap, pointer)); /* plant: call */
	IHostMalloc_Release(heap);
	return 0;
}
