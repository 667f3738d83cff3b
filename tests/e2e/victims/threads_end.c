/* SPDX-License-Identifier: Apache-2.0
 *
 * Threads that come and go, on stacks that are unmapped when they have ended, while one asks
 * for leaks again and again: threads_end HOW TIMES. One block is lost.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

extern int __lsan_do_recoverable_leak_check(void) __attribute__((weak));

enum { MAKERS = 4, STACK = 64 << 10, LOST = 24, CLEARED = 16 << 10, PAGE = 4096 };

static atomic_bool is_over;
static atomic_ulong ended;

static void *map(size_t bytes)
{
	void *memory =
	        mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		_exit(2);
	return memory;
}

/* The set that it waits for is on its stack. */
static void *wait_briefly(void *unused)
{
	const struct timespec moment = {.tv_nsec = 1000};
	void *volatile own = malloc(100);
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigtimedwait(&set, NULL, &moment);
	free(own);
	atomic_fetch_add(&ended, 1);
	return unused;
}

static void *make_threads(void *unused)
{
	while (!is_over) {
		void *stack = map(STACK);
		pthread_attr_t attributes;
		pthread_t thread;

		pthread_attr_init(&attributes);
		pthread_attr_setstack(&attributes, stack, STACK);
		if (pthread_create(&thread, &attributes, wait_briefly, NULL) != 0)
			_exit(3);
		pthread_join(thread, NULL);
		pthread_attr_destroy(&attributes);
		munmap(stack, STACK);
	}
	return unused;
}

static atomic_int waiter;

/* The kernel has a copy of what it waits for. */
static void *wait_long(void *set)
{
	waiter = gettid();
	syscall(SYS_rt_sigtimedwait, set, NULL, NULL, _NSIG / 8);
	return NULL;
}

static int is_waiting(int thread)
{
	char path[64];
	char call[32] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/task/%d/syscall", thread);
	file = fopen(path, "r");
	if (file == NULL)
		return 1;
	fgets(call, sizeof(call), file);
	fclose(file);
	return atoi(call) == SYS_rt_sigtimedwait;
}

__attribute__((noinline)) static void lose(void)
{
	*(volatile char *)malloc(LOST) = 1; /* plant: lost */
}

__attribute__((noinline)) static void forget(void)
{
	volatile char stack[CLEARED];

	for (size_t i = 0; i < sizeof(stack); i++)
		stack[i] = 0;
}

static void ask(int times)
{
	for (int i = 0; i < times && __lsan_do_recoverable_leak_check != NULL; i++)
		__lsan_do_recoverable_leak_check();
}

static void churn(int times)
{
	pthread_t makers[MAKERS];

	for (int i = 0; i < MAKERS; i++)
		pthread_create(&makers[i], NULL, make_threads, NULL);
	ask(times);
	is_over = 1;
	for (int i = 0; i < MAKERS; i++)
		pthread_join(makers[i], NULL);
	if (ended < MAKERS)
		_exit(4);
}

static void unmapped(int times)
{
	unsigned char *set = map(PAGE);
	pthread_t thread;

	set[(SIGUSR1 - 1) / 8] = 1 << (SIGUSR1 - 1) % 8;
	pthread_create(&thread, NULL, wait_long, set);
	while (waiter == 0 || !is_waiting(waiter))
		usleep(1000);
	munmap(set, PAGE);
	ask(times);
	pthread_kill(thread, SIGUSR1);
	pthread_join(thread, NULL);
}

int main(int argc, char **argv)
{
	int times = argc > 2 ? atoi(argv[2]) : 1;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	lose();
	forget();
	if (argc > 1 && strcmp(argv[1], "unmapped") == 0)
		unmapped(times);
	else
		churn(times);
	puts("done");
	return 0;
}
