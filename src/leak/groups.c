/* SPDX-License-Identifier: Apache-2.0
 *
 * A table of groups that doubles as it fills.
 */
#include "leak/groups.h"

#include <errno.h>
#include <stdbool.h>

#include "base/clock.h"
#include "base/meta.h"

enum { FIRST_PLACES = 256 };

struct groups {
	struct fp_leak_group *groups; /* open addressing */
	size_t places;                /* a power of two, or 0 */
	size_t used;
	const struct fp_leak_config *config;
	uint32_t now;
};

/* A group that exists only for what hangs from it has no blocks of its own yet. */
static bool is_free(const struct fp_leak_group *group)
{
	return group->all.blocks == 0 && group->indirect.blocks == 0;
}

static size_t hash_of(const struct fp_leak_group *group)
{
	uint64_t hash = (uint64_t)group->hangs_from << 32 | group->trace;

	hash = hash * 0x9e3779b97f4a7c15u ^ group->site;
	hash = hash * 0x9e3779b97f4a7c15u ^
	       ((uint64_t)group->heap << 24 | (uint64_t)group->class << 16 |
	        (uint64_t)group->family << 8 | group->level);
	hash *= 0x9e3779b97f4a7c15u;
	return (size_t)(hash >> 32);
}

static bool is_same(const struct fp_leak_group *a, const struct fp_leak_group *b)
{
	return a->class == b->class && a->trace == b->trace && a->hangs_from == b->hangs_from &&
	       a->site == b->site && a->heap == b->heap && a->family == b->family &&
	       a->level == b->level;
}

/* The place of KEY's group: its own, or the free one where it belongs. */
static struct fp_leak_group *find(const struct groups *groups, const struct fp_leak_group *key)
{
	size_t at = hash_of(key) & (groups->places - 1);

	while (!is_free(&groups->groups[at]) && !is_same(&groups->groups[at], key))
		at = (at + 1) & (groups->places - 1);
	return &groups->groups[at];
}

static int grow(struct groups *groups)
{
	struct groups bigger = *groups;

	bigger.places = groups->places == 0 ? FIRST_PLACES : groups->places * 2;
	bigger.groups = fp_meta_alloc(bigger.places * sizeof(*bigger.groups));
	if (bigger.groups == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < groups->places; i++)
		if (!is_free(&groups->groups[i]))
			*find(&bigger, &groups->groups[i]) = groups->groups[i];
	fp_meta_free(groups->groups, groups->places * sizeof(*groups->groups));
	*groups = bigger;
	return 0;
}

/* The group of BLOCK, made if it is new; NULL when there is no room for it. One place always
 * stays free, so that searches end. The caller adds to it at once. */
static struct fp_leak_group *group_of(struct groups *groups, const struct fp_leak_block *block,
                                      fp_trace_id hangs_from)
{
	const struct fp_leak_group key = {
	        .class = block->class,
	        .trace = block->trace,
	        .hangs_from = hangs_from,
	        .site = block->site,
	        .heap = block->heap,
	        .family = block->family,
	        .level = block->level,
	};

	if (2 * (groups->used + 1) > groups->places && grow(groups) != 0 && groups->places == 0)
		return NULL;
	struct fp_leak_group *group = find(groups, &key);
	if (!is_free(group))
		return group;
	if (groups->used + 1 == groups->places)
		return NULL;
	*group = key;
	groups->used++;
	return group;
}

/* What is lost was told of only when it was told of as that. */
static bool is_new(const struct fp_leak_config *config, const struct fp_leak_block *block)
{
	switch ((enum fp_leak_class)block->class) {
	case FP_LEAK_REACHABLE:
		return block->serial >
		       (fp_leak_is_region(block) ? config->told_region : config->told);
	case FP_LEAK_POSSIBLE:
		return (block->marks & FP_BLOCK_TOLD) == 0;
	default:
		return (block->marks & FP_BLOCK_LOST) == 0;
	}
}

static void count(struct fp_leak_sum *sum, uint64_t bytes, uint64_t age)
{
	if (sum->blocks == 0 || age < sum->newest)
		sum->newest = age;
	if (age > sum->oldest)
		sum->oldest = age;
	sum->blocks++;
	sum->bytes += bytes;
}

static void count_block(const struct groups *groups, const struct fp_leak_block *block,
                        struct fp_leak_sum *all, struct fp_leak_sum *new)
{
	uint64_t age = fp_clock_between(block->born, groups->now);

	count(all, block->size, age);
	if (is_new(groups->config, block))
		count(new, block->size, age);
}

static bool add_own(struct groups *groups, const struct fp_leak_block *block,
                    fp_trace_id hangs_from)
{
	struct fp_leak_group *group = group_of(groups, block, hangs_from);

	if (group == NULL)
		return false;
	count_block(groups, block, &group->all, &group->new);
	if (group->held_at == 0 && block->class != FP_LEAK_DEFINITE) {
		group->held_at = block->held_at;
		group->held_offset = block->held - block->address;
	}
	return true;
}

static bool add_to_leader(struct groups *groups, const struct fp_leak_block *leader,
                          const struct fp_leak_block *block)
{
	struct fp_leak_group *group = group_of(groups, leader, FP_TRACE_NONE);

	if (group == NULL)
		return false;
	count_block(groups, block, &group->indirect, &group->new_indirect);
	return true;
}

static bool add(struct groups *groups, const struct fp_leak_table *table,
                const struct fp_leak_block *block)
{
	const struct fp_leak_block *leader = &table->blocks[block->hangs_from];

	if (block->class != FP_LEAK_INDIRECT)
		return add_own(groups, block, FP_TRACE_NONE);
	return add_own(groups, block, leader->trace) && add_to_leader(groups, leader, block);
}

void fp_leak_groups_visit(const struct fp_leak_table *table,
                          const struct fp_leak_config *config, struct fp_leak_result *result)
{
	struct groups groups = {.config = config, .now = fp_clock_now()};

	for (size_t i = 0; i < table->count; i++) {
		const struct fp_leak_block *block = &table->blocks[i];
		bool is_reachable = block->class == FP_LEAK_REACHABLE;

		if (fp_leak_is_inherited(config, block))
			continue;
		result->blocks[block->class]++;
		result->bytes[block->class] += block->size;
		if (!is_reachable && config->visit_block != NULL)
			config->visit_block(block, config->user);
		if (config->visit_group != NULL && (!is_reachable || config->with_reachable) &&
		    !add(&groups, table, block))
			result->is_partial = true;
	}
	for (size_t i = 0; i < groups.places; i++)
		if (groups.groups[i].all.blocks != 0)
			config->visit_group(&groups.groups[i], config->user);
	fp_meta_free(groups.groups, groups.places * sizeof(*groups.groups));
}
