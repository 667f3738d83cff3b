/* SPDX-License-Identifier: Apache-2.0
 *
 * Stacks that were walked before. A memo holds all that a walk depended on: where it began,
 * each word of the stack that led it further, and the modules whose code it came through. Where
 * these are as they were, it would end in the same trace, and need not be done.
 *
 * Context: alloc, and fault. Thread-safe, without locks. Private to stack.
 */
#ifndef FP_STACK_MEMO_H
#define FP_STACK_MEMO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/trace.h"

struct fp_frame;
struct fp_memo;

/* The trace of the stack whose innermost frame is START. FP_TRACE_NONE when it has to be
 * walked; then DRAFT is a memo to take that walk down in, or NULL, and ends in one of the next
 * two. */
fp_trace_id fp_memo_find(const struct fp_frame *start, struct fp_memo **draft);

/* The walk that DRAFT took down made TRACE. */
void fp_memo_keep(struct fp_memo *draft, fp_trace_id trace);
void fp_memo_drop(struct fp_memo *draft);

/* What a walk depends on. */
void fp_memo_note_word(struct fp_memo *draft, uintptr_t address, uintptr_t word);
void fp_memo_note_module(struct fp_memo *draft, unsigned number, uintptr_t pc);

/* The frame pointer FP counts; it is that of the first frame, unless another is known. */
void fp_memo_note_frame_pointer(struct fp_memo *draft, uintptr_t fp);
void fp_memo_know_frame_pointer(struct fp_memo *draft);

/* From now on other traces are made of the same stacks. */
void fp_memo_forget_all(void);

#endif
