/* SPDX-License-Identifier: Apache-2.0
 *
 * A snapshot: the live blocks of one moment, summed by allocation stack. Taking one visits
 * every live block, under the locks of the registry, one shard after the other: what other
 * threads free or allocate meanwhile may be in it or not.
 *
 * Context: alloc. The caller keeps others from a snapshot that it changes.
 */
#ifndef FP_TIMELINE_SNAPSHOT_H
#define FP_TIMELINE_SNAPSHOT_H

#include "log/writer.h"
#include "model/block.h"

/* Zeroed memory is an empty snapshot. */
struct fp_snapshot {
	uint64_t milliseconds; /* since the start of the timeline */
	uint64_t blocks;
	uint64_t bytes;
	struct fp_log_group *groups; /* open addressing by trace; a free place has no blocks */
	size_t places;               /* a power of two, or 0 */
	size_t used;
};

/* Fills an empty snapshot. DYING, or NULL, is one more block of that moment that the registry
 * does not know any more. 0, or -ENOMEM with the snapshot empty. */
int fp_snapshot_take(struct fp_snapshot *snapshot, const struct fp_block *dying);

/* The same a part at a time, for FP_REGISTRY_PARTS parts: a program that must not stand still
 * for long goes on between them. A stack whose live bytes only rise does so in such snapshots,
 * too: each part is looked at later than in the snapshot before. */
int fp_snapshot_take_part(struct fp_snapshot *snapshot, size_t part);

/* The blocks of TRACE, or NULL when there are none. */
struct fp_log_group *fp_snapshot_find(const struct fp_snapshot *snapshot, fp_trace_id trace);

/* The snapshot is empty again. */
void fp_snapshot_drop(struct fp_snapshot *snapshot);

/* Logs the traces of PICTURE and a snapshot. Stacks with less than a FP_LOG_GROUPS_MAX-th of
 * the bytes are left out where there are too many for a record. */
void fp_snapshot_log(const struct fp_snapshot *snapshot, struct fp_log *log);

#endif
