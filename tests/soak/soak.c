/* SPDX-License-Identifier: Apache-2.0
 *
 * Sixteen threads that do for SECONDS (argv[1]) all that takes locks in the loader, in libc and
 * in an allocator: they load and unload the plug-ins that the other arguments name, fork,
 * execute, start and cancel threads, send one another signals whose handlers allocate, look for
 * leaks, and hand blocks on. Every block's content is checked. Under Fencepost one makes
 * mistakes, and at the end says how many. A thread that has had no turn for PATIENCE and has
 * used no processor time either is named and ends the program; one that was only slow is not.
 * What memory the program has is looked at in the middle and at the end.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { THREADS = 16, PLACES = 256, PATIENCE = 120, MILLISECOND = 1000, LOST_BYTES = 77 };
/* Memory may grow by so much from the middle to the end: a quarter, and some MiB. */
enum { GROWTH_PARTS = 4, GROWTH_MIB = 32 };

struct worker {
	pthread_t thread;
	void (*turn)(unsigned *state);
	const char *name;
	atomic_ulong turns;
};

static struct worker workers[THREADS];
static atomic_bool is_over;
static unsigned char *_Atomic places[PLACES];
static atomic_long made, freed, signals, freed_twice, lost;
extern char **environ;
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
	usleep(100 * MILLISECOND);
}

/* main() ends it at once. */
static void execute(unsigned *state)
{
	char *words[] = {(char[]){"soak"}, (char[]){"executed"}, NULL};
	pid_t child;
	int status;

	(void)state;
	must(posix_spawn(&child, "/proc/self/exe", NULL, NULL, words, environ) == 0,
	     "no program");
	must(waitpid(child, &status, 0) == child, "waitpid failed");
	must(WIFEXITED(status) && WEXITSTATUS(status) == 3, "a program ended otherwise");
	usleep(200 * MILLISECOND);
}

/* A thousand a second, if the machine can. */
static void send_signal(unsigned *state)
{
	pthread_kill(workers[draw(state) % THREADS].thread, SIGUSR1);
	usleep(MILLISECOND);
}

static void *wait_to_be_cancelled(void *argument)
{
	void *volatile block = malloc(500);

	pthread_cleanup_push(free, block);
	for (;;) {
		free(malloc(1000));
		pthread_testcancel();
	}
	pthread_cleanup_pop(1);
	return argument;
}

static void cancel_thread(unsigned *state)
{
	pthread_t thread;
	void *result;

	must(pthread_create(&thread, NULL, wait_to_be_cancelled, NULL) == 0, "no thread");
	usleep(draw(state) % (20 * MILLISECOND));
	pthread_cancel(thread);
	pthread_join(thread, &result);
	must(result == PTHREAD_CANCELED, "a thread was not cancelled");
}

static __attribute__((noinline)) void free_twice(void)
{
	void *volatile block = malloc(60);

	free(block);
	free(block); /* plant: double-free */
}

static __attribute__((noinline)) void lose(void)
{
	volatile char *volatile block = malloc(LOST_BYTES); /* plant: leak */

	block[0] = 1;
	block = NULL;
}

static __attribute__((noinline)) void wipe_stack(void)
{
	volatile char bytes[16384];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = 0;
}

/* Natively the first ends the program. */
static void make_mistakes(unsigned *state)
{
	(void)state;
	if (__lsan_do_recoverable_leak_check != NULL) {
		free_twice();
		atomic_fetch_add(&freed_twice, 1);
		lose();
		wipe_stack();
		atomic_fetch_add(&lost, 1);
	}
	usleep(100 * MILLISECOND);
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
        {hand_on, "hands blocks on", 5},
        {load, "loads plug-ins", 3},
        {fork_off, "forks", 1},
        {execute, "executes", 1},
        {send_signal, "sends signals", 2},
        {look_for_leaks, "looks for leaks", 1},
        {start_thread, "starts threads", 1},
        {cancel_thread, "cancels threads", 1},
        {make_mistakes, "makes mistakes", 1},
};

/* ---- The program ---------------------------------------------------------------------------
 */

/* What libc's malloc was interrupted in, it cannot be called from. */
static void count_signal(int number)
{
	(void)number;
	if (__lsan_do_recoverable_leak_check != NULL)
		free(malloc(64));
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

struct progress {
	unsigned long turns;
	long long nanoseconds;
	int still; /* seconds */
};

static long long spent_by(pthread_t thread)
{
	struct timespec spent = {0};
	clockid_t clock;

	if (pthread_getcpuclockid(thread, &clock) == 0)
		clock_gettime(clock, &spent);
	return spent.tv_sec * 1000000000LL + spent.tv_nsec;
}

/* Says who stands still, by write(2): it may be inside stdio. */
static void expect_turns(struct progress *progress)
{
	for (int i = 0; i < THREADS; i++) {
		unsigned long turns = atomic_load(&workers[i].turns);
		long long nanoseconds = spent_by(workers[i].thread);
		bool is_busy =
		        turns != progress[i].turns || nanoseconds != progress[i].nanoseconds;

		progress[i].still = is_busy ? 0 : progress[i].still + 1;
		progress[i].turns = turns;
		progress[i].nanoseconds = nanoseconds;
		if (progress[i].still < PATIENCE)
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

static long resident_mib(void)
{
	char line[256];
	long kib = 0;
	FILE *file = fopen("/proc/self/status", "r");

	while (file != NULL && kib == 0 && fgets(line, sizeof(line), file) != NULL)
		sscanf(line, "VmRSS: %ld", &kib);
	if (file != NULL)
		fclose(file);
	return kib / 1024;
}

int main(int argc, char **argv)
{
	struct progress progress[THREADS] = {{0}};
	struct timespec next;
	long middle = 0;

	if (argc == 2) {
		free(malloc(300));
		return 3;
	}
	must(argc > 2, "usage: soak SECONDS PLUGIN...");
	clock_gettime(CLOCK_MONOTONIC, &next);
	plugins = argv + 2;
	plugin_count = (unsigned)argc - 2;
	start();
	for (long second = atol(argv[1]), half = second / 2; second > 0; second--) {
		if (second == half)
			middle = resident_mib();
		next.tv_sec++;
		/* Signals wake it up early. */
		while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL) != 0)
			;
		expect_turns(progress);
	}
	const long at_end = resident_mib();
	atomic_store(&is_over, true);
	for (int i = 0; i < THREADS; i++)
		pthread_join(workers[i].thread, NULL);
	for (int i = 0; i < PLACES; i++)
		verify_and_free(atomic_load(&places[i]));
	must(made == freed, "blocks were lost");
	for (int i = 0; i < THREADS; i++)
		printf("%10lu turns: %s\n", atomic_load(&workers[i].turns), workers[i].name);
	printf("planted %ld %ld\n", freed_twice, lost);
	printf("%ld blocks, %ld signals; %ld MiB in the middle, %ld MiB at the end\n", made,
	       signals, middle, at_end);
	must(at_end <= middle + middle / GROWTH_PARTS + GROWTH_MIB, "memory grows");
	return 0;
}
