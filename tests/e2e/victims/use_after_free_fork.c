/* SPDX-License-Identifier: Apache-2.0
 *
 * A process forks; then a freed block is read. Argument: "child" reads one that was freed
 * before the fork, "own" is a child that reads one it freed itself, "parent" reads while the
 * child is there. Says the child's process id. Ends like the child, or by its own fault.
 */
#include "victim.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static IHostMalloc *heap;
static volatile char result;

static void *allocate(void)
{
	void *block = NULL;

	IHostMalloc_Alloc(heap, 1000, eTaskCritical, &block); /* plant: allocation */
	return block;
}

static void release(void *block)
{
	IHostMalloc_Free(heap, block); /* plant: free */
}

static void touch(volatile char *block)
{
	result = block[500]; /* plant: access */
}

/* As if this process had had its child's end. */
static void end_like(pid_t child)
{
	int status;

	EXPECT(waitpid(child, &status, 0) == child);
	exit(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : 1);
}

int main(int argc, char **argv)
{
	const char *who = argc > 1 ? argv[1] : "";

	heap = victim_heap();
	static void *block;

	block = allocate();
	if (strcmp(who, "own") != 0)
		release(block);
	pid_t child = fork();
	if (child != 0) {
		printf("%d\n", (int)child);
		fflush(stdout);
	}
	if (child == 0 && strcmp(who, "parent") == 0)
		_exit(0);
	if (child == 0 && strcmp(who, "own") == 0)
		release(block);
	if (child == 0 || strcmp(who, "parent") == 0)
		touch(block);
	end_like(child);
}
