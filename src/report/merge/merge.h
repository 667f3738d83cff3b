/* SPDX-License-Identifier: Apache-2.0
 *
 * Many reports into one, each distinct finding and leak once, with what every source has of it.
 * What a report says is copied, so it can be freed at once: memory grows with what is distinct,
 * and with the first so many sources; what the others have of it is added up.
 *
 * Of a merged report the process and the settings are what all sources share, the rest is
 * unknown; allocations, frees and live blocks are sums, peaks the greatest of any source; the
 * snapshots are those of the source with the greatest peak in bytes, and a stack that grows has
 * the snapshots of the source where it grew most. A note is there once, with who made it.
 *
 * Context: report.
 */
#ifndef FP_REPORT_MERGE_MERGE_H
#define FP_REPORT_MERGE_MERGE_H

#include "report/report.h"

/* Sources that are listed. */
enum { FP_REPORT_MERGE_SOURCES_MAX = 1000 };

struct fp_report_merge;

/* Where a report comes from. A merged one brings its own sources, unless it has a layout: then
 * it is one source, whatever it was made of. */
struct fp_report_origin {
	const char *name;   /* of its file, or NULL */
	const char *layout; /* or NULL */
};

/*
 * IS_REPEATED: the reports are of the same run again and again, so counts and leaks are those
 * of the run that has most of them, and sums are those of the first. 0 or -ENOMEM.
 */
int fp_report_merge_new(bool is_repeated, struct fp_report_merge **merge);

/* Adds a resolved report, whose snapshots may be resolved here. A line of --ndjson is a part of
 * the source that its run is, whatever came between. 0 or -ENOMEM; then the merge can only be
 * freed. */
int fp_report_merge_add(struct fp_report_merge *merge, struct fp_report *report,
                        const struct fp_report_origin *origin);

/* Whether no report was added. */
bool fp_report_merge_is_empty(const struct fp_report_merge *merge);

/* Adds a note about the reports as a whole. 0 or -ENOMEM. */
int fp_report_merge_note(struct fp_report_merge *merge, const char *text);

/* The merged report, to be freed by fp_report_free; or -ENOMEM. Ends MERGE in either case. */
int fp_report_merge_end(struct fp_report_merge *merge, struct fp_report **report);

/* NULL is accepted. */
void fp_report_merge_free(struct fp_report_merge *merge);

/* Whether A says more exactly than B what happened: at the instruction and not afterwards, or
 * nearer to the block. Both have one fingerprint, and are of two layouts (in layouts.c). */
bool fp_report_is_more_exact(const struct fp_report_finding *a,
                             const struct fp_report_finding *b);

/* Joins, in the merged report of several layouts, what was found late and the write that did
 * it. 0 or -ENOMEM. */
int fp_report_join_layouts(struct fp_report *report);

#endif
