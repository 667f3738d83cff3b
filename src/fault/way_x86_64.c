/* SPDX-License-Identifier: Apache-2.0
 *
 * x86-64: a loop is one when the instruction comes back to itself, twice, with addresses that
 * lie equally far apart; what the compiler made of one copy are neighbouring accesses through
 * one register; and the C library's functions keep in registers what they were given.
 */
#include "fault/way.h"

#include <string.h>
#include <ucontext.h>

#include "base/readable.h"
#include "fault/machine_x86_64.h"
#include "stack/stack.h"

enum { STEPS_MAX = 500, REACH = 16 << 10, RETURNS_MAX = 3, RANGES_MAX = 40 };

/* Nothing larger is copied. */
#define SIZE_MAX_OF_CALL ((uintptr_t)1 << 40)

/* The string instructions, which registers count for. */
static bool is_repeated(const struct fp_instruction *instruction)
{
	uint8_t opcode = instruction->opcode;

	return instruction->prefixes.map == 0 &&
	       (instruction->prefixes.has_f3 || instruction->prefixes.has_f2) &&
	       ((opcode >= 0xa4 && opcode <= 0xa7) || (opcode >= 0xaa && opcode <= 0xaf));
}

/* Whether it accesses the memory of its operand. */
static bool accesses(const struct fp_instruction *instruction)
{
	bool is_address = instruction->prefixes.map == 0 && instruction->opcode == 0x8d;
	bool is_hint = instruction->prefixes.map == 1 &&
	               (instruction->opcode == 0x0d ||
	                (instruction->opcode >= 0x18 && instruction->opcode <= 0x1f));

	return instruction->is_memory && !is_address && !is_hint;
}

/* ---- Loops ---------------------------------------------------------------------------------
 */

static bool go_around(struct fp_machine *machine)
{
	for (int steps = 0; steps < STEPS_MAX; steps++) {
		if (!fp_machine_step(machine) || machine->returns > RETURNS_MAX)
			return false;
		if (machine->pc == machine->home)
			return machine->returns == 0;
	}
	return false;
}

/* From one access to the next, and as far from that to the one after it; else 0. */
static intptr_t find_stride(const struct fp_machine *interrupted,
                            const struct fp_instruction *instruction, unsigned bytes)
{
	struct fp_machine machine = *interrupted;
	struct fp_machine_value at[3];

	for (int i = 0; i < 3; i++) {
		if (i > 0 && !go_around(&machine))
			return 0;
		at[i] = fp_machine_address(&machine, instruction, bytes);
		if (!at[i].is_known)
			return 0;
	}
	intptr_t stride = (intptr_t)(at[1].number - at[0].number);
	return at[2].number - at[1].number == (uint64_t)stride ? stride : 0;
}

/* ---- Neighbours ----------------------------------------------------------------------------
 */

/* What instructions of one straight piece of code access through one register. */
struct run {
	unsigned base;
	uintptr_t zero; /* what they count from */
	unsigned count;
	struct range {
		uintptr_t start;
		uintptr_t end;
	} ranges[RANGES_MAX];
};

static void add_range(struct run *run, uintptr_t start, uintptr_t end)
{
	if (run->count < RANGES_MAX)
		run->ranges[run->count++] = (struct range){start, end};
}

static bool is_flow(const struct fp_instruction *instruction)
{
	uint8_t opcode = instruction->opcode;

	if (instruction->prefixes.map == 1)
		return (opcode & 0xf0) == 0x80;
	return instruction->prefixes.map == 0 &&
	       ((opcode & 0xf0) == 0x70 || (opcode & 0xfe) == 0xc2 || (opcode & 0xf0) == 0xe0 ||
	        opcode == 0xff);
}

static bool is_vector(const struct fp_instruction *instruction)
{
	uint8_t opcode = instruction->opcode;

	return instruction->prefixes.map >= 2 ||
	       (instruction->prefixes.map == 1 &&
	        ((opcode >= 0x10 && opcode < 0x40) || (opcode >= 0x50 && opcode < 0x80) ||
	         opcode >= 0xd0));
}

/* Without an operand byte. */
static bool may_change_named(const struct fp_instruction *instruction, unsigned number)
{
	uint8_t opcode = instruction->opcode;
	unsigned named = (opcode & 7) | (instruction->prefixes.high & 1) << 3;

	if ((opcode & 0xf0) == 0x50)
		return number == FP_RSP || (opcode >= 0x58 && named == number);
	if ((opcode & 0xf0) == 0xb0 || opcode == 0x90)
		return opcode != 0x90 && named == number;
	return opcode >= 0x40 || number == FP_RAX;
}

static bool may_change(const struct fp_instruction *instruction, unsigned number)
{
	uint8_t opcode = instruction->opcode;
	bool is_one_byte = instruction->prefixes.map == 0;
	bool is_result = !is_one_byte || (opcode < 0x40 && (opcode & 6) == 2) ||
	                 opcode == 0x63 || (opcode & 0xfd) == 0x69 || (opcode & 0xfe) == 0x86 ||
	                 (opcode & 0xfe) == 0x8a || opcode == 0x8d;

	if (is_vector(instruction))
		return false;
	if (!instruction->has_operand)
		return may_change_named(instruction, number);
	return (is_result && instruction->reg == number) ||
	       (!instruction->is_memory && instruction->rm == number && opcode != 0x84 &&
	        opcode != 0x85);
}

static void add_operand(struct run *run, const struct fp_instruction *instruction,
                        unsigned bytes)
{
	uintptr_t start = run->zero + (uintptr_t)(intptr_t)instruction->distance;

	if (accesses(instruction) && instruction->base == run->base &&
	    instruction->index == FP_NO_REGISTER)
		add_range(run, start, start + bytes);
}

/* Of the code from FROM to the interrupted instruction; after a branch, of what follows it. */
static void add_before(struct run *run, uintptr_t from, uintptr_t to)
{
	struct fp_machine machine = {.pc = from};
	struct fp_instruction instruction;

	while (machine.pc < to && fp_machine_fetch(&machine, &instruction)) {
		add_operand(run, &instruction,
		            fp_instruction_bytes((const uint8_t *)machine.pc));
		if (is_flow(&instruction) || may_change(&instruction, run->base))
			run->count = 0;
		machine.pc += instruction.length;
	}
	if (machine.pc != to)
		run->count = 0;
}

/* What follows, until a branch; at last a repeated string instruction, which counts up. */
static void add_after(struct run *run, const struct fp_machine *interrupted,
                      enum fp_access access)
{
	struct fp_machine machine = *interrupted;
	struct fp_instruction instruction;
	bool is_same = true;

	for (int steps = 0; steps < STEPS_MAX; steps++) {
		if (!fp_machine_fetch(&machine, &instruction) || is_flow(&instruction))
			return;
		unsigned bytes = fp_instruction_bytes((const uint8_t *)machine.pc);
		if (is_repeated(&instruction)) {
			const struct fp_machine_value *registers = machine.registers;
			unsigned number = access == FP_ACCESS_WRITE ? FP_RDI : FP_RSI;

			if (registers[number].is_known && registers[FP_RCX].is_known)
				add_range(run, registers[number].number,
				          registers[number].number +
				                  registers[FP_RCX].number * bytes);
			return;
		}
		if (is_same)
			add_operand(run, &instruction, bytes);
		is_same = is_same && !may_change(&instruction, run->base);
		if (!fp_machine_step(&machine))
			return;
	}
}

/* Where that begins which ACCESS is a part of without a gap: what a compiler makes of one copy.
 */
static uintptr_t find_run(const struct fp_machine *interrupted,
                          const struct fp_instruction *instruction,
                          const struct fp_fault_access *access)
{
	uintptr_t function = fp_stack_function_start(interrupted->pc);
	struct range all = {access->start, access->start + access->size};
	struct run run = {.base = instruction->base};
	bool is_more = true;

	if (instruction->base == FP_NO_REGISTER || instruction->index != FP_NO_REGISTER)
		return all.start;
	run.zero = access->start - (uintptr_t)(intptr_t)instruction->distance;
	if (function != 0 && interrupted->pc - function <= REACH)
		add_before(&run, function, interrupted->pc);
	add_after(&run, interrupted, access->access);
	while (is_more) {
		is_more = false;
		for (unsigned i = 0; i < run.count; i++) {
			const struct range *range = &run.ranges[i];

			if (range->start > all.end || range->end < all.start ||
			    (range->start >= all.start && range->end <= all.end))
				continue;
			all.start = range->start < all.start ? range->start : all.start;
			all.end = range->end > all.end ? range->end : all.end;
			is_more = true;
		}
	}
	return all.start;
}

/* ---- The C library -------------------------------------------------------------------------
 */

/* Whether the access can be one of SIZE bytes from START on. */
static bool fits(const struct fp_fault_access *access, uintptr_t start, uintptr_t size)
{
	return size != 0 && size < SIZE_MAX_OF_CALL && access->address - start < size;
}

/* What memcpy and its kin keep where they were given it, and "rep movsb" counts. */
static void read_sizes(const struct fp_machine *machine,
                       const struct fp_instruction *instruction, struct fp_fault_access *access)
{
	const struct fp_machine_value *registers = machine->registers;
	uintptr_t done = registers[FP_RDI].number - registers[FP_RAX].number;
	uintptr_t size = registers[FP_RDX].number;

	if (is_repeated(instruction) && done < SIZE_MAX_OF_CALL) {
		size = done + registers[FP_RCX].number;
		if (access->access == FP_ACCESS_READ)
			access->given[0] -= done;
	}
	for (size_t i = 0; i < FP_FAULT_GIVEN && access->call_size == 0; i++)
		if (fits(access, access->given[i], size))
			access->call_size = size;
}

/* The arguments of the call that led here, as far as the caller's straight code before it and
 * the registers that are kept across calls tell: functions on memory save none. */
static bool find_arguments(const struct fp_machine *interrupted, struct fp_machine *caller)
{
	static const uint8_t kept[] = {FP_RBX, FP_RSP, FP_RBP, 12, 13, 14, 15};
	uintptr_t *return_address = (uintptr_t *)interrupted->registers[FP_RSP].number;

	if (!fp_is_readable(return_address, sizeof(*return_address)))
		return false;
	uintptr_t at = fp_stack_function_start(*return_address - 1);
	uintptr_t from = at;
	struct fp_instruction instruction = {0};

	if (at == 0 || *return_address - at > REACH)
		return false;
	memset(caller, 0, sizeof(*caller));
	for (caller->pc = at; caller->pc < *return_address; caller->pc += instruction.length) {
		if (caller->pc != at && is_flow(&instruction))
			from = caller->pc;
		at = caller->pc;
		if (!fp_machine_fetch(caller, &instruction))
			return false;
	}
	if (caller->pc != *return_address || !is_flow(&instruction))
		return false;
	for (size_t i = 0; i < sizeof(kept); i++)
		caller->registers[kept[i]] = interrupted->registers[kept[i]];
	caller->registers[FP_RSP].number += sizeof(*return_address);
	for (caller->pc = caller->home = from; caller->pc < at;) {
		if (!fp_machine_fetch(caller, &instruction))
			return false;
		/* Then it is not known what they were before. */
		for (size_t i = 0; i < sizeof(kept); i++)
			if (may_change(&instruction, kept[i]))
				caller->registers[kept[i]].is_known = false;
		if (!fp_machine_step(caller))
			return false;
	}
	return true;
}

static void read_arguments(const struct fp_machine *interrupted, struct fp_fault_access *access)
{
	unsigned number = access->access == FP_ACCESS_READ ? FP_RSI : FP_RDI;
	struct fp_machine caller;

	if (!find_arguments(interrupted, &caller) || !caller.registers[FP_RDX].is_known ||
	    !caller.registers[number].is_known ||
	    !fits(access, caller.registers[number].number, caller.registers[FP_RDX].number))
		return;
	access->given[0] = caller.registers[number].number;
	access->call_size = caller.registers[FP_RDX].number;
}

/* strcpy and its kin, which keep in rcx how many bytes they went back. */
static bool copies_text(uintptr_t function)
{
	const uintptr_t all[] = {(uintptr_t)strcpy, (uintptr_t)stpcpy,  (uintptr_t)strncpy,
	                         (uintptr_t)strcat, (uintptr_t)stpncpy, (uintptr_t)strncat};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (function == all[i])
			return true;
	return false;
}

static void read_call(const struct fp_machine *machine,
                      const struct fp_instruction *instruction, struct fp_fault_access *access)
{
	uintptr_t function = fp_stack_function_start(machine->pc);
	static const int kept[FP_FAULT_KEPT - 1] = {FP_RDX, FP_RCX, FP_RDI, FP_RSI};
	bool is_read = access->access == FP_ACCESS_READ;

	access->is_in_library = true;
	access->given[0] = machine->registers[is_read ? FP_RSI : FP_RAX].number;
	access->given[1] = machine->registers[FP_RDI].number;
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		access->kept[i] = machine->registers[kept[i]].number;
	if (copies_text(function))
		access->kept[FP_FAULT_KEPT - 1] =
		        access->address + machine->registers[FP_RCX].number;
	if (function != (uintptr_t)memcpy && function != (uintptr_t)memmove &&
	    function != (uintptr_t)memset)
		return;
	read_sizes(machine, instruction, access);
	if (access->call_size == 0)
		read_arguments(machine, access);
}

void fp_fault_look_back(const void *context, struct fp_fault_access *access)
{
	struct fp_machine machine;
	struct fp_instruction instruction;

	fp_machine_begin(context, &machine);
	if (access->is_fetch || !fp_machine_fetch(&machine, &instruction))
		return;
	access->is_scan = is_repeated(&instruction);
	struct fp_machine_value at =
	        fp_machine_address(&machine, &instruction, (unsigned)access->size);
	/* What begins in a page that it may access. */
	if (at.is_known && accesses(&instruction) && access->address - at.number < access->size)
		access->start = at.number;
	if (fp_stack_is_in_c_library(machine.pc)) {
		read_call(&machine, &instruction, access);
		return;
	}
	if (access->start == 0)
		return;
	access->stride = find_stride(&machine, &instruction, (unsigned)access->size);
	access->run = find_run(&machine, &instruction, access);
}
