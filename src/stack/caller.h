/* SPDX-License-Identifier: Apache-2.0
 *
 * Where the program stood when it called a function of a library that led to us.
 *
 * Context: report.
 */
#ifndef FP_STACK_CALLER_H
#define FP_STACK_CALLER_H

#include <stdbool.h>
#include <stdint.h>

enum { FP_STACK_REGISTERS = 16 };

struct fp_stack_caller {
	uintptr_t stack; /* its stack pointer */
	/* Those that are kept across calls, among others. */
	uintptr_t registers[FP_STACK_REGISTERS];
};

/* Finds the frame of FUNCTION, by its first instruction, among those that led here, and its
 * caller; false when it is not there. */
bool fp_stack_find_caller(uintptr_t function, struct fp_stack_caller *caller);

#endif
