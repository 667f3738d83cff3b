/* SPDX-License-Identifier: Apache-2.0
 *
 * Summing by trace, in a table that doubles as it fills.
 */
#include "timeline/snapshot.h"

#include <errno.h>
#include <stdbool.h>

#include "base/hash.h"
#include "base/meta.h"
#include "registry/registry.h"
#include "stack/stack.h"

enum { FIRST_PLACES = 256 };

struct taking {
	struct fp_snapshot *snapshot;
	int status;
};

/* The place of TRACE's group: its own, or the free one where it belongs. */
static struct fp_log_group *find(const struct fp_snapshot *snapshot, fp_trace_id trace)
{
	size_t at = fp_hash_place(fp_hash_word(0, trace), snapshot->places);

	while (snapshot->groups[at].blocks != 0 && snapshot->groups[at].trace != trace)
		at = fp_hash_next(at, snapshot->places);
	return &snapshot->groups[at];
}

static void give_back(const struct fp_snapshot *snapshot)
{
	fp_meta_free(snapshot->groups, snapshot->places * sizeof(*snapshot->groups));
}

static int grow(struct fp_snapshot *snapshot)
{
	struct fp_snapshot bigger = *snapshot;

	bigger.places = snapshot->places == 0 ? FIRST_PLACES : 2 * snapshot->places;
	bigger.groups = fp_meta_alloc(bigger.places * sizeof(*bigger.groups));
	if (bigger.groups == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < snapshot->places; i++)
		if (snapshot->groups[i].blocks != 0)
			*find(&bigger, snapshot->groups[i].trace) = snapshot->groups[i];
	give_back(snapshot);
	*snapshot = bigger;
	return 0;
}

static void visit(const struct fp_block *block, void *user)
{
	struct taking *taking = user;
	struct fp_snapshot *snapshot = taking->snapshot;

	if (taking->status == 0 && 2 * (snapshot->used + 1) > snapshot->places)
		taking->status = grow(snapshot);
	if (taking->status != 0)
		return;
	struct fp_log_group *group = find(snapshot, block->alloc_trace);
	snapshot->used += group->blocks == 0;
	group->trace = block->alloc_trace;
	group->blocks++;
	group->bytes += block->size;
	snapshot->blocks++;
	snapshot->bytes += block->size;
}

int fp_snapshot_take(struct fp_snapshot *snapshot, const struct fp_block *dying)
{
	struct taking taking = {.snapshot = snapshot};

	if (dying != NULL)
		visit(dying, &taking);
	fp_registry_each_live(visit, &taking);
	if (taking.status != 0)
		fp_snapshot_drop(snapshot);
	return taking.status;
}

int fp_snapshot_take_part(struct fp_snapshot *snapshot, size_t part)
{
	struct taking taking = {.snapshot = snapshot};

	fp_registry_each_live_of(part, visit, &taking);
	if (taking.status != 0)
		fp_snapshot_drop(snapshot);
	return taking.status;
}

struct fp_log_group *fp_snapshot_find(const struct fp_snapshot *snapshot, fp_trace_id trace)
{
	struct fp_log_group *group = snapshot->places == 0 ? NULL : find(snapshot, trace);

	return group == NULL || group->blocks == 0 ? NULL : group;
}

void fp_snapshot_drop(struct fp_snapshot *snapshot)
{
	give_back(snapshot);
	*snapshot = (struct fp_snapshot){0};
}

/* No more than FP_LOG_GROUPS_MAX groups can have that share of the bytes each. */
static bool is_shown(const struct fp_snapshot *snapshot, const struct fp_log_group *group)
{
	return group->blocks != 0 && (snapshot->used <= FP_LOG_GROUPS_MAX ||
	                              group->bytes > snapshot->bytes / FP_LOG_GROUPS_MAX);
}

void fp_snapshot_log(const struct fp_snapshot *snapshot, struct fp_log *log)
{
	const size_t bytes = FP_LOG_GROUPS_MAX * sizeof(struct fp_log_group);
	/* Not on the stack: a fault's handler logs this, on what a thread has left. */
	struct fp_log_group *shown = fp_meta_alloc(bytes);
	struct fp_log_snapshot record = {
	        .milliseconds = snapshot->milliseconds,
	        .live_blocks = snapshot->blocks,
	        .live_bytes = snapshot->bytes,
	        .groups = shown,
	};

	for (size_t i = 0; shown != NULL && i < snapshot->places; i++) {
		const struct fp_log_group *group = &snapshot->groups[i];
		const uintptr_t *frames;
		size_t count;

		if (!is_shown(snapshot, group) || record.group_count == FP_LOG_GROUPS_MAX)
			continue;
		frames = fp_stack_trace(group->trace, &count);
		fp_log_trace(log, group->trace, frames, count);
		shown[record.group_count++] = *group;
	}
	fp_log_snapshot(log, &record);
	fp_meta_free(shown, bytes);
}
