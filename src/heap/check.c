/* SPDX-License-Identifier: Apache-2.0
 *
 * Verifying all live blocks. A block is looked at under its shard's lock, so that it cannot be
 * sealed meanwhile; what is found is repaired at once and reported when the locks are free.
 */
#include "guard/guard.h"
#include "heap/findings.h"
#include "heap/heap.h"
#include "heap/padding.h"
#include "registry/registry.h"

enum { BATCH = 32 }; /* damaged blocks per sweep; this array stands on the stack */

struct sweep {
	size_t sides;
	size_t blocks;
	struct fp_damaged damaged[2 * BATCH];
};

static void visit(const struct fp_block *block, void *user)
{
	struct sweep *sweep = user;
	struct fp_place where;

	if (sweep->blocks == BATCH || !fp_guard_find(block->address, &where))
		return;
	size_t sides = fp_findings_verify(block, where.slot.base, where.slot.bytes,
	                                  &sweep->damaged[sweep->sides]);
	if (sides == 0)
		return;
	sweep->sides += sides;
	sweep->blocks++;
	fp_padding_fill(where.slot.base, block->address);
	fp_padding_fill(block->address + block->size, where.slot.base + where.slot.bytes);
}

size_t fp_heap_check(fp_trace_id trace, const char *when)
{
	const struct fp_misuse misuse = {.trace = trace};
	size_t found = 0;
	struct sweep sweep;

	/* A full sweep may have left some out; what it found is repaired, so this ends. */
	do {
		sweep.sides = 0;
		sweep.blocks = 0;
		fp_registry_each_live(visit, &sweep);
		for (size_t i = 0; i < sweep.sides; i++)
			fp_findings_damaged(&misuse, &sweep.damaged[i], when);
		found += sweep.blocks;
	} while (sweep.blocks == BATCH);
	return found;
}
