/* SPDX-License-Identifier: Apache-2.0
 *
 * A table of groups that doubles as it fills. What hangs from the blocks of a definite group
 * stands there, too, by its depth and allocation stack: as a group that is the leader's but for
 * them.
 */
#include "leak/groups.h"

#include <errno.h>
#include <stdbool.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/meta.h"

enum { FIRST_PLACES = 256 };

struct groups {
	struct fp_leak_group *groups; /* open addressing */
	size_t places;                /* a power of two, or 0 */
	size_t used;
	const struct fp_leak_config *config;
	const struct fp_leak_table *table;
	uint32_t now;
};

/* More steps than this are not followed; how many there are is known all the same. */
enum { LINKS_FOLLOWED = 1 << 16 };

/* A group that exists only for what hangs from it has no blocks of its own yet. */
static bool is_free(const struct fp_leak_group *group)
{
	return group->all.blocks == 0 && group->indirect.blocks == 0;
}

static uint64_t hash_of(const struct fp_leak_group *group)
{
	uint64_t hash = fp_hash_word(0, (uint64_t)group->hangs_from << 32 | group->trace);

	hash = fp_hash_word(hash, (uint64_t)group->site << 32 | group->depth);
	return fp_hash_word(hash, (uint64_t)group->heap << 24 | (uint64_t)group->class << 16 |
	                                  (uint64_t)group->family << 8 | group->level);
}

static bool is_same(const struct fp_leak_group *a, const struct fp_leak_group *b)
{
	return a->class == b->class && a->trace == b->trace && a->hangs_from == b->hangs_from &&
	       a->site == b->site && a->heap == b->heap && a->family == b->family &&
	       a->level == b->level && a->depth == b->depth;
}

/* The place of KEY's group: its own, or the free one where it belongs. */
static struct fp_leak_group *find(const struct groups *groups, const struct fp_leak_group *key)
{
	size_t at = fp_hash_place(hash_of(key), groups->places);

	while (!is_free(&groups->groups[at]) && !is_same(&groups->groups[at], key))
		at = fp_hash_next(at, groups->places);
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

static struct fp_leak_group key_of(const struct fp_leak_block *block, fp_trace_id hangs_from)
{
	return (struct fp_leak_group){
	        .class = block->class,
	        .trace = block->trace,
	        .hangs_from = hangs_from,
	        .site = block->site,
	        .heap = block->heap,
	        .family = block->family,
	        .level = block->level,
	};
}

/* The group of KEY, made if it is new; NULL when there is no room for it. One place always
 * stays free, so that searches end. The caller adds to it at once. */
static struct fp_leak_group *find_or_add(struct groups *groups, const struct fp_leak_group *key)
{
	if (2 * (groups->used + 1) > groups->places && grow(groups) != 0 && groups->places == 0)
		return NULL;
	struct fp_leak_group *group = find(groups, key);
	if (!is_free(group))
		return group;
	if (groups->used + 1 == groups->places)
		return NULL;
	*group = *key;
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

/* No pointer is known to blocks of depth 0. */
static bool is_nearer(const struct fp_leak_block *block, const struct fp_leak_block *other)
{
	return block->depth != 0 && (other->depth == 0 || block->depth < other->depth);
}

static bool add_own(struct groups *groups, const struct fp_leak_block *block,
                    fp_trace_id hangs_from)
{
	const struct fp_leak_block *blocks = groups->table->blocks;
	const struct fp_leak_group key = key_of(block, hangs_from);
	struct fp_leak_group *group = find_or_add(groups, &key);

	if (group == NULL)
		return false;
	if (group->all.blocks == 0 || is_nearer(block, &blocks[group->nearest]))
		group->nearest = (uint32_t)(block - blocks);
	count_block(groups, block, &group->all, &group->new);
	return true;
}

static bool add_to_leader(struct groups *groups, const struct fp_leak_block *leader,
                          const struct fp_leak_block *block)
{
	const struct fp_leak_group key = key_of(leader, FP_TRACE_NONE);
	struct fp_leak_group member_key = key_of(leader, block->trace);
	struct fp_leak_group *group = find_or_add(groups, &key);

	if (group == NULL)
		return false;
	count_block(groups, block, &group->indirect, &group->new_indirect);
	member_key.depth = block->depth < FP_LEAK_DEPTH_MAX ? block->depth : FP_LEAK_DEPTH_MAX;
	if (member_key.depth == 0)
		return true;
	group = find_or_add(groups, &member_key);
	if (group == NULL)
		return false;
	count_block(groups, block, &group->all, &group->new);
	return true;
}

static bool add(struct groups *groups, const struct fp_leak_block *block)
{
	const struct fp_leak_block *leader = &groups->table->blocks[block->hangs_from];

	if (block->class != FP_LEAK_INDIRECT)
		return add_own(groups, block, FP_TRACE_NONE);
	return add_own(groups, block, leader->trace) && add_to_leader(groups, leader, block);
}

/* Each group gets a list of what hangs from it. */
static void link_members(const struct groups *groups)
{
	for (size_t i = 0; i < groups->places; i++) {
		struct fp_leak_group *member = &groups->groups[i];
		struct fp_leak_group key = *member;

		if (is_free(member) || member->depth == 0)
			continue;
		key.hangs_from = FP_TRACE_NONE;
		key.depth = 0;
		struct fp_leak_group *leader = find(groups, &key);
		member->next = leader->next;
		leader->next = i + 1;
	}
}

static bool is_larger(const struct fp_leak_member *member, const struct fp_leak_member *other)
{
	return member->bytes > other->bytes ||
	       (member->bytes == other->bytes && member->depth < other->depth);
}

/* Into MEMBERS, which hold COUNT, the largest first, unless all are larger; how many they are
 * then. */
static unsigned rank_member(struct fp_leak_member *members, unsigned count,
                            const struct fp_leak_member *member)
{
	unsigned at = count;

	for (; at > 0 && is_larger(member, &members[at - 1]); at--)
		if (at < FP_LEAK_MEMBERS_MAX)
			members[at] = members[at - 1];
	if (at < FP_LEAK_MEMBERS_MAX)
		members[at] = *member;
	return count < FP_LEAK_MEMBERS_MAX ? count + 1 : count;
}

static void sort_by_depth(struct fp_leak_member *members, unsigned count)
{
	for (unsigned i = 1; i < count; i++) {
		struct fp_leak_member moved = members[i];
		unsigned at = i;

		for (; at > 0 && members[at - 1].depth > moved.depth; at--)
			members[at] = members[at - 1];
		members[at] = moved;
	}
}

static unsigned list_members(const struct groups *groups, const struct fp_leak_group *leader,
                             struct fp_leak_member *members)
{
	const struct fp_leak_group *group = leader;
	unsigned count = 0;

	while (group->next != 0) {
		group = &groups->groups[group->next - 1];
		const struct fp_leak_member member = {group->depth, group->hangs_from,
		                                      group->all.blocks, group->all.bytes};
		count = rank_member(members, count, &member);
	}
	sort_by_depth(members, count);
	return count;
}

/* The pointers that lead to BLOCK, which are as many as it is deep. */
static unsigned list_links(const struct fp_leak_table *table, const struct fp_leak_block *block,
                           struct fp_leak_link *links)
{
	uint32_t depth = block->depth;
	unsigned count = 0;

	for (uint32_t i = 0; i < depth && i < LINKS_FOLLOWED; i++) {
		if (i < FP_LEAK_LINKS_NEAR ||
		    depth - i <= FP_LEAK_LINKS_MAX - FP_LEAK_LINKS_NEAR)
			links[count++] = (struct fp_leak_link){block->held_at,
			                                       block->held - block->address};
		block = block->holder == FP_LEAK_NOWHERE ? block
		                                         : &table->blocks[block->holder];
	}
	return count;
}

static void visit_group(const struct groups *groups, const struct fp_leak_group *found)
{
	const struct fp_leak_block *nearest = &groups->table->blocks[found->nearest];
	struct fp_leak_link links[FP_LEAK_LINKS_MAX];
	struct fp_leak_member members[FP_LEAK_MEMBERS_MAX];
	struct fp_leak_group group = *found;

	group.links = links;
	group.link_count = list_links(groups->table, nearest, links);
	group.links_left_out = nearest->depth - group.link_count;
	group.members = members;
	group.member_count = list_members(groups, found, members);
	groups->config->visit_group(&group, groups->config->user);
}

void fp_leak_groups_visit(const struct fp_leak_table *table,
                          const struct fp_leak_config *config, struct fp_leak_result *result)
{
	struct groups groups = {.config = config, .table = table, .now = fp_clock_now()};

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
		    !add(&groups, block))
			result->is_partial = true;
	}
	link_members(&groups);
	for (size_t i = 0; i < groups.places; i++)
		if (groups.groups[i].all.blocks != 0 && groups.groups[i].depth == 0)
			visit_group(&groups, &groups.groups[i]);
	fp_meta_free(groups.groups, groups.places * sizeof(*groups.groups));
}
