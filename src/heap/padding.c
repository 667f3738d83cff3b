/* SPDX-License-Identifier: Apache-2.0
 *
 * Filling and verifying padding. A slot's padding is most of a page for a small block, so both
 * go through vector code.
 */
#include "heap/padding.h"

#include <string.h>

#include "heap/intact.h"
#include "heap/layout.h"

void fp_padding_fill(uintptr_t start, uintptr_t end)
{
	memset((void *)start, FP_PADDING_BYTE, end - start);
}

void fp_padding_fill_around(uintptr_t start, uintptr_t end, uintptr_t slot, uintptr_t slot_end)
{
	fp_padding_fill(fp_layout_padding_start(slot, start), start);
	fp_padding_fill(end, fp_layout_padding_end(end, slot_end));
}

bool fp_intact_is_by_libc(const unsigned char *start, size_t bytes)
{
	return *start == FP_PADDING_BYTE && memcmp(start, start + 1, bytes - 1) == 0;
}

bool fp_padding_is_damaged(uintptr_t start, uintptr_t end, struct fp_damage *damage)
{
	const unsigned char *at = (const unsigned char *)start;
	const unsigned char *last = (const unsigned char *)end;

	if (start == end || fp_intact_is(at, end - start))
		return false;
	while (*at == FP_PADDING_BYTE)
		at++;
	while (last[-1] == FP_PADDING_BYTE)
		last--;
	damage->start = (uintptr_t)at;
	damage->end = (uintptr_t)last;
	return true;
}
