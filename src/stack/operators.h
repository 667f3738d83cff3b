/* SPDX-License-Identifier: Apache-2.0
 *
 * Which of C++'s operators new and delete stand between a program and malloc or free: a library
 * that has a run time of its own has operators of its own, which nobody can interpose. They are
 * looked up in the modules' files, so this is for who is about to make a finding.
 *
 * Context: alloc. No lock may be held.
 */
#ifndef FP_STACK_OPERATORS_H
#define FP_STACK_OPERATORS_H

#include <stdbool.h>
#include <stdint.h>

#include "model/trace.h"

/* Forms of an operator, as bits: where two have one body, the linker may make them one. */
enum {
	FP_OPERATOR_PLAIN = 1,
	FP_OPERATOR_ARRAY = 2,
	FP_OPERATOR_ALIGNED = 4,
	FP_OPERATOR_ALIGNED_ARRAY = 8
};

enum fp_operator { FP_OPERATOR_NEW, FP_OPERATOR_DELETE };

/* The forms of the outermost OPERATOR at the inner end of TRACE; 0 when none is known to be
 * there. Form new[] ends in new without leaving a frame: with PLAIN there may be ARRAY, too.
 * All forms, when new is called from code without a name that may be any. */
uint8_t fp_operator_forms(enum fp_operator which, fp_trace_id trace);

/* Whether the innermost frame of TRACE called Fencepost itself, so that no operator is between
 * them. */
bool fp_operator_is_excluded(fp_trace_id trace);

/* Whether a module other than Fencepost and the C++ run time has an operator delete, with a
 * name or in a run time of its own. */
bool fp_operator_are_there_others(void);

#endif
