/* SPDX-License-Identifier: Apache-2.0
 *
 * One line on standard error, then abort(3): a core dump is worth more than going on.
 */
#include "base/panic.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/messages.h"
#include "base/sys.h"
#include "base/text.h"

static atomic_bool has_panicked;

bool fp_has_panicked(void)
{
	return atomic_load(&has_panicked);
}

void fp_panic(const char *message)
{
	atomic_store(&has_panicked, true);
	fp_say(FP_TELL_PANIC, message);
	abort();
}

void fp_end(int status)
{
	static const uint64_t default_action[4];

	for (;;) {
		fp_sys(SYS_exit_group, status);
		fp_sys(SYS_exit, status);
		/* Both are refused: no handler is to go on with it, ours included. */
		fp_sys(SYS_rt_sigaction, SIGSEGV, default_action, NULL, FP_SYS_SIGSET_BYTES);
		fp_sys(SYS_rt_sigaction, SIGTRAP, default_action, NULL, FP_SYS_SIGSET_BYTES);
		fp_sys_trap();
	}
}
