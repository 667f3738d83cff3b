/* SPDX-License-Identifier: Apache-2.0
 *
 * Sixteen threads that do for SECONDS (argv[1]) all that takes locks in the loader, in libc and
 * in an allocator: they load and unload the plug-ins that the other arguments name, fork, send
 * one another signals, look for leaks, and hand blocks on. Every block's content is checked,
 * and a thread that stands still for PATIENCE is named and ends the program.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { THREADS = 16, PLACES = 256, PATIENCE = 300, MILLISECOND = 1000 };

struct worker {
	pthread_t thread;
	void (*turn)(unsigned *state);
	const char *name;
	atomic_ulong turns;
};

static struct worker workers[THREADS];
static atomic_bool is_over;
static unsigned char *_Atomic places[PLACES];
static atomic_long made, freed, signals;
static char **plugins;
static unsigned plugin_count;

__attribute__((weak)) int __lsan_do_recoverable_leak_check(void);

static unsigned draw(unsigned *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 8;
}

static void must(int condition, const char *what)
{
	if (condition)
		return;
	fprintf(stderr, "soak: %s\n", what);
	abort();
}

/* A block holds its size, then the size's low byte throughout. */
static unsigned char *make(size_t size)
{
	unsigned char *block = malloc(size);

	must(block != NULL, "no memory");
	memset(block, (int)(size & 0xff), size);
	memcpy(block, &size, sizeof(size));
	atomic_fetch_add(&made, 1);
	return block;
}

static void verify_and_free(unsigned char *block)
{
	size_t size;

	if (block == NULL)
		return;
	memcpy(&size, block, sizeof(size));
	for (size_t i = sizeof(size); i < size; i++)
		must(block[i] == (size & 0xff), "a block was overwritten");
	free(block);
	atomic_fetch_add(&freed, 1);
}

/* ---- Turns ---------------------------------------------------------------------------------
 */

static void hand_on(unsigned *state)
{
	size_t size = sizeof(size_t) + draw(state) % 3000;

	verify_and_free(atomic_exchange(&places[draw(state) % PLACES], make(size)));
	free(realloc(calloc(1, size), 2 * size));
}

static void load(unsigned *state)
{
	void *library = dlopen(plugins[draw(state) % plugin_count], RTLD_NOW | RTLD_LOCAL);
	long (*use)(long);

	must(library != NULL, "dlopen failed");
	*(void **)&use = dlsym(library, "plugin_use");
	must(use(draw(state) % 100) >= 0, "a plug-in's own block was overwritten");
	dlclose(library);
}

static void fork_off(unsigned *state)
{
	pid_t child = fork();
	int status;

	must(child >= 0, "fork failed");
	if (child == 0) {
		for (int i = 0; i < 10; i++)
			free(malloc(draw(state) % 5000));
		_exit(3);
	}
	must(waitpid(child, &status, 0) == child, "waitpid failed");
	must(WIFEXITED(status) && WEXITSTATUS(status) == 3, "a child ended otherwise");
}

static void send_signal(unsigned *state)
{
	pthread_kill(workers[draw(state) % THREADS].thread, SIGUSR1);
	usleep(MILLISECOND);
}

static void look_for_leaks(unsigned *state)
{
	(void)state;
	if (__lsan_do_recoverable_leak_check != NULL)
		__lsan_do_recoverable_leak_check();
	usleep(100 * MILLISECOND);
}

static void *run_thread(void *argument)
{
	(void)argument;
	free(malloc(1000));
	return NULL;
}

static void start_thread(unsigned *state)
{
	pthread_t thread;

	(void)state;
	must(pthread_create(&thread, NULL, run_thread, NULL) == 0, "no thread");
	pthread_join(thread, NULL);
}

static const struct {
	void (*turn)(unsigned *state);
	const char *name;
	int threads;
} kinds[] = {
        {hand_on, "hands blocks on", 6},
        {load, "loads plug-ins", 4},
        {fork_off, "forks", 2},
        {send_signal, "sends signals", 2},
        {look_for_leaks, "looks for leaks", 1},
        {start_thread, "starts threads", 1},
};

/* ---- The program ---------------------------------------------------------------------------
 */

static void count_signal(int number)
{
	(void)number;
	atomic_fetch_add(&signals, 1);
}

static void *work(void *argument)
{
	struct worker *worker = argument;
	unsigned state = (unsigned)(worker - workers) * 2654435761u + 1;

	while (!atomic_load(&is_over)) {
		worker->turn(&state);
		atomic_fetch_add(&worker->turns, 1);
	}
	return NULL;
}

/* Says who stands still, by write(2): it may be inside stdio. */
static void expect_turns(unsigned long seen[THREADS], int still[THREADS])
{
	for (int i = 0; i < THREADS; i++) {
		unsigned long turns = atomic_load(&workers[i].turns);

		still[i] = turns == seen[i] ? still[i] + 1 : 0;
		seen[i] = turns;
		if (still[i] < PATIENCE)
			continue;
		dprintf(STDERR_FILENO, "soak: the thread that %s stands still\n",
		        workers[i].name);
		abort();
	}
}

static void start(void)
{
	struct sigaction action = {.sa_handler = count_signal, .sa_flags = SA_RESTART};
	int next = 0;

	sigaction(SIGUSR1, &action, NULL);
	for (size_t kind = 0; kind < sizeof(kinds) / sizeof(kinds[0]); kind++)
		for (int i = 0; i < kinds[kind].threads; i++) {
			workers[next].turn = kinds[kind].turn;
			workers[next++].name = kinds[kind].name;
		}
	/* Those that send signals come last but for two: all they send to must be there. */
	for (int i = 0; i < THREADS; i++)
		workers[i].thread = pthread_self();
	for (int i = 0; i < THREADS; i++)
		must(pthread_create(&workers[i].thread, NULL, work, &workers[i]) == 0,
		     "no thread");
}

int main(int argc, char **argv)
{
	unsigned long seen[THREADS] = {0};
	int still[THREADS] = {0};
	struct timespec next;

	must(argc > 2, "usage: soak SECONDS PLUGIN...");
	clock_gettime(CLOCK_MONOTONIC, &next);
	plugins = argv + 2;
	plugin_count = (unsigned)argc - 2;
	start();
	for (long second = atol(argv[1]); second > 0; second--) {
		next.tv_sec++;
		/* Signals wake it up early. */
		while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL) != 0)
			;
		expect_turns(seen, still);
	}
	atomic_store(&is_over, true);
	for (int i = 0; i < THREADS; i++)
		pthread_join(workers[i].thread, NULL);
	for (int i = 0; i < PLACES; i++)
		verify_and_free(atomic_load(&places[i]));
	must(made == freed, "blocks were lost");
	for (int i = 0; i < THREADS; i++)
		printf("%10lu turns: %s\n", atomic_load(&workers[i].turns), workers[i].name);
	printf("%ld blocks, %ld signals\n", made, signals);
	return 0;
}
