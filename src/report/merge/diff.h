/* SPDX-License-Identifier: Apache-2.0
 *
 * What changed from one merged report to the next. Two findings are the same when their
 * fingerprints are; of those that are left over, when they are alike: a function that was
 * edited does not make an old finding new.
 *
 * Context: report.
 */
#ifndef FP_REPORT_MERGE_DIFF_H
#define FP_REPORT_MERGE_DIFF_H

#include <stdio.h>

#include "report/report.h"

enum fp_report_change {
	FP_REPORT_NEW,
	FP_REPORT_GONE,
	FP_REPORT_GROWN, /* more often, or a leak of more blocks or bytes */
	FP_REPORT_UNCHANGED,
	FP_REPORT_CHANGE_COUNT
};

/* A finding or a leak; the others are NULL. */
struct fp_report_entry {
	const struct fp_report_finding *finding;
	const struct fp_report_leak *leak;
};

struct fp_report_difference {
	enum fp_report_change change;
	struct fp_report_entry before; /* empty when new */
	struct fp_report_entry after;  /* empty when gone */
};

struct fp_report_diff {
	struct fp_report_difference *items; /* new ones first, then gone, grown and the same */
	size_t count;
	size_t counts[FP_REPORT_CHANGE_COUNT];
	uint64_t suppressed;                               /* of the later report */
	const struct fp_report_suppressions *suppressions; /* what did that, or NULL */
};

/* DIFF points into both reports. 0 or -ENOMEM. */
int fp_report_diff_make(const struct fp_report *before, const struct fp_report *after,
                        struct fp_report_diff *diff);
void fp_report_diff_free(struct fp_report_diff *diff);

/* Whether there is a new or grown one (CHANGE) that counts as an error: any finding, and
 * definite and indirect leaks. */
bool fp_report_diff_has_error(const struct fp_report_diff *diff, enum fp_report_change change);

void fp_report_diff_print(const struct fp_report_diff *diff, FILE *out, bool has_colour);

/* Schema fencepost-diff-1. 0 or -ENOMEM. */
int fp_report_diff_write_json(const struct fp_report_diff *diff, FILE *out);

#endif
