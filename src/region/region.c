/* SPDX-License-Identifier: Apache-2.0
 *
 * The calls. Each prepares all that needs memory, then asks the kernel, then publishes what
 * became of the region: a call that fails on the way has changed nothing. Findings are made
 * after the lock was given back.
 */
#include "region/region.h"

#include <errno.h>
#include <sys/mman.h>

#include "base/align.h"
#include "base/clock.h"
#include "base/lock.h"
#include "base/thread.h"
#include "base/vm.h"
#include "region/findings.h"
#include "region/rules.h"
#include "region/runs.h"
#include "region/space.h"
#include "region/state.h"
#include "stack/stack.h"

struct fp_lock fp_region_lock = FP_LOCK_INITIALIZER(FP_RANK_REGION);
FP_HELD_ACROSS_FORK(FP_RANK_REGION, &fp_region_lock);

static uint64_t last_serial;
static uint64_t releases;

void fp_region_init(const struct fp_region_config *config)
{
	const struct fp_space_config space = {
	        .guard_bytes = config->guard_bytes,
	        .kept_bytes = config->kept_bytes,
	};

	fp_space_init(&space);
	fp_region_findings_init(config->sink, config->sink_user);
}

/* ---- Finding the region of a call ---------------------------------------------------------
 */

static int blame(struct fp_region_misuse *misuse, enum fp_region_problem problem, uintptr_t at)
{
	misuse->problem = problem;
	misuse->has_place = fp_region_find(at, &misuse->place);
	return misuse->is_invalid ? -EINVAL : -EPERM;
}

/* The live region that ADDRESS is in, in *REGION. */
static int locate_locked(struct fp_region_misuse *misuse, const struct fp_region **region)
{
	uintptr_t address = misuse->address;

	*region = fp_table_find(fp_table_current(), address);
	if (*region == NULL || address < (*region)->block.address ||
	    address >= fp_region_end(*region))
		return blame(misuse, FP_PROBLEM_NOWHERE, address);
	if ((*region)->released_at != 0)
		return blame(misuse, FP_PROBLEM_RELEASED, address);
	return 0;
}

/* The pages of a call, of one live region. */
struct range {
	const struct fp_region *region;
	uintptr_t start;
	uintptr_t end;
};

static int locate_pages_locked(struct fp_region_misuse *misuse, struct range *range)
{
	int status = locate_locked(misuse, &range->region);

	if (status != 0)
		return status;
	if (!fp_rules_pages(misuse->address, misuse->size, &range->start, &range->end) ||
	    range->end > fp_region_end(range->region))
		return blame(misuse, FP_PROBLEM_BEYOND, misuse->address);
	return 0;
}

static int require_committed_locked(struct fp_region_misuse *misuse, const struct range *range)
{
	uintptr_t at = range->start;

	while (at < range->end) {
		const struct fp_region_run *run = fp_table_run(range->region, at);

		if (run->state != FP_PAGE_COMMITTED) {
			int status = blame(misuse, FP_PROBLEM_UNCOMMITTED, at);

			misuse->place.start = at;
			return status;
		}
		at = fp_table_run_end(range->region, run);
	}
	return 0;
}

/* ---- Changing pages -----------------------------------------------------------------------
 */

/* mprotect(2) may have come half way. */
static void restore_protection(const struct range *range)
{
	uintptr_t at = range->start;

	while (at < range->end) {
		const struct fp_region_run *run = fp_table_run(range->region, at);
		uintptr_t end = fp_table_run_end(range->region, run);
		int prot = run->state == FP_PAGE_COMMITTED ? fp_rules_prot(run->protection)
		                                           : PROT_NONE;

		if (end > range->end)
			end = range->end;
		fp_vm_protect(at, end - at, prot);
		at = end;
	}
}

static int change_locked(const struct range *range, const struct fp_runs_change *how)
{
	struct fp_runs_change change = *how;

	change.start = range->start;
	change.end = range->end;
	struct fp_region *after = fp_runs_changed(range->region, &change);
	if (after == NULL)
		return -ENOMEM;
	size_t bytes = range->end - range->start;
	bool is_decommit = change.state == FP_PAGE_DECOMMITTED;
	int status = is_decommit ? fp_vm_remap(range->start, bytes, PROT_NONE)
	                         : fp_vm_protect(range->start, bytes,
	                                         fp_rules_prot(change.protection));
	if (status != 0) {
		if (!is_decommit)
			restore_protection(range);
		fp_table_drop(after);
		return -ENOMEM;
	}
	if (!is_decommit)
		fp_vm_show(range->start, bytes);
	fp_table_replace(range->region, after);
	return 0;
}

/* ---- VirtualAlloc -------------------------------------------------------------------------
 */

struct allocation {
	const struct fp_region_request *request;
	struct fp_region_misuse *misuse;
	fp_trace_id trace;
	uintptr_t base; /* the result */
};

static int commit_locked(const struct allocation *allocation, const struct range *range)
{
	const struct fp_runs_change change = {
	        .state = FP_PAGE_COMMITTED,
	        .protection = allocation->request->protection,
	        .trace = allocation->trace,
	        .thread = fp_thread_self(),
	};

	return change_locked(range, &change);
}

static void describe(const struct allocation *allocation, struct fp_region *region)
{
	region->block.serial = last_serial + 1;
	region->block.alloc_trace = allocation->trace;
	region->block.alloc_thread = fp_thread_self();
	region->block.family = FP_FAMILY_VIRTUAL;
	region->block.tier = FP_TIER_GUARDED;
	region->block.state = FP_BLOCK_LIVE;
	region->block.level = allocation->request->level;
	region->block.born = fp_clock_now();
	region->block.marks = fp_thread_is_ignoring() ? FP_BLOCK_IGNORED : 0;
	region->protection = allocation->request->protection;
	region->run_count = 1;
	region->runs[0] = (struct fp_region_run){.state = FP_PAGE_RESERVED};
}

static int reserve_locked(struct allocation *allocation)
{
	const struct fp_region_request *request = allocation->request;
	struct fp_region *region = fp_table_make(1);
	uintptr_t start;
	uintptr_t end;

	if (region == NULL || !fp_rules_pages(request->address, request->size, &start, &end)) {
		fp_table_drop(region);
		return -ENOMEM;
	}
	describe(allocation, region);
	region->block.address = fp_align_down(start, FP_REGION_GRANULARITY);
	region->block.size = end - region->block.address;
	int status = fp_space_enter(region);
	if (status != 0) {
		fp_table_drop(region);
		return -ENOMEM;
	}
	const struct range range = {region, region->block.address, fp_region_end(region)};
	if ((request->type & FP_REGION_RESERVE) == 0 || (request->type & FP_REGION_COMMIT) != 0)
		status = commit_locked(allocation, &range);
	if (status != 0) {
		fp_space_remove(region);
		return status;
	}
	allocation->base = range.start;
	last_serial++;
	return 0;
}

/* What was there is gone at once: a program that counts on it is to fail now, and not on the
 * day when memory is short. */
static int reset_locked(const struct allocation *allocation, const struct range *range)
{
	int status = require_committed_locked(allocation->misuse, range);

	/* Locked memory keeps its content, as it may. */
	if (status == 0)
		fp_vm_advise(range->start, range->end - range->start, MADV_DONTNEED);
	return status;
}

static int change_pages_locked(struct allocation *allocation)
{
	struct range range;
	int status = locate_pages_locked(allocation->misuse, &range);

	if (status == 0)
		status = allocation->request->type == FP_REGION_RESET
		                 ? reset_locked(allocation, &range)
		                 : commit_locked(allocation, &range);
	if (status == 0)
		allocation->base = range.start;
	return status;
}

static void report_any(const struct fp_region_misuse *misuse)
{
	if (misuse->problem != FP_PROBLEM_NONE)
		fp_region_report(misuse);
}

int fp_region_alloc(const struct fp_region_request *request, uintptr_t *base)
{
	struct fp_region_misuse misuse = {
	        .call = request->type == FP_REGION_RESET ? "MEM_RESET" : "MEM_COMMIT",
	        .address = request->address,
	        .size = request->size,
	};
	struct allocation allocation = {.request = request, .misuse = &misuse};
	bool reserves = request->address == 0 || (request->type & FP_REGION_RESERVE) != 0;

	*base = 0;
	if (request->size == 0 || !fp_rules_is_type(request->type) ||
	    !fp_rules_is_protection(request->protection) ||
	    (reserves && request->type == FP_REGION_RESET))
		return -EINVAL;
	int saved_errno = errno;
	allocation.trace = fp_stack_capture();
	fp_lock_acquire(&fp_region_lock);
	int status = reserves ? reserve_locked(&allocation) : change_pages_locked(&allocation);
	fp_lock_release(&fp_region_lock);
	report_any(&misuse);
	*base = allocation.base;
	errno = saved_errno;
	return status;
}

/* ---- VirtualFree ---------------------------------------------------------------------------
 */

static int decommit_locked(struct fp_region_misuse *misuse, fp_trace_id trace)
{
	const struct fp_runs_change change = {
	        .state = FP_PAGE_DECOMMITTED,
	        .trace = trace,
	        .thread = fp_thread_self(),
	};
	struct range range;

	if (misuse->size != 0) {
		int status = locate_pages_locked(misuse, &range);

		return status == 0 ? change_locked(&range, &change) : status;
	}
	int status = locate_locked(misuse, &range.region);
	if (status != 0)
		return status;
	range.start = range.region->block.address;
	range.end = fp_region_end(range.region);
	if (misuse->address != range.start)
		return blame(misuse, FP_PROBLEM_NOT_BASE, misuse->address);
	return change_locked(&range, &change);
}

static int bury_locked(const struct fp_region *region, fp_trace_id trace)
{
	struct fp_region *released = fp_table_make(0);

	if (released == NULL || fp_space_bury(region) != 0) {
		fp_table_drop(released);
		return fp_space_remove(region);
	}
	released->block = region->block;
	released->block.state = FP_BLOCK_FREED;
	released->block.free_trace = trace;
	released->block.free_thread = fp_thread_self();
	released->guard_before = region->guard_before;
	released->guard_after = region->guard_after;
	released->protection = region->protection;
	released->released_at = ++releases;
	fp_table_replace(region, released);
	return 0;
}

static int release_locked(struct fp_region_misuse *misuse, fp_trace_id trace)
{
	const struct fp_region *region;
	int status = locate_locked(misuse, &region);

	if (status != 0)
		return status;
	if (misuse->address != region->block.address)
		return blame(misuse, FP_PROBLEM_NOT_BASE, misuse->address);
	return bury_locked(region, trace);
}

int fp_region_free(uintptr_t address, size_t size, uint32_t type)
{
	struct fp_region_misuse misuse = {
	        .call = type == FP_REGION_RELEASE    ? "MEM_RELEASE"
	                : type == FP_REGION_DECOMMIT ? "MEM_DECOMMIT"
	                                             : "VirtualFree",
	        .access = FP_ACCESS_FREE,
	        .address = address,
	        .size = size,
	};
	int saved_errno = errno;
	fp_trace_id trace = fp_stack_capture();
	int status;

	fp_lock_acquire(&fp_region_lock);
	misuse.is_invalid =
	        type != FP_REGION_DECOMMIT && (type != FP_REGION_RELEASE || size != 0);
	if (misuse.is_invalid)
		status = blame(&misuse,
		               type == FP_REGION_RELEASE ? FP_PROBLEM_SIZE : FP_PROBLEM_TYPE,
		               address);
	else if (type == FP_REGION_RELEASE)
		status = release_locked(&misuse, trace);
	else
		status = decommit_locked(&misuse, trace);
	fp_lock_release(&fp_region_lock);
	report_any(&misuse);
	errno = saved_errno;
	return status;
}

/* ---- VirtualProtect ------------------------------------------------------------------------
 */

static int protect_locked(struct fp_region_misuse *misuse, uint32_t protection, uint32_t *old)
{
	const struct fp_runs_change change = {.protection = protection};
	struct range range;
	int status = locate_pages_locked(misuse, &range);

	if (status == 0)
		status = require_committed_locked(misuse, &range);
	if (status != 0)
		return status;
	uint32_t before = fp_table_run(range.region, range.start)->protection;
	status = change_locked(&range, &change);
	if (status == 0)
		*old = before;
	return status;
}

int fp_region_protect(uintptr_t address, size_t size, uint32_t protection, uint32_t *old)
{
	struct fp_region_misuse misuse = {
	        .call = "VirtualProtect",
	        .address = address,
	        .size = size,
	};

	*old = 0;
	if (size == 0 || !fp_rules_is_protection(protection))
		return -EINVAL;
	int saved_errno = errno;
	fp_lock_acquire(&fp_region_lock);
	int status = protect_locked(&misuse, protection, old);
	fp_lock_release(&fp_region_lock);
	report_any(&misuse);
	errno = saved_errno;
	return status;
}

/* ---- Leaks ---------------------------------------------------------------------------------
 */

static bool mark_locked(uintptr_t address, uint64_t serial, uint8_t marks)
{
	const struct fp_runs_change nothing = {.state = FP_PAGE_COMMITTED};
	const struct fp_region *region = fp_table_find(fp_table_current(), address);

	if (region == NULL || region->released_at != 0 || region->block.serial != serial)
		return false;
	struct fp_region *marked = fp_runs_changed(region, &nothing);
	if (marked == NULL)
		return false;
	marked->block.marks |= marks;
	fp_table_replace(region, marked);
	return true;
}

bool fp_region_mark(uintptr_t address, uint64_t serial, uint8_t marks)
{
	fp_lock_acquire(&fp_region_lock);
	bool is_marked = mark_locked(address, serial, marks);
	fp_lock_release(&fp_region_lock);
	return is_marked;
}

static bool is_guard_page(uintptr_t address, uint32_t *protection)
{
	struct fp_region_place place;

	if (!fp_region_find(address, &place) || place.page.state != FP_PAGE_COMMITTED)
		return false;
	*protection = place.page.protection;
	return (*protection & FP_PROTECT_GUARD) != 0;
}

/* Without memory for it the guard stays: then the next access is the first. */
static bool spend_locked(uintptr_t page)
{
	struct fp_region_misuse misuse = {.address = page, .size = fp_vm_page_size()};
	uint32_t protection;
	uint32_t old;

	if (!is_guard_page(page, &protection))
		return true;
	protect_locked(&misuse, protection & ~(uint32_t)FP_PROTECT_GUARD, &old);
	return false;
}

bool fp_region_spend_guard(uintptr_t address)
{
	uint32_t protection;

	if (!is_guard_page(address, &protection))
		return false;
	fp_lock_acquire(&fp_region_lock);
	bool is_spent = spend_locked(fp_align_down(address, fp_vm_page_size()));
	fp_lock_release(&fp_region_lock);
	return is_spent;
}

uint64_t fp_region_last_serial(void)
{
	return last_serial;
}

void fp_region_renew_in_child(void)
{
	fp_table_forget_readers();
}
