/* SPDX-License-Identifier: Apache-2.0
 *
 * What does a fork cost, and the end of the child, in a process with LIVE live blocks of 64
 * bytes? Wall time: parent and child work on it by turns.
 */
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "measure.h"

static const char usage[] = "fork LIVE";

static void fork_once(void)
{
	pid_t child = fork();

	if (child == 0)
		_exit(0);
	if (child < 0 || waitpid(child, NULL, 0) != child)
		abort();
}

static void work(char **arguments)
{
	size_t live = measure_count(arguments[0], usage);
	void **blocks = malloc(live * sizeof(*blocks));
	size_t forks = 0;

	if (blocks == NULL)
		abort();
	for (size_t i = 0; i < live; i++)
		blocks[i] = measure_alloc(&measure_workers[0]);
	fork_once();
	uint64_t start = measure_now();
	for (; measure_now() - start < measure_duration(); forks++)
		fork_once();
	measure_print("ns_per_fork", (double)(measure_now() - start) / (double)forks);
	measure_print_guarded(blocks, live);
}

int main(int argc, char **argv)
{
	(void)argc;
	return measure_in_child(work, argv + 1);
}
