/* SPDX-License-Identifier: Apache-2.0
 *
 * A program with one mistake of each kind, in the main thread, in another, in children that
 * fork and in one that executes. What it prints and how it ends does not depend on whether any
 * is caught: those that could end a process are in children that nobody asks for their end.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	BLOCKS = 500,
	SIZES = 700,
	LARGE_BLOCKS = 40,
	LARGE_BYTES = 100000,
	STATUS = 7,
	STATUS_EXECUTED = 3
};

void _ZdlPv(void *block); /* operator delete */

static __attribute__((noinline)) void mix(void)
{
	_ZdlPv(malloc(40)); /* plant: alloc-dealloc-mismatch */
}

static __attribute__((noinline)) void mix_executed(void)
{
	_ZdlPv(malloc(56)); /* plant: executed */
}

/* What it damages natively is memory that malloc has added. */
static void *damage_padding(void *unused)
{
	char *volatile block = malloc(20);

	block[20] = 1;
	free(block);    /* plant: heap-buffer-overflow */
	usleep(100000); /* somebody waits for this thread */
	return unused;
}

static __attribute__((noinline)) void free_twice(void)
{
	char *volatile block = malloc(48);

	free(block);
	free(block); /* plant: double-free */
}

static __attribute__((noinline)) void write_freed(void)
{
	char *volatile block = malloc(48);

	free(block);
	block[3] = 1; /* plant: heap-use-after-free */
}

static __attribute__((noinline)) void lose(void)
{
	volatile char *volatile block = malloc(123); /* plant: leak */

	block[0] = 1;
	block = NULL;
}

static __attribute__((noinline)) void wipe_stack(void)
{
	volatile char bytes[8192];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = 0;
}

static __attribute__((noinline)) void in_child(void (*mistake)(void))
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		mistake();
		_exit(0);
	}
	printf("a child: %s\n", waitpid(child, &status, 0) == child ? "ended" : "lost");
	fflush(stdout);
}

static void execute(char *program)
{
	char word[] = "executed";
	char *words[] = {program, word, NULL};
	pid_t child = fork();
	int status = 0;

	if (child == 0) {
		execv(program, words);
		_exit(1);
	}
	waitpid(child, &status, 0);
	printf("executed: %d\n", WIFEXITED(status) ? WEXITSTATUS(status) : -status);
}

/* Blocks have what was written into them. */
static unsigned long use_blocks(void)
{
	static unsigned char *blocks[BLOCKS];
	unsigned long sum = 0;

	for (int round = 0; round < 4; round++)
		for (int i = 0; i < BLOCKS; i++) {
			size_t size = (size_t)(1 + (i * 37 + round) % SIZES);

			if (blocks[i] != NULL)
				sum += blocks[i][0];
			blocks[i] = realloc(blocks[i], size);
			memset(blocks[i], i & 0xff, size);
		}
	for (int i = 0; i < BLOCKS; i++)
		free(blocks[i]);
	for (int i = 0; i < LARGE_BLOCKS; i++)
		blocks[i] = malloc(LARGE_BYTES);
	for (int i = 0; i < LARGE_BLOCKS; i++)
		free(blocks[i]);
	return sum;
}

int main(int count, char **words)
{
	pthread_t thread;

	if (count > 1) {
		mix_executed();
		puts("executed");
		return STATUS_EXECUTED;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("%lu\n", use_blocks());
	mix();
	if (pthread_create(&thread, NULL, damage_padding, NULL) == 0)
		pthread_join(thread, NULL);
	in_child(write_freed);
	in_child(free_twice);
	execute(words[0]);
	lose();
	wipe_stack();
	return STATUS;
}
