/* SPDX-License-Identifier: Apache-2.0
 *
 * Calls malloc and its like, and nothing else, behind hooks.c; ends as its argument says.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void churn(void)
{
	for (unsigned i = 1; i < 300; i++) {
		char *block = malloc(i * 7);

		memset(block, 1, i * 7);
		block = realloc(block, i * 100);
		free(block);
		free(calloc(i, 300));
		free(aligned_alloc(64, i * 64));
	}
}

static void *churn_in_thread(void *unused)
{
	churn();
	return unused;
}

int main(int argc, char **argv)
{
	int *are_forbidden = dlsym(RTLD_DEFAULT, "hooks_are_forbidden");
	pthread_t thread;

	puts("done");
	fflush(stdout);
	pthread_create(&thread, NULL, churn_in_thread, NULL);
	pthread_join(thread, NULL);
	if (are_forbidden != NULL)
		*are_forbidden = 1;
	churn();
	if (argc > 1 && strcmp(argv[1], "double-free") == 0) {
		char *block = malloc(10);

		free(block);
		free(block);
	}
	if (argc > 1 && strcmp(argv[1], "fault") == 0)
		((volatile char *)malloc(16))[16] = 1;
	return 0;
}
