/* SPDX-License-Identifier: Apache-2.0
 *
 * Blocks whose pages the program protected, unmapped or mapped anew: when such a block is freed
 * or verified, this module touches it and faults. The handler of faults asks here and has the
 * page opened, and the instruction is tried again. It is no finding: the pages are the
 * program's as long as the block lives, and then they are as they were. Where they cannot be
 * opened, touching ends.
 */
#include "heap/touch.h"

#include <errno.h>
#include <sys/mman.h>

#include "base/align.h"
#include "base/maps.h"
#include "base/vm.h"

_Thread_local struct fp_touch fp_touch;

static void begin(const struct fp_slot *slot, int prot, bool is_dying)
{
	fp_touch.end = slot->base + slot->bytes;
	fp_touch.prot = prot;
	fp_touch.is_dying = is_dying;
	fp_touch.opened = 0;
	fp_touch.start = slot->base;
}

void fp_touch_begin(const struct fp_slot *slot, bool is_executable)
{
	begin(slot, PROT_READ | PROT_WRITE | (is_executable ? PROT_EXEC : 0), true);
}

void fp_touch_end(void)
{
	fp_touch.start = 0;
	fp_touch.end = 0;
}

void fp_touch_begin_live(const struct fp_slot *slot)
{
	begin(slot, PROT_READ | PROT_WRITE, false);
}

void fp_touch_end_live(void)
{
	for (size_t i = 0; i < fp_touch.opened; i++)
		fp_vm_protect(fp_touch.pages[i].base, fp_vm_page_size(),
		              fp_touch.pages[i].prot);
	fp_touch_end();
}

static bool is_opened(uintptr_t page)
{
	for (size_t i = 0; i < fp_touch.opened; i++)
		if (fp_touch.pages[i].base == page)
			return true;
	return false;
}

static int prot_at(uintptr_t page, int *prot)
{
	struct fp_maps_place place;
	int status = fp_maps_at(page, &place);

	if (status == 0)
		*prot = (place.is_readable ? PROT_READ : 0) |
		        (place.is_writable ? PROT_WRITE : 0) |
		        (place.is_executable ? PROT_EXEC : 0);
	return status;
}

/* What is opened for good needs no place in the list; what is not has to find one. */
static int unprotect(uintptr_t page)
{
	int before = 0;
	int status = 0;

	if (!fp_touch.is_dying)
		status =
		        fp_touch.opened < FP_TOUCH_PAGES_MAX ? prot_at(page, &before) : -ENOSPC;
	if (status == 0)
		status = fp_vm_protect(page, fp_vm_page_size(), fp_touch.prot);
	if (status == 0 && fp_touch.opened < FP_TOUCH_PAGES_MAX)
		fp_touch.pages[fp_touch.opened++] = (struct fp_touched_page){page, before};
	return status;
}

/* What the program mapped over a block, or left unmapped, dies with the block. */
static int replace(uintptr_t page)
{
	return fp_touch.is_dying ? fp_vm_remap(page, fp_vm_page_size(), fp_touch.prot) : -ENXIO;
}

static int open_page(uintptr_t page, enum fp_touch_fault fault)
{
	switch (fault) {
	case FP_TOUCH_DENIED:
		return unprotect(page);
	case FP_TOUCH_MISSING:
		return fp_guard_mend(page) ? 0 : replace(page);
	case FP_TOUCH_UNMAPPED:
		return replace(page);
	}
	return -ENXIO;
}

enum fp_touch_answer fp_heap_open_touched(uintptr_t address, enum fp_touch_fault fault)
{
	uintptr_t page = fp_align_down(address, fp_vm_page_size());
	int saved_errno = errno;

	/* What was opened and faults again is something else. */
	if (address < fp_touch.start || address >= fp_touch.end || is_opened(page))
		return FP_TOUCH_NONE;
	int status = open_page(page, fault);
	errno = saved_errno;
	if (status == 0)
		return FP_TOUCH_OPENED;
	return fp_touch.can_give_up ? FP_TOUCH_REFUSED : FP_TOUCH_NONE;
}

void fp_heap_give_up_touching(void)
{
	fp_touch.can_give_up = false;
	__builtin_longjmp(fp_touch.jump, 1);
}
