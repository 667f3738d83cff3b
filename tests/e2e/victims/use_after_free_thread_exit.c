/* SPDX-License-Identifier: Apache-2.0
 *
 * The destructor of a thread's own data reads a block that the thread freed. Argument: "early"
 * when its key is older than any of Fencepost's.
 */
#include "victim.h"

#include <pthread.h>
#include <string.h>

static IHostMalloc *heap;
static pthread_key_t key;
static volatile char result;

static void destroy(void *block)
{
	result = ((volatile char *)block)[500]; /* plant: access */
}

static void *run(void *unused)
{
	void *block = NULL;

	IHostMalloc_Alloc(heap, 1000, eTaskCritical, &block); /* plant: allocation */
	pthread_setspecific(key, block);
	IHostMalloc_Free(heap, block); /* plant: free */
	return unused;
}

int main(int argc, char **argv)
{
	bool is_early = argc > 1 && strcmp(argv[1], "early") == 0;
	pthread_t thread;

	if (is_early)
		pthread_key_create(&key, destroy);
	heap = victim_heap();
	if (!is_early)
		pthread_key_create(&key, destroy);
	EXPECT(pthread_create(&thread, NULL, run, NULL) == 0);
	pthread_join(thread, NULL);
	return 1;
}
