/* SPDX-License-Identifier: Apache-2.0
 *
 * Traces of the calling thread, interned, and the sites that callers of DebugAlloc name.
 *
 * Context: alloc, except where a function says otherwise. Nothing here waits for a lock of the
 * loader or of the C library, or allocates.
 */
#ifndef FP_STACK_STACK_H
#define FP_STACK_STACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/block.h"
#include "model/trace.h"

struct fp_stack_config {
	unsigned depth; /* frames kept of a trace, 1 to FP_TRACE_DEPTH_MAX */
};

/* Context: report. */
void fp_stack_init(const struct fp_stack_config *config);

/* A module that a trace led through. */
struct fp_stack_code {
	uintptr_t start;
	uintptr_t end;
	bool is_first; /* no other that was met had addresses of it before */
};

/* LOOK is called, outside of every lock, before the first trace through a module is kept, and
 * again when it is back in the place of another: whoever wants names later writes down what is
 * there, and what the traces so far meant. Context: that of the captures. */
void fp_stack_on_new_code(void (*look)(const struct fp_stack_code *code));

/* The trace of the caller; FP_TRACE_NONE when there is no memory to keep it. */
fp_trace_id fp_stack_capture(void);

/* Copies BYTES that another thread may make inaccessible at any time, even between the kernel's
 * word that they can be read and the reading; false: they are. Context: fault. */
bool fp_stack_read(void *to, uintptr_t from, size_t bytes);

/* For the handler of a fault, before all else: whether the fault is one of reading a stack, or
 * of the above; then the thread goes on without what it read when the handler returns. CONTEXT
 * is the third argument of the handler. Context: fault. */
bool fp_stack_recover(void *context);

/* Code whose frames divide a stack. */
struct fp_stack_crossing {
	uintptr_t start;
	uintptr_t end;
	unsigned count; /* set: its frames on the caller's stack */
	bool is_cut;    /* set: the stack is deeper than was looked */
};

/* As fp_stack_capture, but down to the innermost frame of the crossing only, which is left out;
 * FP_TRACE_NONE without one. */
fp_trace_id fp_stack_capture_to(struct fp_stack_crossing *crossing);

/* The trace of the code that a signal interrupted: CONTEXT is the third argument of its
 * handler. The innermost address is that of the interrupted instruction itself, the others are
 * return addresses. Context: fault. */
fp_trace_id fp_stack_capture_interrupted(void *context);

/* The same, of a stack that is deeper with its outermost frames behind FP_TRACE_LEFT_OUT. Sets
 * DEPTH to how many frames it has; of more than a million so many. Context: fault. */
fp_trace_id fp_stack_capture_ends(void *context, uint64_t *depth);

/* Whether what CONTEXT interrupted runs above a frame that was interrupted at PC with the stack
 * pointer SP: no call led on from there, but a handler that had its frames put on that stack,
 * behind the red zone. Context: fault. */
bool fp_stack_is_above(const void *context, uintptr_t pc, uintptr_t sp);

/*
 * The frames of the code that a signal interrupted, or with CONTEXT NULL of the caller, without
 * Fencepost's own, innermost first: the addresses that a trace has of them, and where on the
 * stack each begins. At most MAX; how many. CONTEXT may be another thread's, which stands
 * still. Context: fault.
 */
unsigned fp_stack_list_frames(const void *context, uintptr_t *frames, uintptr_t *stacks,
                              unsigned max);

/* The trace of COUNT such addresses. Who watches for new code is not told: the caller has the
 * session's lock. Context: fault. */
fp_trace_id fp_stack_keep_frames(const uintptr_t *frames, unsigned count);

/* The first instruction of the function that the instruction at PC is in, where its module
 * tells of it; else 0. Context: fault. */
uintptr_t fp_stack_function_start(uintptr_t pc);

/* Whether PC is in the C library, or in what has its memory functions. Context: fault. */
bool fp_stack_is_in_c_library(uintptr_t pc);

/* The return addresses of a trace, innermost first, the last of which may be
 * FP_TRACE_CALLERS_UNKNOWN, valid for ever; NULL and 0 for
 * FP_TRACE_NONE. Any context. */
const uintptr_t *fp_stack_trace(fp_trace_id trace, size_t *count);

/* How many captures so far ended in FP_TRACE_CALLERS_UNKNOWN. Any context. */
uint64_t fp_stack_lost(void);

/* FILE may be NULL, which gives FP_SITE_NONE; it is copied. */
fp_site_id fp_stack_intern_site(const char *file, int line);

/* The file (terminated, valid for ever) and line of a site; false for FP_SITE_NONE. Any
 * context. */
bool fp_stack_site(fp_site_id site, const char **file, int *line);

/* Distinct traces kept so far. */
uint32_t fp_stack_trace_count(void);

/* Where THREAD was created, and by whom. */
struct fp_stack_birth {
	fp_thread_id thread;
	fp_thread_id creator;
	fp_trace_id trace;
};

/* A thread begins: what is kept of it stays until another one has its id, because blocks name
 * it after its end. Without memory nothing is kept. */
void fp_stack_keep_birth(const struct fp_stack_birth *birth);

/* Of BIRTH->thread; false when it is not known. Context: fault. */
bool fp_stack_find_birth(struct fp_stack_birth *birth);

/* Memory that the program has unmapped. */
struct fp_stack_unmapped {
	uintptr_t start;
	uintptr_t end;
	fp_thread_id thread;
	fp_trace_id trace;
};

/* The last few are kept. Context: also fault. */
void fp_stack_keep_unmapped(const struct fp_stack_unmapped *unmapped);

/* The last one that had ADDRESS in it; false when none is kept. Context: fault. */
bool fp_stack_find_unmapped(uintptr_t address, struct fp_stack_unmapped *unmapped);

/* Says in REMAINS where traces and sites are. */
struct fp_remains;
void fp_stack_leave_remains(struct fp_remains *remains);

#endif
