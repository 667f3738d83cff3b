/* SPDX-License-Identifier: Apache-2.0
 *
 * Grouping of live blocks in a table that doubles as it fills.
 */
#include "leak/leak.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/meta.h"
#include "registry/registry.h"

struct table {
	struct fp_leak_group *groups; /* open addressing; blocks == 0 is a free place */
	size_t places;                /* a power of two, or 0 */
	size_t used;
	uint64_t after;
	int status;
};

static size_t hash_of(const struct fp_leak_group *group)
{
	uint64_t hash = group->trace;

	hash = hash * 0x9e3779b97f4a7c15u ^ group->site;
	hash = hash * 0x9e3779b97f4a7c15u ^
	       ((uint64_t)group->heap << 16 | group->family << 8 | group->level);
	hash *= 0x9e3779b97f4a7c15u;
	return (size_t)(hash >> 32);
}

static bool is_same(const struct fp_leak_group *a, const struct fp_leak_group *b)
{
	return a->trace == b->trace && a->site == b->site && a->heap == b->heap &&
	       a->family == b->family && a->level == b->level;
}

/* The place of KEY's group: its own, or the free one where it belongs. */
static struct fp_leak_group *find(const struct table *table, const struct fp_leak_group *key)
{
	size_t at = hash_of(key) & (table->places - 1);

	while (table->groups[at].blocks != 0 && !is_same(&table->groups[at], key))
		at = (at + 1) & (table->places - 1);
	return &table->groups[at];
}

static int grow(struct table *table)
{
	struct table bigger = *table;

	bigger.places = table->places == 0 ? 256 : table->places * 2;
	bigger.groups = fp_meta_alloc(bigger.places * sizeof(*bigger.groups));
	if (bigger.groups == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < table->places; i++)
		if (table->groups[i].blocks != 0)
			*find(&bigger, &table->groups[i]) = table->groups[i];
	fp_meta_free(table->groups, table->places * sizeof(*table->groups));
	*table = bigger;
	return 0;
}

/* Where KEY's group is or may be put; NULL when it is new and there is no room for it. One
 * place always stays free, so that searches end. */
static struct fp_leak_group *place_of(struct table *table, const struct fp_leak_group *key)
{
	if (2 * (table->used + 1) > table->places && grow(table) != 0 && table->places == 0)
		return NULL;
	struct fp_leak_group *group = find(table, key);
	return group->blocks == 0 && table->used + 1 == table->places ? NULL : group;
}

static void visit_block(const struct fp_block *block, void *user)
{
	struct table *table = user;
	struct fp_leak_group key = {
	        .trace = block->alloc_trace,
	        .site = block->site,
	        .heap = block->heap,
	        .family = block->family,
	        .level = block->level,
	};

	if (block->serial <= table->after)
		return;
	struct fp_leak_group *group = place_of(table, &key);
	if (group == NULL) {
		table->status = -ENOMEM;
		return;
	}
	if (group->blocks == 0) {
		*group = key;
		table->used++;
	}
	group->blocks++;
	group->bytes += block->size;
}

int fp_leak_each_group(uint64_t after, fp_leak_visitor visit, void *user)
{
	struct table table = {.after = after};

	fp_registry_each_live(visit_block, &table);
	for (size_t i = 0; i < table.places; i++)
		if (table.groups[i].blocks != 0)
			visit(&table.groups[i], user);
	fp_meta_free(table.groups, table.places * sizeof(*table.groups));
	return table.status;
}
