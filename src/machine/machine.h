/* SPDX-License-Identifier: Apache-2.0
 *
 * What memory there is for this process: that of the machine or, in a container, that of the
 * memory cgroup above it that has the least to give. And when it gets scarce.
 *
 * Context: report, except where a function says otherwise. A descriptor is used while a file is
 * read.
 */
#ifndef FP_MACHINE_MACHINE_H
#define FP_MACHINE_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fp_machine_memory {
	uint64_t total;     /* bytes: the machine's, or the limit of the cgroup that decides */
	uint64_t available; /* bytes that may still be used without swapping */
	bool is_limited;    /* a cgroup decides */
};

/* 0; -ENOENT when the machine does not say. */
int fp_machine_memory(struct fp_machine_memory *memory);

/* The limit that keeps a process from memory (in shortage.c). */
struct fp_machine_shortage {
	const char *limit; /* "RLIMIT_AS (ulimit -v)" */
	const char *unit;  /* "bytes" or "mappings" */
	uint64_t value;
	uint64_t used;
};

/* Why BYTES more were refused; false when no known limit is near. Context: alloc. */
bool fp_machine_shortage(uint64_t bytes, struct fp_machine_shortage *shortage);

/* How many bytes of address space RLIMIT_AS leaves this process; UINT64_MAX without a limit. */
uint64_t fp_machine_space_left(void);

/* Where /proc and /sys are looked for: a directory of files, for the tests. */
void fp_machine_set_root(const char *root);

/* ---- Watching (in watch.c) -----------------------------------------------------------------
 */

enum fp_machine_level { FP_MACHINE_LOW = 1, FP_MACHINE_NEUTRAL, FP_MACHINE_HIGH };

struct fp_machine_watch {
	enum fp_machine_level level; /* neutral at first */
	/* How long it stays low, and must have been calm to be high; to be changed after begin.
	 */
	uint64_t stall_ms; /* least time that waits are measured over */
	uint64_t hold_ms;
	uint64_t calm_ms;
	/* The rest is watch.c's. */
	int fd; /* wakes us at pressure, or -1 */
	uint64_t device;
	uint64_t inode;
	uint64_t retry_at; /* for the descriptor; ms */
	bool was_low;
	uint64_t low_at;     /* when it last was; ms */
	uint64_t stalled;    /* microseconds that tasks had waited for memory */
	uint64_t stalled_at; /* when that was read; ms, 0: never */
};

void fp_machine_watch_begin(struct fp_machine_watch *watch);

/* Waits for pressure, at most MILLISECONDS, and returns the level then. */
enum fp_machine_level fp_machine_watch_wait(struct fp_machine_watch *watch,
                                            unsigned milliseconds);

void fp_machine_watch_end(struct fp_machine_watch *watch);

#endif
