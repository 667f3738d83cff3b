/* SPDX-License-Identifier: Apache-2.0
 *
 * Mistakes that Memcheck and Fencepost both see at the instruction, each on a line of its own.
 */
#include <stdlib.h>

static char *volatile block;

int main(void)
{
	block = malloc(16);
	block[16] = 1;
	(void)((volatile char *)block)[17];
	free(block);
	block[3] = 1;
	(void)((volatile char *)block)[4];
	free(block);
	free(block + 1);
	block = malloc(100);
	block = malloc(2000);
	block = NULL;
	return 0;
}
