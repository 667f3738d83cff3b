/* SPDX-License-Identifier: Apache-2.0
 *
 * What .eh_frame says of the frame at one instruction.
 *
 * Context: alloc. Thread-safe, without locks. Private to stack.
 */
#ifndef FP_STACK_FRAME_TABLE_H
#define FP_STACK_FRAME_TABLE_H

#include <stdbool.h>
#include <stdint.h>

/* Numbers of DWARF, which are libunwind's, too. */
enum { FP_FRAME_REGISTER_FP = 6, FP_FRAME_REGISTER_SP = 7, FP_FRAME_REGISTER_RA = 16 };

/* Where the frame begins: at a register and so many bytes. */
enum fp_frame_base { FP_BASE_SP, FP_BASE_FP, FP_BASE_OTHER };

enum fp_saved_kind {
	FP_SAVED_NOT,     /* the register still holds it */
	FP_SAVED_BELOW,   /* so many bytes below where the frame begins */
	FP_SAVED_NOWHERE, /* it is lost; for the return address: there is no caller */
	FP_SAVED_OTHERWISE,
};

/* What became of a register of the caller. */
struct fp_saved {
	enum fp_saved_kind kind;
	int64_t below;
};

struct fp_frame_row {
	enum fp_frame_base base;
	int64_t up;
	struct fp_saved fp; /* the frame pointer */
	struct fp_saved ra; /* the return address */
};

/* The row at PC, an address in an instruction; false when there is none, or when it is beyond
 * this reader: a signal's frame, encodings that no compiler uses here. */
bool fp_frame_table_find(uintptr_t pc, struct fp_frame_row *row);

#endif
