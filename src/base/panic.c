/* SPDX-License-Identifier: Apache-2.0
 *
 * One line on standard error, then abort(3): a core dump is worth more than going on.
 */
#include "base/panic.h"

#include <stdlib.h>

#include "base/sys.h"
#include "base/text.h"

void fp_panic(const char *message)
{
	fp_say("internal error: ", message);
	abort();
}

void fp_end(int status)
{
	for (;;) {
		fp_sys(SYS_exit_group, status);
		__builtin_trap();
	}
}
