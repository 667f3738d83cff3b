/* SPDX-License-Identifier: Apache-2.0
 *
 * A host of the .NET hosting interfaces with a runtime in it that does what the published one
 *does with them, and with the blocks of a recording (fencepost run --record=FILE) as its
 *workload.
 *
 *	mini_clr_host [--plant=MISTAKE] [--time] RECORDING
 *
 * Like the published runtime it asks an IHostControl for the memory manager, makes one heap,
 *and at the end releases neither of them, nor the blocks that are left, nor what it reserved
 *with VirtualAlloc. What was replayed goes to standard output; with --time, how fast, to
 *standard error.
 *
 * Exit status: 0, 1 when a block was not what it should be or memory was refused, 2 for a wrong
 * command line or recording. Fencepost's options: FENCEPOST_OPTIONS.
 */
#define COBJMACROS
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <fencepost/fencepost.h>

#include "engine.h"
#include "host.h"
#include "replay.h"

static const char usage[] = "usage: mini_clr_host [--plant=MISTAKE] [--time] RECORDING";

/* Static pointers that nobody releases, as in the published runtime. */
static IHostControl *control;
static IHostMemoryManager *memory;
static IHostMalloc *heap;

static struct recording recording;

static struct {
	const struct plant *plant;
	bool is_timed;
	const char *path;
} wanted;

__attribute__((noreturn)) static void fail(int status, const char *what, const char *detail)
{
	fprintf(stderr, "mini_clr_host: %s%s\n", what, detail);
	exit(status);
}

static void parse_option(const char *option)
{
	static const char plant[] = "--plant=";

	if (strcmp(option, "--time") == 0) {
		wanted.is_timed = true;
	} else if (strncmp(option, plant, strlen(plant)) == 0) {
		wanted.plant = plant_find(option + strlen(plant));
		if (wanted.plant == NULL)
			fail(HOST_EXIT_USAGE, "unknown mistake; choose one of ", PLANT_NAMES);
	} else {
		fail(HOST_EXIT_USAGE, usage, "");
	}
}

static void parse(char **argv)
{
	for (argv++; *argv != NULL && strncmp(*argv, "--", 2) == 0; argv++)
		parse_option(*argv);
	if (*argv == NULL || argv[1] != NULL)
		fail(HOST_EXIT_USAGE, usage, "");
	wanted.path = *argv;
}

/* What SetHostControl does: a manager is taken when the answer is S_OK and not NULL. */
static void start_runtime(void)
{
	void *manager = NULL;

	if (fp_create_host_control(NULL, &control) != S_OK)
		fail(HOST_EXIT_FAILURE, "no IHostControl from Fencepost", "");
	if (IHostControl_GetHostManager(control, &IID_IHostMemoryManager, &manager) != S_OK ||
	    manager == NULL)
		fail(HOST_EXIT_FAILURE, "the host has no memory manager", "");
	memory = manager;
	if (IHostMemoryManager_CreateMalloc(memory, MALLOC_THREADSAFE, &heap) != S_OK)
		fail(HOST_EXIT_FAILURE, "the host has no heap", "");
	if (!engine_start(memory))
		fail(HOST_EXIT_FAILURE, "the host has no address space", "");
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static bool run(void)
{
	struct replay_result result;
	double start = seconds();

	if (!replay(&recording, heap, &result))
		fail(HOST_EXIT_FAILURE, "not enough memory or threads for the recording", "");
	if (wanted.is_timed)
		fprintf(stderr, "%.0f events a second\n",
		        (double)recording.event_count / (seconds() - start));
	printf("%zu events on %zu threads: %zu blocks made, %zu freed, %zu left; %zu regions\n",
	       recording.event_count, recording.thread_count, result.allocations, result.frees,
	       result.left, engine_regions());
	if (!recording.is_complete)
		printf("the recording was cut off there\n");
	if (result.refused + engine_failures() > 0)
		printf("%zu blocks and %zu other calls were refused\n", result.refused,
		       engine_failures());
	if (result.damaged > 0)
		printf("%zu blocks were overwritten\n", result.damaged);
	return result.refused + result.damaged + engine_failures() == 0;
}

int main(int argc, char **argv)
{
	const char *error;
	bool is_done;

	(void)argc;
	parse(argv);
	error = recording_read(&recording, wanted.path);
	if (error != NULL) {
		fprintf(stderr, "mini_clr_host: %s: ", wanted.path);
		fail(HOST_EXIT_USAGE, error, "");
	}
	start_runtime();
	is_done = run();
	/* What was said stays said if the mistake is one that kills. */
	if (fflush(stdout) != 0)
		is_done = false;
	if (wanted.plant != NULL)
		wanted.plant->commit(memory, heap);
	return is_done ? EXIT_SUCCESS : HOST_EXIT_FAILURE;
}
