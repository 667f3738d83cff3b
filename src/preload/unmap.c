/* SPDX-License-Identifier: Apache-2.0
 *
 * What the program unmaps, so that an access there later can be told from one to anywhere.
 */
#include <errno.h>
#include <stdarg.h>
#include <sys/mman.h>

#include "base/sys.h"
#include "base/thread.h"
#include "base/vm.h"
#include "heap/heap.h"
#include "preload/door.h"
#include "preload/export.h"
#include "stack/stack.h"

static void keep_inside(void *unmapped)
{
	((struct fp_stack_unmapped *)unmapped)->trace = fp_stack_capture();
	fp_stack_keep_unmapped(unmapped);
}

static void keep(uintptr_t start, size_t bytes)
{
	size_t page = fp_vm_page_size();
	struct fp_stack_unmapped unmapped = {.start = start,
	                                     .end = (start + bytes + page - 1) / page * page,
	                                     .thread = fp_thread_self()};

	if (!fp_preload_enter())
		return;
	fp_room_run(keep_inside, &unmapped);
	fp_preload_leave();
}

FP_EXPORT int munmap(void *start, size_t bytes)
{
	fp_heap_forget_memory(start, bytes);
	long status = fp_sys(SYS_munmap, start, bytes);

	if (status != 0) {
		errno = (int)-status;
		return -1;
	}
	int saved_errno = errno;
	keep((uintptr_t)start, bytes);
	errno = saved_errno;
	return 0;
}

/* Only what has one protection can be moved. */
FP_EXPORT void *mremap(void *start, size_t bytes, size_t wanted, int flags, ...)
{
	va_list rest;

	va_start(rest, flags);
	void *place = va_arg(rest, void *);
	va_end(rest);
	fp_heap_forget_memory(start, bytes);
	long status = fp_sys(SYS_mremap, start, bytes, wanted, flags, place);
	if (status < 0) {
		errno = (int)-status;
		return MAP_FAILED;
	}
	return (void *)status;
}
