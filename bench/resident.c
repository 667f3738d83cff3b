/* SPDX-License-Identifier: Apache-2.0
 *
 * How much memory does one of LIVE live blocks of 64 bytes take, everything counted that the
 * allocator keeps for it? Resident memory and page tables, as the kernel counts them, after
 * less before.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "measure.h"

static const char usage[] = "resident LIVE";

struct usage {
	long resident; /* KiB */
	long page_tables;
};

static struct usage use_now(void)
{
	struct usage use = {0, 0};
	char line[256];
	FILE *status = fopen("/proc/self/status", "r");

	if (status == NULL) {
		perror("/proc/self/status");
		exit(EXIT_FAILURE);
	}
	while (fgets(line, sizeof(line), status) != NULL) {
		sscanf(line, "VmRSS: %ld kB", &use.resident);
		sscanf(line, "VmPTE: %ld kB", &use.page_tables);
	}
	fclose(status);
	return use;
}

static void work(char **arguments)
{
	size_t live = measure_count(arguments[0], usage);
	void **blocks = malloc(live * sizeof(*blocks));
	struct usage before;
	struct usage after;
	double resident;
	double page_tables;

	if (blocks == NULL)
		abort();
	memset(blocks, 1, live * sizeof(*blocks)); /* resident before we start */
	before = use_now();
	for (size_t i = 0; i < live; i++)
		blocks[i] = measure_alloc(&measure_workers[0]);
	after = use_now();
	resident = (double)(after.resident - before.resident) * 1024 / (double)live;
	page_tables = (double)(after.page_tables - before.page_tables) * 1024 / (double)live;
	measure_print("bytes", resident + page_tables);
	measure_print("page_table_bytes", page_tables);
	measure_print_guarded(blocks, live);
}

int main(int argc, char **argv)
{
	(void)argc;
	return measure_in_child(work, argv + 1);
}
