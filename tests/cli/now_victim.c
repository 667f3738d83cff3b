/* SPDX-License-Identifier: Apache-2.0
 *
 * Makes a mistake, waits for a line in the file that it is given, makes the same again and
 * another, loses a block and ends.
 */
#include <stdio.h>
#include <stdlib.h>

__attribute__((noinline)) static void misuse(size_t size)
{
	char *volatile block = malloc(size);

	free(block);
	free(block);
	__asm__ volatile(""); /* no jump instead of the call */
}

static void wait_for(const char *path)
{
	char line[16];
	FILE *go = fopen(path, "r");

	if (go == NULL || fgets(line, sizeof(line), go) == NULL)
		exit(1);
	fclose(go);
}

int main(int count, char **arguments)
{
	for (volatile int i = 0; i < 3; i = i + 1) {
		misuse(21);
		if (i == 0 && count > 1)
			wait_for(arguments[1]);
	}
	misuse(22);
	*(char *volatile *)&arguments[0] = malloc(33);
	arguments[0] = NULL;
	return 0;
}
