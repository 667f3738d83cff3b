/* SPDX-License-Identifier: Apache-2.0
 *
 * Threads get an alternate signal stack before their own code runs: a stack of a few KiB has no
 * room for a report. They run with the mask that they are to have, but for the signals of
 * faults. Who created them is kept.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <threads.h>

#include "base/sys.h"
#include "base/thread.h"
#include "fault/fault.h"
#include "log/cpus.h"
#include "preload/buffers.h"
#include "preload/door.h"
#include "preload/export.h"
#include "preload/next.h"
#include "session/session.h"
#include "stack/stack.h"

struct beginning {
	union {
		void *(*posix)(void *);
		thrd_start_t c11;
	} start;
	void *argument;
	uint8_t withheld; /* by the thread that creates it */
	struct fp_stack_birth birth;
};

static void capture_inside(void *birth)
{
	((struct fp_stack_birth *)birth)->trace = fp_stack_capture();
}

static void capture(struct fp_stack_birth *birth)
{
	birth->creator = fp_thread_self();
	birth->trace = FP_TRACE_NONE;
	if (!fp_preload_enter())
		return;
	fp_room_run(capture_inside, birth);
	fp_session_begin_threads();
	fp_preload_leave();
}

/* NULL: without memory for more, the thread starts as it would without us. */
static struct beginning *keep(void *argument)
{
	/* Not metadata memory: for now the argument is nowhere else, and what it points to is
	 * no leak. */
	struct beginning *kept = fp_preload_next.malloc(sizeof(*kept));

	if (kept != NULL) {
		kept->argument = argument;
		kept->withheld = fp_preload_withheld();
		capture(&kept->birth);
	}
	return kept;
}

static struct beginning enter_thread(struct beginning *kept)
{
	struct beginning beginning = *kept;

	fp_preload_next.free(kept);
	beginning.birth.thread = fp_thread_self();
	fp_stack_keep_birth(&beginning.birth);
	fp_fault_attach_thread();
	fp_preload_adopt_mask(beginning.withheld);
	return beginning;
}

static void *begin(void *argument)
{
	struct beginning beginning = enter_thread(argument);

	return beginning.start.posix(beginning.argument);
}

static int begin_c11(void *argument)
{
	struct beginning beginning = enter_thread(argument);

	return beginning.start.c11(beginning.argument);
}

FP_EXPORT int pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                             void *(*start)(void *), void *argument)
{
	struct beginning *kept = keep(argument);

	if (kept == NULL)
		return FP_LIBC(pthread_create)(thread, attributes, start, argument);
	kept->start.posix = start;
	int status = FP_LIBC(pthread_create)(thread, attributes, begin, kept);
	if (status != 0)
		fp_preload_next.free(kept);
	return status;
}

/* libc's does not come by the one above. */
FP_EXPORT int thrd_create(thrd_t *thread, thrd_start_t start, void *argument)
{
	struct beginning *kept = keep(argument);

	if (kept == NULL)
		return FP_LIBC(thrd_create)(thread, start, argument);
	kept->start.c11 = start;
	int status = FP_LIBC(thrd_create)(thread, begin_c11, kept);
	if (status != thrd_success)
		fp_preload_next.free(kept);
	return status;
}

/* ---- Which CPUs they may use ---------------------------------------------------------------
 *
 * Which CPUs the threads may use. While the reader has bound the process to one (one_cpu), the
 * program is told what holds without it; when it sets an affinity itself, that holds, and the
 * process is not bound again.
 */

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
	long bytes = fp_preload_answer(fp_sys(SYS_sched_getaffinity, pid, size, set));

	if (bytes < 0)
		return -1;
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
	return (int)fp_preload_answer(fp_sys(SYS_sched_setaffinity, pid, size, set));
}

/* libc alone knows the number of a thread. */
FP_EXPORT int pthread_getaffinity_np(pthread_t thread, size_t size, cpu_set_t *set)
{
	fp_check(sched_getaffinity, 0, size, set);
	int status = FP_LIBC(pthread_getaffinity_np)(thread, size, set);

	if (status == 0)
		tell_usual(size, set);
	return status;
}

FP_EXPORT int pthread_setaffinity_np(pthread_t thread, size_t size, const cpu_set_t *set)
{
	fp_check(sched_setaffinity, 0, size, set);
	fp_session_refuse_cpus();
	return FP_LIBC(pthread_setaffinity_np)(thread, size, set);
}

/* Of threads to come. */
FP_EXPORT int pthread_attr_setaffinity_np(pthread_attr_t *attributes, size_t size,
                                          const cpu_set_t *set)
{
	fp_session_refuse_cpus();
	return FP_LIBC(pthread_attr_setaffinity_np)(attributes, size, set);
}
