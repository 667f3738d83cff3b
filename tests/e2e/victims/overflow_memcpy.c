/* SPDX-License-Identifier: Apache-2.0
 *
 * Functions of the C library that run over the end of a block, or over a freed one. Argument:
 * which.
 */
#include "victim.h"

#include <string.h>
#include <wchar.h>

enum { BYTES = 256 };

static char source[4 * BYTES];
static volatile size_t too_long = BYTES + 1;
static volatile long result;

static void call(const char *which, char *block)
{
	if (strcmp(which, "memcpy") == 0)
		memcpy(block, source, too_long); /* plant: memcpy */
	else if (strcmp(which, "memcpy-read") == 0)
		memcpy(source, block, too_long); /* plant: memcpy-read */
	else if (strcmp(which, "memcpy-long") == 0)
		memcpy(block, source, too_long + BYTES); /* plant: memcpy-long */
	else if (strcmp(which, "memmove") == 0)
		memmove(block, source, too_long); /* plant: memmove */
	else if (strcmp(which, "memset") == 0)
		memset(block, 'y', too_long); /* plant: memset */
	else if (strcmp(which, "strlen") == 0)
		result = (long)strlen(block); /* plant: strlen */
	else if (strcmp(which, "strcpy") == 0)
		strcpy(block, source); /* plant: strcpy */
	else if (strcmp(which, "memcmp") == 0)
		result = memcmp(source, block, too_long); /* plant: memcmp */
	else if (strcmp(which, "memchr") == 0)
		result = memchr(block, 'z', too_long) != NULL; /* plant: memchr */
}

int main(int argc, char **argv)
{
	IHostMalloc *heap = victim_heap();
	void *block = NULL;

	EXPECT(argc == 2);
	memset(source, 'x', sizeof(source) - 1);
	IHostMalloc_Alloc(heap, BYTES, eTaskCritical, &block); /* plant: allocation */
	memset(block, 'x', BYTES);
	call(argv[1], block);
	return 1;
}
