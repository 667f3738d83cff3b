/* SPDX-License-Identifier: Apache-2.0
 *
 * What a thread would do next, computed without being done: registers and memory as far as they
 * are known, and what instructions make of them. Of flags nothing is known.
 *
 * Context: fault. Private to the module.
 */
#ifndef FP_FAULT_MACHINE_X86_64_H
#define FP_FAULT_MACHINE_X86_64_H

#include "base/instruction_x86_64.h"

struct fp_machine_value {
	uint64_t number;
	bool is_known;
};

static inline struct fp_machine_value fp_machine_known(uint64_t number)
{
	return (struct fp_machine_value){number, true};
}

#define fp_machine_unknown ((struct fp_machine_value){0, false})

enum { FP_MACHINE_STORES = 32, FP_MACHINE_WORD = 8 };

struct fp_machine {
	struct fp_machine_value registers[FP_INSTRUCTION_REGISTERS];
	uintptr_t pc;
	/* A branch that leads back is taken when it leads to here or before it, and no other
	 * one is: that is the way through the loop that is around it, if there is one. */
	uintptr_t home;
	unsigned returns; /* from the function at home */
	/* What was written; the newest counts. */
	struct {
		uintptr_t address;
		unsigned bytes;
		struct fp_machine_value value;
	} stores[FP_MACHINE_STORES];
	unsigned stored;
	bool is_lost;       /* something was written who knows where */
	uintptr_t readable; /* the page that was found so last */
};

/* The kernel's numbers of the registers, by the processor's; and a machine that stands where
 * CONTEXT was interrupted, of which no more is known. */
extern const int fp_machine_numbers[FP_INSTRUCTION_REGISTERS];
void fp_machine_begin(const void *context, struct fp_machine *machine);

/* Bytes that the instruction at CODE accesses in memory, when it does (in access_x86_64.c); 0:
 * not known. */
unsigned fp_instruction_bytes(const uint8_t *code);

/* The instruction at the machine's pc. False when it cannot be read. */
bool fp_machine_fetch(struct fp_machine *machine, struct fp_instruction *instruction);

/* Where its operand in memory is; for EVEX, BYTES is what it accesses. */
struct fp_machine_value fp_machine_address(const struct fp_machine *machine,
                                           const struct fp_instruction *instruction,
                                           unsigned bytes);

/* Parts of instructions: the bytes of an operand that is no byte, registers by their numbers,
 * the operand in a register or in memory, and the stack. */
unsigned fp_machine_operand_bytes(const struct fp_instruction *instruction);
struct fp_machine_value fp_machine_get(const struct fp_machine *machine,
                                       const struct fp_instruction *instruction,
                                       unsigned number, unsigned bytes);
void fp_machine_set(struct fp_machine *machine, const struct fp_instruction *instruction,
                    unsigned number, unsigned bytes, struct fp_machine_value value);
struct fp_machine_value fp_machine_get_rm(struct fp_machine *machine,
                                          const struct fp_instruction *instruction,
                                          unsigned bytes);
void fp_machine_set_rm(struct fp_machine *machine, const struct fp_instruction *instruction,
                       unsigned bytes, struct fp_machine_value value);
void fp_machine_push(struct fp_machine *machine, struct fp_machine_value value);
struct fp_machine_value fp_machine_pop(struct fp_machine *machine);
void fp_machine_store(struct fp_machine *machine, struct fp_machine_value address,
                      unsigned bytes, struct fp_machine_value value);

/* NUMBER, of BYTES with a sign, in all bits. */
uint64_t fp_machine_extend(uint64_t number, unsigned bytes);

/* Carries the next one out, and calls as if they came back at once. False when what comes next
 * is not known. */
bool fp_machine_step(struct fp_machine *machine);

#endif
