/* SPDX-License-Identifier: Apache-2.0
 *
 * What does it cost to make LIVE blocks of 64 bytes, none of which is freed meanwhile, and what
 * to free them all again, oldest first? The first round is not counted.
 */
#include <stdlib.h>

#include "door.h"
#include "measure.h"

static const char usage[] = "fill LIVE";

struct fill {
	bool is_counted;
	void **blocks;
	size_t live;
	uint64_t fill_time;
	uint64_t drain_time;
	size_t rounds;
};

static void fill_and_drain(struct fill *fill)
{
	struct measure_worker *worker = &measure_workers[0];
	uint64_t start = measure_used();
	uint64_t full;

	for (size_t i = 0; i < fill->live; i++)
		fill->blocks[i] = measure_alloc(worker);
	full = measure_used();
	if (!fill->is_counted)
		measure_print_guarded(fill->blocks, fill->live);
	for (size_t i = 0; i < fill->live; i++) {
		door_free(fill->blocks[i]);
		worker->live--;
		worker->pairs++;
	}
	fill->fill_time += full - start;
	fill->drain_time += measure_used() - full;
	fill->rounds++;
}

static void work(char **arguments)
{
	uint64_t duration = measure_duration();
	struct fill fill = {.live = measure_count(arguments[0], usage)};
	void **blocks = malloc(fill.live * sizeof(*blocks));

	if (blocks == NULL)
		abort();
	fill.blocks = blocks;
	fill_and_drain(&fill);
	fill = (struct fill){.is_counted = true, .blocks = blocks, .live = fill.live};
	while (fill.fill_time + fill.drain_time < duration)
		fill_and_drain(&fill);
	measure_print("ns_per_alloc",
	              (double)fill.fill_time / (double)(fill.rounds * fill.live));
	measure_print("ns_per_free",
	              (double)fill.drain_time / (double)(fill.rounds * fill.live));
}

int main(int argc, char **argv)
{
	(void)argc;
	return measure_in_child(work, argv + 1);
}
