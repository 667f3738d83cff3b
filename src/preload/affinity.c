/* SPDX-License-Identifier: Apache-2.0
 *
 * Which CPUs the threads may use. While the reader has bound the process to one (one_cpu), the
 * program is told what holds without it; when it sets an affinity itself, that holds, and the
 * process is not bound again.
 */
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>

#include "base/sys.h"
#include "log/cpus.h"
#include "preload/arguments.h"
#include "preload/door.h"
#include "preload/export.h"
#include "session/session.h"

static bool is_own_thread(pid_t thread)
{
	return thread == 0 || fp_sys(SYS_tgkill, fp_sys_getpid(), thread, 0) == 0;
}

static void tell_usual(size_t size, cpu_set_t *set)
{
	const struct fp_cpus *cpus = fp_session_bound_cpus();
	size_t known = size < FP_CPUS_BYTES ? size : FP_CPUS_BYTES;

	/* Of a thread that has an affinity of its own, it is another one. */
	if (cpus != NULL && memcmp(set, cpus->one, known) == 0)
		memcpy(set, cpus->usual, known);
}

FP_EXPORT int sched_getaffinity(pid_t pid, size_t size, cpu_set_t *set)
{
	fp_check(sched_getaffinity, pid, size, set);
	long bytes = fp_sys(SYS_sched_getaffinity, pid, size, set);

	if (bytes < 0) {
		errno = (int)-bytes;
		return -1;
	}
	/* As libc does: the kernel writes the bytes that it knows. */
	memset((char *)set + bytes, 0, size - (size_t)bytes);
	if (is_own_thread(pid))
		tell_usual(size, set);
	return 0;
}

FP_EXPORT int sched_setaffinity(pid_t pid, size_t size, const cpu_set_t *set)
{
	fp_check(sched_setaffinity, pid, size, set);
	if (is_own_thread(pid))
		fp_session_refuse_cpus();
	long status = fp_sys(SYS_sched_setaffinity, pid, size, set);

	if (status == 0)
		return 0;
	errno = (int)-status;
	return -1;
}

/* libc alone knows the number of a thread. */
#define CALL_NEXT(name, ...) ((__typeof__(name) *)dlsym(RTLD_NEXT, #name))(__VA_ARGS__)

FP_EXPORT int pthread_getaffinity_np(pthread_t thread, size_t size, cpu_set_t *set)
{
	fp_check(sched_getaffinity, 0, size, set);
	int status = CALL_NEXT(pthread_getaffinity_np, thread, size, set);

	if (status == 0)
		tell_usual(size, set);
	return status;
}

FP_EXPORT int pthread_setaffinity_np(pthread_t thread, size_t size, const cpu_set_t *set)
{
	fp_check(sched_setaffinity, 0, size, set);
	fp_session_refuse_cpus();
	return CALL_NEXT(pthread_setaffinity_np, thread, size, set);
}

/* Of threads to come. */
FP_EXPORT int pthread_attr_setaffinity_np(pthread_attr_t *attributes, size_t size,
                                          const cpu_set_t *set)
{
	fp_session_refuse_cpus();
	return CALL_NEXT(pthread_attr_setaffinity_np, attributes, size, set);
}
