/* SPDX-License-Identifier: Apache-2.0
 *
 * Threads get an alternate signal stack before their own code runs: a stack of a few KiB has no
 * room for a report.
 */
#include <dlfcn.h>
#include <pthread.h>

#include "base/meta.h"
#include "fault/fault.h"
#include "preload/door.h"
#include "preload/export.h"

typedef int create_function(pthread_t *thread, const pthread_attr_t *attributes,
                            void *(*start)(void *), void *argument);

struct beginning {
	void *(*start)(void *);
	void *argument;
};

static create_function *libc_create;

void fp_preload_find_threads(void)
{
	libc_create = (create_function *)dlsym(RTLD_NEXT, "pthread_create");
}

static void *begin(void *argument)
{
	struct beginning *kept = argument;
	struct beginning beginning = *kept;

	fp_meta_free(kept, sizeof(*kept));
	fp_fault_attach_thread();
	return beginning.start(beginning.argument);
}

FP_EXPORT int pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                             void *(*start)(void *), void *argument)
{
	if (libc_create == NULL)
		fp_preload_find_threads();
	struct beginning *kept = fp_meta_alloc(sizeof(*kept));
	/* Without memory for more, the thread starts as it would without us. */
	if (kept == NULL)
		return libc_create(thread, attributes, start, argument);
	*kept = (struct beginning){.start = start, .argument = argument};
	int status = libc_create(thread, attributes, begin, kept);
	if (status != 0)
		fp_meta_free(kept, sizeof(*kept));
	return status;
}
