/* SPDX-License-Identifier: Apache-2.0
 *
 * Threads that are cancelled while they wait inside stdio, each with a block that its cleanup
 * handler frees.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { THREADS = 20 };

static int cleaned;
static FILE *input;

static void clean_up(void *block)
{
	free(block);
	cleaned++;
}

static void *wait_for_a_line(void *is_ready)
{
	char line[100];
	char *block = malloc(1000);

	pthread_cleanup_push(clean_up, block);
	*(volatile int *)is_ready = 1;
	while (fgets(line, sizeof(line), input) != NULL)
		;
	pthread_cleanup_pop(1);
	return NULL;
}

int main(void)
{
	int ends[2];

	if (pipe(ends) != 0)
		return 1;
	for (int i = 0; i < THREADS; i++) {
		volatile int is_ready = 0;
		pthread_t thread;
		void *result;

		input = fdopen(dup(ends[0]), "r");
		pthread_create(&thread, NULL, wait_for_a_line, (void *)&is_ready);
		while (!is_ready)
			usleep(1000);
		usleep(10000);
		pthread_cancel(thread);
		pthread_join(thread, &result);
		if (result != PTHREAD_CANCELED)
			return 2;
		fclose(input);
	}
	printf("%d cleaned up\n", cleaned);
	return 0;
}
