/* SPDX-License-Identifier: Apache-2.0
 *
 * A host, linked with the library, that holds blocks and has lost one, and then ends in the way
 * that the argument names. Its exit status is 4 where it has one.
 */
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "victim.h"

enum { LOST = 24, HELD = 40, STACK = 16 << 10, STATUS = 4 };

static IHostMalloc *heap;
static void *volatile held;
static volatile uintptr_t disguised;

static void *allocate(size_t size)
{
	void *block = NULL;

	IHostMalloc_Alloc(heap, size, eTaskCritical, &block);
	EXPECT(block != NULL);
	return block;
}

static void lose(void)
{
	void *block = NULL;

	IHostMalloc_Alloc(heap, LOST, eTaskCritical, &block); /* plant: lost */
	disguised = ~(uintptr_t)block;
}

static void forget(void)
{
	volatile char stack[STACK];

	for (size_t i = 0; i < sizeof(stack); i++)
		stack[i] = 0;
}

static void leave(int number)
{
	(void)number;
	_exit(STATUS);
}

static void allocate_for_ever(void)
{
	for (;;)
		IHostMalloc_Free(heap, allocate(10));
}

static void *work(void *unused)
{
	allocate_for_ever();
	return unused;
}

/* What children do is no end of this process. */
static void make_children(void)
{
	int status;
	pid_t child = vfork();

	if (child == 0)
		_exit(3);
	EXPECT(waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 3);
	child = fork();
	if (child == 0)
		_exit(3);
	EXPECT(waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 3);
}

static void in_exit(void)
{
	_exit(STATUS);
}

static void in_children(void)
{
	make_children();
	_Exit(STATUS);
}

static void in_quick_exit(void)
{
	quick_exit(STATUS);
}

static void in_handler(void)
{
	signal(SIGTERM, leave);
	raise(SIGTERM);
}

static void in_pause(void)
{
	alarm(1);
	for (;;)
		pause();
}

static void when_busy(void)
{
	alarm(1);
	allocate_for_ever();
}

static void with_threads(void)
{
	pthread_t thread;

	for (int i = 0; i < 3; i++)
		EXPECT(pthread_create(&thread, NULL, work, NULL) == 0);
	in_pause();
}

static void when_ignored(void)
{
	raise(SIGTERM);
	exit(STATUS);
}

/* With a finding, which is not to be lost. */
static void in_abort(void)
{
	void *block = allocate(1);

	IHostMalloc_Free(heap, block);
	IHostMalloc_Free(heap, block); /* plant: again */
	abort();
}

static void in_trap(void)
{
	raise(SIGTRAP);
}

static const struct {
	const char *name;
	void (*end)(void);
} ways[] = {
        {"_exit", in_exit},        {"children", in_children}, {"quick_exit", in_quick_exit},
        {"handler", in_handler},   {"pause", in_pause},       {"busy", when_busy},
        {"threads", with_threads}, {"ignored", when_ignored}, {"abort", in_abort},
        {"trap", in_trap},
};

int main(int argc, char **argv)
{
	const char *way = argc > 1 ? argv[1] : "";

	if (strcmp(way, "ignored") == 0)
		signal(SIGTERM, SIG_IGN);
	heap = victim_heap();
	held = allocate(HELD);
	lose();
	forget();
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		if (strcmp(ways[i].name, way) == 0)
			ways[i].end();
	return held == NULL;
}
