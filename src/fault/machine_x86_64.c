/* SPDX-License-Identifier: Apache-2.0
 *
 * The instructions that addresses and counters of loops are computed with, at any level of
 * optimisation. Of what vectors do only the memory counts that they write; what is not known
 * here makes its results fp_machine_unknown, or ends the way. Nothing is written, and nothing
 * read that cannot be.
 */
#include "fault/machine_x86_64.h"

#include <string.h>
#include <ucontext.h>

#include "base/align.h"
#include "base/readable.h"
#include "stack/stack.h"

enum { CODE_PAGE = 4096, WORD = FP_MACHINE_WORD };

static uint64_t cut(uint64_t number, unsigned bytes)
{
	return bytes >= WORD ? number : number & (((uint64_t)1 << 8 * bytes) - 1);
}

uint64_t fp_machine_extend(uint64_t number, unsigned bytes)
{
	unsigned unused = 64 - 8 * bytes;

	return bytes >= WORD ? number : (uint64_t)((int64_t)(number << unused) >> unused);
}

static bool can_read(struct fp_machine *machine, uintptr_t start, size_t bytes)
{
	uintptr_t page = fp_align_down(start, CODE_PAGE);

	if (page != machine->readable || fp_align_down(start + bytes - 1, CODE_PAGE) != page) {
		if (!fp_is_readable((const void *)start, bytes))
			return false;
		machine->readable = page;
	}
	return true;
}

const int fp_machine_numbers[FP_INSTRUCTION_REGISTERS] = {
        REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
        REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};

void fp_machine_begin(const void *context, struct fp_machine *machine)
{
	const greg_t *values = ((const ucontext_t *)context)->uc_mcontext.gregs;

	memset(machine, 0, sizeof(*machine));
	for (size_t i = 0; i < FP_INSTRUCTION_REGISTERS; i++)
		machine->registers[i] =
		        fp_machine_known((uint64_t)values[fp_machine_numbers[i]]);
	machine->pc = (uintptr_t)values[REG_RIP];
	machine->home = machine->pc;
}

bool fp_machine_fetch(struct fp_machine *machine, struct fp_instruction *instruction)
{
	uint8_t code[FP_INSTRUCTION_MAX] = {0};
	size_t bytes = sizeof(code);

	/* The last one before a page that is not there. */
	if (!can_read(machine, machine->pc, bytes))
		bytes = CODE_PAGE - machine->pc % CODE_PAGE;
	if (!can_read(machine, machine->pc, bytes < sizeof(code) ? bytes : sizeof(code)))
		return false;
	memcpy(code, (const void *)machine->pc, bytes < sizeof(code) ? bytes : sizeof(code));
	return fp_instruction_read(code, instruction);
}

/* ---- Registers and memory ------------------------------------------------------------------
 */

unsigned fp_machine_operand_bytes(const struct fp_instruction *instruction)
{
	if (instruction->prefixes.has_rex_w)
		return WORD;
	return instruction->prefixes.has_66 ? 2 : 4;
}

/* Whether it is the upper half of a word: ah and its kin. */
static bool is_upper_byte(const struct fp_instruction *instruction, unsigned number,
                          unsigned bytes)
{
	return bytes == 1 && number >= FP_RSP && number <= FP_RDI &&
	       !instruction->prefixes.has_rex && instruction->prefixes.vector_bytes == 0;
}

struct fp_machine_value fp_machine_get(const struct fp_machine *machine,
                                       const struct fp_instruction *instruction,
                                       unsigned number, unsigned bytes)
{
	struct fp_machine_value value = machine->registers[number];

	if (is_upper_byte(instruction, number, bytes))
		return fp_machine_unknown;
	value.number = cut(value.number, bytes);
	return value;
}

void fp_machine_set(struct fp_machine *machine, const struct fp_instruction *instruction,
                    unsigned number, unsigned bytes, struct fp_machine_value value)
{
	struct fp_machine_value *to = &machine->registers[number];

	if (is_upper_byte(instruction, number, bytes)) {
		machine->registers[number - FP_RSP] = fp_machine_unknown;
		return;
	}
	if (bytes >= 4) {
		*to = value;
		to->number = cut(value.number, bytes);
		return;
	}
	to->is_known = to->is_known && value.is_known;
	to->number = (to->number & ~cut(UINT64_MAX, bytes)) | cut(value.number, bytes);
}

struct fp_machine_value fp_machine_address(const struct fp_machine *machine,
                                           const struct fp_instruction *instruction,
                                           unsigned bytes)
{
	const struct fp_prefixes *prefixes = &instruction->prefixes;
	struct fp_machine_value sum =
	        fp_machine_known((uint64_t)(int64_t)instruction->distance);

	if (!instruction->is_memory || prefixes->is_elsewhere)
		return fp_machine_unknown;
	if (prefixes->is_evex && instruction->has_short_distance)
		sum.number *= bytes;
	if (instruction->is_relative)
		sum.number += machine->pc + instruction->length;
	if (instruction->base != FP_NO_REGISTER) {
		sum.number += machine->registers[instruction->base].number;
		sum.is_known &= machine->registers[instruction->base].is_known;
	}
	if (instruction->index != FP_NO_REGISTER) {
		sum.number += machine->registers[instruction->index].number
		              << instruction->scale;
		sum.is_known &= machine->registers[instruction->index].is_known;
	}
	return sum;
}

static struct fp_machine_value load(struct fp_machine *machine, struct fp_machine_value address,
                                    unsigned bytes)
{
	uint64_t number = 0;
	unsigned oldest =
	        machine->stored > FP_MACHINE_STORES ? machine->stored - FP_MACHINE_STORES : 0;

	if (!address.is_known || bytes > WORD)
		return fp_machine_unknown;
	for (unsigned i = machine->stored; i > oldest; i--) {
		unsigned at = (i - 1) % FP_MACHINE_STORES;
		uintptr_t stored = machine->stores[at].address;

		if (stored == address.number && machine->stores[at].bytes >= bytes)
			return (struct fp_machine_value){
			        cut(machine->stores[at].value.number, bytes),
			        machine->stores[at].value.is_known};
		if (stored < address.number + bytes &&
		    address.number < stored + machine->stores[at].bytes)
			return fp_machine_unknown;
	}
	/* A page that another thread steps over is closed again at any time. */
	if (!fp_is_readable((const void *)address.number, bytes) ||
	    !fp_stack_read(&number, address.number, bytes))
		return fp_machine_unknown;
	return fp_machine_known(number);
}

void fp_machine_store(struct fp_machine *machine, struct fp_machine_value address,
                      unsigned bytes, struct fp_machine_value value)
{
	unsigned at = machine->stored % FP_MACHINE_STORES;

	machine->is_lost = machine->is_lost || !address.is_known;
	if (!address.is_known)
		return;
	machine->stores[at].address = address.number;
	machine->stores[at].bytes = bytes;
	machine->stores[at].value = bytes <= WORD ? value : fp_machine_unknown;
	machine->stored++;
}

struct fp_machine_value fp_machine_get_rm(struct fp_machine *machine,
                                          const struct fp_instruction *instruction,
                                          unsigned bytes)
{
	if (!instruction->is_memory)
		return fp_machine_get(machine, instruction, instruction->rm, bytes);
	return load(machine, fp_machine_address(machine, instruction, bytes), bytes);
}

void fp_machine_set_rm(struct fp_machine *machine, const struct fp_instruction *instruction,
                       unsigned bytes, struct fp_machine_value value)
{
	if (instruction->is_memory)
		fp_machine_store(machine, fp_machine_address(machine, instruction, bytes),
		                 bytes, value);
	else
		fp_machine_set(machine, instruction, instruction->rm, bytes, value);
}

void fp_machine_push(struct fp_machine *machine, struct fp_machine_value value)
{
	machine->registers[FP_RSP].number -= WORD;
	fp_machine_store(machine, machine->registers[FP_RSP], WORD, value);
}

struct fp_machine_value fp_machine_pop(struct fp_machine *machine)
{
	struct fp_machine_value value = load(machine, machine->registers[FP_RSP], WORD);

	machine->registers[FP_RSP].number += WORD;
	return value;
}
