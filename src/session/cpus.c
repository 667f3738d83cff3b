/* SPDX-License-Identifier: Apache-2.0
 *
 * one_cpu: what the process shows to the reader, who binds it to one CPU and lets it go.
 */
#include <string.h>

#include "base/child.h"
#include "base/sys.h"
#include "heap/heap.h"
#include "log/cpus.h"
#include "session/session.h"
#include "session/state.h"

FP_CHILD_WRITES static _Atomic(struct fp_cpus *) own;
FP_CHILD_WRITES static atomic_bool
        is_known; /* that there are threads, or that there is to be no place */

void fp_session_begin_threads(void)
{
	struct fp_channel *channel = fp_session_channel_memory();

	if (channel == NULL || fp_session.options.one_cpu == FP_OPTIONS_ONE_CPU_NO ||
	    atomic_exchange(&is_known, true))
		return;
	atomic_store(&own, fp_channel_open_cpus(channel, fp_sys_getpid(), fp_heap_frees()));
}

/* Whoever is started in a way that nobody sees (system(3), by number) inherits its parent's
 * one. */
void fp_session_leave_cpu_of_parent(void)
{
	struct fp_channel *channel = fp_session_channel_memory();
	uint8_t mask[FP_CPUS_BYTES] = {0};
	uint32_t parent = (uint32_t)fp_sys(SYS_getppid);
	const struct fp_cpus *cpus;

	for (size_t i = 0; channel != NULL && (cpus = fp_channel_cpus_at(channel, i)) != NULL;
	     i++) {
		if (atomic_load(&cpus->pid) == parent &&
		    atomic_load(&cpus->state) == FP_CPUS_BOUND &&
		    fp_sys(SYS_sched_getaffinity, 0, sizeof(mask), mask) > 0 &&
		    memcmp(mask, cpus->one, sizeof(mask)) == 0)
			fp_sys(SYS_sched_setaffinity, 0, sizeof(cpus->usual), cpus->usual);
	}
}

const struct fp_cpus *fp_session_bound_cpus(void)
{
	const struct fp_cpus *cpus = atomic_load(&own);

	return cpus != NULL && atomic_load(&cpus->state) == FP_CPUS_BOUND ? cpus : NULL;
}

void fp_session_refuse_cpus(void)
{
	struct fp_cpus *cpus = atomic_load(&own);

	if (cpus != NULL)
		fp_channel_refuse_cpus(fp_session_channel_memory(), cpus);
	atomic_store(&is_known, true);
}

void fp_session_leave_cpu(void)
{
	const struct fp_cpus *cpus = fp_session_bound_cpus();

	if (cpus != NULL)
		fp_sys(SYS_sched_setaffinity, 0, sizeof(cpus->usual), cpus->usual);
}

void fp_session_forget_cpus_in_child(void)
{
	fp_session_leave_cpu();
	atomic_store(&own, NULL);
	atomic_store(&is_known, false);
}

void fp_session_log_cpus(struct fp_log_heap *heap)
{
	const struct fp_cpus *cpus = atomic_load(&own);

	if (cpus == NULL)
		return;
	heap->bound_ms = atomic_load(&cpus->bound_ms);
	heap->bound_rate = atomic_load(&cpus->bound_rate);
	heap->usual_rate = atomic_load(&cpus->usual_rate);
}
