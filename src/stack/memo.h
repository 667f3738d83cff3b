/* SPDX-License-Identifier: Apache-2.0
 *
 * Stacks that were unwound before. A memo holds all that the unwinding depended on: where it
 * began, and each word of the stack that led it further. Where these are as they were, it would
 * end in the same trace, and need not be done.
 *
 * Context: alloc. Thread-safe, without locks. Private to stack.
 */
#ifndef FP_STACK_MEMO_H
#define FP_STACK_MEMO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/trace.h"

struct fp_frame;

/* The trace of the stack whose innermost frame is START; FP_TRACE_NONE when it has to be
 * unwound. KEY is what fp_memo_keep takes then. */
fp_trace_id fp_memo_find(const struct fp_frame *start, uint64_t *key);

/* What libunwind made of a stack. */
struct fp_unwound {
	uintptr_t *frames; /* return addresses from START->pc on */
	size_t count;
	bool is_cut; /* more are there, or may be */
};

/* Keeps that UNWOUND is TRACE, and how to recognise the stack, which has not changed since, if
 * that can be told. */
void fp_memo_keep(const struct fp_frame *start, uint64_t key, const struct fp_unwound *unwound,
                  fp_trace_id trace);

/* Writes the return addresses of the stack whose innermost frame is START, from START->pc on,
 * as far as rules lead and at most MAX, at least 1. Returns how many. */
size_t fp_memo_walk(const struct fp_frame *start, uintptr_t *frames, size_t max);

/* From now on other traces are made of the same stacks. */
void fp_memo_forget_all(void);

#endif
