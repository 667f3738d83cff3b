/* SPDX-License-Identifier: Apache-2.0
 *
 * The native side of coreclr_plants.cs: mistakes behind P/Invoke.
 */
#include <stdlib.h>

int plant_overflow(int n)
{
	char *volatile block = malloc(n);

	((volatile char *)block)[n + 20] = 1; /* plant: overflow */
	free(block);
	return 0;
}

int plant_use_after_free(int n)
{
	char *volatile block = malloc(n); /* plant: allocated */

	free(block);     /* plant: freed */
	return block[3]; /* plant: use after free */
}

int plant_double_free(int n)
{
	char *volatile block = malloc(n);

	free(block);
	free(block); /* plant: double free */
	return 0;
}

int plant_leak(int n)
{
	char *volatile block = malloc(n); /* plant: leak */

	block = NULL;
	return 0;
}

int plant_null(int n)
{
	char *volatile block = NULL;

	return block[n]; /* plant: null */
}

int plant_read(char *block, int at)
{
	return block[at]; /* plant: read */
}
