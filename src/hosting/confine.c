/* SPDX-License-Identifier: Apache-2.0
 *
 * prctl(2) and syscall(2) of a linked host, whose names are ours because the library comes
 * before the C library: the kernel kills for calls that a heap makes, once the host has asked
 * it to.
 */
#include <errno.h>
#include <stdarg.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <fencepost/hosting.h>

#include "base/sys.h"
#include "session/session.h"

enum { ARGUMENTS = 6, ERRORS = 4095 };

/* Not fp_sys(): it is the host that calls. */
static long call(long number, const long *arguments)
{
	long result;

	if (!fp_session_enter_seccomp(number, arguments, &result))
		result = fp_sys_call(number, arguments[0], arguments[1], arguments[2],
		                     arguments[3], arguments[4], arguments[5]);
	if (result >= 0 || result < -ERRORS)
		return result;
	errno = (int)-result;
	return -1;
}

FP_API int prctl(int request, ...)
{
	long arguments[ARGUMENTS] = {request};
	va_list rest;

	va_start(rest, request);
	for (int i = 1; i < ARGUMENTS - 1; i++)
		arguments[i] = va_arg(rest, long);
	va_end(rest);
	return (int)call(SYS_prctl, arguments);
}

FP_API long syscall(long number, ...)
{
	long arguments[ARGUMENTS];
	va_list rest;

	va_start(rest, number);
	for (int i = 0; i < ARGUMENTS; i++)
		arguments[i] = va_arg(rest, long);
	va_end(rest);
	return call(number, arguments);
}
