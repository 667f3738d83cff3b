/* SPDX-License-Identifier: Apache-2.0
 *
 * Frames of code that says nothing of them, read from the instructions with which the function
 * begins and ends: ahead-of-time and just-in-time compilers (Mono, the JVM) keep no frame
 * pointer and write no unwind information. It is a guess, which holds where it leads to an
 * address behind a call.
 *
 * Context: fault. Thread-safe, without locks. Private to stack.
 */
#ifndef FP_STACK_FRAME_CODE_H
#define FP_STACK_FRAME_CODE_H

#include <stdbool.h>
#include <stdint.h>

struct fp_frame_code {
	uint32_t up;       /* bytes from the frame's stack pointer to the caller's */
	uint32_t fp_below; /* the frame pointer was saved so far below that; 0: it was not */
};

/* The frame of the function that goes on at PC, whose stack pointer is SP. False where the
 * stack pointer comes out of the frame pointer, and where no guess holds. */
bool fp_frame_code_find(uintptr_t pc, uintptr_t sp, struct fp_frame_code *frame);

/* Whether the instruction before PC is a call. */
bool fp_frame_code_is_behind_call(uintptr_t pc);

#endif
