/* SPDX-License-Identifier: Apache-2.0
 *
 * Blocks are the program's, and so are their pages: it may give some back to the kernel
 * (MADV_DONTNEED and its kind) and go on using them. Where a back end makes a missing page
 * fault, that page becomes zeros, as it would without us: for an instruction when it faults,
 * and for the kernel, which gets no such chance, before a call.
 */
#include "base/align.h"
#include "base/vm.h"
#include "guard/guard.h"
#include "heap/state.h"
#include "registry/registry.h"

enum { PAGES_AT_ONCE = 32 };

/* The live block whose slot has ADDRESS. */
static bool find_live(uintptr_t address, struct fp_place *where, struct fp_block *block)
{
	return fp_guard_can_miss(address) && fp_guard_find(address, where) &&
	       !where->is_in_guard && fp_heap_find_in(&where->slot, block) &&
	       block->state == FP_BLOCK_LIVE;
}

bool fp_heap_mend(uintptr_t address)
{
	struct fp_place where;
	struct fp_block block;

	return find_live(address, &where, &block) && fp_guard_mend(address);
}

/* Nobody gives back a page that is not all his own, so only those that are are asked for. */
void fp_heap_mend_range(uintptr_t address, size_t length)
{
	size_t page = fp_vm_page_size();
	unsigned char is_there[PAGES_AT_ONCE];
	struct fp_place where;
	struct fp_block block;

	if (length == 0 || !find_live(address, &where, &block) || block.size < page)
		return;
	uintptr_t end = where.slot.base + where.slot.bytes;
	if (length < end - address)
		end = address + length;
	for (uintptr_t at = fp_align_down(address, page); at < end;
	     at += PAGES_AT_ONCE * page) {
		size_t count = (end - at + page - 1) / page;

		if (count > PAGES_AT_ONCE)
			count = PAGES_AT_ONCE;
		if (fp_vm_find_resident(at, count * page, is_there) != 0)
			return;
		for (size_t i = 0; i < count; i++)
			if ((is_there[i] & 1) == 0)
				fp_guard_mend(at + i * page);
	}
}
