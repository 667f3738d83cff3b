/* SPDX-License-Identifier: Apache-2.0
 *
 * The snapshots that growth is seen by: when the next one is due, and taking it in parts that
 * no call of malloc notices. Intervals double when the row of snapshots is full. Looking takes
 * a twentieth of the time at most: the larger the heap, the longer the interval.
 *
 * Context: alloc; fp_pace_log and fp_pace_note also fault. The caller keeps others away and
 * knows the time, in milliseconds since the start.
 */
#ifndef FP_TIMELINE_PACE_H
#define FP_TIMELINE_PACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "log/writer.h"
#include "timeline/trend.h"

/* Starts anew; INTERVAL is the first one, 0: no snapshot is ever taken. */
void fp_pace_start(uint64_t interval);

bool fp_pace_is_on(void);

/* To be called often. True when a snapshot became complete that more than nothing can be judged
 * by. */
bool fp_pace_look(uint64_t now);

/* Looking took so much more, outside of fp_pace_look. */
void fp_pace_charge(uint64_t nanoseconds);

/* Logs the stacks that grow, nothing unless snapshots are taken; and how many there are. */
void fp_pace_log(struct fp_log *log);
size_t fp_pace_count(void);
size_t fp_pace_list(fp_trace_id traces[FP_TREND_LISTED_MAX]);

/* Notes what kept it from being seen. */
void fp_pace_note(struct fp_log *log);

#endif
