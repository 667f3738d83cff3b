/* SPDX-License-Identifier: Apache-2.0
 *
 * The kernel tells whether a page can be read when it is asked to take a signal mask from
 * there, to be used in a way that does not exist: it refuses with EFAULT or, having read it,
 * with EINVAL. Nothing is changed, nothing is opened, and no filter of system calls that lets a
 * program run refuses the call.
 */
#include "stack/reading.h"

#include "base/sys.h"

enum { PAGE = FP_READ_PAGE, GAP_MAX = 256 * PAGE, NO_SUCH_WAY = 1 << 20 };

_Thread_local struct fp_reading fp_reading;

bool fp_read_is_readable(uintptr_t address)
{
	uintptr_t page = address - address % PAGE;

	/* A mask at address 0 is none. */
	return page != 0 && fp_sys_sigmask(NO_SUCH_WAY, (const void *)page, NULL) != -EFAULT;
}

/* Page by page, to PAGE or to the first that cannot be read. */
static struct fp_reading extend_to(struct fp_reading known, uintptr_t page)
{
	while (page < known.start && fp_read_is_readable(known.start - PAGE))
		known.start -= PAGE;
	while (page >= known.end && fp_read_is_readable(known.end))
		known.end += PAGE;
	return known;
}

bool fp_reading_extend(uintptr_t address)
{
	uintptr_t page = address - address % PAGE;

	if (page + GAP_MAX >= fp_reading.start && page <= fp_reading.end + GAP_MAX)
		fp_reading = extend_to(fp_reading, page);
	/* Another stack: those of coroutines may lie side by side, with a fence between. */
	if (!fp_reading_covers(address))
		fp_reading = extend_to((struct fp_reading){page, page}, page);
	return fp_reading_covers(address);
}
