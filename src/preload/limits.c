/* SPDX-License-Identifier: Apache-2.0
 *
 * A program that limits its own address space would find most of it taken: reservations count,
 * and ours are generous. So what was reserved and never used goes back before the limit comes.
 */
#include <errno.h>
#include <stdbool.h>
#include <sys/resource.h>

#include "base/meta.h"
#include "base/readable.h"
#include "base/sys.h"
#include "guard/guard.h"
#include "log/channel.h"
#include "preload/arguments.h"
#include "preload/export.h"

static bool is_finite(const struct rlimit *limit)
{
	return fp_is_readable(limit, sizeof(*limit)) && limit->rlim_cur != RLIM_INFINITY;
}

static int set_limit(pid_t pid, int resource, const struct rlimit *limit, struct rlimit *old)
{
	bool is_own = pid == 0 || pid == fp_sys_getpid();

	fp_check(prlimit64, pid, resource, limit, old);
	if (resource == RLIMIT_AS && is_own && is_finite(limit)) {
		fp_guard_give_reserve_back();
		fp_meta_give_reserve_back();
		fp_channel_give_reserve_back();
	}
	long status = fp_sys(SYS_prlimit64, pid, resource, limit, old);
	if (status == 0)
		return 0;
	errno = (int)-status;
	return -1;
}

/* On 64-bit systems, the only ones here, both structs are one. */
_Static_assert(sizeof(struct rlimit) == sizeof(struct rlimit64), "one layout of limits");

FP_EXPORT int setrlimit(__rlimit_resource_t resource, const struct rlimit *limit)
{
	return set_limit(0, (int)resource, limit, NULL);
}

FP_EXPORT int setrlimit64(__rlimit_resource_t resource, const struct rlimit64 *limit)
{
	return set_limit(0, (int)resource, (const struct rlimit *)(const void *)limit, NULL);
}

FP_EXPORT int prlimit(__pid_t pid, enum __rlimit_resource resource, const struct rlimit *limit,
                      struct rlimit *old)
{
	return set_limit(pid, (int)resource, limit, old);
}

FP_EXPORT int prlimit64(__pid_t pid, enum __rlimit_resource resource,
                        const struct rlimit64 *limit, struct rlimit64 *old)
{
	return set_limit(pid, (int)resource, (const struct rlimit *)(const void *)limit,
	                 (struct rlimit *)(void *)old);
}
