/* SPDX-License-Identifier: Apache-2.0
 *
 * A picture: the live blocks of one moment, summed by allocation stack. Taking one visits every
 * live block, under the locks of the registry, one shard after the other: what other threads
 * free or allocate meanwhile may be in it or not.
 *
 * Context: alloc. The caller keeps others from a picture that it changes.
 */
#ifndef FP_TIMELINE_PICTURE_H
#define FP_TIMELINE_PICTURE_H

#include "log/writer.h"
#include "model/block.h"

/* Zeroed memory is an empty picture. */
struct fp_picture {
	uint64_t milliseconds; /* since the start of the timeline */
	uint64_t blocks;
	uint64_t bytes;
	struct fp_log_group *groups; /* open addressing by trace; a free place has no blocks */
	size_t places;               /* a power of two, or 0 */
	size_t used;
};

/* Fills an empty picture. DYING, or NULL, is one more block of that moment that the registry
 * does not know any more. 0, or -ENOMEM with the picture empty. */
int fp_picture_take(struct fp_picture *picture, const struct fp_block *dying);

/* The same a part at a time, for FP_REGISTRY_PARTS parts: a program that must not stand still
 * for long goes on between them. A stack whose live bytes only rise does so in such pictures,
 * too: each part is looked at later than in the picture before. */
int fp_picture_take_part(struct fp_picture *picture, size_t part);

/* The blocks of TRACE, or NULL when there are none. */
struct fp_log_group *fp_picture_find(const struct fp_picture *picture, fp_trace_id trace);

/* The picture is empty again. */
void fp_picture_drop(struct fp_picture *picture);

/* Logs the traces of PICTURE and a snapshot. Stacks with less than a FP_LOG_GROUPS_MAX-th of
 * the bytes are left out where there are too many for a record. */
void fp_picture_log(const struct fp_picture *picture, struct fp_log *log);

#endif
