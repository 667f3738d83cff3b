/* SPDX-License-Identifier: Apache-2.0
 *
 * Strong definitions that stand before the C library's, which goes on doing the work.
 */
#include "support/counted_malloc.h"

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

/* Seen by the dynamic linker although the build hides what is not marked. */
#define COUNTED __attribute__((visibility("default")))

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);
extern void *__libc_memalign(size_t align, size_t size);
extern void __libc_free(void *memory);

COUNTED void *malloc(size_t size);
COUNTED void *calloc(size_t count, size_t size);
COUNTED void *realloc(void *memory, size_t size);
COUNTED void *memalign(size_t align, size_t size);
COUNTED void *aligned_alloc(size_t align, size_t size);
COUNTED int posix_memalign(void **memory, size_t align, size_t size);
COUNTED void free(void *memory);

static _Atomic bool is_counting;
static _Atomic unsigned long calls;

void test_count_malloc(bool is_on)
{
	atomic_store(&is_counting, is_on);
}

unsigned long test_malloc_calls(void)
{
	return atomic_load(&calls);
}

bool test_counter_works(void)
{
	unsigned long before = atomic_load(&calls);

	test_count_malloc(true);
	char *copy = strdup("the C library allocates this");
	/* Compilers know what strdup and free do together: nothing. */
	__asm__ volatile("" : "+r"(copy));
	free(copy);
	test_count_malloc(false);
	return atomic_exchange(&calls, before) == before + 2;
}

static void count(void)
{
	if (atomic_load(&is_counting))
		atomic_fetch_add(&calls, 1);
}

void *malloc(size_t size)
{
	count();
	return __libc_malloc(size);
}

void *calloc(size_t number, size_t size)
{
	count();
	return __libc_calloc(number, size);
}

void *realloc(void *memory, size_t size)
{
	count();
	return __libc_realloc(memory, size);
}

void *memalign(size_t align, size_t size)
{
	count();
	return __libc_memalign(align, size);
}

void *aligned_alloc(size_t align, size_t size)
{
	count();
	return __libc_memalign(align, size);
}

int posix_memalign(void **memory, size_t align, size_t size)
{
	count();
	*memory = __libc_memalign(align, size);
	return *memory == NULL ? ENOMEM : 0;
}

void free(void *memory)
{
	count();
	__libc_free(memory);
}
