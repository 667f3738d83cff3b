/* SPDX-License-Identifier: Apache-2.0
 *
 * Blocks whose pages the program protected by itself (mprotect(2) on what a heap gave it): when
 * such a block is freed or verified, this module touches it and faults. The handler of faults
 * asks here and has the page opened, and the instruction is tried again. It is no finding: the
 * pages are the program's as long as the block lives. Where the kernel refuses to open them,
 * touching ends.
 */
#include "heap/touch.h"

#include <errno.h>
#include <sys/mman.h>

#include "base/align.h"
#include "base/vm.h"

_Thread_local struct fp_touch fp_touch;

void fp_touch_begin(const struct fp_slot *slot, bool is_executable)
{
	fp_touch.end = slot->base + slot->bytes;
	fp_touch.prot = PROT_READ | PROT_WRITE | (is_executable ? PROT_EXEC : 0);
	fp_touch.opened = 0;
	fp_touch.start = slot->base;
}

void fp_touch_end(void)
{
	fp_touch.start = 0;
	fp_touch.end = 0;
}

void fp_touch_conceal(void)
{
	for (size_t i = 0; i < fp_touch.opened; i++)
		fp_vm_protect(fp_touch.pages[i], fp_vm_page_size(), PROT_NONE);
	fp_touch_end();
}

static bool is_opened(uintptr_t page)
{
	for (size_t i = 0; i < fp_touch.opened; i++)
		if (fp_touch.pages[i] == page)
			return true;
	return false;
}

enum fp_touch_answer fp_heap_open_touched(uintptr_t address)
{
	uintptr_t page = fp_align_down(address, fp_vm_page_size());
	int saved_errno = errno;

	/* What was opened and faults again is something else. */
	if (address < fp_touch.start || address >= fp_touch.end || is_opened(page))
		return FP_TOUCH_NONE;
	int status = fp_vm_protect(page, fp_vm_page_size(), fp_touch.prot);
	errno = saved_errno;
	if (status != 0)
		return fp_touch.can_give_up ? FP_TOUCH_REFUSED : FP_TOUCH_NONE;
	/* Of more, the last ones are forgotten, and stay open. */
	fp_touch.pages[fp_touch.opened % FP_TOUCH_PAGES_MAX] = page;
	if (fp_touch.opened < FP_TOUCH_PAGES_MAX)
		fp_touch.opened++;
	return FP_TOUCH_OPENED;
}

void fp_heap_give_up_touching(void)
{
	fp_touch.can_give_up = false;
	__builtin_longjmp(fp_touch.jump, 1);
}
