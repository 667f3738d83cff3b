/* SPDX-License-Identifier: Apache-2.0
 *
 * Threads that write the journal and read it, all at the same time. They must not assert with
 * Check, whose own work would put them in order: what is not so ends the process.
 */
#ifndef TESTS_SESSION_CROWD_H
#define TESTS_SESSION_CROWD_H

#include <stdatomic.h>
#include <stddef.h>

enum {
	FINDERS = 16,
	SHARED = 12,  /* findings that every finder makes, */
	OWN = 3,      /* and that only it makes */
	CONFINED = 2, /* findings of a thread that makes no system calls */
	DISTINCT = SHARED + FINDERS * OWN + CONFINED,
	REFUSED = 10 /* allocations that fail */
};

/* What they did. */
struct crowd_counts {
	_Atomic size_t told;   /* findings that the callback was told of */
	_Atomic size_t checks; /* for leaks */
	_Atomic size_t answers;
	_Atomic size_t views; /* of a log by the reader of the channel */
	_Atomic size_t errands;
};

extern struct crowd_counts crowd_counts;

/* Has the session tell of its findings. Before it starts. */
void crowd_listen(void);

/* One of FINDERS makes all its findings, ROUNDS times. */
void crowd_find(unsigned finder, int rounds);

/* Waits for a little while. */
void crowd_pause(void);

/* Starts all others, and ends them. */
void crowd_start_others(void);
void crowd_end_others(void);

#endif
