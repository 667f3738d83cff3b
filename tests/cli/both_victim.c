/* SPDX-License-Identifier: Apache-2.0
 *
 * A host of libfencepost that makes a mistake with malloc and one with its heap, holds blocks
 * of each in blocks of the other, and ends in the way that its argument names.
 */
#define COBJMACROS
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fencepost/fencepost.h>

static IHostMalloc *heap;
static void *volatile held[2]; /* compilers know what malloc returned, and how much */

static void *take(size_t size)
{
	void *block = NULL;

	IHostMalloc_Alloc(heap, size, eTaskCritical, &block);
	return block;
}

static void make_mistakes(void)
{
	char *volatile block = malloc(20);

	free(block);
	free(block);
	block = take(100);
	IHostMalloc_Free(heap, block);
	IHostMalloc_Free(heap, block);
}

static int end(char how)
{
	switch (how) {
	case 'm':
		return ((volatile char *)held[0])[64];
	case 'h':
		return ((volatile char *)held[1])[64];
	case 'q':
		_exit(4);
	case 'k':
		return raise(SIGKILL);
	case 't':
		return raise(SIGTERM);
	case 'a':
		abort();
	case 'f':
		if (fork() == 0) {
			make_mistakes();
			_exit(2);
		}
		wait(NULL);
		return 5;
	default:
		return 5;
	}
}

int main(int count, char **arguments)
{
	IHostMemoryManager *manager;

	if (count < 2 || fp_create_memory_manager(NULL, &manager) != S_OK ||
	    IHostMemoryManager_CreateMalloc(manager, MALLOC_THREADSAFE, &heap) != S_OK)
		return 1;
	held[0] = malloc(64);
	held[1] = take(64);
	*(void **)held[0] = take(48);
	*(void **)held[1] = malloc(48);
	make_mistakes();
	return end(arguments[1][0]);
}
