/* SPDX-License-Identifier: Apache-2.0
 *
 * aarch64: the kernel leaves the exception syndrome (ESR) among the records of the context. It
 * tells reads from writes, but its size field is valid for hypervisors only, so the size is
 * read out of the instruction: "Loads and Stores" in the encoding index of the A64 instruction
 * set.
 */
#include <ucontext.h>

#include "fault/access.h"
#include "fault/fault.h"

enum {
	ESR_RECORD = 0x45535201, /* ESR_MAGIC of <asm/sigcontext.h> */
	CLASS_SHIFT = 26,
	CLASS_FETCH = 0x20, /* instruction abort from a lower level */
	CLASS_DATA = 0x24,  /* data abort from a lower level */
	IS_WRITE = 1 << 6
};

struct record {
	uint32_t magic;
	uint32_t size;
};

static uint64_t find_syndrome(const ucontext_t *context)
{
	const unsigned char *at = context->uc_mcontext.__reserved;
	const unsigned char *end = at + sizeof(context->uc_mcontext.__reserved);

	while (at + sizeof(struct record) <= end) {
		const struct record *record = (const void *)at;

		if (record->magic == ESR_RECORD)
			return *(const uint64_t *)(const void *)(at + sizeof(*record));
		if (record->magic == 0 || record->size < sizeof(*record))
			return 0;
		at += record->size;
	}
	return 0;
}

static uint32_t bits(uint32_t word, unsigned high, unsigned low)
{
	return word >> low & ((2U << (high - low)) - 1);
}

/* One register: ldr, str and their like, exclusive, ordered and atomic ones included. */
static size_t size_of_one(uint32_t instruction, bool is_vector)
{
	uint32_t size = bits(instruction, 31, 30);

	/* A vector register of 16 bytes has the size of a byte and one more bit. */
	if (is_vector && size == 0 && bits(instruction, 23, 23) == 1)
		return 16;
	return (size_t)1 << size;
}

/* Two registers: ldp, stp and their like. */
static size_t size_of_pair(uint32_t instruction, bool is_vector)
{
	uint32_t kind = bits(instruction, 31, 30);

	if (is_vector)
		return kind < 3 ? (size_t)8 << kind : 0;
	return kind == 2 ? 16 : 8;
}

/* Bytes that INSTRUCTION accesses; 0 for those that are none of the usual. */
static size_t size_accessed(uint32_t instruction)
{
	bool is_vector = bits(instruction, 26, 26) == 1;

	if (bits(instruction, 29, 27) == 7)
		return size_of_one(instruction, is_vector);
	if (bits(instruction, 29, 27) == 5)
		return size_of_pair(instruction, is_vector);
	if (bits(instruction, 29, 24) == 8 && bits(instruction, 21, 21) == 0)
		return size_of_one(instruction, false);
	return 0;
}

struct fp_fault_access fp_fault_access(const void *context, uintptr_t address)
{
	uint64_t syndrome = find_syndrome(context);
	struct fp_fault_access access = {.address = address};

	access.is_fetch = syndrome >> CLASS_SHIFT == CLASS_FETCH;
	if (access.is_fetch)
		access.access = FP_ACCESS_READ;
	if (syndrome >> CLASS_SHIFT != CLASS_DATA)
		return access;
	access.access = (syndrome & IS_WRITE) != 0 ? FP_ACCESS_WRITE : FP_ACCESS_READ;
	/* It was just executed, so it can be read. */
	access.size = size_accessed(
	        *(const uint32_t *)(uintptr_t)((const ucontext_t *)context)->uc_mcontext.pc);
	return access;
}

uintptr_t fp_fault_instruction(const void *context)
{
	return (uintptr_t)((const ucontext_t *)context)->uc_mcontext.pc;
}

uintptr_t fp_fault_stack(const void *context)
{
	return (uintptr_t)((const ucontext_t *)context)->uc_mcontext.sp;
}

/* Theirs raises SIGTRAP. */
bool fp_fault_is_compilers_trap(const void *context)
{
	(void)context;
	return false;
}

uint32_t fp_fault_registers(const void *context,
                            struct fp_fault_register registers[FP_FAULT_REGISTERS_MAX])
{
	static const char *const names[] = {
	        "x0",  "x1",  "x2",  "x3",  "x4",  "x5",  "x6",  "x7",  "x8",  "x9",  "x10",
	        "x11", "x12", "x13", "x14", "x15", "x16", "x17", "x18", "x19", "x20", "x21",
	        "x22", "x23", "x24", "x25", "x26", "x27", "x28", "x29", "x30", "sp",  "pc"};
	enum { ALL = sizeof(names) / sizeof(names[0]), SP = ALL - 2, PC };
	const mcontext_t *values = &((const ucontext_t *)context)->uc_mcontext;

	for (uint32_t i = 0; i < SP; i++)
		registers[i] = (struct fp_fault_register){names[i], values->regs[i]};
	registers[SP] = (struct fp_fault_register){names[SP], values->sp};
	registers[PC] = (struct fp_fault_register){names[PC], values->pc};
	return ALL;
}

uintptr_t fp_fault_return_address(const void *context)
{
	return (uintptr_t)((const ucontext_t *)context)->uc_mcontext.regs[30];
}

bool fp_fault_can_step(void)
{
	return false;
}

bool fp_fault_set_step(void *context, bool is_on)
{
	(void)context;
	(void)is_on;
	return false;
}

/* No instruction is refused for that which malloc does not care for. */
bool fp_fault_operand(const void *context, struct fp_fault_operand *operand)
{
	(void)context;
	(void)operand;
	return false;
}

void fp_fault_shift_operand(void *context, const struct fp_fault_operand *operand, ptrdiff_t by)
{
	(void)context;
	(void)operand;
	(void)by;
}

void fp_fault_set_page_fault(void *context, const struct fp_fault_operand *operand)
{
	(void)context;
	(void)operand;
}
