/* SPDX-License-Identifier: Apache-2.0
 *
 * Threads, far more than there are arenas, that hand blocks on: each frees what others
 * allocated, leaves blocks of its own behind, and exits. All blocks are freed in the end.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>

#include "support/times.h"
#include "victim.h"

enum { WAVES = 3, THREADS = 64, PLACES = 512, ROUNDS = 400 };

static IHostMalloc *heap;
static unsigned char *_Atomic places[PLACES];

/* A block holds its size, then its size's low byte throughout. */
static unsigned char *make(size_t size)
{
	void *memory = NULL;

	EXPECT(IHostMalloc_Alloc(heap, size, eTaskCritical, &memory) == S_OK);
	memset(memory, (int)(size & 0xff), size);
	memcpy(memory, &size, sizeof(size));
	return memory;
}

static void verify_and_free(unsigned char *block)
{
	size_t size;

	if (block == NULL)
		return;
	memcpy(&size, block, sizeof(size));
	for (size_t i = sizeof(size); i < size; i++)
		EXPECT(block[i] == (size & 0xff));
	EXPECT(IHostMalloc_Free(heap, block) == S_OK);
}

static void *hand_on(void *seed)
{
	uint32_t state = (uint32_t)(uintptr_t)seed * 2654435761u + 1;

	for (long i = test_times(ROUNDS, 100); i > 0; i--) {
		state = state * 1664525u + 1013904223u;
		verify_and_free(atomic_exchange(&places[(state >> 8) % PLACES],
		                                make(sizeof(size_t) + (state >> 17) % 9000)));
	}
	return NULL;
}

int main(void)
{
	pthread_t threads[THREADS];

	heap = victim_heap();
	for (uintptr_t wave = 0; wave < WAVES; wave++) {
		for (uintptr_t i = 0; i < THREADS; i++)
			EXPECT(pthread_create(&threads[i], NULL, hand_on,
			                      (void *)(wave * THREADS + i)) == 0);
		for (int i = 0; i < THREADS; i++)
			EXPECT(pthread_join(threads[i], NULL) == 0);
	}
	for (int i = 0; i < PLACES; i++)
		verify_and_free(atomic_load(&places[i]));
	IHostMalloc_Release(heap);
	return 0;
}
