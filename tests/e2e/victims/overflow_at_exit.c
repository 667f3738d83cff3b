/* SPDX-License-Identifier: Apache-2.0
 *
 * Three bytes behind a block that is never freed: found when the process ends.
 */
#include "victim.h"

int main(void)
{
	IHostMalloc *heap = victim_heap();
	void *memory = NULL;
	char *block;

	IHostMalloc_Alloc(heap, 20, eTaskCritical, &memory); /* plant: allocation */
	block = memory;
	block[22] = 'a';
	block[24] = 'b';
	EXPECT(fp_finding_count() == 0);
	return 0;
}
