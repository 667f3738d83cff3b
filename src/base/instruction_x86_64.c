/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading instructions: prefixes, opcode, operand and immediate, as far as their lengths and
 * addresses follow from them. What an instruction does is not known here.
 */
#include "base/instruction_x86_64.h"

#include <string.h>

enum { EVEX_BROADCAST = 1 << 4 };

static const uint8_t *read_vex(const uint8_t *at, struct fp_prefixes *prefixes)
{
	static const unsigned lengths[] = {16, 32, 64, 0};
	bool is_evex = at[0] == 0x62;
	bool is_short = at[0] == 0xc5;
	unsigned last = is_evex ? at[2] : at[is_short ? 1 : 2];
	unsigned pp = last & 3;

	prefixes->map = is_short ? 1 : at[1] & (is_evex ? 7 : 31);
	prefixes->has_rex_w = !is_short && (last & 0x80) != 0;
	prefixes->is_evex = is_evex;
	prefixes->high = (uint8_t)(~at[1] >> 5 & (is_short ? 4 : 7));
	prefixes->vector_bytes = is_evex ? lengths[at[3] >> 5 & 3] : lengths[last >> 2 & 1];
	/* One element for the whole vector. */
	if (is_evex && (at[3] & EVEX_BROADCAST) != 0)
		prefixes->vector_bytes = prefixes->has_rex_w ? 8 : 4;
	prefixes->has_66 = pp == 1;
	prefixes->has_f3 = pp == 2;
	prefixes->has_f2 = pp == 3;
	return at + (is_evex ? 4 : is_short ? 2 : 3);
}

static bool read_prefix(uint8_t byte, struct fp_prefixes *prefixes)
{
	switch (byte) {
	case 0x66:
		prefixes->has_66 = true;
		return true;
	case 0xf2:
		prefixes->has_f2 = true;
		return true;
	case 0xf3:
		prefixes->has_f3 = true;
		return true;
	case 0x64:
	case 0x65:
	case 0x67:
		prefixes->is_elsewhere = true;
		return true;
	case 0x2e:
	case 0x36:
	case 0x3e:
	case 0x26:
	case 0xf0:
		return true;
	default:
		return false;
	}
}

const uint8_t *fp_instruction_prefixes(const uint8_t *at, struct fp_prefixes *prefixes)
{
	const uint8_t *end = at + FP_INSTRUCTION_MAX;

	while (at < end && read_prefix(*at, prefixes))
		at++;
	if ((*at & 0xf0) == 0x40) {
		prefixes->has_rex = true;
		prefixes->has_rex_w = (*at & 8) != 0;
		prefixes->high = *at++ & 7;
	}
	if (*at == 0xc4 || *at == 0xc5 || *at == 0x62)
		return read_vex(at, prefixes);
	if (*at != 0x0f)
		return at;
	at++;
	prefixes->map = *at == 0x38 ? 2 : *at == 0x3a ? 3 : 1;
	return prefixes->map == 1 ? at : at + 1;
}

/* Opcodes by their numbers, as bits. */
static bool is_one_of(const uint32_t bits[8], uint8_t opcode)
{
	return (bits[opcode / 32] >> opcode % 32 & 1) != 0;
}

static bool has_operand(unsigned map, uint8_t opcode)
{
	static const uint32_t one_byte[8] = {0x0f0f0f0f, 0x0f0f0f0f, 0,          0x00000a08,
	                                     0x0000ffff, 0,          0xff0f00c3, 0xc0c00000};
	static const uint32_t no_operand[8] = {0x00004b60, 0x00ff0000, 0,          0x00800000,
	                                       0x0000ffff, 0x00000707, 0x0000ff00, 0};

	if (map == 0)
		return is_one_of(one_byte, opcode);
	return map != 1 || !is_one_of(no_operand, opcode);
}

static size_t bytes_of_number(const struct fp_instruction *instruction)
{
	return instruction->prefixes.has_66 ? 2 : 4;
}

static size_t immediate_of_one_byte(const struct fp_instruction *instruction)
{
	static const uint32_t byte[8] = {0x10101010, 0x10101010, 0,          0xffff0c00,
	                                 0x0000000d, 0x00000100, 0x00302043, 0x000008ff};
	static const uint32_t number[8] = {0x20202020, 0x20202020, 0,          0x00000300,
	                                   0x00000002, 0x00000200, 0x00000080, 0};
	uint8_t opcode = instruction->opcode;

	/* Of these groups only "test" has one. */
	if (opcode == 0xf6 || opcode == 0xf7) {
		if (instruction->reg > 1)
			return 0;
		return opcode == 0xf6 ? 1 : bytes_of_number(instruction);
	}
	if (opcode == 0xe8 || opcode == 0xe9)
		return 4;
	if ((opcode & 0xf8) == 0xb0)
		return 1;
	if ((opcode & 0xf8) == 0xb8)
		return instruction->prefixes.has_rex_w ? 8 : bytes_of_number(instruction);
	if ((opcode & 0xfc) == 0xa0)
		return 8;
	if (opcode == 0xc2 || opcode == 0xca)
		return 2;
	if (opcode == 0xc8)
		return 3;
	if (is_one_of(number, opcode))
		return bytes_of_number(instruction);
	return is_one_of(byte, opcode) ? 1 : 0;
}

static size_t bytes_of_immediate(const struct fp_instruction *instruction)
{
	static const uint32_t byte_of_0f[8] = {0, 0,          0,          0x000f0000,
	                                       0, 0x04001010, 0x00000074, 0};

	switch (instruction->prefixes.map) {
	case 0:
		return immediate_of_one_byte(instruction);
	case 1:
		if ((instruction->opcode & 0xf0) == 0x80)
			return 4;
		return is_one_of(byte_of_0f, instruction->opcode) ? 1 : 0;
	case 3:
		return 1;
	default:
		return 0;
	}
}

static int64_t read_number(const uint8_t *at, size_t bytes)
{
	int64_t number = 0;
	int unused = 64 - 8 * (int)bytes;

	if (bytes == 0)
		return 0;
	memcpy(&number, at, bytes);
	return (int64_t)((uint64_t)number << unused) >> unused;
}

static uint8_t with_high(uint8_t low, const struct fp_prefixes *prefixes, unsigned bit)
{
	return (uint8_t)(low | ((prefixes->high >> bit & 1) << 3));
}

/* Behind the operand AT. */
static const uint8_t *read_operand(const uint8_t *at, struct fp_instruction *instruction)
{
	static const uint8_t bytes_of_distance[] = {0, 1, 4};
	const struct fp_prefixes *prefixes = &instruction->prefixes;
	uint8_t mode = *at >> 6;
	uint8_t low = *at & 7;

	instruction->reg = with_high(*at >> 3 & 7, prefixes, 2);
	instruction->rm = with_high(low, prefixes, 0);
	instruction->is_memory = mode != 3;
	at++;
	if (mode == 3)
		return at;
	instruction->base = instruction->rm;
	if (low == FP_RSP) {
		low = *at & 7;
		instruction->base = with_high(low, prefixes, 0);
		instruction->index = with_high(*at >> 3 & 7, prefixes, 1);
		instruction->scale = *at++ >> 6;
		if (instruction->index == FP_RSP)
			instruction->index = FP_NO_REGISTER;
	} else if (mode == 0 && low == FP_RBP) {
		instruction->is_relative = true;
	}
	size_t bytes = bytes_of_distance[mode];
	if (mode == 0 && low == FP_RBP) {
		instruction->base = FP_NO_REGISTER;
		bytes = 4;
	}
	instruction->has_short_distance = bytes == 1;
	instruction->distance = (int32_t)read_number(at, bytes);
	return at + bytes;
}

bool fp_instruction_read(const uint8_t *code, struct fp_instruction *instruction)
{
	*instruction = (struct fp_instruction){.base = FP_NO_REGISTER, .index = FP_NO_REGISTER};
	const uint8_t *at = fp_instruction_prefixes(code, &instruction->prefixes);
	instruction->opcode = *at++;
	instruction->has_operand = has_operand(instruction->prefixes.map, instruction->opcode);
	if (instruction->has_operand)
		at = read_operand(at, instruction);
	size_t bytes = bytes_of_immediate(instruction);
	instruction->immediate = read_number(at, bytes < 8 ? bytes : 8);
	instruction->length = (uint8_t)(at + bytes - code);
	return instruction->length <= FP_INSTRUCTION_MAX;
}

/* ---- Calls ---------------------------------------------------------------------------------
 */

enum { CALL = 0xe8, GROUP = 0xff, CALL_MEMBER = 2, JUMP_MEMBER = 4, ENDBR64 = 0x1e };

/* CODE in a buffer of the length that is read. */
static bool read_short(const uint8_t *code, size_t bytes, struct fp_instruction *instruction)
{
	uint8_t copy[FP_INSTRUCTION_MAX] = {0};

	memcpy(copy, code, bytes);
	return fp_instruction_read(copy, instruction) && instruction->length <= bytes;
}

static bool is_through_slot_by(const struct fp_instruction *instruction, unsigned member)
{
	return instruction->prefixes.map == 0 && instruction->opcode == GROUP &&
	       (instruction->reg & 7) == member && instruction->is_relative;
}

uint64_t fp_instruction_callee(const uint8_t *code, uint64_t return_address,
                               bool *is_through_slot)
{
	struct fp_instruction call;

	*is_through_slot = read_short(code, FP_CALL_BYTES, &call) &&
	                   call.length == FP_CALL_BYTES &&
	                   is_through_slot_by(&call, CALL_MEMBER);
	if (*is_through_slot)
		return return_address + (uint64_t)(int64_t)call.distance;
	return read_short(code + 1, FP_CALL_BYTES - 1, &call) && call.opcode == CALL &&
	                       call.length == FP_CALL_BYTES - 1
	               ? return_address + (uint64_t)call.immediate
	               : 0;
}

uint64_t fp_instruction_slot_of_stub(const uint8_t *code, uint64_t address)
{
	struct fp_instruction jump;
	size_t at = 0;

	if (read_short(code, FP_STUB_BYTES, &jump) && jump.prefixes.map == 1 &&
	    jump.opcode == ENDBR64)
		at = jump.length;
	return read_short(code + at, FP_STUB_BYTES - at, &jump) &&
	                       is_through_slot_by(&jump, JUMP_MEMBER)
	               ? address + at + jump.length + (uint64_t)(int64_t)jump.distance
	               : 0;
}
