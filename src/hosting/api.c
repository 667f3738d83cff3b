/* SPDX-License-Identifier: Apache-2.0
 *
 * The functions of <fencepost/fencepost.h>.
 */
#include <errno.h>
#include <fcntl.h>

#include <stdatomic.h>

#include "base/sys.h"
#include "hosting/ends.h"
#include "hosting/notify.h"
#include "hosting/object.h"

#include <fencepost/fencepost.h>

#include "fault/fault.h"
#include "heap/heap.h"
#include "region/region.h"
#include "session/session.h"

static _Atomic(fp_finding_callback) callback;
static void *_Atomic callback_user;

/* Of the library under malloc, where `fencepost run` has put it there: its address, or NULL. */
extern void fencepost_join(fp_session_companion finish) __attribute__((weak));

/* It sees ends of the process that tell us nothing. */
static void join(void)
{
	static _Atomic bool has_joined;

	if (fencepost_join == NULL || atomic_exchange(&has_joined, true))
		return;
	fp_session_join(NULL);
	fencepost_join(fp_session_finish_with);
}

static HRESULT start(const char *options)
{
	int saved_errno = errno;
	fp_fault_know_library("libfencepost.so", NULL);
	int status = fp_session_start(options);

	if (status == 0)
		join();
	fp_lsan_start();
	fp_session_answer();
	fp_ends_watch();
	errno = saved_errno;
	if (status != 0)
		return status == -ENOMEM ? E_OUTOFMEMORY : E_INVALIDARG;
	return S_OK;
}

HRESULT fp_create_memory_manager(const char *options, IHostMemoryManager **manager)
{
	if (manager == NULL)
		return E_POINTER;
	HRESULT result = start(options);
	*manager = result == S_OK ? fp_memory_manager_get() : NULL;
	return result;
}

HRESULT fp_create_host_control(const char *options, IHostControl **control)
{
	if (control == NULL)
		return E_POINTER;
	HRESULT result = start(options);
	*control = result == S_OK ? fp_host_control_get() : NULL;
	return result;
}

size_t fp_finding_count(void)
{
	return fp_session_finding_count();
}

int fp_write_report(int fd, const char *format)
{
	if (fp_sys_fcntl(fd, F_GETFD, 0) < 0)
		return -EBADF;
	return format == NULL ? -EINVAL : fp_session_write_report(fd, format);
}

size_t fp_check_heap(void)
{
	return fp_session_check_heap();
}

size_t fp_check_leaks(void)
{
	return fp_session_check_leaks();
}

int fp_install_fault_handler(void)
{
	return fp_session_is_started() ? fp_fault_install() : -ENODEV;
}

bool fp_check_range(const void *address, size_t length, enum fp_access_kind access)
{
	static const enum fp_access kinds[] = {
	        [FP_READ] = FP_ACCESS_READ,
	        [FP_WRITE] = FP_ACCESS_WRITE,
	};

	if (!fp_session_is_started())
		return true;
	return fp_fault_check_range((uintptr_t)address, length, kinds[access]);
}

static void fill_info(struct fp_block_info *info, const struct fp_block *block,
                      uintptr_t address)
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

bool fp_describe(const void *address, struct fp_block_info *info)
{
	struct fp_region_place place;
	struct fp_block block;

	if (fp_heap_find((uintptr_t)address, &block))
		fill_info(info, &block, (uintptr_t)address);
	else if (fp_region_find((uintptr_t)address, &place))
		fill_info(info, &place.block, (uintptr_t)address);
	else
		return false;
	return true;
}

static void forward(const struct fp_finding *finding, void *unused)
{
	struct fp_finding_event event = {
	        .kind = fp_finding_info(finding->kind)->name,
	        .description = finding->description,
	        .address = (const void *)finding->address,
	        .thread = finding->thread,
	        .has_block = finding->has_block,
	};
	fp_finding_callback call = atomic_load(&callback);

	(void)unused;
	if (finding->has_block)
		fill_info(&event.block, &finding->block, finding->address);
	if (call != NULL)
		call(&event, atomic_load(&callback_user));
}

void fp_set_finding_callback(fp_finding_callback new_callback, void *user)
{
	/* No call may see the new function with the old user pointer. */
	atomic_store(&callback, NULL);
	atomic_store(&callback_user, user);
	atomic_store(&callback, new_callback);
	fp_session_set_callback(new_callback == NULL ? NULL : forward, NULL);
}

/* The host may never release anything, so the report hangs on the end of the process. */
__attribute__((destructor)) static void finish(void)
{
	/* The program's own memory is being torn down: it is not to be called any more. */
	fp_notify_register(NULL);
	fp_session_finish();
}
