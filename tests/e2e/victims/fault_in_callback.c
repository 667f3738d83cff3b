/* SPDX-License-Identifier: Apache-2.0
 *
 * The host's callback for findings makes a bad access itself. Arguments: "null" or "freed",
 * what it reads; "call" when the finding is that of a call, else it is that of an access.
 */
#include "victim.h"

#include <string.h>

static volatile char *target;
static volatile char result;
static volatile int calls;

static void on_finding(const struct fp_finding_event *finding, void *user)
{
	(void)finding;
	(void)user;
	calls++;
	EXPECT(calls < 10);
	result = *target; /* plant: second access */
}

static void *freed_block(IHostMalloc *heap, size_t size)
{
	void *block = NULL;

	IHostMalloc_Alloc(heap, size, eTaskCritical, &block); /* plant: allocation */
	IHostMalloc_Free(heap, block);                        /* plant: free */
	return block;
}

int main(int argc, char **argv)
{
	IHostMalloc *heap = victim_heap();
	void *block = freed_block(heap, 1000);

	EXPECT(argc > 1);
	if (strcmp(argv[1], "freed") == 0)
		target = freed_block(heap, 500);
	fp_set_finding_callback(on_finding, NULL);
	if (argc > 2)
		IHostMalloc_Free(heap, block); /* plant: second free */
	else
		result = *(volatile char *)block; /* plant: access */
	return 1;
}
