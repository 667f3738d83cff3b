/* SPDX-License-Identifier: Apache-2.0
 *
 * What a finding says between its fields. Private to the report module.
 *
 * The moments in the life of a block, or of a heap, that a finding has stacks of, in the words
 * that every format uses for them.
 *
 * Context: report.
 */
#ifndef FP_REPORT_FINDING_H
#define FP_REPORT_FINDING_H

#include "report/report.h"

/* Whether a function of the C library made the access, or was about to. */
bool fp_report_is_access_of_call(const struct fp_report_finding *finding);

/* Whether bytes were found changed that nobody saw change: the stack is that of whoever found
 * them. */
bool fp_report_is_late(const struct fp_report_finding *finding);

/* Of a free of what is in no block: "the stack of this thread" and the like, or "". */
struct fp_report_string fp_report_pointer_target(const struct fp_report_finding *finding);

/* The stack that tells FINDING from others: that of the mistake, or, when it only showed at the
 * end, that of the block's allocation. Never NULL. */
const struct fp_report_stack *fp_report_finding_stack(const struct fp_report_finding *finding);

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
