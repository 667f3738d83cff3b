/* SPDX-License-Identifier: Apache-2.0
 *
 * The runs of alike pages that a region consists of, and what a call makes of them.
 *
 * Context: alloc. Private to the module.
 */
#ifndef FP_REGION_RUNS_H
#define FP_REGION_RUNS_H

#include "region/table.h"

struct fp_runs_change {
	uintptr_t start; /* whole pages of the region */
	uintptr_t end;
	/* FP_PAGE_COMMITTED: they are committed, with that protection. FP_PAGE_DECOMMITTED: the
	 * committed ones of them are reserved again. FP_PAGE_NONE: only the protection changes.
	 */
	enum fp_page_state state;
	uint32_t protection;
	fp_trace_id trace;
	fp_thread_id thread;
};

/* A copy of REGION with the change made; NULL without memory. */
struct fp_region *fp_runs_changed(const struct fp_region *region,
                                  const struct fp_runs_change *change);

#endif
