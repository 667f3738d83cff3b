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

/* Whether FUNCTION is one of the C library's on memory and strings, in any of its variants. */
bool fp_report_is_memory_function(const char *function);

/* How many of the innermost FRAMES are inside the C library's functions on memory and strings,
 * whose caller is who made the access; NAME receives the function's public name. */
size_t fp_report_count_memory_function(const struct fp_report_frame *frames, size_t count,
                                       char *name, size_t name_size);

/* Leaves those frames out of STACK, that of TRACE, and puts the name into it by which the
 * program called the function. */
void fp_report_drop_memory_function(const struct fp_report *report,
                                    const struct fp_report_trace *trace,
                                    struct fp_report_stack *stack);

/* Has the stacks of findings, which are resolved, stand for the callers of such helpers. 0 or
 * -ENOMEM. */
int fp_report_find_helpers(struct fp_report *report);

/* Completes the message and the description of FINDING, which is out of a log. 0 or -ENOMEM. */
int fp_report_settle_crash(struct fp_report *report, struct fp_report_finding *finding);

/* What REPORT, whose findings are in their order, died of becomes one where nothing that it
 * told explains that: no handler saw it. 0 or -ENOMEM. */
int fp_report_add_unseen_crash(struct fp_report *report);

#endif
