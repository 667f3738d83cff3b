/* SPDX-License-Identifier: Apache-2.0
 *
 * A host of libfencepost that makes a mistake with malloc and one with its heap, holds blocks
 * of each in blocks of the other, and ends in the way that its argument names. A second one is
 * the options that it passes.
 */
#define COBJMACROS
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fencepost/extension.h>
#include <fencepost/fencepost.h>

static IHostMalloc *heap;
static void *volatile held[2]; /* compilers know what malloc returned, and how much */

static void *take(size_t size)
{
	void *block = NULL;

	IHostMalloc_Alloc(heap, size, eTaskCritical, &block);
	return block;
}

static void make_mistakes(void)
{
	char *volatile block = malloc(20);

	free(block);
	free(block);
	block = take(100);
	IHostMalloc_Free(heap, block);
	IHostMalloc_Free(heap, block);
}

static void mix_up(void)
{
	free(take(30));
	IHostMalloc_Free(heap, malloc(31));
}

/* A block of malloc's is another heap's. */
static bool tells_them_apart(void)
{
	void *extended = NULL, *theirs = malloc(32), *ours = take(33);
	EFencepostPointer answers[2] = {eFencepostForgotten, eFencepostForgotten};

	IHostMalloc_QueryInterface(heap, &IID_IFencepostMalloc, &extended);
	IFencepostMalloc_Identify((IFencepostMalloc *)extended, theirs, &answers[0]);
	IFencepostMalloc_Identify((IFencepostMalloc *)extended, ours, &answers[1]);
	free(theirs);
	IHostMalloc_Free(heap, ours);
	return answers[0] == eFencepostOther && answers[1] == eFencepostLive;
}

static void allocate(int signal)
{
	(void)signal;
	free(malloc(10));
}

static void be_interrupted(void)
{
	enum { ROUNDS = 20000, MICROSECONDS = 100 };
	const struct itimerval often = {{0, MICROSECONDS}, {0, MICROSECONDS}};
	const struct itimerval never = {{0, 0}, {0, 0}};
	const struct sigaction action = {.sa_handler = allocate, .sa_flags = SA_RESTART};

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	for (int i = 0; i < ROUNDS; i++)
		IHostMalloc_Free(heap, take(40));
	setitimer(ITIMER_REAL, &never, NULL);
}

/* ---- A runtime that stops its threads
 * --------------------------------------------------------
 */

static sem_t stopped;
static sem_t resumed;
static volatile bool is_over;

static void stop(int signal)
{
	(void)signal;
	sem_post(&stopped);
	while (sem_wait(&resumed) != 0)
		continue;
}

static void *allocate_on(void *unused)
{
	while (!is_over)
		IHostMalloc_Free(heap, take(40));
	return unused;
}

static void stop_a_thread(void)
{
	enum { ROUNDS = 500 };
	const struct sigaction action = {.sa_handler = stop, .sa_flags = SA_RESTART};
	pthread_t thread;

	sem_init(&stopped, 0, 0);
	sem_init(&resumed, 0, 0);
	sigaction(SIGUSR1, &action, NULL);
	pthread_create(&thread, NULL, allocate_on, NULL);
	for (int i = 0; i < ROUNDS; i++) {
		pthread_kill(thread, SIGUSR1);
		sem_wait(&stopped);
		allocate(0);
		sem_post(&resumed);
	}
	is_over = true;
	pthread_join(thread, NULL);
}

/* ---- A block that only Fencepost points to
 * ---------------------------------------------------
 */

static void ignore(const struct fp_finding_info *finding, void *user)
{
	(void)finding;
	(void)user;
}

__attribute__((noinline)) static void give_away(void)
{
	fp_set_finding_callback(ignore, malloc(77));
}

static int end(char how)
{
	switch (how) {
	case 'm':
		return ((volatile char *)held[0])[64];
	case 'h':
		return ((volatile char *)held[1])[64];
	case 'w':
		mix_up();
		return 0;
	case 'i':
		return tells_them_apart() ? 0 : 6;
	case 'd':
		stop_a_thread();
		return 0;
	case 'c':
		give_away();
		return 0;
	case 's':
		be_interrupted();
		return 0;
	case 'q':
		_exit(4);
	case 'k':
		return raise(SIGKILL);
	case 't':
		return raise(SIGTERM);
	case 'a':
		abort();
	case 'f':
		if (fork() == 0) {
			make_mistakes();
			_exit(2);
		}
		wait(NULL);
		return 5;
	default:
		return 5;
	}
}

int main(int count, char **arguments)
{
	IHostMemoryManager *manager;

	if (count < 2 ||
	    fp_create_memory_manager(count > 2 ? arguments[2] : NULL, &manager) != S_OK ||
	    IHostMemoryManager_CreateMalloc(manager, MALLOC_THREADSAFE, &heap) != S_OK)
		return 1;
	held[0] = malloc(64);
	held[1] = take(64);
	*(void **)held[0] = take(48);
	*(void **)held[1] = malloc(48);
	make_mistakes();
	return end(arguments[1][0]);
}
