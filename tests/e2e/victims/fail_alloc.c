/* SPDX-License-Identifier: Apache-2.0
 *
 * A host that goes on without the memory it asked for: twelve requests at all levels from two
 * places, and one letter for each, 'X' where there was none. With an argument it is killed
 * then.
 */
#include "victim.h"

#include <signal.h>

static IHostMalloc *heap;

static void *ask(int number, size_t size)
{
	void *block = heap;
	HRESULT result;

	result = IHostMalloc_Alloc(heap, size, (EMemoryCriticalLevel)(number % 3), &block);
	EXPECT(result == S_OK || result == E_OUTOFMEMORY);
	EXPECT((block == NULL) == (result != S_OK));
	return block;
}

static void *make_cell(int number)
{
	return ask(number, 10);
}

static void *make_row(int number)
{
	return make_cell(number);
}

static void *make_other(int number)
{
	return ask(number, 20);
}

int main(int argc, char **argv)
{
	(void)argv;

	heap = victim_heap();
	for (int i = 0; i < 12; i++) {
		void *block = i % 2 == 0 ? make_row(i) : make_other(i);

		putchar(block == NULL ? 'X' : '.');
		EXPECT(IHostMalloc_Free(heap, block) == S_OK);
	}
	fflush(stdout);
	if (argc > 1)
		raise(SIGKILL);
	return 0;
}
