/* SPDX-License-Identifier: Apache-2.0
 *
 * x86-64: the instructions are followed on a machine of our own, with its own stack, through
 * calls, to the return. Where the way depends on anything the answer is not known. Nothing is
 * written.
 */
#include "fault/answer.h"

#include <string.h>

#include "base/readable.h"
#include "fault/machine_x86_64.h"

enum { STEPS_MAX = 400, STACK_WORDS = 64, CALL = 2, JUMP = 4, PUSH_NUMBER = 0x68 };

static bool depends(const struct fp_instruction *instruction)
{
	uint8_t opcode = instruction->opcode;

	if (instruction->prefixes.map == 1)
		return (opcode & 0xf0) == 0x80 || (opcode & 0xf0) == 0x40;
	return instruction->prefixes.map == 0 &&
	       ((opcode & 0xf0) == 0x70 || (opcode >= 0xe0 && opcode <= 0xe3));
}

/* Whether CODE is the part of a stub that has the loader find the function first. */
static bool is_unbound(struct fp_machine *machine, uintptr_t code)
{
	struct fp_machine there = *machine;
	struct fp_instruction instruction;

	there.pc = code;
	if (fp_machine_fetch(&there, &instruction) && instruction.prefixes.map == 1 &&
	    instruction.opcode == 0x1e && fp_machine_step(&there)) /* endbr64 */
		return fp_machine_fetch(&there, &instruction) &&
		       instruction.prefixes.map == 0 && instruction.opcode == PUSH_NUMBER;
	return instruction.prefixes.map == 0 && instruction.opcode == PUSH_NUMBER;
}

/* A function that was never called is not bound: it is taken for std::string's c_str() where
 * its argument is one. */
static bool ask_string(struct fp_machine *machine)
{
	const struct {
		const char *text;
		size_t size;
	} *string = (const void *)(uintptr_t)machine->registers[FP_RDI].number;

	if (!machine->registers[FP_RDI].is_known || !fp_is_readable(string, sizeof(*string)) ||
	    !fp_is_text_readable(string->text) || strlen(string->text) != string->size)
		return false;
	machine->registers[FP_RAX] = fp_machine_known((uintptr_t)string->text);
	machine->pc = fp_machine_pop(machine).number;
	return true;
}

static bool jump(struct fp_machine *machine, struct fp_machine_value target)
{
	if (!target.is_known)
		return false;
	if (is_unbound(machine, target.number))
		return ask_string(machine);
	machine->pc = target.number;
	return true;
}

/* Calls, and jumps through a pointer. False where it is not known how it goes on. */
static bool go_on(struct fp_machine *machine, struct fp_instruction *instruction)
{
	unsigned member = instruction->reg & 7;
	bool is_direct = instruction->prefixes.map == 0 && instruction->opcode == 0xe8;
	bool is_indirect = instruction->prefixes.map == 0 && instruction->opcode == 0xff &&
	                   (member == CALL || member == JUMP);

	if (depends(instruction))
		return false;
	if (!is_direct && !is_indirect)
		return fp_machine_step(machine);
	struct fp_machine_value target =
	        is_indirect ? fp_machine_get_rm(machine, instruction, FP_MACHINE_WORD)
	                    : fp_machine_unknown;
	machine->pc += instruction->length;
	if (is_direct)
		target = fp_machine_known(machine->pc + (uintptr_t)instruction->immediate);
	if (is_direct || member == CALL)
		fp_machine_push(machine, fp_machine_known(machine->pc));
	return jump(machine, target);
}

uintptr_t fp_fault_answer(uintptr_t function, uintptr_t object)
{
	uint64_t stack[STACK_WORDS] = {0};
	struct fp_machine machine = {.pc = function};
	struct fp_instruction instruction;

	machine.registers[FP_RDI] = fp_machine_known(object);
	machine.registers[FP_RSP] = fp_machine_known((uintptr_t)&stack[STACK_WORDS]);
	fp_machine_push(&machine, fp_machine_known(0));
	for (int steps = 0; steps < STEPS_MAX && machine.pc != 0; steps++)
		if (!fp_machine_fetch(&machine, &instruction) || !go_on(&machine, &instruction))
			return 0;
	return machine.pc == 0 && machine.registers[FP_RAX].is_known
	               ? machine.registers[FP_RAX].number
	               : 0;
}
