/* SPDX-License-Identifier: Apache-2.0
 *
 * What does one free and one alloc cost while LIVE blocks of 64 bytes are live? Blocks are
 * replaced at random, from a fixed seed. With FRAMES the loop runs below that many more calls,
 * as deep in a program as allocations usually are.
 */
#include <stdlib.h>

#include "door.h"
#include "measure.h"

static const char usage[] = "churn LIVE [FRAMES]";

enum { PAIRS_PER_LOOK_AT_THE_CLOCK = 64, WARM_UP_SHARE = 8 };

struct churn {
	void **blocks;
	size_t live;
	uint64_t random;
	struct measure_worker *worker;
};

static void replace_some(struct churn *churn)
{
	for (int i = 0; i < PAIRS_PER_LOOK_AT_THE_CLOCK; i++) {
		void **block = &churn->blocks[measure_random(&churn->random, churn->live)];

		door_free(*block);
		churn->worker->live--;
		*block = measure_alloc(churn->worker);
		churn->worker->pairs++;
	}
}

static double time_per_pair(struct churn *churn, uint64_t duration)
{
	size_t before = churn->worker->pairs;
	uint64_t end = measure_now() + duration;
	uint64_t start = measure_used();

	do
		replace_some(churn);
	while (measure_now() < end);
	return (double)(measure_used() - start) / (double)(churn->worker->pairs - before);
}

static void measure(struct churn *churn)
{
	uint64_t duration = measure_duration();

	time_per_pair(churn, duration / WARM_UP_SHARE);
	measure_print("ns_per_pair", time_per_pair(churn, duration));
	measure_print_guarded(churn->blocks, churn->live);
}

__attribute__((noinline)) static void descend(struct churn *churn, size_t frames)
{
	if (frames == 0)
		measure(churn);
	else
		descend(churn, frames - 1);
	__asm__ volatile(""); /* no tail call: the frames are the point */
}

static void work(char **arguments)
{
	size_t frames = arguments[1] != NULL ? measure_count(arguments[1], usage) : 0;
	struct churn churn = {
	        .live = measure_count(arguments[0], usage),
	        .random = UINT64_C(0x9e3779b97f4a7c15),
	        .worker = &measure_workers[0],
	};

	churn.blocks = malloc(churn.live * sizeof(*churn.blocks));
	if (churn.blocks == NULL)
		abort();
	for (size_t i = 0; i < churn.live; i++)
		churn.blocks[i] = measure_alloc(churn.worker);
	descend(&churn, frames);
}

int main(int argc, char **argv)
{
	(void)argc;
	return measure_in_child(work, argv + 1);
}
