/* SPDX-License-Identifier: Apache-2.0
 *
 * Padding on both sides of a block written to: found by fp_check_heap(), once, and not again
 * when the block is freed.
 */
#include "victim.h"

static void check(size_t damaged)
{
	EXPECT(fp_check_heap() == damaged); /* plant: check */
}

int main(void)
{
	IHostMalloc *heap = victim_heap();
	void *memory = NULL;
	char *block;

	IHostMalloc_Alloc(heap, 20, eTaskCritical, &memory); /* plant: allocation */
	check(0);
	block = memory;
	block[20] = 'a';
	check(1);
	check(0);
	EXPECT(fp_finding_count() == 1);
	EXPECT(IHostMalloc_Free(heap, block) == S_OK);
	IHostMalloc_Release(heap);
	return 0;
}
