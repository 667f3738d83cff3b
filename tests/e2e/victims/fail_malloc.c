/* SPDX-License-Identifier: Apache-2.0
 *
 * A program that knows nothing of Fencepost and looks at what malloc and its kin return: prints
 * 'X' for each that has no memory, says so in errno and leaves what was there.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef __clang__
#pragma clang optimize off
#else
#pragma GCC optimize("O0")
#endif

static char *kept;

static char shown(const void *block)
{
	return block == NULL && errno == ENOMEM ? 'X' : '.';
}

static void answer(char answers[6])
{
	void *aligned = kept;
	char *moved;

	errno = 0;
	answers[0] = shown(malloc(10));
	errno = 0;
	answers[1] = shown(calloc(10, 10));
	errno = 0;
	moved = realloc(kept, 1000);
	answers[2] = shown(moved);
	if (moved != NULL)
		kept = moved;
	errno = 0;
	answers[3] = shown(aligned_alloc(64, 64));
	answers[4] = posix_memalign(&aligned, 64, 64) == ENOMEM && aligned == kept ? 'X' : '.';
	answers[5] = '\0';
}

int main(void)
{
	char answers[6];

	kept = malloc(10);
	if (kept == NULL)
		return 1;
	strcpy(kept, "kept");
	answer(answers);
	puts(answers);
	return strcmp(kept, "kept") != 0;
}
