/* SPDX-License-Identifier: Apache-2.0
 *
 * A block that one thread allocates, another frees and a third, which the second created,
 * reads. The first argument says how they are made: "posix" or "c11".
 */
#define _GNU_SOURCE

/* Optimized, calls would be jumps, or nowhere. */
#ifdef __clang__
#pragma clang optimize off
#else
#pragma GCC optimize("O0")
#endif

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <threads.h>

#ifdef IS_HOST
#include "../e2e/victims/victim.h"

static IHostMalloc *heap;

static char *take(size_t size)
{
	void *block = NULL;

	IHostMalloc_Alloc(heap, size, eTaskCritical, &block);
	return block;
}

#define give(block) IHostMalloc_Free(heap, block)
#else
#define take(size) malloc(size)
#define give(block) free(block)
#endif

static const char *how;
static char *volatile block;

static void *run_posix(void *function)
{
	pthread_setname_np(pthread_self(), "worker");
	((void (*)(void))function)();
	return NULL;
}

static int run_c11(void *function)
{
	((void (*)(void))function)();
	return 0;
}

static void create(void (*function)(void))
{
	pthread_t posix;
	thrd_t c11;

	if (strcmp(how, "c11") == 0) {
		thrd_create(&c11, run_c11, function); /* c11 */
		thrd_join(c11, NULL);
	} else {
		pthread_create(&posix, NULL, run_posix, function); /* posix */
		pthread_join(posix, NULL);
	}
}

static void read_block(void)
{
	(void)*(volatile char *)block; /* read */
}

static void free_block(void)
{
	give(block);        /* free */
	create(read_block); /* third */
}

static void allocate_block(void)
{
	block = take(24); /* allocate */
}

int main(int argc, char **argv)
{
	how = argv[1];
#ifdef IS_HOST
	heap = victim_heap();
#endif
	create(allocate_block); /* first */
	create(free_block);     /* second */
	return 0;
}
