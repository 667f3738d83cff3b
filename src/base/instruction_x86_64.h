/* SPDX-License-Identifier: Apache-2.0
 *
 * One instruction of x86-64: how long it is, what it is, and where its operand in memory is.
 * Those who read code, of this process or of a file, on whichever processor, read it with this.
 *
 * Context: alloc and fault.
 */
#ifndef FP_BASE_INSTRUCTION_X86_64_H
#define FP_BASE_INSTRUCTION_X86_64_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FP_INSTRUCTION_MAX = 15, FP_INSTRUCTION_REGISTERS = 16 };

/* Registers by the processor's numbers, rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi, r8 to r15. */
enum { FP_RAX, FP_RCX, FP_RDX, FP_RBX, FP_RSP, FP_RBP, FP_RSI, FP_RDI, FP_NO_REGISTER = 16 };

/* What the bytes before the opcode say. */
struct fp_prefixes {
	bool has_66;
	bool has_f2;
	bool has_f3;
	bool has_rex;
	bool has_rex_w;
	bool is_evex;
	bool is_elsewhere; /* of a segment or of 32 bits: the address is not what it seems */
	uint8_t high;      /* bits 2 to 0: the upper half of registers is meant by REG, by the
	                      index, by the base */
	unsigned vector_bytes; /* of a VEX or EVEX instruction, else 0 */
	unsigned map;          /* 0: one-byte opcodes, 1: 0f, 2: 0f 38, 3: 0f 3a */
};

/* Leaves AT at the opcode. */
const uint8_t *fp_instruction_prefixes(const uint8_t *at, struct fp_prefixes *prefixes);

struct fp_instruction {
	struct fp_prefixes prefixes;
	uint8_t opcode;
	uint8_t length;
	bool has_operand; /* a byte that names a register, REG, and a register or memory, RM */
	bool is_memory;
	uint8_t reg;             /* or what the instruction is, of its group */
	uint8_t rm;              /* a register, unless it is memory */
	uint8_t base;            /* of the address, FP_NO_REGISTER: none */
	uint8_t index;           /* FP_NO_REGISTER: none */
	uint8_t scale;           /* of the index: 1 << SCALE */
	bool is_relative;        /* to the instruction that follows */
	bool has_short_distance; /* which EVEX counts in elements */
	int32_t distance;
	int64_t immediate;
};

/* False for what is none. CODE are FP_INSTRUCTION_MAX bytes. */
bool fp_instruction_read(const uint8_t *code, struct fp_instruction *instruction);

/* Where the call goes that ends at RETURN_ADDRESS, where CODE ends; or where the pointer stands
 * that it goes through, by the distance from there. 0: it is none, or tells neither.
 * Instructions have no fixed length, so the bytes may look like a call and be none. */
enum { FP_CALL_BYTES = 6 };
uint64_t fp_instruction_callee(const uint8_t *code, uint64_t return_address,
                               bool *is_through_slot);

/* Where the pointer stands that the stub at ADDRESS, whose CODE is so long, jumps through; 0:
 * it is none. */
enum { FP_STUB_BYTES = 11 };
uint64_t fp_instruction_slot_of_stub(const uint8_t *code, uint64_t address);

#endif
