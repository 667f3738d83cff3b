/* SPDX-License-Identifier: Apache-2.0
 *
 * Which system calls were refused that had worked at the start. A place in the list is taken
 * once and never given up, so that no lock is needed.
 */
#include <errno.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "base/vm.h"

enum { CALLS_MAX = 4 };

static struct {
	_Atomic(const char *) call;
	_Atomic int status; /* 0: not told yet */
	_Atomic uint32_t when;
} refusals[CALLS_MAX];

static _Atomic bool is_watching;
static uint32_t start;

void fp_vm_watch_refusals(void)
{
	start = fp_clock_now();
	atomic_store(&is_watching, true);
}

static bool is_forbidden(int status)
{
	return status == -EPERM || status == -EACCES || status == -ENOSYS;
}

int fp_vm_note(const char *call, int status)
{
	if (!is_forbidden(status) || !atomic_load(&is_watching))
		return status;
	for (size_t i = 0; i < CALLS_MAX; i++) {
		const char *none = NULL;

		if (atomic_compare_exchange_strong(&refusals[i].call, &none, call)) {
			atomic_store(&refusals[i].when, fp_clock_now());
			atomic_store(&refusals[i].status, status);
		}
		if (none == NULL || none == call)
			break;
	}
	return status;
}

bool fp_vm_refusal(size_t index, struct fp_vm_refusal *refusal)
{
	if (index >= CALLS_MAX || atomic_load(&refusals[index].status) == 0)
		return false;
	*refusal = (struct fp_vm_refusal){
	        .call = atomic_load(&refusals[index].call),
	        .status = atomic_load(&refusals[index].status),
	        .after = fp_clock_between(start, atomic_load(&refusals[index].when)),
	};
	return true;
}
