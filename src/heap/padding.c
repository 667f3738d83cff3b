/* SPDX-License-Identifier: Apache-2.0
 *
 * Filling and verifying padding. A slot's padding is most of a page for a small block, so both
 * go through libc's vector code.
 */
#include "heap/padding.h"

#include <string.h>

void fp_padding_fill(uintptr_t start, uintptr_t end)
{
	memset((void *)start, FP_PADDING_BYTE, end - start);
}

bool fp_padding_is_damaged(uintptr_t start, uintptr_t end, struct fp_damage *damage)
{
	const unsigned char *at = (const unsigned char *)start;
	const unsigned char *last = (const unsigned char *)end;

	/* All bytes equal the first one exactly when the run equals itself moved by one. */
	if (start == end ||
	    (*at == FP_PADDING_BYTE && memcmp(at, at + 1, end - start - 1) == 0))
		return false;
	while (*at == FP_PADDING_BYTE)
		at++;
	while (last[-1] == FP_PADDING_BYTE)
		last--;
	damage->start = (uintptr_t)at;
	damage->end = (uintptr_t)last;
	return true;
}
