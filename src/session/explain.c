/* SPDX-License-Identifier: Apache-2.0
 *
 * What is known of one address of this process, for somebody who asks: the block there, since
 * when, its stacks, its neighbours, and who points to it. Compiled anew as told.c is.
 *
 * Context: alloc.
 */
#include <string.h>

#include "base/clock.h"
#include "base/pointer.h"
#include "base/text.h"
#include "heap/pools.h"
#include "registry/registry.h"
#include "session/session.h"
#include "session/state.h"

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
