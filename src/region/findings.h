/* SPDX-License-Identifier: Apache-2.0
 *
 * The findings that calls on regions make: facts in, one sentence and a call of the sink out.
 *
 * Context: alloc. No lock may be held. Private to the module.
 */
#ifndef FP_REGION_FINDINGS_H
#define FP_REGION_FINDINGS_H

#include "region/region.h"

enum fp_region_problem {
	FP_PROBLEM_NONE,
	FP_PROBLEM_TYPE,        /* a free that is neither a decommit nor a release */
	FP_PROBLEM_SIZE,        /* a release with a size */
	FP_PROBLEM_NOWHERE,     /* no region there */
	FP_PROBLEM_NOT_BASE,    /* not where the region begins */
	FP_PROBLEM_RELEASED,    /* the region was released before */
	FP_PROBLEM_BEYOND,      /* pages outside of the region, too */
	FP_PROBLEM_UNCOMMITTED, /* a page that is not committed */
};

/* The call that was misuse. */
struct fp_region_misuse {
	const char *call; /* "MEM_COMMIT", "VirtualProtect" */
	enum fp_access access;
	uintptr_t address; /* what the caller passed */
	size_t size;
	enum fp_region_problem problem;
	bool is_invalid;              /* the caller is told so, and not of misuse */
	bool has_place;               /* a region is concerned */
	struct fp_region_place place; /* what is known at the address, or the page to blame */
};

void fp_region_findings_init(fp_finding_sink sink, void *user);
void fp_region_report(const struct fp_region_misuse *misuse);

#endif
