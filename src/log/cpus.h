/* SPDX-License-Identifier: Apache-2.0
 *
 * What a process with threads and its reader share so that the reader can bind the process to
 * one CPU (one_cpu): threads that free on several make each other flush their caches of page
 * tables with every free. The process only shows its counter and answers for its affinity as if
 * it was free; the reader measures, binds and lets go (cli/one_cpu.c).
 *
 * Context: alloc. Thread-safe, without locks.
 */
#ifndef FP_LOG_CPUS_H
#define FP_LOG_CPUS_H

#include <stdatomic.h>
#include <stdint.h>

#include "log/channel.h"

enum {
	FP_CPUS_BYTES = 128, /* a bit for each CPU, as the kernel has them */
	FP_CPUS_MAX = 64     /* places: processes with threads at a time */
};

enum fp_cpus_state {
	FP_CPUS_USUAL,
	FP_CPUS_BOUND,
	FP_CPUS_REFUSED, /* the program sets its affinity itself: the reader is to let go */
	FP_CPUS_LEFT     /* and has, for good */
};

struct fp_cpus {
	_Atomic uint32_t pid;   /* 0: a free place */
	_Atomic uint32_t state; /* enum fp_cpus_state */
	_Atomic uint64_t frees; /* in the process, the address of its count of frees */
	uint8_t usual[FP_CPUS_BYTES];
	uint8_t one[FP_CPUS_BYTES];
	/* Told in the report: how long it was bound, and how many blocks it freed in a second
	 * with one CPU and with all. */
	_Atomic uint64_t bound_ms;
	_Atomic uint64_t bound_rate;
	_Atomic uint64_t usual_rate;
};

/* The place number INDEX, from 0; NULL behind the last. */
struct fp_cpus *fp_channel_cpus_at(struct fp_channel *channel, size_t index);

/* A place for process PID, which the reader learns of; NULL when there is none, or when the
 * reader knows the process by another number. */
struct fp_cpus *fp_channel_open_cpus(struct fp_channel *channel, pid_t pid,
                                     const _Atomic uint64_t *frees);

/* By the reader: the process that waits for it to let go goes on. */
void fp_channel_wake_cpus(struct fp_cpus *cpus);

/* Has the reader let go; waits for that when it is bound, for a second at most. */
void fp_channel_refuse_cpus(struct fp_channel *channel, struct fp_cpus *cpus);

#endif
