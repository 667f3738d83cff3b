/* SPDX-License-Identifier: Apache-2.0
 *
 * prctl(2) of a linked host, whose name is ours because the library comes before the C library:
 * in seccomp's strict mode the kernel kills for the calls that a heap makes, and nobody can ask
 * it for the mode any more. So it is told here.
 */
#include <errno.h>
#include <linux/seccomp.h>
#include <stdarg.h>
#include <sys/prctl.h>

#include <fencepost/hosting.h>

#include "base/sys.h"
#include "session/session.h"

FP_API int prctl(int request, ...)
{
	long arguments[4];
	va_list rest;

	va_start(rest, request);
	for (int i = 0; i < 4; i++)
		arguments[i] = va_arg(rest, long);
	va_end(rest);
	bool is_strict = request == PR_SET_SECCOMP && arguments[0] == SECCOMP_MODE_STRICT;

	if (is_strict)
		fp_session_confine();
	else if (request == PR_SET_SECCOMP)
		fp_session_expect_filter();
	/* Not fp_sys(): that makes none for a thread that is confined. */
	long result = fp_sys_call(SYS_prctl, request, arguments[0], arguments[1], arguments[2],
	                          arguments[3], 0);
	if (result == 0 || !is_strict) {
		errno = result < 0 ? (int)-result : errno;
		return result < 0 ? -1 : (int)result;
	}
	fp_sys_confine(false);
	errno = (int)-result;
	return -1;
}
