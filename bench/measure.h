/* SPDX-License-Identifier: Apache-2.0
 *
 * What the workloads share: a child process to do the work in, so that its death is a result
 * and not the end of the measurement, the clock, and one form of output. On standard output a
 * program prints "METRIC VALUE" lines when all went well, or else one of
 *
 *   died SIGNAL-OR-EXIT-STATUS live N pairs N
 *   timeout SECONDS live N pairs N
 *   refused live N pairs N            the allocator returned NULL
 */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	MEASURE_BLOCK_BYTES = 64,
	MEASURE_WORKERS_MAX = 16,
};

/* How far a thread of the work has come; the parent reads it when the child is dead. */
struct measure_worker {
	_Alignas(64) volatile size_t live;
	volatile size_t pairs;
};

extern struct measure_worker *measure_workers;

/* Runs WORK in a child, for BENCH_TIMEOUT seconds at most, and returns the exit status. */
int measure_in_child(void (*work)(char **arguments), char **arguments);

/* A whole number from 1 on, or the end of the process with a line of usage. */
size_t measure_count(const char *argument, const char *usage);

/* The time, and the processor time that this process has used, in nanoseconds. What one thread
 * does is measured in processor time: other work on the machine then disturbs less. Asking for
 * it is a system call, so loops look at the time. */
uint64_t measure_now(void);
uint64_t measure_used(void);

/* How long a loop is to be measured, in nanoseconds: BENCH_MILLISECONDS, 300 by default. */
uint64_t measure_duration(void);

void measure_print(const char *metric, double value);

/* Prints how many of the blocks are guarded, where the door can tell: what is not protected is
 * not comparable. */
void measure_print_guarded(void *const *blocks, size_t count);

/* A block from the door, first and last byte written, counted as live. */
void *measure_alloc(struct measure_worker *worker);

/* Numbers below BOUND; STATE is the seed and must not be 0. */
static inline size_t measure_random(uint64_t *state, size_t bound)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return (size_t)(((*state >> 32) * bound) >> 32);
}

#endif
