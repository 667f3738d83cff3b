/* SPDX-License-Identifier: Apache-2.0
 *
 * Every kind of mistake of the security tests of hardening allocators (hardened_malloc's, and
 * those of mimalloc-bench), written anew: mistakes NAME makes one. The line that makes it ends
 * in the name, and in the kind of the finding; blocks are small or, with "large" behind the
 * name, of many pages. A read of a block of no bytes is "unseen": there is a byte of padding,
 * so that it has an address of its own. What is right has no such line.
 */
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <new>

enum { SMALL = 16, LARGE = 256 * 1024, MANY = 4096 };

static size_t size = SMALL;
static volatile char seen;

/* So that no compiler knows what a pointer points to. */
template <class T> static __attribute__((noinline)) T *hide(T *pointer)
{
	T *volatile hidden = pointer;

	return hidden;
}

static char *take()
{
	return hide(static_cast<char *>(malloc(size)));
}

static void give(void *block)
{
	free(hide(block));
}

/* Blocks of the same size that come and go, for allocators that keep freed ones for a while. */
static void churn()
{
	for (int i = 0; i < MANY; i++)
		give(take());
}

static void overflow_write()
{
	take()[size] = 1; /* overflow_write heap-buffer-overflow */
}

static void overflow_write_8()
{
	char *end = take() + size;

	memset(end, 1, 8); /* overflow_write_8 heap-buffer-overflow */
}

static void overflow_read()
{
	seen = take()[size]; /* overflow_read heap-buffer-overflow */
}

static void underflow_write()
{
	take()[-1] = 1; /* underflow_write heap-buffer-underflow */
}

static void string_overflow()
{
	char *text = take();

	memset(text, 'a', size);
	printf("%zu\n", strlen(text)); /* string_overflow heap-buffer-overflow */
}

static void read_zero_size()
{
	seen = hide(static_cast<char *>(malloc(0)))[0]; /* read_zero_size unseen */
}

static void write_zero_size()
{
	hide(static_cast<char *>(malloc(0)))[0] = 5; /* write_zero_size heap-buffer-overflow */
}

static void read_after_free()
{
	char *block = take();

	give(block);
	seen = block[size / 2]; /* read_after_free heap-use-after-free */
}

static void write_after_free()
{
	char *block = take();

	give(block);
	block[size / 2] = 'a'; /* write_after_free heap-use-after-free */
}

static void write_after_free_reuse()
{
	char *block = take();

	give(block);
	char *other = take();
	block[1] = 'a'; /* write_after_free_reuse heap-use-after-free */
	give(other);
}

static void write_after_free_delayed()
{
	char *block = take();

	give(block);
	churn();
	block[0] = 'a'; /* write_after_free_delayed heap-use-after-free */
}

static void double_free()
{
	char *block = take();

	give(block);
	free(block); /* double_free double-free */
}

static void double_free_interleaved()
{
	char *block = take();
	char *other = take();

	give(block);
	give(other);
	free(block); /* double_free_interleaved double-free */
}

static void double_free_delayed()
{
	char *block = take();

	give(block);
	churn();
	free(block); /* double_free_delayed double-free */
}

static void double_realloc()
{
	char *block = take();

	give(block);
	char *grown =
	        static_cast<char *>(realloc(block, 2 * size)); /* double_realloc double-free */
	seen = grown != nullptr;
}

static void unaligned_free()
{
	free(take() + 1); /* unaligned_free invalid-free */
}

static void inside_free()
{
	free(take() + size / 2); /* inside_free invalid-free */
}

static void far_free()
{
	char *block = take();

	free(hide(block + 64 * 1024 * 1024)); /* far_free invalid-free */
}

static void stack_free()
{
	char local[64] = "";

	free(hide(local)); /* stack_free invalid-free */
}

static void global_free()
{
	free(hide(&size)); /* global_free invalid-free */
}

static void address_free()
{
	free(hide(reinterpret_cast<char *>(0x10))); /* address_free invalid-free */
}

static void realloc_of_nothing()
{
	char *nothing = hide(reinterpret_cast<char *>(0x10));

	nothing =
	        static_cast<char *>(realloc(nothing, 16)); /* realloc_of_nothing invalid-free */
	seen = nothing != nullptr;
}

static void usable_size_of_freed()
{
	char *block = take();

	give(block);
	seen = malloc_usable_size(block) > 0; /* usable_size_of_freed heap-use-after-free */
}

static void usable_size_inside()
{
	seen = malloc_usable_size(take() + 1) > 0; /* usable_size_inside invalid-free */
}

static void usable_size_of_nothing()
{
	char local[64] = "";

	seen = malloc_usable_size(hide(local)) > 0; /* usable_size_of_nothing invalid-free */
}

struct pair {
	uint64_t first[2];
	uint64_t more[4];
};

static void delete_of_other_size()
{
	pair *block = hide(new pair());
	const size_t other = sizeof(uint64_t);

	::operator delete(block, other); /* delete_of_other_size alloc-dealloc-mismatch */
}

static void free_of_new()
{
	free(hide(new pair())); /* free_of_new alloc-dealloc-mismatch */
}

static void delete_of_array()
{
	delete hide(new uint64_t[8]); /* delete_of_array alloc-dealloc-mismatch */
}

static void delete_of_malloc()
{
	delete take(); /* delete_of_malloc alloc-dealloc-mismatch */
}

static void impossible_size()
{
	const size_t bytes = SIZE_MAX - 16;

	void *block = malloc(bytes); /* impossible_size allocation-too-large */
	seen = block == nullptr;
}

static void impossible_product()
{
	void *block = calloc(SIZE_MAX / 4, size); /* impossible_product allocation-too-large */
	seen = block == nullptr;
}

/* What an allocator must get right, and no mistake: none is found, and each returns. */
static void fail(const char *what)
{
	fprintf(stderr, "not so: %s\n", what);
	exit(3);
}

static void zero_sizes_differ()
{
	if (hide(malloc(0)) == hide(malloc(0)))
		fail("two blocks of no bytes are two");
}

static void usable_size()
{
	char *block = take();

	if (malloc_usable_size(block) < size)
		fail("all that was asked for can be used");
	memset(block, 1, size);
	give(block);
}

static void arrays_grow()
{
	char *block = nullptr;

	for (size_t bytes = 1; bytes <= 8 * LARGE; bytes *= 2) {
		block = static_cast<char *>(realloc(block, bytes));
		memset(block, static_cast<int>(bytes % 251), bytes);
		if (bytes > 1 && block[bytes / 2 - 1] != static_cast<char>(bytes % 251))
			fail("a block that grew holds what it held");
	}
	give(block);
}

static void calloc_after_free()
{
	for (int i = 0; i < 64; i++) {
		char *block = take();

		memset(block, 0xa5, size);
		give(block);
		block = static_cast<char *>(calloc(1, size));
		for (size_t at = 0; at < size; at++)
			if (block[at] != 0)
				fail("calloc gives zeros");
		give(block);
	}
}

static const struct {
	const char *name;
	void (*make)();
} mistakes[] = {
#define ONE(name)                                                                              \
	{                                                                                      \
#name, name                                                                    \
	}
        ONE(overflow_write),
        ONE(overflow_write_8),
        ONE(overflow_read),
        ONE(underflow_write),
        ONE(string_overflow),
        ONE(read_zero_size),
        ONE(write_zero_size),
        ONE(read_after_free),
        ONE(write_after_free),
        ONE(write_after_free_reuse),
        ONE(write_after_free_delayed),
        ONE(double_free),
        ONE(double_free_interleaved),
        ONE(double_free_delayed),
        ONE(double_realloc),
        ONE(unaligned_free),
        ONE(inside_free),
        ONE(far_free),
        ONE(stack_free),
        ONE(global_free),
        ONE(address_free),
        ONE(realloc_of_nothing),
        ONE(usable_size_of_freed),
        ONE(usable_size_inside),
        ONE(usable_size_of_nothing),
        ONE(delete_of_other_size),
        ONE(free_of_new),
        ONE(delete_of_array),
        ONE(delete_of_malloc),
        ONE(impossible_size),
        ONE(impossible_product),
        ONE(zero_sizes_differ),
        ONE(usable_size),
        ONE(arrays_grow),
        ONE(calloc_after_free),
};

int main(int count, char **words)
{
	if (count > 2)
		size = LARGE;
	for (const auto &mistake : mistakes)
		if (count < 2)
			puts(mistake.name);
		else if (strcmp(mistake.name, words[1]) == 0)
			mistake.make();
	return 0;
}
