/* SPDX-License-Identifier: Apache-2.0
 *
 * ends WAY [NUMBER]: ways to go wrong at which a report once was lost, told twice or never
 * made. Each loses or damages one thing, at a line that says "here".
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { THREADS = 8 };

static long number;

static __attribute__((noinline)) void lose(void)
{
	volatile char *block = malloc(77); /* here */

	block[0] = 1;
}

static void *end_later(void *unused)
{
	const struct timespec pause = {.tv_nsec = number * 1000};

	(void)unused;
	nanosleep(&pause, NULL);
	_exit(0);
}

/* Whoever comes second must not end the process in the midst of the first one's report. */
static void second_end(void)
{
	pthread_t thread;

	lose();
	for (int i = 0; i < THREADS; i++)
		pthread_create(&thread, NULL, end_later, NULL);
	exit(0);
}

static void restore(int signal_number)
{
	signal(signal_number, SIG_DFL);
}

/* The same access happens again when the handler has returned. */
static void handler_returns(void)
{
	const struct sigaction action = {.sa_handler = restore};
	char *volatile block = malloc(48);

	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
	free(block);
	block[3] = 1; /* here */
}

/* The kernel refuses each, and the program goes on. */
static void refused_exec(void)
{
	char *bad[] = {(char *)1, NULL};
	char word[] = "true";
	char *good[] = {word, NULL};
	char **volatile nowhere = (char **)8;

	printf("%d", execve("/bin/true", bad, good));
	printf(" %d", errno);
	printf(" %d", execve("/bin/true", good, bad));
	printf(" %d", errno);
	printf(" %d", execve("/bin/true", nowhere, good));
	printf(" %d", errno);
	printf(" %d", execve((char *)nowhere, good, good));
	printf(" %d\n", errno);
}

/* An index that is far too small, in the first block there is. */
static void far_before(void)
{
	volatile char *block = malloc(256);

	block[-number] = 1; /* here */
}

int main(int count, char **words)
{
	pthread_setname_np(pthread_self(), "st\033]0;pwn\007\nx");
	number = count > 2 ? strtol(words[2], NULL, 0) : 0;
	if (strcmp(words[1], "second-end") == 0)
		second_end();
	else if (strcmp(words[1], "handler-returns") == 0)
		handler_returns();
	else if (strcmp(words[1], "refused-exec") == 0)
		refused_exec();
	else if (strcmp(words[1], "far-before") == 0)
		far_before();
	return 0;
}
