/* SPDX-License-Identifier: Apache-2.0
 *
 * What was found in memory as the event log has it: blocks, who holds them, leaks. Of this
 * process; and compiled anew (remains/names.h) of one that is a core file.
 *
 * Context: alloc and fault.
 */
#include <string.h>

#include "base/clock.h"
#include "base/pointer.h"
#include "base/text.h"
#include "heap/heap.h"
#include "heap/pools.h"
#include "region/region.h"
#include "registry/registry.h"
#include "session/session.h"
#include "session/state.h"
#include "stack/stack.h"

void fp_session_log_trace(struct fp_log *log, fp_trace_id trace)
{
	size_t count;
	const uintptr_t *frames = fp_stack_trace(trace, &count);

	fp_log_trace(log, trace, frames, count);
}

/* BLOCK, in which a pointer stands at ADDRESS. */
struct fp_log_block fp_session_log_block(struct fp_log *log, const struct fp_block *block,
                                         uintptr_t address)
{
	struct fp_log_site site = {.file = ""};
	int line = 0;

	if (block->address == 0)
		return (struct fp_log_block){.site = site};
	fp_stack_site(block->site, &site.file, &line);
	site.line = (uint32_t)line;
	const struct fp_log_block told =
	        fp_log_block_of(block, (int64_t)(address - block->address), &site);
	fp_session_log_trace(log, told.alloc_trace);
	fp_session_log_trace(log, told.free_trace);
	return told;
}

/* What others are cut out of comes last. */
bool fp_session_find_block(uintptr_t address, struct fp_block *block)
{
	struct fp_region_place place;

	if (fp_pools_find(address, block) || fp_heap_find(address, block))
		return true;
	if (!fp_region_find(address, &place))
		return false;
	*block = place.block;
	return true;
}

bool fp_session_find_live(uintptr_t address, struct fp_block *block)
{
	return (fp_pools_find(address, block) || fp_heap_find(address, block)) &&
	       block->state == FP_BLOCK_LIVE && address - block->address < block->size;
}

/* The threads go on meanwhile: the block may be gone. */
static struct fp_log_holder describe_holder(const struct fp_leak_link *link, struct fp_log *log)
{
	static const struct fp_block none;
	struct fp_block block;
	bool is_block = fp_session_find_live(link->at, &block);

	return (struct fp_log_holder){
	        .kind = is_block ? FP_HOLDER_BLOCK : FP_HOLDER_MEMORY,
	        .address = link->at,
	        .offset = (int64_t)link->offset,
	        .block = fp_session_log_block(log, is_block ? &block : &none, link->at),
	};
}

struct fp_census fp_session_log_census(struct fp_log *log, const struct fp_leak_census *census,
                                       struct fp_log_holder *holders)
{
	for (unsigned i = 0; i < census->count; i++) {
		const struct fp_leak_holder *holder = &census->holders[i];

		holders[i] = (struct fp_log_holder){
		        .kind = holder->kind,
		        .address = holder->address,
		        .offset = (int64_t)(holder->value - census->start),
		        .thread = holder->thread,
		        .name = holder->name,
		        .place = holder->place,
		        .block = fp_session_log_block(log, &holder->block, holder->address),
		};
		if (holder->frame_count > 0)
			holders[i].trace =
			        fp_stack_keep_frames(holder->frames, holder->frame_count);
		fp_session_log_trace(log, holders[i].trace);
	}
	return (struct fp_census){
	        .result = census->result,
	        .found = census->found,
	        .bytes = census->bytes,
	        .microseconds = census->nsec / 1000,
	        .obstacle = census->obstacle,
	};
}

/* Who holds a block of GROUP, and how that is reached. */
struct way {
	struct fp_log_holder holders[FP_LEAK_LINKS_MAX]; /* the last has the block itself */
	uint32_t count;
	uint64_t left_out;
};

static void describe_way(const struct fp_leak_group *group, struct fp_log *log, struct way *way)
{
	/* What hangs from a leak is told there; many stacks may have some of it. */
	bool is_brief = group->class == FP_LEAK_INDIRECT && group->link_count > 0;

	way->count = is_brief ? 1 : group->link_count;
	way->left_out = is_brief ? 0 : group->links_left_out;
	for (uint32_t i = 0; i < way->count; i++)
		way->holders[i] = describe_holder(&group->links[way->count - 1 - i], log);
}

/* For OF, a leak or a stack that grows. */
#define TELL_WAY(of, way)                                                                      \
	((of).holders = &(way).holders[(way).count - ((way).count > 0)],                       \
	 (of).holder_count = (way).count > 0, (of).path = (way).holders,                       \
	 (of).path_count = (way).count - ((way).count > 0),                                    \
	 (of).path_left_out = (way).left_out)

static uint32_t log_members(const struct fp_leak_group *group, struct fp_log *log,
                            struct fp_log_member *members)
{
	for (unsigned i = 0; i < group->member_count; i++) {
		const struct fp_leak_member *member = &group->members[i];

		members[i] = (struct fp_log_member){.depth = member->depth,
		                                    .blocks = member->blocks,
		                                    .bytes = member->bytes,
		                                    .trace = member->trace};
		fp_session_log_trace(log, member->trace);
	}
	return group->member_count;
}

static void log_leak(const struct fp_leak_group *group, struct fp_log *log,
                     const struct way *way)
{
	struct fp_log_member members[FP_LEAK_MEMBERS_MAX];
	struct fp_log_holder last_holder;
	struct fp_log_leak leak = {
	        .class = group->class,
	        .family = group->family,
	        .level = group->level,
	        .heap = group->heap,
	        .blocks = group->all.blocks,
	        .bytes = group->all.bytes,
	        .age = {group->all.oldest, group->all.newest},
	        .new = {.blocks = group->new.blocks,
	                .bytes = group->new.bytes,
	                .age = {group->new.oldest, group->new.newest},
	                .indirect_blocks = group->new_indirect.blocks,
	                .indirect_bytes = group->new_indirect.bytes},
	        .trace = group->trace,
	        .site.file = "",
	        .indirect_blocks = group->indirect.blocks,
	        .indirect_bytes = group->indirect.bytes,
	        .leader_trace = group->hangs_from,
	};
	int line = 0;

	TELL_WAY(leak, *way);
	if (group->class == FP_LEAK_DEFINITE &&
	    fp_session_find_last_holder(group->trace, log, &last_holder, &leak.held_until)) {
		leak.last_holders = &last_holder;
		leak.last_holder_count = 1;
	}
	leak.members = members;
	leak.member_count = log_members(group, log, members);
	fp_session_log_trace(log, group->trace);
	fp_session_log_trace(log, group->hangs_from);
	fp_stack_site(group->site, &leak.site.file, &line);
	leak.site.line = (uint32_t)line;
	fp_log_leak(log, &leak);
}

void fp_session_log_group(struct fp_log *log, const struct fp_leak_group *group, bool is_leak,
                          bool is_growing)
{
	struct fp_log_held held = {.trace = group->trace};
	struct way way;

	if (!is_leak && !is_growing)
		return;
	describe_way(group, log, &way);
	if (is_leak)
		log_leak(group, log, &way);
	if (way.count == 0 || !is_growing)
		return;
	TELL_WAY(held, way);
	fp_log_held(log, &held);
}

/* ---- One address ---------------------------------------------------------------------------
 *
 * What is known of one address of this process, for somebody who asks: the block there, since
 * when, its stacks, its neighbours, and who points to it. Compiled anew, too.
 *
 * Context: alloc.
 */

/* The nearest live blocks that begin below and above. */
struct neighbours {
	uintptr_t address;
	struct fp_block before;
	struct fp_block behind;
};

static void compare(const struct fp_block *block, void *user)
{
	struct neighbours *neighbours = user;

	if (block->address < neighbours->address && block->address > neighbours->before.address)
		neighbours->before = *block;
	if (block->address > neighbours->address &&
	    (neighbours->behind.address == 0 || block->address < neighbours->behind.address))
		neighbours->behind = *block;
}

/* Where the block begins, or else the address itself, has the neighbours. */
static uint32_t find_neighbours(struct fp_log *log, uintptr_t address,
                                struct fp_log_block found[2])
{
	struct neighbours neighbours = {.address = address};
	uint32_t count = 0;

	fp_registry_each_live(compare, &neighbours);
	fp_pools_each_live(compare, &neighbours);
	if (neighbours.before.address != 0)
		found[count++] = fp_session_log_block(log, &neighbours.before, address);
	if (neighbours.behind.address != 0)
		found[count++] = fp_session_log_block(log, &neighbours.behind, address);
	return count;
}

void fp_session_log_explanation(struct fp_log *log, uintptr_t address, uintptr_t stack)
{
	struct fp_log_explanation explanation = {.address = address, .block.site.file = ""};
	struct fp_log_block neighbours[2];
	struct fp_block block;
	char place[FP_DESCRIPTION_MAX];
	struct fp_text text;
	bool has_holders = false;

	if (fp_session_find_block(address, &block)) {
		explanation.block = fp_session_log_block(log, &block, address);
		explanation.age = fp_clock_between(block.born, fp_clock_now());
		has_holders = fp_session_explain_holders(log, &block, stack, &explanation);
	} else {
		fp_text_begin(&text, place, sizeof(place));
		fp_pointer_describe(&text, address);
		explanation.place = place;
		block.address = address;
	}
	explanation.neighbours = neighbours;
	explanation.neighbour_count = find_neighbours(log, block.address, neighbours);
	fp_log_explanation(log, &explanation);
	if (has_holders)
		fp_session_release_holders();
}
