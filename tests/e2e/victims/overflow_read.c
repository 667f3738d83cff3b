/* SPDX-License-Identifier: Apache-2.0
 *
 * read(2) into a block that is too short, at all times of a process and from everywhere.
 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BLOCK = 16, CLAIMED = 64, THREADS = 8, TIMES = 50 };

static void *short_block(void)
{
	return malloc(BLOCK); /* plant: allocation */
}

/* Nothing is there to be read. */
static int empty_file(void)
{
	return open("/dev/null", O_RDONLY);
}

__attribute__((constructor)) static void read_before_main(void)
{
	read(empty_file(), short_block(), CLAIMED); /* plant: constructor */
}

static void read_in_handler(int number)
{
	read(empty_file(), short_block(), CLAIMED); /* plant: handler */
}

static void *read_in_thread(void *unused)
{
	for (int i = 0; i < TIMES; i++)
		read(0, short_block(), CLAIMED); /* plant: thread */
	return NULL;
}

static void read_at_exit(void)
{
	read(empty_file(), short_block(), CLAIMED); /* plant: atexit */
}

__attribute__((destructor)) static void read_after_all(void)
{
	read(empty_file(), short_block(), CLAIMED); /* plant: destructor */
}

int main(int argc, char **argv)
{
	pthread_t threads[THREADS];

	if (argc > 1) {
		if (fork() == 0)
			read(empty_file(), short_block(), CLAIMED); /* plant: fork */
		else
			wait(NULL);
		_exit(0);
	}
	atexit(read_at_exit);
	read(empty_file(), short_block(), CLAIMED); /* plant: main */
	signal(SIGUSR1, read_in_handler);
	raise(SIGUSR1);
	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, read_in_thread, NULL);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	return 0;
}
