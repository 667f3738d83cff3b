/* SPDX-License-Identifier: Apache-2.0
 *
 * Loads and unloads the plug-ins of its arguments in turn, which have thread-local storage and
 * allocate, while other threads use and end theirs.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { THREADS = 4, ROUNDS = 50 };

static char **plugins;

static void *host(void *sum)
{
	for (int round = 0; round < ROUNDS; round++)
		for (char **plugin = plugins; *plugin != NULL; plugin++) {
			void *library = dlopen(*plugin, RTLD_NOW | RTLD_LOCAL);
			long (*use)(long);

			if (library == NULL) {
				fprintf(stderr, "%s\n", dlerror());
				exit(1);
			}
			*(void **)&use = dlsym(library, "plugin_use");
			*(long *)sum += use(round);
			dlclose(library);
		}
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t threads[THREADS];
	long sums[THREADS] = {0};
	long sum = 0;

	plugins = argv + 1;
	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, host, &sums[i]);
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		sum += sums[i];
	}
	printf("%d plug-ins, %ld\n", argc - 1, sum);
	return 0;
}
