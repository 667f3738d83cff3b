/* SPDX-License-Identifier: Apache-2.0
 *
 * A program whose report is long: usage: victim FINDINGS LEAKED-BLOCKS DEPTH. Each mistake is
 * made at another depth of calls, so that each is a finding of its own.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ROUNDS = 6, ROWS = 300 };

static void free_twice(void)
{
	char *block = malloc(100);

	free(block);
	free(block);
}

static void write_past_the_end(void)
{
	char *block = malloc(45);

	memset(block, 'x', 47);
	free(block);
}

static void write_into_the_guard(void)
{
	volatile char *block = malloc(4096);

	block[4096 + 16] = 1;
	free((void *)block);
}

static void read_after_free(void)
{
	volatile char *block = malloc(600);

	free((void *)block);
	(void)block[24];
}

static void leak(void)
{
	void *volatile block = malloc(24);

	block = NULL;
	(void)block;
}

static void descend(size_t depth, void (*action)(void))
{
	if (depth == 0)
		action();
	else
		descend(depth - 1, action);
	__asm__ volatile("");
}

static void come_and_go(void)
{
	void *rows[ROWS];

	for (int round = 1; round <= ROUNDS; round++) {
		for (int i = 0; i < ROWS; i++)
			rows[i] = malloc((size_t)(2000 * round));
		usleep(5000);
		for (int i = 0; i < ROWS; i++)
			free(rows[i]);
	}
}

int main(int count, char **arguments)
{
	size_t findings = count > 1 ? strtoul(arguments[1], NULL, 10) : 1;
	size_t leaks = count > 2 ? strtoul(arguments[2], NULL, 10) : 10;
	size_t depth = count > 3 ? strtoul(arguments[3], NULL, 10) : 10;
	void (*const mistakes[])(void) = {write_into_the_guard, write_past_the_end, free_twice,
	                                  read_after_free};

	come_and_go();
	for (size_t i = 0; i < findings; i++)
		descend(i / 4, mistakes[i % 4]);
	for (size_t i = 0; i < leaks; i++)
		descend(i % 40 == 0 ? i / 40 % 20 : 1, leak);
	if (depth > 0)
		descend(depth, leak);
	return 0;
}
