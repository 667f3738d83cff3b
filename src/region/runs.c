/* SPDX-License-Identifier: Apache-2.0
 *
 * Splitting, changing and joining of runs.
 */
#include "region/runs.h"

static bool is_alike(const struct fp_region_run *a, const struct fp_region_run *b)
{
	return a->protection == b->protection && a->state == b->state &&
	       a->committer == b->committer && a->committed_by == b->committed_by &&
	       a->decommitter == b->decommitter && a->decommitted_by == b->decommitted_by;
}

/* Appends a run that begins at START and is otherwise like RUN. */
static void append(struct fp_region *to, uintptr_t start, const struct fp_region_run *run)
{
	if (to->run_count > 0 && is_alike(&to->runs[to->run_count - 1], run))
		return;
	to->runs[to->run_count] = *run;
	to->runs[to->run_count++].start = start;
}

static void apply(const struct fp_runs_change *change, struct fp_region_run *run)
{
	switch (change->state) {
	case FP_PAGE_COMMITTED:
		if (run->state != FP_PAGE_COMMITTED) {
			run->state = FP_PAGE_COMMITTED;
			run->committer = change->trace;
			run->committed_by = change->thread;
		}
		run->protection = change->protection;
		break;
	case FP_PAGE_DECOMMITTED:
		if (run->state != FP_PAGE_COMMITTED)
			break;
		run->state = FP_PAGE_DECOMMITTED;
		run->decommitter = change->trace;
		run->decommitted_by = change->thread;
		break;
	default:
		run->protection = change->protection;
		break;
	}
}

/* The run [START, END), of which the change concerns some, all or nothing. */
static void append_changed(struct fp_region *to, const struct fp_region_run *run, uintptr_t end,
                           const struct fp_runs_change *change)
{
	uintptr_t from = run->start > change->start ? run->start : change->start;
	uintptr_t until = end < change->end ? end : change->end;
	struct fp_region_run changed = *run;

	if (from >= until) {
		append(to, run->start, run);
		return;
	}
	apply(change, &changed);
	if (run->start < from)
		append(to, run->start, run);
	append(to, from, &changed);
	if (until < end)
		append(to, until, run);
}

struct fp_region *fp_runs_changed(const struct fp_region *region,
                                  const struct fp_runs_change *change)
{
	/* Either end of the change may split a run. */
	struct fp_region *copy = fp_table_make(region->run_count + 2);

	if (copy == NULL)
		return NULL;
	copy->block = region->block;
	copy->guard_before = region->guard_before;
	copy->guard_after = region->guard_after;
	copy->protection = region->protection;
	for (uint32_t i = 0; i < region->run_count; i++)
		append_changed(copy, &region->runs[i],
		               fp_table_run_end(region, &region->runs[i]), change);
	return copy;
}
