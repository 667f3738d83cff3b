/* SPDX-License-Identifier: Apache-2.0
 *
 * The heap over time, for reports: its totals at a bounded number of moments, and one picture
 * of its blocks by allocation stack near the peak.
 *
 * Moments are counted in blocks made and freed, and every other one is dropped when there are
 * too many, so that they cover a run of any length. The picture is taken when a sixteenth of a
 * peak has been freed again, or at the end, and anew only when a later peak is an eighth
 * higher: it shows at least five sixths of the bytes of the highest peak, unless other threads
 * free faster than one can look, and the work it takes is in proportion to the blocks ever
 * live.
 *
 * Context: alloc, except where a function says otherwise. Thread-safe.
 */
#ifndef FP_TIMELINE_TIMELINE_H
#define FP_TIMELINE_TIMELINE_H

#include <stdbool.h>

#include "log/writer.h"

/* After fp_heap_init. */
void fp_timeline_start(void);

/* In the child of a fork: it has a timeline of its own. */
void fp_timeline_start_in_child(void);

/* Logs all moments up to now. With LOOKS the picture is brought up to date first; without, no
 * block is visited. Context: also fault, without LOOKS. */
void fp_timeline_log(struct fp_log *log, bool looks);

/* For the fork handlers. */
void fp_timeline_lock_for_fork(void);
void fp_timeline_unlock_after_fork(void);

#endif
