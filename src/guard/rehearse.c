/* SPDX-License-Identifier: Apache-2.0
 *
 * Some sandboxes kill on a system call or an advice that they do not know. Where a filter is
 * about, a throw-away child probes first, and the process only does what the child survived.
 */
#include "base/proc.h"
#include "base/panic.h"
#include "base/sys.h"
#include "guard/backend.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

enum { STATUS_BYTES = 4096 };

/* Asked of /proc and not of prctl(2), which a filter may answer with a signal as well; whoever
 * hides /proc may hide a filter too. */
static bool may_be_filtered(void)
{
	static const char key[] = "\nSeccomp:\t";
	char text[STATUS_BYTES];
	int fd = fp_sys_open(FP_PROC_SELF "status", O_RDONLY | O_CLOEXEC, 0);

	if (fd < 0)
		return true;
	ssize_t length = fp_sys_read(fd, text, sizeof(text) - 1);
	fp_sys_close(fd);
	text[length < 0 ? 0 : length] = '\0';
	const char *found = strstr(text, key);
	return found == NULL || found[strlen(key)] != '0';
}

_Noreturn static void rehearse_in_child(const struct fp_backend *backend)
{
	/* A death here is no news for a collector of core dumps. */
	fp_sys(SYS_prctl, PR_SET_DUMPABLE, 0, 0, 0, 0);
	int status = backend->probe();
	fp_end(-status);
}

/*
 * A copy of the process, without its fork handlers, and without a signal to it at the end. Not
 * vfork(2): kernels before 5.16 kill whoever shares the memory of a process that dumps core.
 */
static int rehearse(const struct fp_backend *backend)
{
	int wait_status;
	pid_t child = fp_sys_fork(0);

	if (child == 0)
		rehearse_in_child(backend);
	if (child < 0)
		return child;
	pid_t waited = fp_sys_wait(child, &wait_status, __WALL);
	if (waited < 0)
		return waited;
	return WIFEXITED(wait_status) ? -WEXITSTATUS(wait_status) : -EPERM;
}

int fp_backend_probe(const struct fp_backend *backend)
{
	int status = 0;

	if (backend->is_uncommon && may_be_filtered())
		status = rehearse(backend);
	return status == 0 ? backend->probe() : status;
}
