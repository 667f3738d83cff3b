/* SPDX-License-Identifier: Apache-2.0
 *
 * DWARF expressions, as far as .eh_frame has them: frames that align the stack, the procedure
 * linkage table, and code that people write.
 *
 * Context: fault. Private to stack.
 */
#ifndef FP_STACK_EXPRESSION_H
#define FP_STACK_EXPRESSION_H

#include <stdbool.h>
#include <stdint.h>

struct fp_walk;

/* Computes the expression at AT, a length and so many bytes, at the frame of WALK. VALUE holds
 * what it begins with, and then what it ends with; false when it cannot be told. */
bool fp_expression_compute(const uint8_t *at, struct fp_walk *walk, uintptr_t *value);

#endif
