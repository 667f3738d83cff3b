/* SPDX-License-Identifier: Apache-2.0
 *
 * Summing by trace, in a table that doubles as it fills.
 */
#include "timeline/picture.h"

#include <errno.h>
#include <stdbool.h>

#include "base/meta.h"
#include "registry/registry.h"
#include "stack/stack.h"

enum { FIRST_PLACES = 256 };

struct taking {
	struct fp_picture *picture;
	int status;
};

/* The place of TRACE's group: its own, or the free one where it belongs. */
static struct fp_log_group *find(const struct fp_picture *picture, fp_trace_id trace)
{
	size_t at = (trace * 0x9e3779b97f4a7c15u >> 32) & (picture->places - 1);

	while (picture->groups[at].blocks != 0 && picture->groups[at].trace != trace)
		at = (at + 1) & (picture->places - 1);
	return &picture->groups[at];
}

static void give_back(const struct fp_picture *picture)
{
	fp_meta_free(picture->groups, picture->places * sizeof(*picture->groups));
}

static int grow(struct fp_picture *picture)
{
	struct fp_picture bigger = *picture;

	bigger.places = picture->places == 0 ? FIRST_PLACES : 2 * picture->places;
	bigger.groups = fp_meta_alloc(bigger.places * sizeof(*bigger.groups));
	if (bigger.groups == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < picture->places; i++)
		if (picture->groups[i].blocks != 0)
			*find(&bigger, picture->groups[i].trace) = picture->groups[i];
	give_back(picture);
	*picture = bigger;
	return 0;
}

static void visit(const struct fp_block *block, void *user)
{
	struct taking *taking = user;
	struct fp_picture *picture = taking->picture;

	if (taking->status == 0 && 2 * (picture->used + 1) > picture->places)
		taking->status = grow(picture);
	if (taking->status != 0)
		return;
	struct fp_log_group *group = find(picture, block->alloc_trace);
	picture->used += group->blocks == 0;
	group->trace = block->alloc_trace;
	group->blocks++;
	group->bytes += block->size;
	picture->blocks++;
	picture->bytes += block->size;
}

int fp_picture_take(struct fp_picture *picture, const struct fp_block *dying)
{
	struct taking taking = {.picture = picture};

	if (dying != NULL)
		visit(dying, &taking);
	fp_registry_each_live(visit, &taking);
	if (taking.status != 0)
		fp_picture_drop(picture);
	return taking.status;
}

int fp_picture_take_part(struct fp_picture *picture, size_t part)
{
	struct taking taking = {.picture = picture};

	fp_registry_each_live_of(part, visit, &taking);
	if (taking.status != 0)
		fp_picture_drop(picture);
	return taking.status;
}

struct fp_log_group *fp_picture_find(const struct fp_picture *picture, fp_trace_id trace)
{
	struct fp_log_group *group = picture->places == 0 ? NULL : find(picture, trace);

	return group == NULL || group->blocks == 0 ? NULL : group;
}

void fp_picture_drop(struct fp_picture *picture)
{
	give_back(picture);
	*picture = (struct fp_picture){0};
}

/* No more than FP_LOG_GROUPS_MAX groups can have that share of the bytes each. */
static bool is_shown(const struct fp_picture *picture, const struct fp_log_group *group)
{
	return group->blocks != 0 && (picture->used <= FP_LOG_GROUPS_MAX ||
	                              group->bytes > picture->bytes / FP_LOG_GROUPS_MAX);
}

void fp_picture_log(const struct fp_picture *picture, struct fp_log *log)
{
	const size_t bytes = FP_LOG_GROUPS_MAX * sizeof(struct fp_log_group);
	/* Not on the stack: a fault's handler logs this, on what a thread has left. */
	struct fp_log_group *shown = fp_meta_alloc(bytes);
	struct fp_log_snapshot snapshot = {
	        .milliseconds = picture->milliseconds,
	        .live_blocks = picture->blocks,
	        .live_bytes = picture->bytes,
	        .groups = shown,
	};

	for (size_t i = 0; shown != NULL && i < picture->places; i++) {
		const struct fp_log_group *group = &picture->groups[i];
		const uintptr_t *frames;
		size_t count;

		if (!is_shown(picture, group) || snapshot.group_count == FP_LOG_GROUPS_MAX)
			continue;
		frames = fp_stack_trace(group->trace, &count);
		fp_log_trace(log, group->trace, frames, count);
		shown[snapshot.group_count++] = *group;
	}
	fp_log_snapshot(log, &snapshot);
	fp_meta_free(shown, bytes);
}
