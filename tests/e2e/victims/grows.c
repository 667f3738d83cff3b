/* SPDX-License-Identifier: Apache-2.0
 *
 * A server for a little more than a second: requests come and go, a cache fills up, and a list
 * gets longer for ever, unless the argument says "healthy". "kill" ends by SIGKILL, "teardown"
 * frees the list in the end, "threads" serves with four threads, "fork" in a child. It is built
 * twice: with malloc, and, with HOSTED, on the library's heap.
 */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef HOSTED
#include "victim.h"

static IHostMalloc *heap(void)
{
	static IHostMalloc *made;

	if (made == NULL)
		made = victim_heap();
	return made;
}

/* On the line that asks. */
#define allocate(size)                                                                         \
	({                                                                                     \
		void *made = NULL;                                                             \
		EXPECT(IHostMalloc_Alloc(heap(), size, eTaskCritical, &made) == S_OK);         \
		made;                                                                          \
	})
#define release(block) EXPECT(IHostMalloc_Free(heap(), block) == S_OK)
#else
#define allocate(size) malloc(size)
#define release(block) free(block)
#endif

enum { ROUNDS = 240, PAUSE = 5000, CACHE = 25, REQUEST = 10, THREADS = 4 };

struct row {
	struct row *next;
	char text[100];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct row *rows;
static void *cache[CACHE];
static const char *way;

static void remember(void)
{
	struct row *row = allocate(sizeof(*row)); /* plant: row */

	row->next = rows;
	rows = row;
}

static void look_up(int number)
{
	void **entry = &cache[number * 7 % CACHE];

	if (*entry == NULL)
		*entry = allocate(2000);
}

static void answer(void)
{
	void *parts[REQUEST];

	for (int i = 0; i < REQUEST; i++)
		parts[i] = allocate(300);
	for (int i = 0; i < REQUEST; i++)
		release(parts[i]);
}

static void *serve(void *unused)
{
	for (int i = 0; i < ROUNDS; i++) {
		answer();
		pthread_mutex_lock(&lock);
		look_up(i);
		if (strcmp(way, "healthy") != 0)
			remember();
		pthread_mutex_unlock(&lock);
		usleep(PAUSE);
	}
	return unused;
}

static void serve_with_threads(void)
{
	pthread_t threads[THREADS];

	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, serve, NULL);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
}

static void tear_down(void)
{
	while (rows != NULL) {
		struct row *row = rows;

		rows = row->next;
		release(row);
	}
}

int main(int count, char **arguments)
{
	way = count > 1 ? arguments[1] : "leak";
	if (strcmp(way, "threads") == 0)
		serve_with_threads();
	else if (strcmp(way, "fork") != 0 || fork() == 0)
		serve(NULL);
	else
		wait(NULL);
	if (strcmp(way, "teardown") == 0)
		tear_down();
	if (strcmp(way, "kill") == 0)
		raise(SIGKILL);
	return 0;
}
