/* SPDX-License-Identifier: Apache-2.0
 *
 * A server: it holds blocks, has lost one, and then ends, or waits for its end, in the way that
 * the argument names.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LOST = 24, HELD = 40, STACK = 16 << 10, SECONDS = 1 };

static void *volatile held;

__attribute__((noinline)) static void forget(void)
{
	volatile char stack[STACK];

	for (size_t i = 0; i < sizeof(stack); i++)
		stack[i] = 0;
}

__attribute__((noinline)) static void lose(void)
{
	*(volatile char *)malloc(LOST) = 1; /* plant: lost */
}

static void leave(int number)
{
	_exit(4);
}

static void *work(void *unused)
{
	void *volatile own = malloc(HELD);

	lose();
	forget();
	for (;;)
		free(malloc(10));
	return own;
}

/* Once a byte comes in, one more block is lost; with the end of the input it ends. */
static void serve(void)
{
	char order;

	/* Servers give up what they may; every thread has to. */
	if (setgid(getgid()) != 0)
		_exit(5);
	for (;;) {
		ssize_t count = read(STDIN_FILENO, &order, 1);

		if (count == 0 || (count < 0 && errno != EINTR))
			break;
		if (count < 0)
			continue;
		lose();
		forget();
		write(STDOUT_FILENO, ".", 1);
	}
}

int main(int argc, char **argv)
{
	const char *way = argc > 1 ? argv[1] : "";
	void *volatile own = malloc(HELD);
	pthread_t thread;

	held = malloc(HELD);
	if (strcmp(way, "threads") != 0)
		lose();
	forget();
	if (strcmp(way, "_exit") == 0)
		_exit(4);
	else if (strcmp(way, "raise") == 0)
		raise(SIGTERM);
	else if (strcmp(way, "handler") == 0)
		signal(SIGALRM, leave);
	if (strcmp(way, "serve") == 0) {
		serve();
		return own == NULL;
	}
	alarm(SECONDS);
	if (strcmp(way, "threads") == 0)
		pthread_create(&thread, NULL, work, NULL);
	else if (strcmp(way, "busy") == 0)
		for (;;)
			free(malloc(10));
	for (;;)
		pause();
	return own == NULL;
}
