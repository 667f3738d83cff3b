/* SPDX-License-Identifier: Apache-2.0
 *
 * System calls that a program makes by number: what they point to is looked at, then libc's
 * syscall(3) does it. Machines without the few instructions that it takes leave syscall(3) to
 * libc.
 */
#include <stdint.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/readable.h"
#include "base/sys.h"
#include "preload/buffers.h"
#include "preload/door.h"
#include "preload/export.h"
#include "session/session.h"

#if defined(__x86_64__)
#include "preload/system_x86_64.h"
#elif defined(__aarch64__)
#include "preload/system_aarch64.h"
#else
enum { SIXTH = 0 };
#endif

/* One more than the call, by number; 0: none that is checked. */
static const uint16_t calls[] = {
#ifdef __x86_64__
#define FP_SYSTEM_CALL(name, number, elsewhere, ...) [number] = 1 + FP_CALL_##name,
#define FP_OLD_SYSTEM_CALL(name, number, ...) [number] = 1 + FP_CALL_##name,
#else
#define FP_SYSTEM_CALL(name, number, elsewhere, ...) [elsewhere] = 1 + FP_CALL_##name,
#define FP_OLD_SYSTEM_CALL(name, number, ...)
#endif
#define FP_UNCHECKED(what, why)
#include "preload/system_calls.def"
};

/* As syscall(3). */
static long seccomp_by_number(long number, long a, long b, long c, long d, long e)
{
	const long arguments[] = {a, b, c, d, e};
	long result;

	if (!fp_session_enter_seccomp(number, arguments, &result))
		result = fp_sys_call(number, a, b, c, d, e, 0);
	return fp_preload_answer(result);
}

/* What the wrappers of libc keep from the kernel, syscall(3) does, too; NULL: nothing. A
 * pointer that the kernel would refuse is for it to refuse. Other sizes of a set, it refuses as
 * well. */
static void *own_call(const long *arguments)
{
	if (arguments[0] == SYS_prctl)
		return (int)arguments[1] == PR_SET_SECCOMP ? (void *)seccomp_by_number : NULL;
	if (arguments[0] == SYS_seccomp)
		return (void *)seccomp_by_number;
	bool is_action = arguments[0] == SYS_rt_sigaction;
	size_t bytes =
	        is_action ? FP_SYS_SIGSET_BYTES + 3 * sizeof(void *) : FP_SYS_SIGSET_BYTES;

	if ((!is_action && arguments[0] != SYS_rt_sigprocmask) ||
	    arguments[4] != FP_SYS_SIGSET_BYTES)
		return NULL;
	/* libc hides from its callers the signals that it keeps for itself. */
	if (is_action && arguments[1] >= FP_PRELOAD_FIRST_OF_LIBC &&
	    arguments[1] <= FP_PRELOAD_LAST_OF_LIBC)
		return NULL;
	for (int i = 2; i <= 3; i++)
		if (arguments[i] != 0 && !fp_is_readable((const void *)arguments[i], bytes))
			return NULL;
	return is_action ? (void *)fp_preload_sigaction_by_number
	                 : (void *)fp_preload_sigmask_by_number;
}

/* SAVED begins with the number and five arguments. Returns who is to be called with them: most
 * often libc's syscall(3). */
void *fp_preload_check_system_call(const long *saved);

__attribute__((used)) void *fp_preload_check_system_call(const long *saved)
{
	unsigned long number = (unsigned long)saved[0];

	if (number < sizeof(calls) / sizeof(calls[0]) && calls[number] != 0) {
		const long arguments[FP_CALL_ARGUMENTS] = {saved[1], saved[2], saved[3],
		                                           saved[4], saved[5], saved[SIXTH]};

		fp_check_call((enum fp_call)(calls[number] - 1), arguments);
	}
	void *own = own_call(saved);
	return own != NULL ? own : (void *)FP_LIBC(syscall);
}
