/* SPDX-License-Identifier: Apache-2.0
 *
 * Arenas and pools that tell Valgrind what they do, by its own headers, and mistakes with them:
 * requests_victim HOW.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <valgrind/memcheck.h>
#include <valgrind/valgrind.h>

#define EXPECT(condition)                                                                      \
	do {                                                                                   \
		if (!(condition)) {                                                            \
			printf("line %d: not %s\n", __LINE__, #condition);                     \
			exit(1);                                                               \
		}                                                                              \
	} while (0)

enum { PAGE = 4096, ARENA = 64 * PAGE, SLOT = 64, HEADER = 48, THREADS = 4 };

static volatile char sink;
static int null;
static char *arena;
static size_t used;
void *kept;

static char *make_arena(int is_mapped)
{
	arena = is_mapped ? mmap(NULL, ARENA, PROT_READ | PROT_WRITE,
	                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
	                  : malloc(ARENA);
	EXPECT(arena != NULL && arena != MAP_FAILED);
	used = HEADER;
	memset(arena, 'a', ARENA);
	VALGRIND_MAKE_MEM_NOACCESS(arena, ARENA);
	return arena;
}

static void *cut(size_t size)
{
	char *block = arena + used;

	used += (size + 31) / 16 * 16;
	VALGRIND_MALLOCLIKE_BLOCK(block, size, 16, 0);
	return block;
}

static void give_back(void *block)
{
	VALGRIND_FREELIKE_BLOCK(block, 16);
}

static void *pool_cut(void *pool, size_t size)
{
	char *block = arena + used;

	used += (size + 31) / 16 * 16;
	VALGRIND_MEMPOOL_ALLOC(pool, block, size);
	return block;
}

static void pool_give_back(void *pool, void *block)
{
	VALGRIND_MEMPOOL_FREE(pool, block);
}

static void use_after_free(void)
{
	char *block = cut(40);

	memset(block, 1, 40);
	give_back(block);
	EXPECT(write(null, block + 8, 16) == 16);
}

static void overflow(void)
{
	char *block = cut(40);

	memset(block, 1, 40);
	EXPECT(write(null, block, 40) == 40);
	EXPECT(write(null, block, 44) == 44);
}

static void double_free(void)
{
	char *block = cut(24);

	give_back(block);
	give_back(block); /* twice */
}

static void inner_free(void)
{
	char *block = cut(24);

	give_back(block + 8);
}

static void malloc_free(void)
{
	char *block = cut(24);

	block = cut(25);
	free(block);
}

static void page_read(void)
{
	char *block = cut(4 * PAGE);

	memset(block, 2, 4 * PAGE);
	give_back(block);
	sink = block[2 * PAGE + 3];
	puts("went on");
}

static void leak(void)
{
	char *lost = cut(100);
	char *held = cut(200);

	*(void **)held = cut(300);
	kept = held;
	memset(lost, 0, 100);
	lost = NULL;
	held = NULL;
	sink = (char)used;
}

/* Somebody asks what they are. */
static void told(void)
{
	char *held = cut(40);
	char *freed = cut(24);

	give_back(freed);
	kept = held;
	printf("%p %p\n", held, freed);
	fflush(stdout);
	for (;;)
		pause();
}

static void pool(void)
{
	int here, there;

	VALGRIND_CREATE_MEMPOOL(&here, 16, 0);
	VALGRIND_CREATE_MEMPOOL_EXT(&there, 16, 0, 0);
	EXPECT(VALGRIND_MEMPOOL_EXISTS(&here) == 1 && VALGRIND_MEMPOOL_EXISTS(&sink) == 0);
	char *block;

	block = pool_cut(&here, 50);
	char *other = pool_cut(&there, 60);
	memset(block, 3, 50);
	pool_give_back(&there, block);
	VALGRIND_DESTROY_MEMPOOL(&here);
	EXPECT(VALGRIND_MEMPOOL_EXISTS(&here) == 0);
	EXPECT(write(null, block + 2, 3) == 3);
	EXPECT(write(null, other, 60) == 60);
	pool_give_back(&here, block);
	pool_cut(&sink, 5);
	VALGRIND_DESTROY_MEMPOOL(&there);
}

static void shapes(void)
{
	int one, two;

	VALGRIND_CREATE_MEMPOOL(&one, 0, 1);
	char *block = pool_cut(&one, 256);
	VALGRIND_MOVE_MEMPOOL(&one, &two);
	EXPECT(VALGRIND_MEMPOOL_EXISTS(&two) == 1 && VALGRIND_MEMPOOL_EXISTS(&one) == 0);
	VALGRIND_MEMPOOL_CHANGE(&two, block, block + 16, 100);
	EXPECT((char *)VALGRIND_CHECK_MEM_IS_ADDRESSABLE(block + 16, 100) == NULL);
	VALGRIND_MEMPOOL_TRIM(&two, block + 32, 50);
	EXPECT((char *)VALGRIND_CHECK_MEM_IS_ADDRESSABLE(block + 32, 50) == NULL);
	VALGRIND_DESTROY_MEMPOOL(&two);
	block = cut(300);
	VALGRIND_RESIZEINPLACE_BLOCK(block, 300, 80, 0);
	EXPECT(write(null, block, 80) == 80);
	VALGRIND_RESIZEINPLACE_BLOCK(block, 80, 300, 0);
	EXPECT(write(null, block, 300) == 300);
	give_back(block);
	/* A pool whose blocks are cut up further. */
	VALGRIND_CREATE_MEMPOOL_EXT(&one, 0, 0,
	                            VALGRIND_MEMPOOL_METAPOOL | VALGRIND_MEMPOOL_AUTO_FREE);
	block = pool_cut(&one, 2 * PAGE);
	VALGRIND_MALLOCLIKE_BLOCK(block + 64, 100, 0, 0);
	VALGRIND_MALLOCLIKE_BLOCK(block + 256, 100, 0, 0);
	VALGRIND_FREELIKE_BLOCK(block + 256, 0);
	pool_give_back(&one, block);
	VALGRIND_DESTROY_MEMPOOL(&one);
	/* Reset without a word, and the same again. */
	for (int i = 0; i < 100; i++) {
		used = HEADER;
		block = cut(16 + i);
		memset(block, i, 16 + i);
	}
	give_back(block);
	/* Pages that are closed are the program's to move and to give back. */
	block = mmap(NULL, 8 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
	             0);
	memset(block, 5, 8 * PAGE);
	VALGRIND_MAKE_MEM_NOACCESS(block + PAGE, 3 * PAGE);
	block = mremap(block, 8 * PAGE, 600 * PAGE, MREMAP_MAYMOVE);
	EXPECT(block != MAP_FAILED && block[2 * PAGE] == 5);
	VALGRIND_MAKE_MEM_NOACCESS(block, 600 * PAGE);
	EXPECT(munmap(block, 600 * PAGE) == 0);
	char *again = mmap(block, 600 * PAGE, PROT_READ | PROT_WRITE,
	                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	EXPECT(again != MAP_FAILED);
	EXPECT(write(null, again, 600 * PAGE) == 600 * PAGE);
	EXPECT(VALGRIND_COUNT_ERRORS == 0);
	puts("done");
}

/* What calls have left below the stack, and in registers. */
__attribute__((noinline)) static void wipe(void)
{
	volatile char old[8 * PAGE];

	for (size_t i = 0; i < sizeof(old); i++)
		old[i] = 0;
	__asm__ volatile(
	        "xor %%ecx, %%ecx; xor %%esi, %%esi; xor %%edi, %%edi; xor %%r8, %%r8; "
	        "xor %%r9, %%r9; xor %%r10, %%r10; xor %%r11, %%r11"
	        :
	        :
	        : "rcx", "rsi", "rdi", "r8", "r9", "r10", "r11", "cc");
}

__attribute__((noinline)) static void lose(void)
{
	cut(123);
}

static void ask(void)
{
	static char memory[3 * PAGE];
	unsigned long leaked, possible, reachable, suppressed;
	int found = open("/nowhere", O_RDONLY);

	EXPECT(found == -1 && errno == ENOENT && RUNNING_ON_VALGRIND == 1 && errno == ENOENT);
	VALGRIND_PRINTF("printed %d %s %.1f\n", 42, "words", 2.5);
	VALGRIND_MAKE_MEM_NOACCESS(memory + 5, 2 * PAGE);
	EXPECT((char *)VALGRIND_CHECK_MEM_IS_ADDRESSABLE(memory, 5) == NULL);
	EXPECT((char *)VALGRIND_CHECK_MEM_IS_ADDRESSABLE(memory, 10) == memory + 5);
	EXPECT(VALGRIND_COUNT_ERRORS == 1);
	VALGRIND_MAKE_MEM_DEFINED(memory + 5, 7);
	EXPECT((char *)VALGRIND_CHECK_MEM_IS_DEFINED(memory, 20) == memory + 12);
	VALGRIND_MAKE_MEM_UNDEFINED(memory, sizeof(memory));
	memset(memory, 1, sizeof(memory));
	lose();
	wipe();
	VALGRIND_DO_LEAK_CHECK;
	VALGRIND_COUNT_LEAKS(leaked, possible, reachable, suppressed);
	EXPECT(leaked == 123 && suppressed == 0);
	VALGRIND_COUNT_LEAK_BLOCKS(leaked, possible, reachable, suppressed);
	EXPECT(leaked == 1);
	VALGRIND_DISCARD(VALGRIND_CREATE_BLOCK(memory, 1, "memory"));
	printf("done %d %d\n", VALGRIND_COUNT_ERRORS, (int)possible);
}

static void fork_read(void)
{
	char *block = cut(2 * PAGE);

	give_back(block);
	pid_t child = fork();
	if (child == 0) {
		EXPECT(write(null, block, 5) == 5);
		give_back(block); /* in the child */
		give_back(cut(17));
		_exit(0);
	}
	int status = 0;
	waitpid(child, &status, 0);
	printf("child %d\n", status);
}

/* Registers, flags, and what is below the stack pointer stay: mixed by hand. */
__attribute__((noinline)) static double mix(double x, long a, long b, const char *memory)
{
	long sums[12];
	double parts[8];

	for (int i = 0; i < 12; i++)
		sums[i] = a * i + b;
	for (int i = 0; i < 8; i++)
		parts[i] = x * i + (double)sums[i];
	VALGRIND_MAKE_MEM_DEFINED(memory, 32);
	for (int i = 0; i < 8; i++)
		x += parts[i] + (double)sums[i + 4];
	return x;
}

static void *churn(void *mine)
{
	char *slots = mine;
	double sum = 0;

	for (int i = 0; i < 3000; i++) {
		char *block = slots + i % 16 * SLOT;

		VALGRIND_MALLOCLIKE_BLOCK(block, 32, 0, 0);
		memset(block, i, 32);
		sum += mix(i, i, 2 * i, block) - mix(i, i, 2 * i, block);
		VALGRIND_FREELIKE_BLOCK(block, 0);
	}
	EXPECT(sum == 0 && mix(1, 2, 3, slots) == 253);
	return mine;
}

static void threads(void)
{
	static char memory[THREADS][16 * SLOT];
	pthread_t thread[THREADS];

	for (int i = 0; i < THREADS; i++)
		EXPECT(pthread_create(&thread[i], NULL, churn, memory[i]) == 0);
	for (int i = 0; i < THREADS; i++)
		EXPECT(pthread_join(thread[i], NULL) == 0);
	puts("done");
}

/* Requests of a module that is loaded later, in its constructor, too; and again. */
static void load(void)
{
	char path[4096];

	for (int i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s/requests_module.so",
		         getenv("REQUESTS_MODULES"));
		void *module = dlopen(path, RTLD_NOW);
		EXPECT(module != NULL);
		EXPECT(*(int *)dlsym(module, "was_running") == 1);
		void (*make)(char *) = (void (*)(char *))dlsym(module, "module_misuse");
		if (i == 2)
			make(cut(32));
		dlclose(module);
	}
	puts("done");
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} ways[] = {
	        {"use", use_after_free}, {"overflow", overflow},
	        {"double", double_free}, {"inner", inner_free},
	        {"free", malloc_free},   {"page", page_read},
	        {"leak", leak},          {"pool", pool},
	        {"shapes", shapes},      {"ask", ask},
	        {"fork", fork_read},     {"threads", threads},
	        {"load", load},          {"told", told},
	};

	null = open("/dev/null", O_WRONLY);
	if (argc < 3 || !RUNNING_ON_VALGRIND) {
		puts("nobody answers");
		return 0;
	}
	make_arena(strcmp(argv[2], "mapped") == 0);
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		if (strcmp(ways[i].name, argv[1]) == 0) {
			ways[i].run();
			return 0;
		}
	return 2;
}
