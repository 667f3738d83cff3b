/* SPDX-License-Identifier: Apache-2.0
 *
 * One thread for each registered callback, which calls it, releases it and ends. There is no
 * lock that a callback could meet, and none to be found held in the child of a fork. Of the
 * host's signals the thread takes none.
 */
#include <errno.h>
#include <sys/prctl.h>

#include "base/meta.h"
#include "base/sys.h"
#include "hosting/object.h"
#include "machine/machine.h"
#include "session/session.h"

enum { LOOK_MS = 1000 };

struct registration {
	ICLRMemoryNotificationCallback *callback;
	_Atomic bool
	        is_ending; /* set by who took it out of CURRENT; then its thread frees it */
	struct fp_machine_watch watch;
};

static struct registration *_Atomic current;
static _Atomic pid_t watching; /* the process whose thread watches; 0: none */

static void end(struct registration *registration)
{
	fp_machine_watch_end(&registration->watch);
	fp_session_remove_root(&registration->callback, sizeof(registration->callback));
	registration->callback->lpVtbl->Release(registration->callback);
	fp_meta_free(registration, sizeof(*registration));
}

static void *run(void *user)
{
	struct registration *registration = user;
	enum fp_machine_level told = FP_MACHINE_NEUTRAL;

	fp_sys(SYS_prctl, PR_SET_NAME, "fencepost");
	while (!atomic_load(&registration->is_ending)) {
		enum fp_machine_level level =
		        fp_machine_watch_wait(&registration->watch, LOOK_MS);

		if (level == told || atomic_load(&registration->is_ending))
			continue;
		told = level;
		registration->callback->lpVtbl->OnMemoryNotification(registration->callback,
		                                                     (EMemoryAvailable)level);
	}
	end(registration);
	return NULL;
}

_Static_assert((int)FP_MACHINE_LOW == eMemoryAvailableLow &&
                       (int)FP_MACHINE_NEUTRAL == eMemoryAvailableNeutral &&
                       (int)FP_MACHINE_HIGH == eMemoryAvailableHigh,
               "levels are passed on as they are");

static void replace(struct registration *registration)
{
	atomic_store(&watching, registration == NULL ? 0 : fp_sys_getpid());
	struct registration *old = atomic_exchange(&current, registration);
	if (old != NULL)
		atomic_store(&old->is_ending, true);
}

static struct registration *make(ICLRMemoryNotificationCallback *callback)
{
	struct registration *registration = fp_meta_alloc(sizeof(*registration));

	if (registration == NULL)
		return NULL;
	registration->callback = callback;
	callback->lpVtbl->AddRef(callback);
	fp_machine_watch_begin(&registration->watch);
	/* The program may have no other pointer to it. */
	fp_session_add_root(&registration->callback, sizeof(registration->callback));
	if (fp_session_start_thread(run, registration, 0) == 0)
		return registration;
	end(registration);
	return NULL;
}

HRESULT fp_notify_register(ICLRMemoryNotificationCallback *callback)
{
	int saved_errno = errno;
	struct registration *registration = callback == NULL ? NULL : make(callback);

	if (callback == NULL || registration != NULL)
		replace(registration);
	errno = saved_errno;
	return callback != NULL && registration == NULL ? E_OUTOFMEMORY : S_OK;
}

void fp_notify_resume(void)
{
	pid_t watcher = atomic_load(&watching);
	int saved_errno = errno;

	if (watcher == 0 || watcher == fp_sys_getpid() ||
	    !atomic_compare_exchange_strong(&watching, &watcher, fp_sys_getpid()))
		return;
	struct registration *registration = atomic_load(&current);
	if (registration == NULL)
		return;
	/* The descriptor is shared with the parent: each is to have what wakes it. */
	fp_machine_watch_end(&registration->watch);
	fp_machine_watch_begin(&registration->watch);
	if (fp_session_start_thread(run, registration, 0) != 0)
		atomic_store(&watching, watcher);
	errno = saved_errno;
}
