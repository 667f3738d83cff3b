/* SPDX-License-Identifier: Apache-2.0
 *
 * A program without a fault that enters a sandbox when it has started, or limits itself:
 * refused [WHAT [ERROR [_exit]]]. It uses blocks of many sizes before and after that, verifies
 * what is in them, and ends as it would without a heap that watches.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "filters.h"

enum { BLOCKS = 400, LARGE = 300000, ROUNDS = 5, STATUS = 7, MIB = 1 << 20 };

static struct {
	unsigned char *bytes;
	size_t size;
} blocks[BLOCKS];

static unsigned long sum;

static void fail(const char *what, size_t index)
{
	printf("%s of block %zu\n", what, index);
	fflush(stdout);
	_exit(1);
}

static size_t size_of(size_t index)
{
	return index % 40 == 39 ? LARGE : index * 37 % 3000 + 1;
}

static void fill(size_t index, size_t size)
{
	blocks[index].size = size;
	memset(blocks[index].bytes, (int)(index % 251), size);
}

static void verify(size_t index, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (blocks[index].bytes[i] != index % 251)
			fail("other bytes", index);
	sum += size;
}

static unsigned char *make(size_t index)
{
	size_t size = size_of(index);

	switch (index % 3) {
	case 0:
		return calloc(1, size);
	case 1:
		return aligned_alloc(64, (size + 63) / 64 * 64);
	default:
		return malloc(size);
	}
}

static void make_all(void)
{
	for (size_t i = 0; i < BLOCKS; i++) {
		blocks[i].bytes = make(i);
		if (blocks[i].bytes == NULL)
			fail("no memory", i);
		if (i % 3 == 0 && (blocks[i].bytes[0] | blocks[i].bytes[size_of(i) - 1]) != 0)
			fail("no zeros", i);
		fill(i, size_of(i));
	}
}

static void resize_all(void)
{
	for (size_t i = 0; i < BLOCKS; i++) {
		size_t before = blocks[i].size;
		size_t size = i % 2 == 0 ? 2 * before : before / 2 + 1;

		blocks[i].bytes = realloc(blocks[i].bytes, size);
		if (blocks[i].bytes == NULL)
			fail("no more memory", i);
		verify(i, before < size ? before : size);
		fill(i, size);
	}
}

static void free_all(void)
{
	for (size_t i = 0; i < BLOCKS; i++) {
		verify(i, blocks[i].size);
		free(blocks[i].bytes);
	}
}

static void limit_data(rlim_t bytes)
{
	const struct rlimit limit = {bytes, RLIM_INFINITY};

	if (setrlimit(RLIMIT_DATA, &limit) != 0)
		fail("a limit", 0);
}

/* So many blocks of 4000 bytes as there is memory for, at most a GiB. */
static void exhaust(void)
{
	enum { BYTES = 4000, MOST = 1 << 18 };
	long count = 0;
	void **last = NULL;
	void **block;

	limit_data(64 * MIB);
	while (count < MOST && (block = malloc(BYTES)) != NULL) {
		*block = last;
		last = block;
		count++;
	}
	puts(count < 4000    ? "little"
	     : count < 48000 ? "as much as was allowed"
	                     : "without an end");
	for (; last != NULL; last = block) {
		block = *last;
		free(last);
	}
}

static void enter(const char *what, int error)
{
	if (strcmp(what, "data") == 0)
		limit_data(24 * MIB);
	else if (strcmp(what, "no-data") == 0)
		limit_data(0);
	else if (strcmp(what, "exhaust") == 0)
		exhaust();
	else if (what[0] != '\0' && filter_enter_with(what, error) != 0)
		fail("a filter", 0);
}

int main(int argc, char **argv)
{
	make_all();
	resize_all();
	free_all();
	make_all();
	enter(argc > 1 ? argv[1] : "",
	      argc > 2 && strcmp(argv[2], "ENOSYS") == 0 ? ENOSYS : EPERM);
	for (int round = 0; round < ROUNDS; round++) {
		resize_all();
		free_all();
		make_all();
	}
	free_all();
	printf("%lu\n", sum);
	fflush(stdout);
	if (argc > 3)
		_exit(STATUS);
	return STATUS;
}
