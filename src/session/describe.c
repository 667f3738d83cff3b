/* SPDX-License-Identifier: Apache-2.0
 *
 * Blocks and findings as <fencepost/fencepost.h> shows them to a program.
 *
 * Context: alloc.
 */
#include "heap/tier.h"
#include "session/session.h"
#include "session/state.h"

void fp_session_describe_block(const struct fp_block *block, uintptr_t address,
                               struct fp_block_info *info)
{
	*info = (struct fp_block_info){
	        .address = (const void *)block->address,
	        .size = block->size,
	        .offset = (ptrdiff_t)(address - block->address),
	        .is_live = block->state == FP_BLOCK_LIVE,
	        .tier = fp_tier_name(block->tier),
	        .family = fp_family_name(block->family),
	        .heap = block->heap,
	        .serial = block->serial,
	        .alloc_thread = block->alloc_thread,
	        .free_thread = block->state == FP_BLOCK_LIVE ? 0 : block->free_thread,
	};
}

void fp_session_describe(const struct fp_finding *finding, struct fp_finding_info *info)
{
	*info = (struct fp_finding_info){
	        .kind = fp_finding_traits(finding->kind)->name,
	        .description = finding->description,
	        .address = (const void *)finding->address,
	        .thread = finding->thread,
	        .has_block = finding->has_block,
	};
	if (finding->has_block)
		fp_session_describe_block(&finding->block, finding->address, &info->block);
}

bool fp_session_describe_address(uintptr_t address, struct fp_block_info *info)
{
	struct fp_block block;

	if (!fp_session_find_block(address, &block))
		return false;
	fp_session_describe_block(&block, address, info);
	return true;
}
