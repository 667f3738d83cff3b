/* SPDX-License-Identifier: Apache-2.0
 *
 * Threads that read freed blocks at the same moment, each its own. Arguments: how many; "leap"
 * when the program's handler recovers, "small" for stacks of 16 KiB.
 */
#include "victim.h"

#include <limits.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>

enum { THREADS_MAX = 16 };

static __thread sigjmp_buf escape;
static pthread_barrier_t barrier;
static volatile char result;

static void leap(int number)
{
	siglongjmp(escape, number);
}

struct task {
	void *block;
	int depth;
};

/* From stacks of different depth, so that each is a finding of its own. */
static void touch(volatile char *block, int depth)
{
	if (depth > 0)
		touch(block, depth - 1);
	else
		result = *block; /* plant: access */
}

static void *run(void *argument)
{
	const struct task *task = argument;

	pthread_barrier_wait(&barrier);
	if (sigsetjmp(escape, 1) == 0)
		touch(task->block, task->depth);
	return NULL;
}

int main(int argc, char **argv)
{
	const char *mode = argc > 2 ? argv[2] : "";
	int count = argc > 1 ? atoi(argv[1]) : 1;
	struct sigaction action = {.sa_handler = leap};
	IHostMalloc *heap = victim_heap();
	pthread_t threads[THREADS_MAX];
	struct task tasks[THREADS_MAX];
	pthread_attr_t attributes;

	EXPECT(count <= THREADS_MAX);
	if (strcmp(mode, "leap") == 0) {
		sigaction(SIGSEGV, &action, NULL);
		EXPECT(fp_install_fault_handler() == 0);
	}
	pthread_attr_init(&attributes);
	if (strcmp(mode, "small") == 0)
		EXPECT(pthread_attr_setstacksize(&attributes, 16 << 10) == 0);
	pthread_barrier_init(&barrier, NULL, (unsigned)count);
	for (int i = 0; i < count; i++) {
		tasks[i] = (struct task){.depth = i};
		void **block = &tasks[i].block;
		IHostMalloc_Alloc(heap, 100, eTaskCritical, block); /* plant: allocation */
		IHostMalloc_Free(heap, *block);                     /* plant: free */
	}
	for (int i = 0; i < count; i++)
		EXPECT(pthread_create(&threads[i], &attributes, run, &tasks[i]) == 0);
	for (int i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
	return 0;
}
