/* SPDX-License-Identifier: Apache-2.0
 *
 * The instructions that addresses and counters of loops are computed with, at any level of
 * optimisation. Of what vectors do only the memory counts that they write; what is not known
 * here makes its results unknown, or ends the way.
 */
#include "fault/machine_x86_64.h"

enum { STEP_IN_REACH = 4096, WORD = FP_MACHINE_WORD, CL = 1 };

/* The first three bits of an arithmetic opcode, or its group's member. */
enum { ADD, OR, ADC, SBB, AND, SUB, XOR, CMP };
enum { SHL = 4, SHR = 5, SAL = 6, SAR = 7 };

/* ---- What instructions compute -------------------------------------------------------------
 */

static struct fp_machine_value compute(unsigned operation, struct fp_machine_value a,
                                       struct fp_machine_value b)
{
	bool is_known = a.is_known && b.is_known;

	switch (operation) {
	case ADD:
		return (struct fp_machine_value){a.number + b.number, is_known};
	case OR:
		return (struct fp_machine_value){a.number | b.number, is_known};
	case AND:
		return (struct fp_machine_value){a.number & b.number, is_known};
	case SUB:
		return (struct fp_machine_value){a.number - b.number, is_known};
	case XOR:
		return (struct fp_machine_value){a.number ^ b.number, is_known};
	default:
		return fp_machine_unknown;
	}
}

static void arithmetic(struct fp_machine *machine, const struct fp_instruction *instruction)
{
	unsigned operation = instruction->opcode >> 3 & 7;
	unsigned form = instruction->opcode & 7;
	unsigned bytes = (form & 1) != 0 ? fp_machine_operand_bytes(instruction) : 1;
	bool is_clear = operation == XOR && !instruction->is_memory && form < 4 &&
	                instruction->reg == instruction->rm;

	if (operation == CMP)
		return;
	if (form >= 4) {
		fp_machine_set(machine, instruction, FP_RAX, bytes,
		               compute(operation,
		                       fp_machine_get(machine, instruction, FP_RAX, bytes),
		                       fp_machine_known((uint64_t)instruction->immediate)));
		return;
	}
	struct fp_machine_value rm = fp_machine_get_rm(machine, instruction, bytes);
	struct fp_machine_value reg =
	        fp_machine_get(machine, instruction, instruction->reg, bytes);
	if (form < 2)
		fp_machine_set_rm(machine, instruction, bytes,
		                  is_clear ? fp_machine_known(0) : compute(operation, rm, reg));
	else
		fp_machine_set(machine, instruction, instruction->reg, bytes,
		               is_clear ? fp_machine_known(0) : compute(operation, reg, rm));
}

static void arithmetic_with_number(struct fp_machine *machine,
                                   const struct fp_instruction *instruction)
{
	unsigned bytes =
	        (instruction->opcode & 1) != 0 ? fp_machine_operand_bytes(instruction) : 1;
	unsigned operation = instruction->reg & 7;

	if (operation != CMP)
		fp_machine_set_rm(machine, instruction, bytes,
		                  compute(operation,
		                          fp_machine_get_rm(machine, instruction, bytes),
		                          fp_machine_known((uint64_t)instruction->immediate)));
}

static void shift(struct fp_machine *machine, const struct fp_instruction *instruction)
{
	unsigned bytes =
	        (instruction->opcode & 1) != 0 ? fp_machine_operand_bytes(instruction) : 1;
	struct fp_machine_value value = fp_machine_get_rm(machine, instruction, bytes);
	struct fp_machine_value count = fp_machine_known((uint64_t)instruction->immediate);

	if (instruction->opcode >= 0xd2)
		count = fp_machine_get(machine, instruction, CL, bytes > 1 ? bytes : 2);
	else if (instruction->opcode >= 0xd0)
		count = fp_machine_known(1);
	count.number &= bytes == WORD ? 63 : 31;
	value.is_known = value.is_known && count.is_known;
	switch (instruction->reg & 7) {
	case SHL:
	case SAL:
		value.number <<= count.number;
		break;
	case SHR:
		value.number >>= count.number;
		break;
	case SAR:
		value.number = (uint64_t)((int64_t)fp_machine_extend(value.number, bytes) >>
		                          count.number);
		break;
	default:
		value.is_known = false;
	}
	fp_machine_set_rm(machine, instruction, bytes, value);
}

static void multiply(struct fp_machine *machine, const struct fp_instruction *instruction,
                     struct fp_machine_value by)
{
	unsigned bytes = fp_machine_operand_bytes(instruction);
	struct fp_machine_value value = fp_machine_get_rm(machine, instruction, bytes);

	value.number *= by.number;
	value.is_known = value.is_known && by.is_known;
	fp_machine_set(machine, instruction, instruction->reg, bytes, value);
}

static void move_extended(struct fp_machine *machine, const struct fp_instruction *instruction,
                          unsigned from, bool is_signed)
{
	struct fp_machine_value value = fp_machine_get_rm(machine, instruction, from);

	if (is_signed)
		value.number = fp_machine_extend(value.number, from);
	fp_machine_set(machine, instruction, instruction->reg,
	               fp_machine_operand_bytes(instruction), value);
}

/* The groups of f6 and f7: test, not, neg; and the multiplications and divisions, of rax. */
static void unary(struct fp_machine *machine, const struct fp_instruction *instruction)
{
	unsigned bytes =
	        (instruction->opcode & 1) != 0 ? fp_machine_operand_bytes(instruction) : 1;
	struct fp_machine_value value = fp_machine_get_rm(machine, instruction, bytes);
	unsigned operation = instruction->reg & 7;

	if (operation >= 4) {
		machine->registers[FP_RAX] = fp_machine_unknown;
		machine->registers[FP_RDX] = fp_machine_unknown;
	} else if (operation >= 2) {
		value.number = operation == 2 ? ~value.number : -value.number;
		fp_machine_set_rm(machine, instruction, bytes, value);
	}
}

static void widen(struct fp_machine *machine, const struct fp_instruction *instruction)
{
	unsigned bytes = fp_machine_operand_bytes(instruction);
	struct fp_machine_value rax = machine->registers[FP_RAX];

	if (instruction->opcode == 0x98) {
		rax.number = fp_machine_extend(rax.number, bytes / 2);
		fp_machine_set(machine, instruction, FP_RAX, bytes, rax);
		return;
	}
	rax.number = (int64_t)fp_machine_extend(rax.number, bytes) < 0 ? UINT64_MAX : 0;
	fp_machine_set(machine, instruction, FP_RDX, bytes, rax);
}

/* ---- Where it goes on ----------------------------------------------------------------------
 */

static void branch(struct fp_machine *machine, const struct fp_instruction *instruction)
{
	uintptr_t target = machine->pc + (uintptr_t)instruction->immediate;

	if (target < machine->pc && target <= machine->home)
		machine->pc = target;
}

/* What a function may change. It is gone into when home is in it, which was returned from. */
static void call(struct fp_machine *machine, const struct fp_instruction *instruction)
{
	static const uint8_t changed[] = {FP_RAX, FP_RCX, FP_RDX, FP_RSI, FP_RDI, 8, 9, 10, 11};
	uintptr_t target = machine->pc + (uintptr_t)instruction->immediate;

	if (instruction->opcode == 0xe8 && machine->returns > 0 &&
	    machine->home - target < STEP_IN_REACH) {
		fp_machine_push(machine, fp_machine_known(machine->pc));
		machine->pc = target;
		machine->returns--;
		return;
	}
	for (size_t i = 0; i < sizeof(changed); i++)
		machine->registers[changed[i]] = fp_machine_unknown;
}

static bool go_back(struct fp_machine *machine)
{
	struct fp_machine_value pc = fp_machine_pop(machine);

	machine->pc = pc.number;
	machine->returns++;
	return pc.is_known;
}

/* The groups of fe and ff. */
static bool step_group_5(struct fp_machine *machine, const struct fp_instruction *instruction)
{
	unsigned bytes =
	        (instruction->opcode & 1) != 0 ? fp_machine_operand_bytes(instruction) : 1;
	unsigned operation = instruction->reg & 7;

	switch (operation) {
	case 0:
	case 1:
		fp_machine_set_rm(machine, instruction, bytes,
		                  compute(operation == 0 ? ADD : SUB,
		                          fp_machine_get_rm(machine, instruction, bytes),
		                          fp_machine_known(1)));
		return true;
	case 2:
		call(machine, instruction);
		return true;
	case 6:
		fp_machine_push(machine, fp_machine_get_rm(machine, instruction, WORD));
		return true;
	default:
		return false;
	}
}

/* ---- By opcode -----------------------------------------------------------------------------
 */

static bool step_move(struct fp_machine *machine, const struct fp_instruction *instruction)
{
	uint8_t opcode = instruction->opcode;
	unsigned bytes = (opcode & 1) != 0 ? fp_machine_operand_bytes(instruction) : 1;
	unsigned upper = (instruction->prefixes.high & 1) << 3;

	if (opcode >= 0xb0 && opcode <= 0xbf) {
		bytes = opcode < 0xb8 ? 1 : fp_machine_operand_bytes(instruction);
		fp_machine_set(machine, instruction, (opcode & 7) | upper, bytes,
		               fp_machine_known((uint64_t)instruction->immediate));
		return true;
	}
	switch (opcode) {
	case 0x88:
	case 0x89:
		fp_machine_set_rm(
		        machine, instruction, bytes,
		        fp_machine_get(machine, instruction, instruction->reg, bytes));
		return true;
	case 0x8a:
	case 0x8b:
		fp_machine_set(machine, instruction, instruction->reg, bytes,
		               fp_machine_get_rm(machine, instruction, bytes));
		return true;
	case 0x8d:
		fp_machine_set(machine, instruction, instruction->reg,
		               fp_machine_operand_bytes(instruction),
		               fp_machine_address(machine, instruction, 0));
		return true;
	case 0xc6:
	case 0xc7:
		fp_machine_set_rm(machine, instruction, bytes,
		                  fp_machine_known((uint64_t)instruction->immediate));
		return true;
	default:
		return false;
	}
}

static bool step_stack(struct fp_machine *machine, const struct fp_instruction *instruction)
{
	uint8_t opcode = instruction->opcode;
	unsigned number = (opcode & 7) | (instruction->prefixes.high & 1) << 3;

	switch (opcode) {
	case 0x68:
	case 0x6a:
		fp_machine_push(machine, fp_machine_known((uint64_t)instruction->immediate));
		return true;
	case 0xc2:
	case 0xc3:
		return go_back(machine);
	case 0xc9:
		machine->registers[FP_RSP] = machine->registers[FP_RBP];
		machine->registers[FP_RBP] = fp_machine_pop(machine);
		return true;
	default:
		if (opcode < 0x58)
			fp_machine_push(machine, machine->registers[number]);
		else
			machine->registers[number] = fp_machine_pop(machine);
		return true;
	}
}

static bool step_flow(struct fp_machine *machine, const struct fp_instruction *instruction)
{
	switch (instruction->opcode) {
	case 0xe8:
		call(machine, instruction);
		return true;
	case 0xe9:
	case 0xeb:
		machine->pc += (uintptr_t)instruction->immediate;
		return true;
	case 0xfe:
	case 0xff:
		return step_group_5(machine, instruction);
	default:
		branch(machine, instruction);
		return true;
	}
}

static bool step_one_byte(struct fp_machine *machine, const struct fp_instruction *instruction)
{
	uint8_t opcode = instruction->opcode;

	if (opcode < 0x40 && (opcode & 7) < 6) {
		arithmetic(machine, instruction);
		return true;
	}
	if ((opcode & 0xf0) == 0x50 || opcode == 0x68 || opcode == 0x6a || opcode == 0xc2 ||
	    opcode == 0xc3 || opcode == 0xc9)
		return step_stack(machine, instruction);
	if ((opcode & 0xf0) == 0x70 || opcode >= 0xfe || opcode == 0xe8 || opcode == 0xe9 ||
	    opcode == 0xeb)
		return step_flow(machine, instruction);
	switch (opcode) {
	case 0x63:
		move_extended(machine, instruction, 4, true);
		return true;
	case 0x69:
	case 0x6b:
		multiply(machine, instruction,
		         fp_machine_known((uint64_t)instruction->immediate));
		return true;
	case 0x80:
	case 0x81:
	case 0x83:
		arithmetic_with_number(machine, instruction);
		return true;
	case 0x84:
	case 0x85:
	case 0x90:
	case 0xa8:
	case 0xa9:
		return true;
	case 0x98:
	case 0x99:
		widen(machine, instruction);
		return true;
	case 0xc0:
	case 0xc1:
	case 0xd0:
	case 0xd1:
	case 0xd2:
	case 0xd3:
		shift(machine, instruction);
		return true;
	case 0xf6:
	case 0xf7:
		unary(machine, instruction);
		return true;
	default:
		return step_move(machine, instruction);
	}
}

/* Of vectors: nothing but what they write to memory, and to a register, is unknown then. */
static void step_vector(struct fp_machine *machine, const struct fp_instruction *instruction,
                        unsigned bytes)
{
	uint8_t opcode = instruction->opcode;
	bool is_move_word = opcode == 0x7e && !instruction->prefixes.has_f3;
	bool is_store = opcode == 0x11 || opcode == 0x13 || opcode == 0x17 || opcode == 0x29 ||
	                opcode == 0x2b || opcode == 0x7f || opcode == 0xd6 || opcode == 0xe7 ||
	                is_move_word;

	if (is_store && instruction->is_memory)
		fp_machine_store(machine, fp_machine_address(machine, instruction, bytes),
		                 bytes, fp_machine_unknown);
	else if (is_move_word)
		machine->registers[instruction->rm] = fp_machine_unknown;
	if (opcode == 0x2c || opcode == 0x2d || opcode == 0x50 || opcode == 0xd7 ||
	    opcode == 0xc5)
		machine->registers[instruction->reg] = fp_machine_unknown;
}

static bool step_two_bytes(struct fp_machine *machine, const struct fp_instruction *instruction,
                           unsigned bytes)
{
	uint8_t opcode = instruction->opcode;

	if (opcode == 0x05 || opcode == 0x0b || opcode == 0x34 || opcode == 0xa2)
		return false;
	if ((opcode & 0xf0) == 0x80) {
		branch(machine, instruction);
	} else if ((opcode & 0xf6) == 0xb6) {
		move_extended(machine, instruction, (opcode & 1) != 0 ? 2 : 1, opcode >= 0xbe);
	} else if (opcode == 0xaf) {
		multiply(machine, instruction,
		         fp_machine_get(machine, instruction, instruction->reg,
		                        fp_machine_operand_bytes(instruction)));
	} else if ((opcode & 0xf0) == 0x40 || opcode == 0xb8 || opcode == 0xbc ||
	           opcode == 0xbd) {
		machine->registers[instruction->reg] = fp_machine_unknown;
	} else if ((opcode & 0xf0) == 0x90) {
		fp_machine_set_rm(machine, instruction, 1, fp_machine_unknown);
	} else if ((opcode & 0xf8) == 0xc8) {
		machine->registers[(opcode & 7) | (instruction->prefixes.high & 1) << 3] =
		        fp_machine_unknown;
	} else if ((opcode & 0xe0) == 0xa0 || opcode == 0xc0 || opcode == 0xc1) {
		fp_machine_set_rm(machine, instruction, fp_machine_operand_bytes(instruction),
		                  fp_machine_unknown);
		machine->registers[instruction->reg] = fp_machine_unknown;
		machine->registers[FP_RAX] = fp_machine_unknown;
	} else {
		step_vector(machine, instruction, bytes);
	}
	return true;
}

static bool step_three_bytes(struct fp_machine *machine,
                             const struct fp_instruction *instruction)
{
	bool is_extract = instruction->prefixes.map == 3 && instruction->opcode >= 0x14 &&
	                  instruction->opcode <= 0x17;

	/* Of what names a third register more than that is not known. */
	if (instruction->opcode >= 0xf3 && instruction->opcode <= 0xf5)
		return false;
	if (instruction->opcode >= 0xf0)
		machine->registers[instruction->reg] = fp_machine_unknown;
	if (is_extract)
		fp_machine_set_rm(machine, instruction, WORD, fp_machine_unknown);
	return true;
}

bool fp_machine_step(struct fp_machine *machine)
{
	struct fp_instruction instruction;

	if (!fp_machine_fetch(machine, &instruction))
		return false;
	const uint8_t *code = (const uint8_t *)machine->pc;
	/* What it counts from the next one, it counts from there from now on. */
	machine->pc += instruction.length;
	instruction.length = 0;
	switch (instruction.prefixes.map) {
	case 0:
		return step_one_byte(machine, &instruction);
	case 1:
		return step_two_bytes(machine, &instruction, fp_instruction_bytes(code));
	default:
		return step_three_bytes(machine, &instruction);
	}
}
