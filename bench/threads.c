/* SPDX-License-Identifier: Apache-2.0
 *
 * How many pairs of free and alloc do THREADS threads get done together, with 1000 blocks of 64
 * bytes live for each? "own": a thread frees what it allocated. "shared": all replace the
 * blocks of one table, so most frees are of another thread's block. The time printed is that
 * which passed, divided by the pairs of all threads: it halves when twice the threads do twice
 * the work.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "door.h"
#include "measure.h"

static const char usage[] = "threads THREADS own|shared";

enum { LIVE_PER_THREAD = 1000 };

struct table {
	_Atomic(void *) *blocks;
	size_t size;
};

static pthread_barrier_t start_line;
static atomic_bool is_over;
static struct table shared;

static void replace(struct table *table, struct measure_worker *worker, uint64_t seed)
{
	uint64_t random = seed;

	while (!atomic_load_explicit(&is_over, memory_order_relaxed)) {
		size_t i = measure_random(&random, table->size);
		void *block = measure_alloc(worker);

		door_free(atomic_exchange(&table->blocks[i], block));
		worker->live--;
		worker->pairs++;
	}
}

static void *run(void *argument)
{
	size_t thread = (size_t)argument;
	struct measure_worker *worker = &measure_workers[thread];
	size_t first = shared.size == 0 ? 0 : thread * LIVE_PER_THREAD;
	struct table own = {.size = LIVE_PER_THREAD};
	struct table *table = shared.size == 0 ? &own : &shared;

	own.blocks = calloc(LIVE_PER_THREAD, sizeof(*own.blocks));
	if (own.blocks == NULL)
		abort();
	for (size_t i = 0; i < LIVE_PER_THREAD; i++)
		table->blocks[first + i] = measure_alloc(worker);
	pthread_barrier_wait(&start_line);
	replace(table, worker, UINT64_C(0x9e3779b97f4a7c15) * (thread + 1));
	return NULL;
}

static void share_table(size_t threads)
{
	shared.size = threads * LIVE_PER_THREAD;
	shared.blocks = calloc(shared.size, sizeof(*shared.blocks));
	if (shared.blocks == NULL)
		abort();
}

static void run_for(size_t threads, uint64_t duration)
{
	struct timespec nap = {
	        .tv_sec = (time_t)(duration / 1000000000),
	        .tv_nsec = (long)(duration % 1000000000),
	};
	pthread_t handles[MEASURE_WORKERS_MAX];
	uint64_t start;
	size_t pairs = 0;

	pthread_barrier_init(&start_line, NULL, (unsigned)threads + 1);
	for (size_t i = 0; i < threads; i++)
		if (pthread_create(&handles[i], NULL, run, (void *)i) != 0)
			abort();
	pthread_barrier_wait(&start_line);
	start = measure_now();
	nanosleep(&nap, NULL);
	atomic_store(&is_over, true);
	for (size_t i = 0; i < threads; i++)
		pthread_join(handles[i], NULL);
	for (size_t i = 0; i < threads; i++)
		pairs += measure_workers[i].pairs;
	measure_print("ns_per_pair", (double)(measure_now() - start) / (double)pairs);
}

static void work(char **arguments)
{
	size_t threads = measure_count(arguments[0], usage);

	if (threads > MEASURE_WORKERS_MAX || arguments[1] == NULL) {
		fprintf(stderr, "at most %d threads: %s\n", MEASURE_WORKERS_MAX, usage);
		exit(EXIT_FAILURE);
	}
	if (strcmp(arguments[1], "shared") == 0)
		share_table(threads);
	run_for(threads, measure_duration());
}

int main(int argc, char **argv)
{
	(void)argc;
	return measure_in_child(work, argv + 1);
}
