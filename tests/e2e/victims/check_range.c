/* SPDX-License-Identifier: Apache-2.0
 *
 * A host that asks before it hands buffers to the kernel. Nothing here touches memory it must
 * not. Argument: "padded" when the blocks have no guards.
 */
#include "victim.h"

#include <string.h>

enum { SIZE = 1000 };

static char in_program[100];

#define FINE(address, length)                                                                  \
	EXPECT(fp_check_range((address), (length), FP_READ) &&                                 \
	       fp_check_range((address), (length), FP_WRITE))

static bool is_without_guards(const void *block)
{
	struct fp_block_info info;

	EXPECT(fp_describe(block, &info));
	return strcmp(info.tier, "padded") == 0;
}

static void expect_nothing_is_wrong(char *block)
{
	char on_stack[100];
	void *foreign = malloc(100);

	FINE(block, SIZE);
	FINE(block, 1);
	FINE(block + SIZE - 1, 1);
	FINE(block + 100, SIZE - 100);
	/* Nothing is nowhere wrong. */
	FINE(block, 0);
	FINE(block + SIZE, 0);
	FINE(block - 1, 0);
	FINE(NULL, 0);
	/* Nor do we know of other people's memory. */
	FINE(NULL, 1);
	FINE(NULL, SIZE_MAX);
	FINE((char *)16, SIZE_MAX);
	FINE(on_stack, 100);
	FINE(in_program, 200);
	FINE(foreign, 101);
	free(foreign);
	EXPECT(fp_finding_count() == 0);
}

static void ask_past(char *block)
{
	EXPECT(!fp_check_range(block, SIZE + 1, FP_WRITE)); /* plant: past write */
	EXPECT(!fp_check_range(block + 10, SIZE, FP_READ)); /* plant: past read */
	EXPECT(!fp_check_range(block, SIZE_MAX, FP_READ));  /* plant: past all */
}

static void ask_before(char *block)
{
	EXPECT(!fp_check_range(block - 1, SIZE, FP_READ)); /* plant: before */
}

static void ask_freed(char *block)
{
	for (int i = 0; i < 5; i++)
		EXPECT(!fp_check_range(block, 1, FP_WRITE)); /* plant: freed */
	EXPECT(!fp_check_range(block + 999, 10, FP_READ));   /* plant: freed end */
}

int main(int argc, char **argv)
{
	bool is_padded = argc > 1 && strcmp(argv[1], "padded") == 0;
	void *block = NULL;

	EXPECT(fp_check_range(in_program, 100, FP_WRITE));
	EXPECT(fp_install_fault_handler() < 0);
	IHostMalloc *heap = victim_heap();
	do
		IHostMalloc_Alloc(heap, SIZE, eTaskCritical, &block); /* plant: allocation */
	while (is_padded && !is_without_guards(block));
	expect_nothing_is_wrong(block);
	ask_past(block);
	EXPECT(fp_finding_count() == 3);
	ask_before(block);
	EXPECT(fp_finding_count() == 4);
	IHostMalloc_Free(heap, block); /* plant: free */
	if (!is_padded)
		ask_freed(block);
	return 0;
}
