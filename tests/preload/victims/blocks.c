/* SPDX-License-Identifier: Apache-2.0
 *
 * Blocks that come to malloc's functions by unusual ways: the one named by the first argument.
 * The second is a module to load. Nothing is wrong unless the name says so.
 */
#include <dlfcn.h>
#include <errno.h>
#include <gnu/lib-names.h>
#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <unistd.h>

enum { THREADS = 50, BLOCKS = 400, LARGE = 1 << 20 };

/* A block that the C library makes in a way that nobody interposes. */
static void *libcs(size_t size)
{
	void *(*make)(size_t) =
	        dlsym(dlopen(LIBC_SO, RTLD_LAZY | RTLD_NOLOAD), "__libc_malloc");

	return make(size);
}

static const char *module_path;
static void *volatile kept;

/* Both ways across, and by functions of libc that allocate. */
static int exchange(void *module)
{
	void *(*make)(size_t) = dlsym(module, "make");
	void (*release)(void *) = dlsym(module, "release");
	char *(*copy)(const char *) = dlsym(module, "copy");

	free(make(50));
	free(make(LARGE));
	release(malloc(100));
	release(strdup("ours"));
	char *text = copy("theirs");
	puts(text);
	release(realloc(text, 200));
	return 0;
}

static int way_deepbind(void)
{
	return exchange(dlopen(module_path, RTLD_NOW | RTLD_DEEPBIND));
}

static int way_deepbind_lazy(void)
{
	return exchange(dlopen(module_path, RTLD_LAZY | RTLD_DEEPBIND));
}

static int way_by_name(void)
{
	void *libc = dlopen("libc.so.6", RTLD_LAZY);
	void *(*by_name)(size_t) = dlsym(libc, "malloc");
	void (*free_by_name)(void *) = dlsym(libc, "free");

	free(by_name(100));
	free_by_name(malloc(100));
	puts("done");
	return 0;
}

/* The module's libc is another one, whose small blocks this one's free takes. */
static int way_namespace(void)
{
	void *module = dlmopen(LM_ID_NEWLM, module_path, RTLD_NOW);
	void *(*make)(size_t) = dlsym(module, "make");
	char *(*copy)(const char *) = dlsym(module, "copy");
	void (*release)(void *) = dlsym(module, "release");

	for (size_t size = 1; size < 1000; size *= 7)
		free(make(size));
	char *text = copy("theirs");
	puts(text);
	printf("%d\n", malloc_usable_size(text) >= 7);
	release(text);
	release(malloc(50));
	release(strdup("ours"));
	free(((void *(*)(void))dlsym(module, "get_early"))());
	return 0;
}

static int wrong_in_namespace(void)
{
	void *module = dlmopen(LM_ID_NEWLM, module_path, RTLD_NOW);
	void *(*make)(size_t) = dlsym(module, "make");
	void (*release)(void *) = dlsym(module, "release");
	void *block = make(33);

	release(block);
	release(block); /* plant: twice */
	puts("done");
	return 0;
}

static int way_libc_malloc(void)
{
	for (size_t size = 1; size <= LARGE; size *= 3) {
		char *block = libcs(size);

		memset(block, 1, malloc_usable_size(block));
		kept = libcs(size);
		free(block);
		free(realloc(kept, 2 * size));
	}
	puts("done");
	return 0;
}

static int wrong_wild(void)
{
	char *memory = mmap(NULL, 4 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
	                    -1, 0);
	char *block = libcs(4096);

	memset(memory, 0x41, 4 * 4096);
	memset(block, 0x20, 4096);
	free(memory + 4096); /* plant: mapped */
	free(block + 512);   /* plant: inside */
	free(module_path == NULL ? NULL : block + 8);
	puts("done");
	return 0;
}

static int wrong_products(void)
{
	volatile size_t many = SIZE_MAX / 4 + 1;

	printf("%p\n", calloc(many, 8)); /* plant: calloc */
	printf("%d\n", errno);
	printf("%p\n", reallocarray(NULL, many, 8));             /* plant: reallocarray */
	printf("%p\n", pvalloc((size_t)many * 4 - 4));           /* plant: pvalloc */
	printf("%p\n", aligned_alloc(64, (size_t)0 - 2 * many)); /* plant: aligned_alloc */
	return 0;
}

static int wrong_sizes(void)
{
	char *block = malloc(100); /* plant: allocated */

	printf("%zu\n", malloc_usable_size(block + 16)); /* plant: inside_asked */
	free(block);
	printf("%zu\n", malloc_usable_size(block)); /* plant: freed_asked */
	return 0;
}

static int way_alignments(void)
{
	void (*free_as)(void *, size_t, size_t) = dlsym(RTLD_DEFAULT, "free_aligned_sized");
	void *block;

	for (size_t align = 1; align <= 8192; align *= 2) {
		for (size_t size = 1; size < 100; size += 9) {
			block = aligned_alloc(align, size);
			if ((uintptr_t)block % align != 0)
				printf("aligned_alloc(%zu, %zu)\n", align, size);
			if (free_as == NULL)
				free(block);
			else
				free_as(block, align, size);
			if (align >= 8 && (posix_memalign(&block, align, size) != 0 ||
			                   (uintptr_t)block % align != 0))
				printf("posix_memalign(%zu, %zu)\n", align, size);
			else if (align >= 8)
				free(block);
		}
	}
	puts("done");
	return 0;
}

static int way_machine(void)
{
	struct sysinfo machine;

	sysinfo(&machine);
	size_t twice = 2 * (machine.totalram + machine.totalswap) * machine.mem_unit;
	void *blocks[] = {malloc(twice), calloc(1, twice), realloc(NULL, twice),
	                  aligned_alloc(64, twice)};
	for (int i = 0; i < 4; i++) {
		puts(blocks[i] != NULL ? "a block" : "NULL");
		free(blocks[i]);
	}
	return 0;
}

static void free_twice(void)
{
	void *block = malloc(48);

	free(block); /* plant: first_free */
	free(block); /* plant: second_free */
}

static int wrong_limited(void)
{
	const struct rlimit limit = {0, 0};

	kept = malloc(100);
	free_twice();
	setrlimit(RLIMIT_AS, &limit);
	puts(malloc(10000000) != NULL ? "a block" : "NULL");
	return 0;
}

static void *outlive_main(void *main_thread)
{
	pthread_join(*(pthread_t *)main_thread, NULL);
	kept = malloc(1000);
	free_twice();
	puts("done");
	exit(0);
}

static int wrong_without_main(void)
{
	static pthread_t main_thread;
	pthread_t thread;

	main_thread = pthread_self();
	pthread_create(&thread, NULL, outlive_main, &main_thread);
	pthread_exit(NULL);
}

static void *make_blocks(void *unused)
{
	for (int i = 0; i < BLOCKS; i++)
		free(malloc(10));
	return unused;
}

static int way_threads(void)
{
	pthread_t threads[THREADS];

	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, make_blocks, NULL);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	return 0;
}

static const struct {
	const char *name;
	int (*go)(void);
} ways[] = {
        {"deepbind", way_deepbind},
        {"deepbind-lazy", way_deepbind_lazy},
        {"by-name", way_by_name},
        {"namespace", way_namespace},
        {"libc-malloc", way_libc_malloc},
        {"alignments", way_alignments},
        {"machine", way_machine},
        {"threads", way_threads},
        {"wrong-in-namespace", wrong_in_namespace},
        {"wrong-wild", wrong_wild},
        {"wrong-products", wrong_products},
        {"wrong-sizes", wrong_sizes},
        {"wrong-limited", wrong_limited},
        {"wrong-without-main", wrong_without_main},
};

int main(int argc, char **argv)
{
	module_path = argc > 2 ? argv[2] : NULL;
	for (size_t i = 0; argc > 1 && i < sizeof(ways) / sizeof(ways[0]); i++)
		if (strcmp(ways[i].name, argv[1]) == 0)
			return ways[i].go();
	return 99;
}
