/* SPDX-License-Identifier: Apache-2.0
 *
 * Mistakes whose first line has to name more than one place; each has the name that the first
 * argument gives. As a host its blocks are of heaps of its own.
 */

/* Optimized, calls would be jumps, or nowhere. */
#ifdef __clang__
#pragma clang optimize off
#else
#pragma GCC optimize("O0")
#endif

#include <stdlib.h>
#include <string.h>

void helper_put(char *block, long offset, char byte);
void helper_drop(char *block);
char *helper_make(unsigned long size);

#ifdef IS_HOST
#include "../e2e/victims/victim.h"

static IHostMalloc *heap;

static void start(void)
{
	heap = victim_heap();
}

static char *take(unsigned long size)
{
	void *block = NULL;

	IHostMalloc_Alloc(heap, size, eTaskCritical, &block); /* take */
	return block;
}

static void drop(char *block)
{
	IHostMalloc_Free(heap, block); /* free */
}

static void drop_wrongly(char *block)
{
	IHostMalloc_Free(victim_heap(), block); /* wrong */
}
#else
static void start(void)
{
}

static char *take(unsigned long size)
{
	return malloc(size); /* take */
}

static void drop(char *block)
{
	free(block); /* free */
}

static void drop_wrongly(char *block)
{
	free(block + 1); /* wrong */
}
#endif

/* Their callers are whom to name: of one by its name, of the other because it takes a size,
 * returns no type of pointer and is called from several places. */
void *xmalloc(unsigned long size)
{
	void *block = malloc(size); /* in xmalloc */

	if (block == NULL)
		exit(3);
	return block;
}

void *storage(unsigned long size)
{
	void *block = malloc(size); /* in storage */

	if (block == NULL)
		abort();
	return memset(block, 0, size);
}

static int compare(const void *left, const void *right)
{
	return **(char *const *)left - **(char *const *)right; /* compare */
}

static int is(const char *name, char **arguments)
{
	return strcmp(arguments[1], name) == 0;
}

int main(int count, char **arguments)
{
	char *block;

	if (count < 2)
		return 2;
	start();
	block = take(20);
	if (is("past", arguments)) {
		for (int i = 0; i < 5; i++)
			helper_put(block, 20 + i, "quite"[i]); /* write */
		drop(block);
	} else if (is("before", arguments)) {
		helper_put(block, -1, '\x81'); /* write */
		drop(block);
	} else if (is("kept", arguments)) {
		helper_put(block, 21, '\x81'); /* write */
	} else if (is("freed", arguments)) {
		drop(block);
		helper_put(block, 3, '\x81'); /* write after */
	} else if (is("sorted", arguments)) {
		char *table[2] = {block, block + 1};

		drop(block);
		qsort(table, 2, sizeof(table[0]), compare);
	} else if (is("inside", arguments)) {
		drop(block + 4);
	} else if (is("before-start", arguments)) {
		drop(block - 4);
	} else if (is("local", arguments)) {
		helper_drop((char *)&count); /* drop local */
	} else if (is("leak", arguments)) {
		helper_make(33); /* make leak */
	} else if (is("wrapped", arguments)) {
		xmalloc(50); /* wrapped */
	} else if (is("once", arguments)) {
		storage(60);
	} else if (is("twice", arguments)) {
		storage(70); /* one */
		storage(80); /* other */
	} else if (is("wrong", arguments)) {
		char **table = (char **)block;

		table[0] = take(40);
		drop_wrongly(block);
	}
	block = NULL;
	return 0;
}
