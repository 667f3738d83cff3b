/* SPDX-License-Identifier: Apache-2.0
 *
 * How to get from a frame to its caller's, as far as it is of the simple kind that compilers
 * make of nearly all code: the stack pointer or the frame pointer and so many bytes lead to the
 * caller's, and what the frame saved stands right below.
 *
 * Context: fault. Thread-safe, without locks. Private to stack.
 */
#ifndef FP_STACK_UNWIND_RULE_H
#define FP_STACK_UNWIND_RULE_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/module.h"

enum fp_unwind_rule_kind {
	FP_UNWIND_RULE_NONE, /* not of the simple kind, or nothing is said */
	FP_UNWIND_RULE_SP,   /* the caller's stack pointer is that of the frame and so much more
	                      */
	FP_UNWIND_RULE_FP,   /* it is the frame pointer and so much more */
	FP_UNWIND_RULE_OUTERMOST, /* there is no caller */
	FP_UNWIND_RULE_BY_CODE, /* as FP_UNWIND_RULE_SP, where only the code told (frame_code.h)
	                         */
};

struct fp_unwind_rule {
	enum fp_unwind_rule_kind kind;
	uint32_t up;       /* bytes from there to the caller's stack pointer */
	uint32_t fp_below; /* its frame pointer was saved so far below that; 0: it was not */
	uint32_t ra_below; /* so was the return address */
	unsigned module;   /* the number of the one that PC is in */
};

/* The rule at PC, a return address to a frame whose stack pointer is SP. Kept: asking again
 * costs a look at the table and, when KNOWN, the number of a module that is known to be there,
 * is not its module, one at the loader's. */
struct fp_unwind_rule fp_unwind_rule_at(uintptr_t pc, uintptr_t sp, unsigned known);

/* The rule that was kept for PC, which may be out of date by now. */
struct fp_unwind_rule fp_unwind_rule_kept(uintptr_t pc);

#endif
