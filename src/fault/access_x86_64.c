/* SPDX-License-Identifier: Apache-2.0
 *
 * x86-64: the trap's error code tells reads from writes, and the opcode tells how many bytes.
 * Known are the forms that compilers emit and the C library contains; for others the size
 * stays 0.
 */
#include <string.h>
#include <ucontext.h>

#include "base/readable.h"
#include "fault/access.h"
#include "fault/fault.h"
#include "fault/machine_x86_64.h"

enum {
	TRAP_PROTECTION = 13,
	TRAP_PAGE_FAULT = 14,
	ERROR_WRITE = 1 << 1,
	ERROR_USER = 1 << 2,
	ERROR_FETCH = 1 << 4,
	FLAG_TRAP = 1 << 8
};

/* How the size follows from the prefixes and the opcode. */
enum rule {
	UNKNOWN,
	BYTES_1,
	BYTES_2,
	BYTES_4,
	BYTES_8,
	BYTES_10,
	BYTES_16,
	BYTES_32,
	BYTE_OR_OPERAND, /* as the opcode's lowest bit says */
	OPERAND,         /* 2, 4 or 8 */
	WIDE,            /* 4 or 8: 66 is part of the opcode */
	SCALAR,          /* of one precision or the other by 66 */
	FLOATS,          /* one float, one double, or the vector */
	VECTOR,
	VECTOR_OR_MMX,
	HALF_VECTOR, /* of elements that become twice as large */
	QUARTER_VECTOR,
	EIGHTH_VECTOR,
	HALVES,        /* movlps and its kin */
	TO_DOUBLES,    /* conversions that make twice as large floats */
	MOVE_WORD,     /* movd and movq */
	CHECKED_WORD,  /* crc32, movbe */
	EXCHANGE_WIDE, /* cmpxchg8b, cmpxchg16b */
	FMA
};

/* The first row that has the opcode counts. */
static const struct {
	uint8_t map;
	uint8_t first;
	uint8_t last;
	uint8_t rule;    /* enum rule */
	uint8_t members; /* of the opcode's group, by bits; 0: all */
} rules[] = {
        /* push, pop, call and ret */
        {0, 0x50, 0x5f, BYTES_8, 0},
        {0, 0x68, 0x68, BYTES_8, 0},
        {0, 0x6a, 0x6a, BYTES_8, 0},
        {0, 0x8f, 0x8f, BYTES_8, 0},
        {0, 0xc2, 0xc3, BYTES_8, 0},
        {0, 0xc9, 0xc9, BYTES_8, 0},
        {0, 0xe8, 0xe8, BYTES_8, 0},
        {0, 0xff, 0xff, BYTES_8, 1 << 2 | 1 << 4 | 1 << 6},
        {0, 0x63, 0x63, BYTES_4, 0},
        {0, 0x69, 0x69, OPERAND, 0},
        {0, 0x6b, 0x6b, OPERAND, 0},
        {0, 0x00, 0x3b, BYTE_OR_OPERAND, 0},
        {0, 0x83, 0x83, OPERAND, 0},
        {0, 0x80, 0x8b, BYTE_OR_OPERAND, 0},
        {0, 0xa0, 0xa7, BYTE_OR_OPERAND, 0},
        {0, 0xaa, 0xaf, BYTE_OR_OPERAND, 0},
        {0, 0xc0, 0xc1, BYTE_OR_OPERAND, 0},
        {0, 0xc6, 0xc7, BYTE_OR_OPERAND, 0},
        {0, 0xd0, 0xd3, BYTE_OR_OPERAND, 0},
        {0, 0xf6, 0xf7, BYTE_OR_OPERAND, 0},
        {0, 0xfe, 0xff, BYTE_OR_OPERAND, 0},
        /* x87 */
        {0, 0xd9, 0xd9, BYTES_2, 1 << 5 | 1 << 7},
        {0, 0xd8, 0xda, BYTES_4, 0},
        {0, 0xdb, 0xdb, BYTES_10, 1 << 5 | 1 << 7},
        {0, 0xdb, 0xdb, BYTES_4, 0},
        {0, 0xdc, 0xdc, BYTES_8, 0},
        {0, 0xdd, 0xdd, BYTES_8, 1 << 0 | 1 << 1 | 1 << 2 | 1 << 3},
        {0, 0xdf, 0xdf, BYTES_8, 1 << 5 | 1 << 7},
        {0, 0xdf, 0xdf, BYTES_10, 1 << 4 | 1 << 6},
        {0, 0xde, 0xdf, BYTES_2, 0},
        /* 0f */
        {1, 0x10, 0x11, FLOATS, 0},
        {1, 0x12, 0x13, HALVES, 0},
        {1, 0x14, 0x15, VECTOR, 0},
        {1, 0x16, 0x17, HALVES, 0},
        {1, 0x28, 0x29, VECTOR, 0},
        {1, 0x2a, 0x2a, WIDE, 0},
        {1, 0x2b, 0x2b, VECTOR, 0},
        {1, 0x2c, 0x2d, FLOATS, 0},
        {1, 0x2e, 0x2f, SCALAR, 0},
        {1, 0x40, 0x4f, OPERAND, 0},
        {1, 0x5a, 0x5a, TO_DOUBLES, 0},
        {1, 0x5b, 0x5b, VECTOR, 0},
        {1, 0x51, 0x5f, FLOATS, 0},
        {1, 0x6e, 0x6e, MOVE_WORD, 0},
        {1, 0x7e, 0x7e, MOVE_WORD, 0},
        {1, 0x60, 0x70, VECTOR_OR_MMX, 0},
        {1, 0x74, 0x76, VECTOR_OR_MMX, 0},
        {1, 0x7c, 0x7d, VECTOR, 0},
        {1, 0x7f, 0x7f, VECTOR_OR_MMX, 0},
        {1, 0x90, 0x9f, BYTES_1, 0},
        {1, 0xa3, 0xa5, OPERAND, 0},
        {1, 0xab, 0xad, OPERAND, 0},
        {1, 0xae, 0xae, BYTES_4, 1 << 2 | 1 << 3}, /* ldmxcsr, stmxcsr */
        {1, 0xaf, 0xaf, OPERAND, 0},
        {1, 0xb0, 0xb1, BYTE_OR_OPERAND, 0},
        {1, 0xb3, 0xb3, OPERAND, 0},
        {1, 0xb6, 0xb6, BYTES_1, 0},
        {1, 0xb7, 0xb7, BYTES_2, 0},
        {1, 0xb8, 0xbd, OPERAND, 0},
        {1, 0xbe, 0xbe, BYTES_1, 0},
        {1, 0xbf, 0xbf, BYTES_2, 0},
        {1, 0xc0, 0xc1, BYTE_OR_OPERAND, 0},
        {1, 0xc2, 0xc2, FLOATS, 0},
        {1, 0xc3, 0xc3, OPERAND, 0},
        {1, 0xc4, 0xc4, BYTES_2, 0},
        {1, 0xc6, 0xc6, VECTOR, 0},
        {1, 0xc7, 0xc7, EXCHANGE_WIDE, 1 << 1},
        {1, 0xd6, 0xd6, BYTES_8, 0},
        {1, 0xe6, 0xe6, TO_DOUBLES, 0},
        {1, 0xf0, 0xf0, VECTOR, 0},
        {1, 0xd0, 0xfe, VECTOR_OR_MMX, 0},
        /* 0f 38 */
        {2, 0x18, 0x18, BYTES_4, 0},
        {2, 0x19, 0x19, BYTES_8, 0},
        {2, 0x1a, 0x1a, BYTES_16, 0},
        {2, 0x1b, 0x1b, BYTES_32, 0},
        {2, 0x20, 0x20, HALF_VECTOR, 0},
        {2, 0x21, 0x21, QUARTER_VECTOR, 0},
        {2, 0x22, 0x22, EIGHTH_VECTOR, 0},
        {2, 0x23, 0x23, HALF_VECTOR, 0},
        {2, 0x24, 0x24, QUARTER_VECTOR, 0},
        {2, 0x25, 0x25, HALF_VECTOR, 0},
        {2, 0x30, 0x30, HALF_VECTOR, 0},
        {2, 0x31, 0x31, QUARTER_VECTOR, 0},
        {2, 0x32, 0x32, EIGHTH_VECTOR, 0},
        {2, 0x33, 0x33, HALF_VECTOR, 0},
        {2, 0x34, 0x34, QUARTER_VECTOR, 0},
        {2, 0x35, 0x35, HALF_VECTOR, 0},
        {2, 0x58, 0x58, BYTES_4, 0},
        {2, 0x59, 0x59, BYTES_8, 0},
        {2, 0x5a, 0x5a, BYTES_16, 0},
        {2, 0x5b, 0x5b, BYTES_32, 0},
        {2, 0x78, 0x78, BYTES_1, 0},
        {2, 0x79, 0x79, BYTES_2, 0},
        {2, 0x90, 0x93, WIDE, 0}, /* an element of a gather */
        {2, 0xa0, 0xa3, WIDE, 0}, /* and of a scatter */
        {2, 0x96, 0xbf, FMA, 0},
        {2, 0xc8, 0xcd, VECTOR, 0}, /* sha */
        {2, 0xf0, 0xf1, CHECKED_WORD, 0},
        {2, 0xf2, 0xf7, WIDE, 0},
        {2, 0x00, 0xef, VECTOR_OR_MMX, 0},
        /* 0f 3a */
        {3, 0x0a, 0x0a, BYTES_4, 0},
        {3, 0x0b, 0x0b, BYTES_8, 0},
        {3, 0x14, 0x14, BYTES_1, 0},
        {3, 0x15, 0x15, BYTES_2, 0},
        {3, 0x16, 0x16, WIDE, 0},
        {3, 0x17, 0x17, BYTES_4, 0},
        {3, 0x18, 0x19, BYTES_16, 0},
        {3, 0x1a, 0x1b, BYTES_32, 0},
        {3, 0x1d, 0x1d, HALF_VECTOR, 0},
        {3, 0x20, 0x20, BYTES_1, 0},
        {3, 0x21, 0x21, BYTES_4, 0},
        {3, 0x22, 0x22, WIDE, 0},
        {3, 0x38, 0x39, BYTES_16, 0},
        {3, 0x3a, 0x3b, BYTES_32, 0},
        {3, 0xf0, 0xf0, WIDE, 0},
        {3, 0x00, 0xef, VECTOR_OR_MMX, 0},
};

static unsigned operand_bytes(const struct fp_prefixes *prefixes)
{
	if (prefixes->has_rex_w)
		return 8;
	return prefixes->has_66 ? 2 : 4;
}

static unsigned vector_bytes(const struct fp_prefixes *prefixes)
{
	return prefixes->vector_bytes != 0 ? prefixes->vector_bytes : 16;
}

/* One float or double where the prefix says so, else OTHERWISE. */
static unsigned float_bytes(const struct fp_prefixes *prefixes, unsigned otherwise)
{
	if (prefixes->has_f3)
		return 4;
	return prefixes->has_f2 ? 8 : otherwise;
}

static unsigned by_operand(enum rule rule, unsigned opcode, const struct fp_prefixes *prefixes)
{
	switch (rule) {
	case BYTE_OR_OPERAND:
		return (opcode & 1) != 0 ? operand_bytes(prefixes) : 1;
	case OPERAND:
		return operand_bytes(prefixes);
	case WIDE:
		return prefixes->has_rex_w ? 8 : 4;
	case MOVE_WORD:
		return prefixes->has_rex_w || prefixes->has_f3 ? 8 : 4;
	case CHECKED_WORD:
		return prefixes->has_f2 && (opcode & 1) == 0 ? 1 : operand_bytes(prefixes);
	case EXCHANGE_WIDE:
		return prefixes->has_rex_w ? 16 : 8;
	default:
		return 0;
	}
}

static unsigned by_vector(enum rule rule, unsigned opcode, const struct fp_prefixes *prefixes)
{
	unsigned whole = vector_bytes(prefixes);

	switch (rule) {
	case SCALAR:
		return prefixes->has_66 ? 8 : 4;
	case FLOATS:
		return float_bytes(prefixes, whole);
	case VECTOR:
		return whole;
	case VECTOR_OR_MMX:
		return prefixes->vector_bytes == 0 && !prefixes->has_66 && !prefixes->has_f3 &&
		                       !prefixes->has_f2
		               ? 8
		               : whole;
	case HALF_VECTOR:
		return whole / 2;
	case QUARTER_VECTOR:
		return whole / 4;
	case EIGHTH_VECTOR:
		return whole / 8;
	case HALVES:
		/* movsldup, movshdup, and of the whole vector movddup */
		return prefixes->has_f3 || (prefixes->has_f2 && whole > 16) ? whole : 8;
	case TO_DOUBLES:
		if (prefixes->has_66 || (prefixes->has_f2 && opcode == 0xe6))
			return whole;
		return prefixes->has_f3 && opcode == 0xe6 ? whole / 2
		                                          : float_bytes(prefixes, whole / 2);
	case FMA:
		return (opcode & 9) == 9 ? (prefixes->has_rex_w ? 8 : 4) : whole;
	default:
		return 0;
	}
}

static unsigned apply(enum rule rule, unsigned opcode, const struct fp_prefixes *prefixes)
{
	static const uint8_t fixed[] = {
	        [BYTES_1] = 1,   [BYTES_2] = 2,   [BYTES_4] = 4,   [BYTES_8] = 8,
	        [BYTES_10] = 10, [BYTES_16] = 16, [BYTES_32] = 32,
	};

	if (rule < sizeof(fixed))
		return fixed[rule];
	unsigned bytes = by_operand(rule, opcode, prefixes);
	return bytes != 0 ? bytes : by_vector(rule, opcode, prefixes);
}

unsigned fp_instruction_bytes(const uint8_t *code)
{
	struct fp_prefixes prefixes = {0};
	const uint8_t *opcode = fp_instruction_prefixes(code, &prefixes);

	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		if (rules[i].map != prefixes.map || *opcode < rules[i].first ||
		    *opcode > rules[i].last)
			continue;
		/* The second byte tells which one of a group it is. */
		if (rules[i].members == 0 ||
		    (rules[i].members >> (opcode[1] >> 3 & 7) & 1) != 0)
			return apply(rules[i].rule, *opcode, &prefixes);
	}
	return 0;
}

struct fp_fault_access fp_fault_access(const void *context, uintptr_t address)
{
	const greg_t *registers = ((const ucontext_t *)context)->uc_mcontext.gregs;
	struct fp_fault_access access = {.address = address};

	if (registers[REG_TRAPNO] != TRAP_PAGE_FAULT)
		return access;
	access.is_fetch = (registers[REG_ERR] & ERROR_FETCH) != 0;
	access.access =
	        (registers[REG_ERR] & ERROR_WRITE) != 0 ? FP_ACCESS_WRITE : FP_ACCESS_READ;
	if (!access.is_fetch)
		access.size = fp_instruction_bytes((const uint8_t *)registers[REG_RIP]);
	return access;
}

uintptr_t fp_fault_instruction(const void *context)
{
	return (uintptr_t)((const ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
}

uintptr_t fp_fault_stack(const void *context)
{
	return (uintptr_t)((const ucontext_t *)context)->uc_mcontext.gregs[REG_RSP];
}

bool fp_fault_is_compilers_trap(const void *context)
{
	static const uint8_t ud2[] = {0x0f, 0x0b};
	const void *instruction = (const void *)fp_fault_instruction(context);

	return fp_is_readable(instruction, sizeof(ud2)) &&
	       memcmp(instruction, ud2, sizeof(ud2)) == 0;
}

uint32_t fp_fault_registers(const void *context,
                            struct fp_fault_register registers[FP_FAULT_REGISTERS_MAX])
{
	static const struct {
		const char *name;
		int number;
	} known[] = {
	        {"rip", REG_RIP}, {"rax", REG_RAX}, {"rbx", REG_RBX}, {"rcx", REG_RCX},
	        {"rdx", REG_RDX}, {"rsi", REG_RSI}, {"rdi", REG_RDI}, {"rbp", REG_RBP},
	        {"rsp", REG_RSP}, {"r8", REG_R8},   {"r9", REG_R9},   {"r10", REG_R10},
	        {"r11", REG_R11}, {"r12", REG_R12}, {"r13", REG_R13}, {"r14", REG_R14},
	        {"r15", REG_R15},
	};
	const greg_t *values = ((const ucontext_t *)context)->uc_mcontext.gregs;
	uint32_t count = sizeof(known) / sizeof(known[0]);

	for (uint32_t i = 0; i < count; i++)
		registers[i] = (struct fp_fault_register){known[i].name,
		                                          (uintptr_t)values[known[i].number]};
	return count;
}

uintptr_t fp_fault_return_address(const void *context)
{
	return *(const uintptr_t *)fp_fault_stack(context);
}

bool fp_fault_can_step(void)
{
	return true;
}

bool fp_fault_set_step(void *context, bool is_on)
{
	greg_t *flags = &((ucontext_t *)context)->uc_mcontext.gregs[REG_EFL];
	bool was_on = (*flags & FLAG_TRAP) != 0;

	*flags = is_on ? *flags | FLAG_TRAP : *flags & ~(greg_t)FLAG_TRAP;
	return was_on;
}

/* ---- Operands that have to be aligned
 * --------------------------------------------------------
 */

enum { EXCHANGE = 0xc7, VECTOR_BYTES = 16 };

/* movaps and its kin to memory, movntps, movdqa, movntdq, cmpxchg16b */
static bool is_store(const struct fp_instruction *instruction)
{
	switch (instruction->prefixes.map == 1 ? instruction->opcode : 0) {
	case 0x29:
	case 0x2b:
	case 0x7f:
	case 0xe7:
	case EXCHANGE:
		return true;
	default:
		return false;
	}
}

/* A register that the instruction uses for something else, too, or that the kernel puts frames
 * at, cannot be changed. */
static bool is_spare(const struct fp_instruction *instruction)
{
	bool is_exchange = instruction->prefixes.map == 1 && instruction->opcode == EXCHANGE;

	return instruction->base < FP_NO_REGISTER && instruction->base != FP_RSP &&
	       instruction->base != instruction->index &&
	       !(is_exchange && instruction->base <= FP_RBX);
}

bool fp_fault_operand(const void *context, struct fp_fault_operand *operand)
{
	const greg_t *registers = ((const ucontext_t *)context)->uc_mcontext.gregs;
	struct fp_machine machine;
	struct fp_instruction instruction;

	fp_machine_begin(context, &machine);
	if (registers[REG_TRAPNO] != TRAP_PROTECTION ||
	    !fp_machine_fetch(&machine, &instruction) || !instruction.is_memory ||
	    instruction.prefixes.map == 0 || instruction.prefixes.is_elsewhere ||
	    !is_spare(&instruction))
		return false;
	unsigned size = fp_instruction_bytes((const uint8_t *)machine.pc);
	*operand = (struct fp_fault_operand){
	        .address = fp_machine_address(&machine, &instruction, size).number,
	        .size = size,
	        .is_written = is_store(&instruction),
	        .base = instruction.base};
	return size >= VECTOR_BYTES && operand->address % size != 0;
}

void fp_fault_shift_operand(void *context, const struct fp_fault_operand *operand, ptrdiff_t by)
{
	((ucontext_t *)context)->uc_mcontext.gregs[fp_machine_numbers[operand->base]] += by;
}

void fp_fault_set_page_fault(void *context, const struct fp_fault_operand *operand)
{
	greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;

	registers[REG_TRAPNO] = TRAP_PAGE_FAULT;
	registers[REG_ERR] = ERROR_USER | (operand->is_written ? ERROR_WRITE : 0);
}
