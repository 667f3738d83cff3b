/* SPDX-License-Identifier: Apache-2.0
 *
 * A process around the journal for ThreadSanitizer: what it cannot follow, or what would find
 * races of its own, stands here as something small that calls and is called as the real one is.
 */
#ifndef TESTS_SESSION_STAND_INS_H
#define TESTS_SESSION_STAND_INS_H

#include <stddef.h>
#include <stdint.h>

#include "model/trace.h"
#include "stack/stack.h"

/* Keeps a trace, as fp_stack_capture() does once it has the addresses. */
fp_trace_id stand_in_trace(const uintptr_t *frames, size_t count);

/* A trace was kept that leads through CODE. */
void stand_in_meet(const struct fp_stack_code *code);

/* The snapshot of the heap that growth is seen by was taken. */
void stand_in_look_for_growth(void);

/* An allocation was made to fail, the first of the stack TRACE. */
void stand_in_refuse(fp_trace_id trace);

/* What each search for leaks finds. */
enum { STAND_IN_LEAKS = 3 };

/* How often memory was given back to the kernel. */
size_t stand_in_unmaps(void);

#endif
