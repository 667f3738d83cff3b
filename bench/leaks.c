/* SPDX-License-Identifier: Apache-2.0
 *
 * How long does a check for leaks take? "blocks N": with N live blocks of 64 bytes on pages of
 * their own, each reached from the one before. "roots BYTES": of a program with so many bytes
 * of written memory, less what it takes without.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <fencepost/fencepost.h>

#include "door.h"
#include "measure.h"

enum { CHECKS = 3, NSEC_PER_MSEC = 1000000, PAGE_BYTES = 4096 };

static const char usage[] = "leaks blocks|roots NUMBER";

/* The fastest of some: other work on the machine disturbs, and nothing makes it faster. */
static uint64_t time_of_check(void)
{
	uint64_t best = UINT64_MAX;

	for (int i = 0; i < CHECKS; i++) {
		uint64_t start = measure_now();
		size_t leaked = fp_check_leaks();
		uint64_t taken = measure_now() - start;

		if (leaked != 0)
			abort();
		if (taken < best)
			best = taken;
	}
	return best;
}

static void check_blocks(size_t count)
{
	struct measure_worker *worker = &measure_workers[0];
	void **blocks = malloc(count * sizeof(*blocks));
	void *volatile first = NULL;

	if (blocks == NULL)
		abort();
	for (size_t i = 0; i < count; i++) {
		blocks[i] = measure_alloc(worker);
		*(void **)blocks[i] = first;
		first = blocks[i];
	}
	measure_print_guarded(blocks, count);
	measure_print("ms_per_check", (double)time_of_check() / NSEC_PER_MSEC);
}

static void check_roots(size_t bytes)
{
	uint64_t without;
	uint64_t with;
	char *area =
	        mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	void *volatile block = measure_alloc(&measure_workers[0]);

	if (area == MAP_FAILED || block == NULL)
		abort();
	without = time_of_check();
	for (size_t i = 0; i < bytes; i += PAGE_BYTES)
		memset(area + i, (int)(i / PAGE_BYTES % 251) + 1, PAGE_BYTES);
	with = time_of_check();
	measure_print("gib_per_second",
	              (double)bytes / (1 << 30) / ((double)(with - without) / 1e9));
}

static void work(char **arguments)
{
	size_t number = measure_count(arguments[1], usage);

	if (strcmp(arguments[0], "blocks") == 0)
		check_blocks(number);
	else
		check_roots(number);
}

int main(int argc, char **argv)
{
	if (argc != 3) {
		fprintf(stderr, "usage: %s\n", usage);
		return 2;
	}
	return measure_in_child(work, argv + 1);
}
