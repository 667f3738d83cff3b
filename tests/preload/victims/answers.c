/* SPDX-License-Identifier: Apache-2.0
 *
 * Prints what the functions of <malloc.h> answer at their edges. The output must be the same
 * with and without us.
 */
#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Volatile, so that the compiler knows nothing of the values. */
static volatile size_t huge = SIZE_MAX;
static volatile size_t zero;

static void show(const char *what, const void *block)
{
	printf("%s: %s, errno %d\n", what, block == NULL ? "NULL" : "a block", errno);
	errno = 0;
}

static void show_aligned(const char *what, void *block, size_t align)
{
	printf("%s: %s\n", what,
	       block == NULL                   ? "NULL"
	       : (uintptr_t)block % align == 0 ? "aligned"
	                                       : "not aligned");
	free(block);
}

static void sizes(void)
{
	void *first = malloc(zero);
	void *second = malloc(zero);

	printf("two of no bytes differ: %d\n", first != second);
	free(first);
	free(second);
	show("malloc(SIZE_MAX)", malloc(huge));
	show("calloc overflow", calloc(huge / 2, 4));
	show("calloc(0, 0) is a block", memcpy(calloc(zero, zero), "", 0));
	show("reallocarray overflow", reallocarray(NULL, huge / 2, 4));
	char *block = malloc(10);
	strcpy(block, "content");
	show("realloc too large", realloc(block, huge - 100));
	printf("content after that: %s\n", block);
	block = realloc(block, 100000);
	printf("content after growing: %s\n", block);
	block = realloc(block, 3);
	printf("content after shrinking: %.3s\n", block);
	show("realloc to 0", realloc(block, zero));
	show("realloc(NULL, 5)", block = realloc(NULL, 5));
	free(block);
}

static void zeros(void)
{
	for (size_t size = 1; size < 4000000; size = size * 3 + 1) {
		char *block = malloc(size);

		memset(block, 1, size);
		free(block);
		block = calloc(1, size);
		for (size_t i = 0; i < size; i++) {
			if (block[i] != 0) {
				printf("calloc(%zu) has a %d at %zu\n", size, block[i], i);
				break;
			}
		}
		free(block);
	}
}

static void alignments(void)
{
	void *block = &block;
	void *before = block;

	for (size_t align = 8; align <= 1 << 21; align *= 4) {
		printf("posix_memalign(%zu): %d\n", align, posix_memalign(&block, align, 100));
		show_aligned("its block", block, align);
		show_aligned("aligned_alloc", aligned_alloc(align, align * 2), align);
		show_aligned("memalign", memalign(align, 1), align);
	}
	block = before;
	errno = 7;
	printf("posix_memalign(0): %d\n", posix_memalign(&block, zero, 1));
	printf("posix_memalign(24): %d\n", posix_memalign(&block, 24 + zero, 1));
	printf("posix_memalign(2): %d\n", posix_memalign(&block, 2 + zero, 1));
	printf("errno untouched: %d\n", errno == 7);
	printf("posix_memalign of SIZE_MAX: %d\n", posix_memalign(&block, 64, huge));
	printf("errno then: %d\n", errno);
	printf("block untouched: %d\n", block == before);
	errno = 0;
	show_aligned("memalign(24)", memalign(24 + zero, 1), 32);
	show("memalign(SIZE_MAX)", memalign(huge, 1));
	show_aligned("valloc", valloc(10), 4096);
	show_aligned("pvalloc", block = pvalloc(4097), 4096);
	for (size_t size = 1; size < 70; size++)
		if ((uintptr_t)(block = malloc(size)) % 16 != 0)
			printf("malloc(%zu) is not aligned\n", size);
		else
			free(block);
}

static void errnos(void)
{
	void *block;

	errno = 77;
	block = malloc(100);
	free(block);
	block = calloc(3, 3);
	block = realloc(block, 40);
	free(block);
	free(NULL);
	printf("errno stays: %d\n", errno);
}

int main(void)
{
	FILE *sink = fopen("/dev/null", "w");

	errno = 0;
	sizes();
	zeros();
	alignments();
	errnos();
	printf("mallopt: %d\n", mallopt(M_MMAP_THRESHOLD, 1 << 20));
	printf("malloc_info: %d %d\n", malloc_info(0, sink), malloc_info(1, sink));
	printf("malloc_usable_size(NULL): %zu\n", malloc_usable_size(NULL));
	fclose(sink);
	return 0;
}
