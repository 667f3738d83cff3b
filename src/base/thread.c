/* SPDX-License-Identifier: Apache-2.0
 *
 * Thread identity, cached in initial-exec thread-local storage: gettid(2) costs more than the
 * rest of a lookup.
 */
#include "base/thread.h"

#include <stdatomic.h>
#include <sys/prctl.h>

#include "base/sys.h"

static _Thread_local uint32_t cached_id;
static _Thread_local uint32_t ordinal_plus_one;
static _Thread_local uint32_t ignoring;
static _Atomic uint32_t threads_seen;

uint32_t fp_thread_self(void)
{
	if (cached_id == 0)
		cached_id = (uint32_t)fp_sys_gettid();
	return cached_id;
}

uint32_t fp_thread_ordinal(void)
{
	if (ordinal_plus_one == 0)
		ordinal_plus_one = atomic_fetch_add(&threads_seen, 1) + 1;
	return ordinal_plus_one - 1;
}

uint32_t fp_thread_count(void)
{
	return atomic_load(&threads_seen);
}

void fp_thread_name(char *name)
{
	if (fp_sys(SYS_prctl, PR_GET_NAME, name) != 0)
		name[0] = '\0';
}

void fp_thread_begin_ignoring(void)
{
	ignoring++;
}

void fp_thread_end_ignoring(void)
{
	if (ignoring > 0)
		ignoring--;
}

bool fp_thread_is_ignoring(void)
{
	return ignoring > 0;
}

void fp_thread_forget_id(void)
{
	cached_id = 0;
}
