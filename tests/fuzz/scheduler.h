/* SPDX-License-Identifier: Apache-2.0
 *
 * Threads of which one runs at a time, and the input says which: they take turns at our locks,
 * which are the scheduler's here, and at our system calls. A thread that is at such a place can
 * be interrupted by a signal there.
 */
#ifndef FP_TESTS_FUZZ_SCHEDULER_H
#define FP_TESTS_FUZZ_SCHEDULER_H

#include <stddef.h>
#include <stdint.h>

enum { FUZZ_THREADS_MAX = 3 };

struct fuzz_schedule {
	const uint8_t
	        *turns; /* one for each place; behind the last the threads end one by one */
	size_t count;
	void (*run)(unsigned thread);
	void (*interrupt)(unsigned thread); /* in a handler, as that of a fault */
};

/* Runs THREADS threads to their end. That none can go on ends the process. */
void fuzz_schedule(const struct fuzz_schedule *schedule, unsigned threads);

#endif
