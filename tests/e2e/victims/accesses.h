/* SPDX-License-Identifier: Apache-2.0
 *
 * One bad access, of any kind, of which the process dies: what the victims that make one share.
 * Arguments: the size of a block, the offset of the access in it, "read" or "write", and how
 * many bytes at once. The block has neighbours of its own size on both sides.
 */
#ifndef TESTS_E2E_VICTIMS_ACCESSES_H
#define TESTS_E2E_VICTIMS_ACCESSES_H

#include "victim.h"

#include <string.h>

typedef char wide16 __attribute__((vector_size(16)));
typedef char wide32 __attribute__((vector_size(32)));

static wide16 kept16;
static wide32 kept32;

static uint64_t read_at(char *at, int bytes)
{
	switch (bytes) {
	case 1:
		return *(volatile uint8_t *)at; /* plant: read 1 */
	case 2:
		return *(volatile uint16_t *)at; /* plant: read 2 */
	case 4:
		return *(volatile uint32_t *)at; /* plant: read 4 */
	case 8:
		return *(volatile uint64_t *)at; /* plant: read 8 */
	default:
		kept16 = *(wide16 *)at; /* plant: read 16 */
		return 0;
	}
}

static void write_at(char *at, int bytes)
{
	switch (bytes) {
	case 1:
		*(volatile uint8_t *)at = 1; /* plant: write 1 */
		break;
	case 2:
		*(volatile uint16_t *)at = 1; /* plant: write 2 */
		break;
	case 4:
		*(volatile uint32_t *)at = 1; /* plant: write 4 */
		break;
	case 8:
		*(volatile uint64_t *)at = 1; /* plant: write 8 */
		break;
	default:
		*(wide16 *)at = kept16; /* plant: write 16 */
		break;
	}
}

/* Compiled for processors that move 32 bytes at once. */
#ifdef __x86_64__
#define WIDE __attribute__((target("avx2")))
#else
#define WIDE
#endif

WIDE static void read_32(char *at)
{
	kept32 = *(wide32 *)at; /* plant: read 32 */
}

WIDE static void write_32(char *at)
{
	*(wide32 *)at = kept32; /* plant: write 32 */
}

static void touch(char *at, bool is_write, int bytes)
{
	if (bytes == 32 && is_write)
		write_32(at);
	else if (bytes == 32)
		read_32(at);
	else if (is_write)
		write_at(at, bytes);
	else
		read_at(at, bytes);
}

static void release(IHostMalloc *heap, void *block)
{
	IHostMalloc_Free(heap, block); /* plant: free */
}

static int make_access(int argc, char **argv, bool is_freed)
{
	IHostMalloc *heap = victim_heap();

	EXPECT(argc == 5);
	size_t size = strtoul(argv[1], NULL, 0);
	void *before = NULL;
	void *block = NULL;
	void *after = NULL;
	/* They lie in this order. */
	IHostMalloc_Alloc(heap, size, eTaskCritical, &before); /* plant: before */
	IHostMalloc_Alloc(heap, size, eTaskCritical, &block);  /* plant: allocation */
	IHostMalloc_Alloc(heap, size, eTaskCritical, &after);  /* plant: after */
	EXPECT(before != NULL && block != NULL && after != NULL);
	memset(block, 'x', size);
	if (is_freed)
		release(heap, block);
	touch((char *)block + strtol(argv[2], NULL, 0), strcmp(argv[3], "write") == 0,
	      atoi(argv[4]));
	if (!is_freed)
		IHostMalloc_Free(heap, block);
	IHostMalloc_Free(heap, before);
	IHostMalloc_Free(heap, after);
	IHostMalloc_Release(heap);
	return 0;
}

#endif
