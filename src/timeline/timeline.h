/* SPDX-License-Identifier: Apache-2.0
 *
 * The heap over time, for reports: its totals at a bounded number of moments, and one snapshot
 * of its blocks by allocation stack near the peak.
 *
 * Moments are counted in blocks made and freed, and every other one is dropped when there are
 * too many, so that they cover a run of any length. The snapshot is taken when a sixteenth of a
 * peak has been freed again, or at the end, and anew only when a later peak is an eighth
 * higher: it shows at least five sixths of the bytes of the highest peak, unless other threads
 * free faster than one can look, and the work it takes is in proportion to the blocks ever
 * live.
 *
 * When growth is asked for, further snapshots say which stacks' live bytes only ever rise
 * (trend.h).
 *
 * Context: alloc, except where a function says otherwise. Thread-safe.
 */
#ifndef FP_TIMELINE_TIMELINE_H
#define FP_TIMELINE_TIMELINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "log/writer.h"
#include "timeline/trend.h"

struct fp_timeline_config {
	uint64_t growth_ms; /* until the first snapshot that growth is seen by; 0: not asked for
	                     */
	/* Called without locks when one was taken, and fp_timeline_log_growth may have news. */
	void (*growth_news)(void);
};

/* After fp_heap_init. */
void fp_timeline_start(const struct fp_timeline_config *config);

/* In the child of a fork: it has a timeline of its own. */
void fp_timeline_start_in_child(void);

/* Milliseconds since the start of the timeline. */
uint64_t fp_timeline_now(void);

/* Logs all moments up to now. With LOOKS the snapshot is brought up to date first; without, no
 * block is visited. Context: also fault, without LOOKS. */
void fp_timeline_log(struct fp_log *log, bool looks);

/* Logs the stacks that grow, which fp_timeline_log does, too; and how many there are. */
void fp_timeline_log_growth(struct fp_log *log);
size_t fp_timeline_count_growing(void);

/* The stacks that this logs; how many. */
size_t fp_timeline_list_growing(fp_trace_id traces[FP_TREND_LISTED_MAX]);

#endif
