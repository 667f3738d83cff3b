/* SPDX-License-Identifier: Apache-2.0
 *
 * What .eh_frame says of the frame at one instruction: where it begins, and where its caller's
 * registers are.
 *
 * Context: fault. Thread-safe, without locks. Private to stack.
 */
#ifndef FP_STACK_FRAME_TABLE_H
#define FP_STACK_FRAME_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/module.h"

/* Where a frame begins, which is the caller's stack pointer. */
enum fp_base_kind {
	FP_BASE_UNKNOWN,
	FP_BASE_REGISTER,   /* VALUE bytes from REG */
	FP_BASE_EXPRESSION, /* what the expression at address VALUE computes */
};

enum fp_saved_kind {
	FP_SAVED_NOT,        /* the register still holds it */
	FP_SAVED_AT,         /* VALUE bytes from where the frame begins */
	FP_SAVED_IN,         /* in register VALUE */
	FP_SAVED_NOWHERE,    /* it is lost; for the return address: there is no caller */
	FP_SAVED_EXPRESSION, /* where the expression at address VALUE says */
	FP_SAVED_OTHERWISE,
};

/* What became of a register of the caller. */
struct fp_saved {
	enum fp_saved_kind kind;
	int64_t value;
};

/* Of all registers: those that lead to the caller, and one more that is asked for. */
struct fp_frame_row {
	enum fp_base_kind base;
	unsigned reg;
	int64_t value;
	struct fp_saved fp;
	struct fp_saved ra;
	struct fp_saved asked;
};

struct fp_frame_query {
	uintptr_t pc; /* in an instruction */
	struct fp_module module;
	unsigned asked; /* the register that row.asked is about */
};

/* The entry that a row is from. */
struct fp_frame_entry {
	uintptr_t start; /* of its function */
	bool is_signal;  /* the kernel makes the frame, for a handler of a signal */
};

/* False when nothing is said of PC, or nothing that this reader knows, or what would lead out
 * of the module. ROW says nothing of the frame of a signal. */
bool fp_frame_table_find(const struct fp_frame_query *query, struct fp_frame_row *row,
                         struct fp_frame_entry *entry);

#endif
