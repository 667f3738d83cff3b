/* SPDX-License-Identifier: Apache-2.0
 *
 * Stacks that were walked before. An entry holds all that a walk depended on: where it began,
 * each word of the stack that led it further, and the modules whose code it came through. Where
 * these are as they were, it would end in the same trace, and need not be done.
 *
 * Context: alloc, and fault. Thread-safe, without locks. Private to stack.
 */
#ifndef FP_STACK_TRACE_CACHE_H
#define FP_STACK_TRACE_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/trace.h"

struct fp_frame;
struct fp_trace_cache_entry;

/* The trace of the stack whose innermost frame is START. FP_TRACE_NONE when it has to be
 * walked; then DRAFT is an entry to take that walk down in, or NULL, and ends in one of the
 * next two. */
fp_trace_id fp_trace_cache_find(const struct fp_frame *start,
                                struct fp_trace_cache_entry **draft);

/* The walk that DRAFT took down made TRACE. */
void fp_trace_cache_keep(struct fp_trace_cache_entry *draft, fp_trace_id trace);
void fp_trace_cache_drop(struct fp_trace_cache_entry *draft);

/* What a walk depends on. */
void fp_trace_cache_note_word(struct fp_trace_cache_entry *draft, uintptr_t address,
                              uintptr_t word);
void fp_trace_cache_note_module(struct fp_trace_cache_entry *draft, unsigned number,
                                uintptr_t pc);

/* The frame pointer FP counts; it is that of the first frame, unless another is known. */
void fp_trace_cache_note_frame_pointer(struct fp_trace_cache_entry *draft, uintptr_t fp);
void fp_trace_cache_know_frame_pointer(struct fp_trace_cache_entry *draft);

/* From now on other traces are made of the same stacks. */
void fp_trace_cache_forget_all(void);

#endif
