/* SPDX-License-Identifier: Apache-2.0
 *
 * The supervising parent, the clock and the output of the workloads. Nothing here may allocate
 * from the door except measure_alloc.
 */
#include "measure.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "door.h"

enum { TIMEOUT_SECONDS = 60, DURATION_MILLISECONDS = 300 };

struct measure_worker *measure_workers;

static size_t setting(const char *name, size_t otherwise)
{
	const char *text = getenv(name);

	return text != NULL ? measure_count(text, name) : otherwise;
}

/* One write, so that nothing is lost or repeated when a process dies. */
static void print_state(const char *what)
{
	size_t live = 0;
	size_t pairs = 0;

	for (int i = 0; i < MEASURE_WORKERS_MAX; i++) {
		live += measure_workers[i].live;
		pairs += measure_workers[i].pairs;
	}
	dprintf(STDOUT_FILENO, "%s live %zu pairs %zu\n", what, live, pairs);
}

static void ignore(int signal)
{
	(void)signal;
}

/* Whether CHILD ended by itself in time; it is dead in either case. */
static bool await(pid_t child, size_t seconds, int *status)
{
	struct sigaction action = {.sa_handler = ignore}; /* no SA_RESTART: waitpid ends */
	bool in_time;

	sigaction(SIGALRM, &action, NULL);
	alarm((unsigned)seconds);
	in_time = waitpid(child, status, 0) == child;
	alarm(0);
	if (!in_time) {
		kill(child, SIGKILL);
		waitpid(child, status, 0);
	}
	return in_time;
}

static int judge(bool in_time, int status, size_t seconds)
{
	char what[64];

	if (in_time && WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS)
		return EXIT_SUCCESS;
	if (!in_time)
		snprintf(what, sizeof(what), "timeout %zus", seconds);
	else if (WIFSIGNALED(status))
		snprintf(what, sizeof(what), "died SIG%s", sigabbrev_np(WTERMSIG(status)));
	else
		snprintf(what, sizeof(what), "died %d", WEXITSTATUS(status));
	print_state(what);
	return EXIT_FAILURE;
}

int measure_in_child(void (*work)(char **arguments), char **arguments)
{
	size_t seconds = setting("BENCH_TIMEOUT", TIMEOUT_SECONDS);
	struct rlimit no_core = {0, 0};
	int status = 0;
	bool in_time;
	pid_t child;

	measure_workers = mmap(NULL, MEASURE_WORKERS_MAX * sizeof(*measure_workers),
	                       PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (measure_workers == MAP_FAILED) {
		perror("mmap");
		return EXIT_FAILURE;
	}
	setrlimit(RLIMIT_CORE, &no_core);
	child = fork();
	if (child < 0) {
		perror("fork");
		return EXIT_FAILURE;
	}
	if (child == 0) {
		door_open();
		work(arguments);
		exit(EXIT_SUCCESS);
	}
	in_time = await(child, seconds, &status);
	return judge(in_time, status, seconds);
}

size_t measure_count(const char *argument, const char *usage)
{
	char *end = NULL;
	unsigned long value;

	errno = 0;
	value = argument != NULL ? strtoul(argument, &end, 10) : 0;
	if (value == 0 || errno != 0 || *end != '\0') {
		fprintf(stderr, "a whole number from 1 on is wanted: %s\n", usage);
		exit(EXIT_FAILURE);
	}
	return value;
}

static uint64_t read_clock(clockid_t clock)
{
	struct timespec time;

	clock_gettime(clock, &time);
	return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

uint64_t measure_now(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

uint64_t measure_used(void)
{
	return read_clock(CLOCK_PROCESS_CPUTIME_ID);
}

uint64_t measure_duration(void)
{
	return setting("BENCH_MILLISECONDS", DURATION_MILLISECONDS) * UINT64_C(1000000);
}

void measure_print(const char *metric, double value)
{
	dprintf(STDOUT_FILENO, "%s %.2f\n", metric, value);
}

void measure_print_guarded(void *const *blocks, size_t count)
{
	double percent = door_guarded_percent(blocks, count);

	if (percent >= 0)
		measure_print("guarded_percent", percent);
}

void *measure_alloc(struct measure_worker *worker)
{
	void *block = door_alloc(MEASURE_BLOCK_BYTES);
	volatile char *bytes = block;

	if (block == NULL) {
		print_state("refused");
		_exit(EXIT_SUCCESS);
	}
	bytes[0] = 1;
	bytes[MEASURE_BLOCK_BYTES - 1] = 1;
	worker->live++;
	return block;
}
