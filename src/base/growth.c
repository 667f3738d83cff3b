/* SPDX-License-Identifier: Apache-2.0
 *
 * What stands before a reserve stays closed, and its end is never reached: both are fences,
 * which are wide where there is address space.
 */
#include "base/growth.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "base/align.h"
#include "base/sys.h"
#include "base/vm.h"

enum {
	LIMIT_SHARES = 64, /* of a limited address space, one goes into a reserve */
	FENCE_SHARES = 64  /* of a reserve, one stands as a fence on either side of it */
};

/* RLIMIT_AS counts reservations. */
static size_t affordable(void)
{
	struct rlimit limit;

	return fp_sys_get_limit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY
	               ? limit.rlim_cur / LIMIT_SHARES
	               : SIZE_MAX;
}

int fp_growth_reserve(struct fp_growth *growth, size_t largest, size_t smallest)
{
	size_t page = fp_vm_page_size();
	size_t most = affordable();

	for (size_t bytes = largest; bytes >= smallest; bytes /= 2) {
		size_t fence = fp_align_up(bytes / FENCE_SHARES + 1, page);

		if (bytes / 2 >= smallest && bytes > most)
			continue;
		if (fp_vm_reserve_own(bytes + 2 * fence, fence, &growth->at) == 0) {
			growth->fence_start = growth->at;
			growth->fence_bytes = fence;
			growth->at += fence;
			growth->end = growth->at + bytes + page;
			growth->fence_end = growth->at + bytes + fence;
			return 0;
		}
	}
	return -ENOMEM;
}

uintptr_t fp_growth_take(struct fp_growth *growth, size_t bytes)
{
	uintptr_t base = growth->at;

	if (growth->end - base < bytes + fp_vm_page_size())
		return 0;
	if (fp_vm_open(base, bytes, PROT_READ | PROT_WRITE) != 0)
		return 0;
	growth->at += bytes;
	return base;
}

void fp_growth_give_back(struct fp_growth *growth, size_t kept)
{
	/* A page stays, as a fence, on either side. */
	size_t page = fp_vm_page_size();
	uintptr_t from = growth->at + kept + page;

	if (growth->fence_bytes > page &&
	    fp_vm_unmap(growth->fence_start, growth->fence_bytes - page) == 0)
		growth->fence_bytes = 0;

	if (growth->end > from && fp_vm_unmap(from, growth->fence_end - from) == 0)
		growth->end = growth->fence_end = from;
}
