/* SPDX-License-Identifier: Apache-2.0
 *
 * An arena that poisons what it has not given out, as it would for AddressSanitizer, and
 * mistakes with it: poison_victim HOW.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

void __asan_poison_memory_region(const volatile void *address, size_t bytes);
void __asan_unpoison_memory_region(const volatile void *address, size_t bytes);
int __asan_address_is_poisoned(const volatile void *address);
void *__asan_region_is_poisoned(void *address, size_t bytes);
#pragma weak __asan_poison_memory_region
#pragma weak __asan_unpoison_memory_region
#pragma weak __asan_address_is_poisoned
#pragma weak __asan_region_is_poisoned

#define EXPECT(condition)                                                                      \
	do {                                                                                   \
		if (!(condition)) {                                                            \
			printf("line %d: not %s\n", __LINE__, #condition);                     \
			exit(1);                                                               \
		}                                                                              \
	} while (0)

enum { PAGE = 4096, THREADS = 4 };

static volatile char sink;
static char *kept;

static char *make(size_t size)
{
	char *block = aligned_alloc(PAGE, size);

	EXPECT(block != NULL);
	for (size_t i = 0; i < size; i++)
		block[i] = (char)i;
	return block;
}

/* The arena takes memory back. */
static void take_back(char *start, size_t bytes)
{
	__asan_poison_memory_region(start, bytes);
}

static void read_page(void)
{
	char *arena = make(4 * PAGE);

	take_back(arena + PAGE - 100, 2 * PAGE + 200);
	sink = arena[PAGE - 100]; /* whose page is not poisoned whole */
	sink = arena[2 * PAGE + 5];
	puts("went on");
}

static void write_page(void)
{
	char *arena = make(4 * PAGE);

	take_back(arena, 4 * PAGE);
	arena[PAGE + 7] = 1;
	printf("went on with %d\n", arena[PAGE + 7]);
}

static void fork_read(void)
{
	char *arena = make(4 * PAGE);

	take_back(arena, PAGE * 4);
	pid_t child = fork();
	if (child == 0) {
		sink = arena[9];
		_exit(0);
	}
	int status = 0;
	waitpid(child, &status, 0);
	printf("child %d\n", WIFSIGNALED(status) ? WTERMSIG(status) : 0);
}

static void call(void)
{
	char *arena = make(200);
	FILE *file = fopen("/dev/null", "w");

	take_back(arena + 27, 6);
	EXPECT(write(open("/dev/null", O_WRONLY), arena + 10, 17) == 17);
	EXPECT(write(open("/dev/null", O_WRONLY), arena + 33, 100) == 100);
	EXPECT(write(open("/dev/null", O_WRONLY), arena + 10, 20) == 20);
	EXPECT(read(open("/dev/zero", O_RDONLY), arena + 30, 50) == 50);
	EXPECT(fwrite(arena, 1, 28, file) == 28);
	fclose(file);
	free(arena);
	puts("went on");
}

static void text(void)
{
	char *arena = make(200);

	strcpy(arena, "/dev/null");
	take_back(arena + 10, 100);
	EXPECT(open(arena, O_RDONLY) >= 0);
	take_back(arena + 5, 1);
	EXPECT(open(arena, O_RDWR) >= 0);
	free(arena);
}

static void free_inside(void)
{
	char *arena = make(200);

	take_back(arena + 16, 32);
	free(arena + 24);
}

static void exact(void)
{
	char *arena = make(3 * PAGE);

	EXPECT(!__asan_address_is_poisoned(arena));
	EXPECT(__asan_region_is_poisoned(arena, 3 * PAGE) == NULL);
	take_back(arena + 13, 3);
	EXPECT(!__asan_address_is_poisoned(arena + 12) &&
	       !__asan_address_is_poisoned(arena + 16));
	EXPECT(__asan_address_is_poisoned(arena + 13) &&
	       __asan_address_is_poisoned(arena + 15));
	EXPECT(__asan_region_is_poisoned(arena, 14) == arena + 13);
	EXPECT(__asan_region_is_poisoned(arena, 13) == NULL);
	take_back(arena, 3 * PAGE);
	EXPECT(__asan_region_is_poisoned(arena, 3 * PAGE) == arena);
	__asan_unpoison_memory_region(arena, PAGE + 10);
	EXPECT(__asan_region_is_poisoned(arena, 3 * PAGE) == arena + PAGE + 10);
	for (int i = 0; i < PAGE + 10; i++)
		EXPECT(arena[i] == (char)i);
	__asan_unpoison_memory_region(arena, 3 * PAGE);
	EXPECT(__asan_region_is_poisoned(arena, 3 * PAGE) == NULL);
	for (int i = 0; i < 3 * PAGE; i++)
		EXPECT(arena[i] == (char)i);
	/* Other memory, and more than the block has. */
	take_back((char *)&sink, 1);
	EXPECT(__asan_address_is_poisoned(&sink));
	__asan_unpoison_memory_region(&sink, 1);
	EXPECT(!__asan_address_is_poisoned(&sink));
	take_back(arena + 2 * PAGE, 10 * PAGE);
	EXPECT(__asan_region_is_poisoned(arena, SIZE_MAX / 2) == arena + 2 * PAGE);
	EXPECT(!__asan_address_is_poisoned(arena + 3 * PAGE));
	free(arena);
	EXPECT(!__asan_address_is_poisoned(arena + 2 * PAGE));
}

static void end(void)
{
	for (int i = 0; i < 100; i++) {
		size_t size = (size_t)(i % 7 + 1) * PAGE + (size_t)i;
		char *arena = make((size + PAGE - 1) / PAGE * PAGE);

		take_back(arena, size);
		if (i % 3 == 0)
			EXPECT((arena = realloc(arena, 2 * size)) != NULL &&
			       arena[size - 1] == (char)(size - 1));
		if (i % 3 == 1)
			EXPECT((arena = realloc(arena, 10)) != NULL && arena[9] == 9);
		EXPECT(!__asan_address_is_poisoned(arena) == (i % 3 != 2));
		free(arena);
	}
	kept = make(2 * PAGE);
	take_back(kept, 2 * PAGE);
}

static void *churn(void *unused)
{
	for (int i = 0; i < 300; i++) {
		char *arena = make(3 * PAGE);

		take_back(arena, 3 * PAGE);
		__asan_unpoison_memory_region(arena + 100, PAGE);
		for (int j = 100; j < PAGE + 100; j++)
			EXPECT(arena[j] == (char)j);
		EXPECT(__asan_region_is_poisoned(arena + 100, 2 * PAGE) == arena + PAGE + 100);
		free(arena);
	}
	return unused;
}

static void threads(void)
{
	pthread_t thread[THREADS];

	for (int i = 0; i < THREADS; i++)
		EXPECT(pthread_create(&thread[i], NULL, churn, NULL) == 0);
	for (int i = 0; i < THREADS; i++)
		EXPECT(pthread_join(thread[i], NULL) == 0);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} ways[] = {
	        {"read", read_page}, {"write", write_page}, {"fork", fork_read},
	        {"call", call},      {"text", text},        {"free", free_inside},
	        {"exact", exact},    {"end", end},          {"threads", threads},
	};

	if (__asan_poison_memory_region == NULL) {
		puts("nobody is there to poison for");
		return 0;
	}
	for (size_t i = 0; argc == 2 && i < sizeof(ways) / sizeof(ways[0]); i++)
		if (strcmp(ways[i].name, argv[1]) == 0) {
			ways[i].run();
			return 0;
		}
	return 2;
}
