/* SPDX-License-Identifier: Apache-2.0
 *
 * Trends: the live bytes of each allocation stack in a row of snapshots, and which of them only
 * ever rise. When the row is full every other snapshot goes, so that it covers a run of any
 * length and its snapshots lie about as far apart; memory is bounded by the stacks that have
 * live blocks, and by FP_TREND_STACKS_MAX.
 *
 * Context: alloc; fp_trends_log also fault. The caller keeps others from trends that it
 * changes.
 */
#ifndef FP_TIMELINE_TREND_H
#define FP_TIMELINE_TREND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "log/writer.h"
#include "timeline/snapshot.h"

enum {
	FP_TREND_SNAPSHOTS = 32,
	FP_TREND_NEEDED = 8, /* snapshots without which nothing is judged */
	FP_TREND_STACKS_MAX = 1 << 15,
	FP_TREND_LISTED_MAX = 64 /* stacks that are logged: those that grew most */
};

struct fp_trend {
	fp_trace_id trace;
	uint8_t since;  /* the first snapshot from which on the bytes never fell */
	uint8_t before; /* the same before they fell in snapshot SINCE */
	uint32_t blocks[FP_TREND_SNAPSHOTS];
	uint64_t bytes[FP_TREND_SNAPSHOTS];
};

/* Zeroed memory is empty. */
struct fp_trends {
	uint64_t milliseconds[FP_TREND_SNAPSHOTS]; /* since the start */
	size_t snapshots;
	struct fp_trend *stacks;
	size_t count;
	size_t places;
	bool is_lossy; /* a stack was not followed, for want of memory */
};

/* Snapshots FIRST to LAST, which the bytes of a stack rose through. */
struct fp_trend_rise {
	size_t first;
	size_t last;
};

/* Adds the next snapshot, which is used up: it can only be dropped. There is room for it. */
void fp_trends_add(struct fp_trends *trends, struct fp_snapshot *snapshot);

bool fp_trends_are_full(const struct fp_trends *trends);

/* Drops every other snapshot; the newest stays. */
void fp_trends_thin(struct fp_trends *trends);

/*
 * Whether the bytes of a stack only ever rise: they never fell for half of the snapshots, rose
 * in most parts of that time, and go on rising. What falls in the newest snapshot only may be
 * what a program gives back when it ends, so the snapshot before is the last one then.
 */
bool fp_trend_is_rising(const struct fp_trends *trends, const struct fp_trend *trend,
                        struct fp_trend_rise *rise);

/* Logs the stacks that only ever rise, with their traces; and how many there are. */
void fp_trends_log(const struct fp_trends *trends, struct fp_log *log);
size_t fp_trends_count(const struct fp_trends *trends);

/* Those that fp_trends_log() logs; how many. */
size_t fp_trends_list(const struct fp_trends *trends, fp_trace_id traces[FP_TREND_LISTED_MAX]);

/* Empty again. */
void fp_trends_drop(struct fp_trends *trends);

#endif
