/* SPDX-License-Identifier: Apache-2.0
 *
 * A program that limits its own address space would find most of it taken: reservations count,
 * and ours are generous. So what was reserved and never used goes back before the limit comes.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "base/meta.h"
#include "base/readable.h"
#include "base/sys.h"
#include "base/thread.h"
#include "base/vm.h"
#include "guard/guard.h"
#include "heap/heap.h"
#include "log/channel.h"
#include "preload/buffers.h"
#include "preload/door.h"
#include "preload/export.h"
#include "stack/stack.h"

static int set_limit(pid_t pid, int resource, const struct rlimit *limit, struct rlimit *old)
{
	bool is_own = pid == 0 || pid == fp_sys_getpid();

	fp_check(prlimit64, pid, resource, limit, old);
	if (resource == RLIMIT_AS && is_own &&
	    (fp_is_readable(limit, sizeof(*limit)) && limit->rlim_cur != RLIM_INFINITY)) {
		fp_guard_give_reserve_back();
		fp_meta_give_reserve_back();
		fp_channel_give_reserve_back();
	}
	return (int)fp_preload_answer(fp_sys(SYS_prlimit64, pid, resource, limit, old));
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

/* ---- What is unmapped ----------------------------------------------------------------------
 *
 * What the program unmaps, so that an access there later can be told from one to anywhere.
 */

static void keep_inside(void *unmapped)
{
	((struct fp_stack_unmapped *)unmapped)->trace = fp_stack_capture();
	fp_stack_keep_unmapped(unmapped);
}

static void keep(uintptr_t start, size_t bytes)
{
	size_t page = fp_vm_page_size();
	struct fp_stack_unmapped unmapped = {.start = start,
	                                     .end = (start + bytes + page - 1) / page * page,
	                                     .thread = fp_thread_self()};

	if (!fp_preload_enter())
		return;
	fp_room_run(keep_inside, &unmapped);
	fp_preload_leave();
}

FP_EXPORT int munmap(void *start, size_t bytes)
{
	fp_heap_forget_memory(start, bytes);
	if (fp_preload_answer(fp_sys(SYS_munmap, start, bytes)) != 0)
		return -1;
	int saved_errno = errno;
	keep((uintptr_t)start, bytes);
	errno = saved_errno;
	return 0;
}

/* Only what has one protection can be moved. */
FP_EXPORT void *mremap(void *start, size_t bytes, size_t wanted, int flags, ...)
{
	va_list rest;

	va_start(rest, flags);
	void *place = va_arg(rest, void *);
	va_end(rest);
	fp_heap_forget_memory(start, bytes);
	return (void *)fp_preload_answer(
	        fp_sys(SYS_mremap, start, bytes, wanted, flags, place));
}
