/* SPDX-License-Identifier: Apache-2.0
 *
 * One thread allocates a block, another frees it, a third reads it.
 */
#include "victim.h"

#include <pthread.h>
#include <sys/prctl.h>

static IHostMalloc *heap;
static void *block;
static volatile char result;

static void *allocate(void *unused)
{
	prctl(PR_SET_NAME, "allocates");
	IHostMalloc_Alloc(heap, 1000, eTaskCritical, &block); /* plant: allocation */
	return unused;
}

static void *release(void *unused)
{
	prctl(PR_SET_NAME, "frees");
	IHostMalloc_Free(heap, block); /* plant: free */
	return unused;
}

static void *touch(void *unused)
{
	prctl(PR_SET_NAME, "reads");
	result = ((volatile char *)block)[500]; /* plant: access */
	return unused;
}

static void run(void *(*body)(void *))
{
	pthread_t thread;

	EXPECT(pthread_create(&thread, NULL, body, NULL) == 0);
	pthread_join(thread, NULL);
}

int main(void)
{
	heap = victim_heap();
	run(allocate);
	run(release);
	run(touch);
	return 1;
}
