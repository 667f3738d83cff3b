/* SPDX-License-Identifier: Apache-2.0
 *
 * How to get from a frame to its caller's: what .eh_frame says of one return address, as far as
 * it is the simple kind that compilers make of nearly all code. Such a rule reads the stack
 * pointer, the frame pointer and two words of the stack, and nothing else, so whoever finds
 * these unchanged knows the caller without asking again.
 *
 * Context: alloc. Thread-safe, without locks. Private to stack.
 */
#ifndef FP_STACK_RULE_H
#define FP_STACK_RULE_H

#include <stdbool.h>
#include <stdint.h>

struct fp_frame {
	uintptr_t pc; /* where it goes on: a return address */
	uintptr_t sp;
	uintptr_t fp;
};

enum fp_rule_kind {
	FP_RULE_NONE, /* not of the simple kind, or nothing is said */
	FP_RULE_SP,   /* the caller's stack pointer is that of the frame and so much more */
	FP_RULE_FP,   /* it is the frame pointer and so much more */
	FP_RULE_OUTERMOST, /* there is no caller */
};

struct fp_rule {
	enum fp_rule_kind kind;
	uint32_t up;       /* bytes from there to the caller's stack pointer */
	uint32_t fp_below; /* its frame pointer was saved so far below that; 0: it was not */
};

/* The return address stands right below the caller's stack pointer. */
enum { FP_RULE_RETURN_BELOW = 8 };

/* The rule at PC, a return address. Kept: asking again costs a look. */
struct fp_rule fp_rule_at(uintptr_t pc);

/* Code was unloaded, and other code may come to stand at its addresses. */
void fp_rule_forget_all(void);

#endif
