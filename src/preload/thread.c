/* SPDX-License-Identifier: Apache-2.0
 *
 * Threads get an alternate signal stack before their own code runs: a stack of a few KiB has no
 * room for a report. They run with the mask that they are to have, but for the signals of
 * faults. Who created them is kept.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <threads.h>

#include "base/thread.h"
#include "fault/fault.h"
#include "preload/door.h"
#include "preload/export.h"
#include "preload/next.h"
#include "session/session.h"
#include "stack/stack.h"

typedef int create_function(pthread_t *thread, const pthread_attr_t *attributes,
                            void *(*start)(void *), void *argument);
typedef int create_c11_function(thrd_t *thread, thrd_start_t start, void *argument);

struct beginning {
	union {
		void *(*posix)(void *);
		thrd_start_t c11;
	} start;
	void *argument;
	uint8_t withheld; /* by the thread that creates it */
	struct fp_stack_birth birth;
};

static create_function *libc_create;
static create_c11_function *libc_create_c11;

void fp_preload_find_threads(void)
{
	libc_create_c11 = (create_c11_function *)dlsym(RTLD_NEXT, "thrd_create");
	libc_create = (create_function *)dlsym(RTLD_NEXT, "pthread_create");
}

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

	if (libc_create == NULL)
		fp_preload_find_threads();
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
		return libc_create(thread, attributes, start, argument);
	kept->start.posix = start;
	int status = libc_create(thread, attributes, begin, kept);
	if (status != 0)
		fp_preload_next.free(kept);
	return status;
}

/* libc's does not come by the one above. */
FP_EXPORT int thrd_create(thrd_t *thread, thrd_start_t start, void *argument)
{
	struct beginning *kept = keep(argument);

	if (kept == NULL)
		return libc_create_c11(thread, start, argument);
	kept->start.c11 = start;
	int status = libc_create_c11(thread, begin_c11, kept);
	if (status != thrd_success)
		fp_preload_next.free(kept);
	return status;
}
