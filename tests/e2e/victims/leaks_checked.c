/* SPDX-License-Identifier: Apache-2.0
 *
 * A host that looks for leaks while it runs, with a thread that blocks all signals and one that
 * waits in a call; prints what each check returned.
 */
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <unistd.h>

#include "victim.h"

enum { SCRUB_BYTES = 32 << 10 };

static IHostMalloc *heap;
static void *kept;
static volatile uintptr_t disguised;
static int ends[2];
static volatile int ready;

static void scrub(void)
{
	volatile char area[SCRUB_BYTES];

	for (size_t i = 0; i < sizeof(area); i++)
		area[i] = 0;
}

static void lose(size_t size)
{
	void *block = NULL;

	IHostMalloc_Alloc(heap, size, eProcessCritical, &block); /* plant: lost */
	EXPECT(block != NULL);
	disguised = ~(uintptr_t)block;
}

static void *hold(void *block)
{
	void *volatile held = block;
	char byte;

	ready++;
	/* A handler without SA_RESTART would end this early. */
	EXPECT(read(ends[0], &byte, 1) == 1);
	return held;
}

static void *hold_deaf(void *block)
{
	sigset_t all;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, NULL);
	return hold(block);
}

static void start(pthread_t *thread, void *(*body)(void *))
{
	void *block = NULL;

	EXPECT(IHostMalloc_Alloc(heap, 20, eTaskCritical, &block) == S_OK);
	EXPECT(pthread_create(thread, NULL, body, block) == 0);
}

int main(void)
{
	pthread_t threads[2];

	heap = victim_heap();
	EXPECT(pipe(ends) == 0);
	EXPECT(IHostMalloc_Alloc(heap, 30, eTaskCritical, &kept) == S_OK);
	start(&threads[0], hold);
	start(&threads[1], hold_deaf);
	while (ready < 2)
		usleep(1000);
	usleep(20000);
	scrub();
	printf("%zu", fp_check_leaks());
	lose(100);
	scrub();
	printf(" %zu", fp_check_leaks());
	printf(" %zu", fp_check_leaks());
	lose(200);
	scrub();
	printf(" %zu\n", fp_check_leaks());
	EXPECT(write(ends[1], "ab", 2) == 2);
	for (int i = 0; i < 2; i++) {
		void *block = NULL;

		EXPECT(pthread_join(threads[i], &block) == 0);
		EXPECT(IHostMalloc_Free(heap, block) == S_OK);
	}
	return 0;
}
