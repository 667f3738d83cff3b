/* SPDX-License-Identifier: Apache-2.0
 *
 * Mistakes that one layout of blocks shows each and the others do not, read from standard input
 * as letters so that every run of a sweep has to get them: a read before a block, a read just
 * past one, a read far past one, a double free, a leak; writes that
 * other layouts find afterwards, and one that runs off the end.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SIZE = 20 };

static char *volatile block;
static volatile char seen;

__attribute__((noinline)) static void read_at(long offset)
{
	seen = block[offset];
	__asm__ volatile("");
}

/* As many bytes from there on. */
__attribute__((noinline)) static void write_at(long offset, long count)
{
	for (long i = 0; i < count; i++)
		block[offset + i] = 'w'; /* write */
	__asm__ volatile("");
}

__attribute__((noinline)) static void free_twice(void)
{
	char *volatile again = malloc(SIZE);

	free(again);
	free(again);
	__asm__ volatile("");
}

/* Needs what malloc promises. */
static void check_alignment(void)
{
	if ((size_t)block % 16 != 0)
		abort();
}

static void make(int mistake)
{
	switch (mistake) {
	case 'b':
		read_at(-1);
		break;
	case 'p':
		read_at(SIZE);
		break;
	case 'f':
		read_at(SIZE + 15);
		break;
	case 'B':
		write_at(-1, 1);
		break;
	case 'P':
		write_at(SIZE + 1, 2);
		break;
	case 'R':
		write_at(SIZE, 64);
		break;
	case 'd':
		free_twice();
		break;
	case 'l':
		block = malloc(2 * SIZE);
		block = malloc(SIZE);
		break;
	case 'a':
		check_alignment();
		break;
	case 'i':
		raise(SIGTERM);
		break;
	case 'c':
		if (fork() == 0) {
			free_twice();
			_exit(0);
		}
		wait(NULL);
		break;
	default:
		break;
	}
}

int main(int count, char **arguments)
{
	int mistake;

	block = malloc(SIZE);
	puts("out");
	fputs("err\n", stderr);
	fflush(stdout);
	if (count > 1)
		read_at(atoi(arguments[1]));
	while ((mistake = getchar()) != EOF)
		make(mistake);
	return 3;
}
