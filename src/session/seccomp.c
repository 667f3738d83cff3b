/* SPDX-License-Identifier: Apache-2.0
 *
 * A program that restricts its system calls. It asks for that through us, because afterwards
 * nobody may be able to ask for the mode any more, and no filter can be read back.
 */
#include <linux/seccomp.h>
#include <sys/prctl.h>

#include "base/messages.h"
#include "base/meta.h"
#include "base/sys.h"
#include "session/session.h"
#include "session/state.h"

static void confine(void)
{
	if (!fp_session_is_here())
		return;
	fp_meta_use_aside();
	fp_session_note(FP_TELL_STRICT_SECCOMP);
	fp_lock_acquire(&fp_session.lock);
	fp_log_modules(fp_session_log());
	fp_session_publish_beginning();
	fp_lock_release(&fp_session.lock);
	fp_sys_confine(true);
}

static void prepare(void)
{
	if (!fp_session_is_here())
		return;
	fp_lock_acquire(&fp_session.lock);
	fp_session_start_watcher();
	fp_session_publish_beginning();
	fp_lock_release(&fp_session.lock);
}

/* Not fp_sys(): that makes none for a thread that is confined. */
static long call(long number, const long *arguments)
{
	return fp_sys_call(number, arguments[0], arguments[1], arguments[2], arguments[3],
	                   arguments[4], 0);
}

static long enter_strict(long number, const long *arguments)
{
	confine();
	long result = call(number, arguments);
	if (result != 0)
		fp_sys_confine(false);
	return result;
}

/* Where a thread could not follow, the number of it is the answer, and a listener's otherwise.
 */
static long install(long number, const long *arguments, unsigned long flags)
{
	bool is_for_all = (flags & SECCOMP_FILTER_FLAG_TSYNC) != 0;

	prepare();
	bool is_known = fp_sys_obey((const struct sock_fprog *)arguments[2], is_for_all);
	long result = call(number, arguments);
	if (is_known &&
	    (result < 0 || (result > 0 && (flags & SECCOMP_FILTER_FLAG_NEW_LISTENER) == 0)))
		fp_sys_disobey();
	return result;
}

bool fp_session_enter_seccomp(long number, const long *arguments, long *result)
{
	bool is_prctl = number == SYS_prctl && (int)arguments[0] == PR_SET_SECCOMP;
	bool is_seccomp = number == SYS_seccomp;

	if ((is_prctl && arguments[1] == SECCOMP_MODE_STRICT) ||
	    (is_seccomp && (unsigned)arguments[0] == SECCOMP_SET_MODE_STRICT))
		*result = enter_strict(number, arguments);
	else if (is_prctl && arguments[1] == SECCOMP_MODE_FILTER)
		*result = install(number, arguments, 0);
	else if (is_seccomp && (unsigned)arguments[0] == SECCOMP_SET_MODE_FILTER)
		*result = install(number, arguments, (unsigned long)arguments[1]);
	else
		return false;
	return true;
}
