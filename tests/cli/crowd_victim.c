/* SPDX-License-Identifier: Apache-2.0
 *
 * As many distinct findings as the argument says: one block, freed again from a different stack
 * each time; then once more from the first stack.
 */
#include <stdlib.h>

enum { DEPTH = 17 };

static char *volatile block;

static void descend(unsigned path, int depth);

__attribute__((noinline)) static void go_left(unsigned path, int depth)
{
	descend(path, depth);
	__asm__ volatile("");
}

__attribute__((noinline)) static void go_right(unsigned path, int depth)
{
	descend(path, depth);
	__asm__ volatile("");
}

__attribute__((noinline)) static void descend(unsigned path, int depth)
{
	if (depth == 0)
		free(block);
	else if (path % 2 == 1)
		go_left(path / 2, depth - 1);
	else
		go_right(path / 2, depth - 1);
	__asm__ volatile("");
}

int main(int count, char **arguments)
{
	unsigned many = count > 1 ? (unsigned)atoi(arguments[1]) : 0;

	block = malloc(9);
	free(block);
	for (unsigned i = 0; i <= many; i++)
		descend(i % many, DEPTH);
	return 0;
}
