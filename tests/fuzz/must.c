/* SPDX-License-Identifier: Apache-2.0
 *
 * The end of a target for which something is not as it must be.
 */
#include <stdio.h>
#include <stdlib.h>

#include "target.h"

void fuzz_fail(const char *file, int line, const char *condition)
{
	fprintf(stderr, "%s:%d: not so: %s\n", file, line, condition);
	abort();
}
