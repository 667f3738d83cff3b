/* SPDX-License-Identifier: Apache-2.0
 *
 * The moments in the life of a block, or of a heap, that a finding has stacks of, in the words
 * that every format uses for them.
 *
 * Context: report.
 */
#ifndef FP_REPORT_MOMENTS_H
#define FP_REPORT_MOMENTS_H

#include "report/report.h"

/* In the order in which they are told, which is from the last to the first. */
enum fp_report_moment_kind {
	FP_REPORT_CALL, /* the access or the call that was the mistake */
	FP_REPORT_OTHER,
	FP_REPORT_FREE,
	FP_REPORT_COMMIT,
	FP_REPORT_ALLOCATION,
	FP_REPORT_CREATION, /* of a thread; the others are there once */
	FP_REPORT_MOMENTS_MAX = FP_REPORT_CREATION + FP_BIRTHS_MAX
};

struct fp_report_moment {
	const char *title;                   /* "freed", before "by thread 1" */
	const struct fp_report_stack *stack; /* possibly without frames */
	enum fp_report_moment_kind kind;
	uint32_t thread;  /* 0 when it is not known */
	uint32_t created; /* the thread that was created */
};

/* "freed by thread 1", "thread 2 created by thread 1". */
enum { FP_REPORT_MOMENT_WORDS_MAX = 128 };
void fp_report_moment_words(const struct fp_report_moment *moment,
                            char words[FP_REPORT_MOMENT_WORDS_MAX]);

/* Fills MOMENTS, at most FP_REPORT_MOMENTS_MAX, the call first. Returns how many, at least 1.
 */
size_t fp_report_moments(const struct fp_report_finding *finding,
                         struct fp_report_moment *moments);

#endif
