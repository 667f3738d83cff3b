/* SPDX-License-Identifier: Apache-2.0
 *
 * What an interrupted instruction was about to do, from the context of the signal it raised.
 * One file an architecture: access_x86_64.c, access_aarch64.c, access_other.c.
 *
 * Context: fault.
 */
#ifndef FP_FAULT_ACCESS_H
#define FP_FAULT_ACCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/finding.h"

enum { FP_FAULT_GIVEN = 2, FP_FAULT_KEPT = 5 };

struct fp_fault_access {
	uintptr_t address; /* the first byte that could not be accessed */
	enum fp_access access;
	size_t size;   /* bytes the instruction accesses; 0 when it does not tell */
	bool is_call;  /* a call is to access size bytes, not an instruction */
	bool is_fetch; /* the address was to be executed */
	/* What may be known besides (way.h), else 0. */
	uintptr_t start; /* of all that is accessed */
	uintptr_t run;   /* where the instructions began that access what is before it */
	intptr_t stride; /* from this access of a loop to its next one */
	bool is_scan;    /* bytes in order, as a repeated string instruction does */
	/* In a function of the C library: pointers that it may have been given, and how many
	 * bytes from the first that fits. */
	bool is_in_library;
	uintptr_t given[FP_FAULT_GIVEN];
	uintptr_t kept[FP_FAULT_KEPT]; /* where such pointers may be, too */
	size_t call_size;
};

/* CONTEXT is the third argument of the signal's handler. */
struct fp_fault_access fp_fault_access(const void *context, uintptr_t address);

/* Where the interrupted instruction is, and where its stack; 0: not known. */
uintptr_t fp_fault_instruction(const void *context);
uintptr_t fp_fault_stack(const void *context);

/* Whether the interrupted instruction is what gcc and clang make of __builtin_trap() and of
 * code that cannot be reached, and no valid one. */
bool fp_fault_is_compilers_trap(const void *context);

/* The registers' names and values; how many. */
enum { FP_FAULT_REGISTERS_MAX = 36 };
struct fp_fault_register {
	const char *name; /* as debuggers have it, "rax" */
	uintptr_t value;
};
uint32_t fp_fault_registers(const void *context,
                            struct fp_fault_register registers[FP_FAULT_REGISTERS_MAX]);

/* Where it returns to if it is in a function that calls no other one and has saved nothing. Its
 * stack can be read. */
uintptr_t fp_fault_return_address(const void *context);

/* Memory that an instruction accesses as a whole, at an address that a register goes into. */
struct fp_fault_operand {
	uintptr_t address;
	size_t size; /* in bytes; 0: none */
	bool is_written;
	int base; /* the register, as the architecture counts them */
};

enum { FP_FAULT_OPERAND_MAX = 64 };

/* Whether the interrupted instruction may have been refused for an operand that is not aligned;
 * then that. */
bool fp_fault_operand(const void *context, struct fp_fault_operand *operand);

/* Has the interrupted instruction, or the one that was, access memory BY bytes further on. */
void fp_fault_shift_operand(void *context, const struct fp_fault_operand *operand,
                            ptrdiff_t by);

/* The fault is that of a page of the operand that cannot be accessed. */
void fp_fault_set_page_fault(void *context, const struct fp_fault_operand *operand);

/* Makes the interrupted thread stop with SIGTRAP behind its next instruction, and ends that.
 * Whether it was asked to already. */
bool fp_fault_set_step(void *context, bool is_on);

#endif
