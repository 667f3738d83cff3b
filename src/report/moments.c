/* SPDX-License-Identifier: Apache-2.0
 *
 * What each stack of a finding is called, and which of them there are.
 */
#include "report/moments.h"

static const char *call_title(const struct fp_report_finding *finding)
{
	if (finding->access == FP_ACCESS_FREE)
		return finding->kind == FP_FINDING_DOUBLE_FREE ? "freed again" : "freed";
	/* Only a fault's own stack is that of the access; a call merely came across the damage.
	 */
	if (finding->is_exact && finding->access == FP_ACCESS_READ)
		return "read";
	if (finding->is_exact && finding->access == FP_ACCESS_WRITE)
		return "written";
	if (finding->evidence.size == 0)
		return "called";
	return finding->free_stack == finding->stack ? "found while it was freed" : "found";
}

static const char *party_title(enum fp_party_role role)
{
	static const char *const titles[FP_PARTY_COUNT] = {
	        [FP_PARTY_INSIDE] = "at the same time the heap was being used",
	        [FP_PARTY_HOLDER] = "the heap had been locked",
	        [FP_PARTY_RELEASER] = "the heap had been released",
	        [FP_PARTY_FINDER] = "the heap had been found unusable",
	};

	return titles[role];
}

static const char *free_title(const struct fp_report_finding *finding)
{
	if (finding->kind == FP_FINDING_DOUBLE_FREE)
		return "first freed";
	switch (finding->page_state) {
	case FP_PAGE_NONE:
		return "freed";
	case FP_PAGE_DECOMMITTED:
		return "decommitted";
	default:
		return "released";
	}
}

size_t fp_report_moments(const struct fp_report_finding *finding,
                         struct fp_report_moment *moments)
{
	const struct fp_report_block *block = &finding->block;
	size_t count = 0;

	moments[count++] = (struct fp_report_moment){FP_REPORT_CALL, call_title(finding),
	                                             finding->thread, finding->stack};
	if (finding->other_stack)
		moments[count++] =
		        (struct fp_report_moment){FP_REPORT_OTHER, party_title(finding->other),
		                                  finding->other_thread, finding->other_stack};
	if (finding->free_stack && finding->free_stack != finding->stack)
		moments[count++] =
		        (struct fp_report_moment){FP_REPORT_FREE, free_title(finding),
		                                  block->free_thread, finding->free_stack};
	if (finding->commit_stack)
		moments[count++] = (struct fp_report_moment){FP_REPORT_COMMIT, "committed",
		                                             finding->commit_thread,
		                                             finding->commit_stack};
	if (finding->has_block)
		moments[count++] = (struct fp_report_moment){
		        FP_REPORT_ALLOCATION,
		        finding->page_state != FP_PAGE_NONE ? "reserved" : "allocated",
		        block->alloc_thread, finding->alloc_stack};
	return count;
}
