/* SPDX-License-Identifier: Apache-2.0
 *
 * x86-64: a loop is one when the instruction comes back to itself, twice, with addresses that
 * lie equally far apart; what the compiler made of one copy are neighbouring accesses through
 * one register; and the C library's functions keep in registers what they were given.
 */
#include "fault/way.h"

#include <string.h>
#include <ucontext.h>
#include <wchar.h>

#include "base/readable.h"
#include "fault/machine_x86_64.h"
#include "stack/callee.h"
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

/* "cmp" and "test". */
static bool is_comparison(const struct fp_instruction *instruction)
{
	uint8_t opcode = instruction->opcode;

	return instruction->prefixes.map == 0 &&
	       ((opcode >= 0x38 && opcode <= 0x3d) || (opcode & 0xfe) == 0x84 ||
	        (opcode >= 0x80 && opcode <= 0x83 && (instruction->reg & 7) == 7));
}

static bool may_change(const struct fp_instruction *instruction, unsigned number)
{
	uint8_t opcode = instruction->opcode;
	bool is_one_byte = instruction->prefixes.map == 0;
	bool is_result = !is_one_byte || (opcode < 0x40 && (opcode & 6) == 2) ||
	                 opcode == 0x63 || (opcode & 0xfd) == 0x69 || (opcode & 0xfe) == 0x86 ||
	                 (opcode & 0xfe) == 0x8a || opcode == 0x8d;

	if (is_vector(instruction) || is_comparison(instruction))
		return false;
	if (!instruction->has_operand)
		return may_change_named(instruction, number);
	return (is_result && instruction->reg == number) ||
	       (!instruction->is_memory && instruction->rm == number);
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

/* What the interrupted function writes from here to its end. Which registers tell what it was
 * given differs from one implementation to the next, of which the processor gets one; what all
 * of them do is to write the last byte, and to return where the first one is. */
struct rest {
	uintptr_t end;    /* of what it writes */
	uintptr_t behind; /* how far what it reads lies from where that goes */
	bool has_behind;
	struct fp_machine_value loaded[FP_INSTRUCTION_REGISTERS]; /* vectors, from where */
};

/* A loop is gone through once, so what it changes is not known when it has ended. */
static void leave_loop(struct fp_machine *machine, const struct fp_instruction *branch)
{
	struct fp_machine loop = {.pc = machine->pc + branch->length +
	                                (uintptr_t)branch->immediate};
	struct fp_instruction instruction;

	while (loop.pc < machine->pc && fp_machine_fetch(&loop, &instruction)) {
		for (unsigned i = 0; i < FP_INSTRUCTION_REGISTERS; i++)
			if (may_change(&instruction, i))
				machine->registers[i] = fp_machine_unknown;
		loop.pc += instruction.length;
	}
}

static void note_write(struct rest *rest, uintptr_t to, size_t bytes,
                       struct fp_machine_value from)
{
	rest->end = to + bytes > rest->end ? to + bytes : rest->end;
	if (!from.is_known)
		return;
	rest->behind = from.number - to;
	rest->has_behind = true;
}

static bool repeat(struct fp_machine *machine, const struct fp_instruction *instruction,
                   struct rest *rest)
{
	struct fp_machine_value *registers = machine->registers;
	size_t count =
	        registers[FP_RCX].number * fp_instruction_bytes((const void *)machine->pc);
	bool is_move = instruction->opcode <= 0xa5;

	if (instruction->opcode > 0xab || (!is_move && instruction->opcode < 0xaa) ||
	    !registers[FP_RCX].is_known || !registers[FP_RDI].is_known)
		return false;
	note_write(rest, registers[FP_RDI].number, count,
	           is_move ? registers[FP_RSI] : fp_machine_unknown);
	registers[FP_RDI].number += count;
	registers[FP_RSI].number += is_move ? count : 0;
	registers[FP_RCX].number = 0;
	machine->pc += instruction->length;
	return true;
}

/* One instruction, and what it does of that. */
static bool step_rest(struct fp_machine *machine, const struct fp_instruction *instruction,
                      struct rest *rest)
{
	unsigned bytes = fp_instruction_bytes((const void *)machine->pc);
	struct fp_machine_value at = fp_machine_address(machine, instruction, bytes);
	struct fp_machine_value from = fp_machine_unknown;
	unsigned stored = machine->stored;

	if (is_repeated(instruction))
		return repeat(machine, instruction, rest);
	if (is_vector(instruction) && instruction->is_memory) {
		from = rest->loaded[instruction->reg];
		rest->loaded[instruction->reg] = at;
	}
	if (!fp_machine_step(machine) || machine->is_lost)
		return false;
	if (machine->stored != stored)
		note_write(rest, at.number, bytes, from);
	return true;
}

/* False when it cannot be followed to its end. */
static bool follow(struct fp_machine *machine, struct rest *rest)
{
	struct fp_instruction instruction;

	machine->home = 0;
	for (int steps = 0; steps < STEPS_MAX; steps++) {
		if (!fp_machine_fetch(machine, &instruction))
			return false;
		if (instruction.prefixes.map == 0 && instruction.opcode == 0xc3)
			return machine->registers[FP_RAX].is_known;
		if (is_flow(&instruction) && instruction.immediate < 0)
			leave_loop(machine, &instruction);
		if (!step_rest(machine, &instruction, rest))
			return false;
	}
	return false;
}

/* What memcpy and its kin were given, by what is left to be done. */
static void read_rest(const struct fp_machine *interrupted, struct fp_fault_access *access)
{
	struct fp_machine machine = *interrupted;
	struct rest rest = {0};
	bool is_read = access->access == FP_ACCESS_READ;

	if (!follow(&machine, &rest) || (is_read && !rest.has_behind))
		return;
	uintptr_t start = machine.registers[FP_RAX].number;
	uintptr_t from = start + (is_read ? rest.behind : 0);
	if (!fits(access, from, rest.end - start))
		return;
	access->given[0] = from;
	access->call_size = rest.end - start;
}

/* Sets CALLER to before the call that led here, with its arguments and its target, as far as
 * the caller's straight code before it and the registers that are kept across calls tell:
 * functions on memory save none. */
static bool go_to_caller(const struct fp_machine *interrupted, struct fp_machine *caller)
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

static void read_arguments(const struct fp_machine *interrupted,
                           const struct fp_machine *caller, unsigned unit,
                           struct fp_fault_access *access)
{
	bool is_read = access->access == FP_ACCESS_READ;

	if (!caller->registers[FP_RDX].is_known)
		return;
	struct fp_machine_value start = caller->registers[is_read ? FP_RSI : FP_RDI];
	/* They return where they write to, and some of them begin with that. */
	if (!start.is_known && !is_read)
		start = interrupted->registers[FP_RAX];
	uintptr_t size = caller->registers[FP_RDX].number * unit;
	if (!start.is_known || !fits(access, start.number, size))
		return;
	access->given[0] = start.number;
	access->call_size = size;
}

/* musl has none of them. */
#pragma weak __memcpy_chk
#pragma weak __memmove_chk
#pragma weak __memset_chk
void *__memcpy_chk(void *to, const void *from, size_t size, size_t room);
void *__memmove_chk(void *to, const void *from, size_t size, size_t room);
void *__memset_chk(void *to, int byte, size_t size, size_t room);

/* What CALLER calls through a pointer, or 0. */
static uintptr_t target_of(struct fp_machine *caller)
{
	struct fp_instruction instruction;

	if (!fp_machine_fetch(caller, &instruction) || instruction.prefixes.map != 0 ||
	    instruction.opcode != 0xff || (instruction.reg & 7) != 2)
		return 0;
	struct fp_machine_value target =
	        fp_machine_get_rm(caller, &instruction, sizeof(uintptr_t));
	return target.is_known ? target.number : 0;
}

/* The bytes that each one counts that a function on memory is called for: as the program named
 * it, for many end in the same code, of which there are several. 0: it has no size, even where
 * its code is that of one that has; or it is not known. */
static unsigned unit_of_call(const struct fp_machine *machine, struct fp_machine *caller,
                             bool is_read)
{
	const struct {
		uintptr_t start;
		uint8_t unit;
		bool is_text; /* reads no further than to its end */
	} all[] = {
	        {(uintptr_t)memcpy, 1, false},
	        {(uintptr_t)memmove, 1, false},
	        {(uintptr_t)memset, 1, false},
	        {(uintptr_t)mempcpy, 1, false},
	        {(uintptr_t)__memcpy_chk, 1, false},
	        {(uintptr_t)__memmove_chk, 1, false},
	        {(uintptr_t)__memset_chk, 1, false},
	        {(uintptr_t)wmemcpy, sizeof(wchar_t), false},
	        {(uintptr_t)wmemmove, sizeof(wchar_t), false},
	        {(uintptr_t)wmemset, sizeof(wchar_t), false},
	        {(uintptr_t)wcsncpy, sizeof(wchar_t), true},
	        {(uintptr_t)strncpy, 1, true},
	        {(uintptr_t)stpncpy, 1, true},
	        {(uintptr_t)wcscpy, 0, true},
	        {(uintptr_t)wcscat, 0, true},
	};
	const uintptr_t *return_address = (uintptr_t *)machine->registers[FP_RSP].number;
	const uintptr_t ways[] = {fp_is_readable(return_address, sizeof(*return_address))
	                                  ? fp_callee_of(*return_address)
	                                  : 0,
	                          caller != NULL ? target_of(caller) : 0,
	                          fp_stack_function_start(machine->pc)};

	for (size_t way = 0; way < sizeof(ways) / sizeof(ways[0]); way++)
		for (size_t i = 0; ways[way] != 0 && i < sizeof(all) / sizeof(all[0]); i++)
			if (all[i].start == ways[way])
				return is_read && all[i].is_text ? 0 : all[i].unit;
	return 0;
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

static void read_call(const struct fp_machine *machine, struct fp_fault_access *access)
{
	uintptr_t function = fp_stack_function_start(machine->pc);
	static const int kept[FP_FAULT_KEPT - 1] = {FP_RDX, FP_RCX, FP_RDI, FP_RSI};
	bool is_read = access->access == FP_ACCESS_READ;

	access->is_in_library = true;
	access->given[0] = machine->registers[is_read ? FP_RSI : FP_RAX].number;
	access->given[1] = machine->registers[FP_RDI].number;
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		access->kept[i] = machine->registers[kept[i]].number;
	if (copies_text(function) && machine->registers[FP_RCX].number < access->size)
		access->kept[FP_FAULT_KEPT - 1] =
		        access->address + machine->registers[FP_RCX].number;
	struct fp_machine caller;
	bool has_caller = go_to_caller(machine, &caller);
	unsigned unit = unit_of_call(machine, has_caller ? &caller : NULL, is_read);
	if (unit != 0 && has_caller)
		read_arguments(machine, &caller, unit, access);
	if (unit != 0 && access->call_size == 0)
		read_rest(machine, access);
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
		read_call(&machine, access);
		return;
	}
	if (access->start == 0)
		return;
	access->stride = find_stride(&machine, &instruction, (unsigned)access->size);
	access->run = find_run(&machine, &instruction, access);
}
