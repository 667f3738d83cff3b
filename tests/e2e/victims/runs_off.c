/* SPDX-License-Identifier: Apache-2.0
 *
 * Loops that run off a block, in a program that runs with continue=yes: they end. The argument
 * names one of the programs in the table at the end.
 */
#include "victim.h"

#include <string.h>
#include <wchar.h>

enum { PAGE = 4096, SIZE = 256 };

static IHostMalloc *heap;
static volatile size_t result;

static unsigned char *allocate(size_t size)
{
	void *block = NULL;

	IHostMalloc_Alloc(heap, size, eTaskCritical, &block); /* plant: allocation */
	EXPECT(block != NULL);
	memset(block, 'x', size);
	return block;
}

static void release(void *block)
{
	IHostMalloc_Free(heap, block); /* plant: free */
}

static unsigned char read_at(const volatile unsigned char *at)
{
	return *at; /* plant: read */
}

/* The commonest overrun there is: a string that lacks its zero. It may go through others. */
static void strings(void)
{
	unsigned char *before = allocate(SIZE);
	unsigned char *block = allocate(SIZE);
	unsigned char *target = allocate(1);

	EXPECT(strlen((char *)block) >= SIZE); /* plant: strlen */
	EXPECT(strlen((char *)block) < 8 * PAGE);
	EXPECT(wcslen((wchar_t *)block) < 8 * PAGE); /* plant: wcslen */
	strcpy((char *)target, (char *)before);      /* plant: strcpy */
	release(target);
	release(block);
	release(before);
}

/* Downwards, byte by byte. */
static void scan_back(void)
{
	unsigned char *blocks[5];
	volatile unsigned char *at;

	for (int i = 0; i < 5; i++)
		blocks[i] = allocate(PAGE);
	at = blocks[4];
	while (*--at != 0) /* plant: scan */
		continue;
	EXPECT(blocks[4] - at <= 4 * PAGE + 1);
	for (int i = 0; i < 5; i++)
		release(blocks[i]);
}

/* A freed list in pages side by side is no run, however long. */
static void list(void)
{
	enum { NODES = 100 };
	unsigned char *nodes[NODES];

	for (int i = 0; i < NODES; i++)
		nodes[i] = allocate(32);
	for (int i = 0; i < NODES; i++) {
		release(nodes[i]);
		EXPECT(read_at(nodes[i]) == 'x');
		EXPECT(read_at(nodes[i] + 31) == 'x');
	}
}

/* Looks for what no scratch page has. */
static void endless(void)
{
	unsigned char *block = allocate(SIZE);

	result = (size_t)rawmemchr(block, 'q'); /* plant: rawmemchr */
}

static void endless_write(void)
{
	unsigned char *block = allocate(SIZE);

	for (volatile uint64_t *at = (volatile uint64_t *)(block + SIZE);; at += 8)
		*at = 1; /* plant: endless write */
}

static const struct {
	const char *name;
	void (*run)(void);
} programs[] = {
        {"strings", strings}, {"scan-back", scan_back},         {"list", list},
        {"endless", endless}, {"endless-write", endless_write},
};

int main(int argc, char **argv)
{
	heap = victim_heap();
	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
		if (argc != 2 || strcmp(programs[i].name, argv[1]) != 0)
			continue;
		programs[i].run();
		IHostMalloc_Release(heap);
		return 0;
	}
	return 1;
}
