/* SPDX-License-Identifier: Apache-2.0
 *
 * The functions of <fencepost/fencepost.h>.
 */
#include <errno.h>
#include <fcntl.h>

#include "base/sys.h"
#include "hosting/object.h"

#include <fencepost/fencepost.h>

#include "fault/fault.h"
#include "heap/heap.h"
#include "session/session.h"

static HRESULT start(const char *options)
{
	const struct fp_own_object door = fp_own_read("libfencepost.so", &__ehdr_start);
	int saved_errno = errno;

	fp_session_open_door(FP_DOOR_HOST, &door, fencepost_on_finding);
	int status = fp_session_start(options);
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
	FP_OBJECT_ENTER();
	if (fp_sys_fcntl(fd, F_GETFD, 0) < 0)
		return -EBADF;
	return format == NULL ? -EINVAL : fp_session_write_report(fd, format);
}

size_t fp_check_heap(void)
{
	FP_OBJECT_ENTER();
	return fp_session_check_heap();
}

size_t fp_check_leaks(void)
{
	FP_OBJECT_ENTER();
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

void fp_set_finding_callback(fp_finding_callback callback, void *user)
{
	fp_session_set_callback(callback, user);
}

/* The host may never release anything, so the report hangs on the end of the process, which the
 * door under malloc sees better. */
__attribute__((destructor)) static void finish(void)
{
	/* The program's own memory is being torn down: it is not to be called any more. */
	fp_notify_register(NULL);
	if (!fp_session_has_door(FP_DOOR_MALLOC))
		fp_session_finish();
}
