/* SPDX-License-Identifier: Apache-2.0 */
#include "log/cpus.h"

#include "log/channel_layout.h"

enum { PATIENCE_MS = 1000 };

struct fp_cpus *fp_channel_cpus_at(struct fp_channel *channel, size_t index)
{
	return index < FP_CPUS_MAX ? &channel->cpus[index] : NULL;
}

/* That of a program which the process executed before this one is taken over. */
static struct fp_cpus *take_place(struct fp_channel *channel, pid_t pid)
{
	struct fp_cpus *cpus;

	for (size_t i = 0; (cpus = fp_channel_cpus_at(channel, i)) != NULL; i++)
		if (atomic_load(&cpus->pid) == (uint32_t)pid)
			return cpus;
	for (size_t i = 0; (cpus = fp_channel_cpus_at(channel, i)) != NULL; i++) {
		uint32_t nobody = 0;

		if (atomic_compare_exchange_strong(&cpus->pid, &nobody, (uint32_t)pid))
			return cpus;
	}
	return NULL;
}

struct fp_cpus *fp_channel_open_cpus(struct fp_channel *channel, pid_t pid,
                                     const _Atomic uint64_t *frees)
{
	struct fp_cpus *cpus =
	        fp_channel_is_foreign(channel, pid) ? NULL : take_place(channel, pid);

	if (cpus == NULL)
		return NULL;
	atomic_store(&cpus->state, FP_CPUS_USUAL);
	atomic_store(&cpus->bound_ms, 0);
	atomic_store(&cpus->frees, (uintptr_t)frees);
	fp_channel_ring(channel);
	return cpus;
}

void fp_channel_wake_cpus(struct fp_cpus *cpus)
{
	fp_channel_wake(&cpus->state);
}

void fp_channel_refuse_cpus(struct fp_channel *channel, struct fp_cpus *cpus)
{
	uint32_t before = atomic_exchange(&cpus->state, FP_CPUS_REFUSED);

	if (before == FP_CPUS_USUAL)
		return;
	if (before == FP_CPUS_LEFT) {
		atomic_store(&cpus->state, FP_CPUS_LEFT);
		return;
	}
	fp_channel_ring(channel);
	fp_channel_await(&cpus->state, FP_CPUS_REFUSED, PATIENCE_MS);
}
