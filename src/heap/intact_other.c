/* SPDX-License-Identifier: Apache-2.0
 *
 * Machines of which nothing is known.
 */
#include "heap/intact.h"

bool fp_intact_is(const unsigned char *start, size_t bytes)
{
	return fp_intact_is_by_libc(start, bytes);
}

void fp_intact_init(void)
{
}
