/* SPDX-License-Identifier: Apache-2.0
 *
 * The instructions of .eh_frame (DW_CFA_*), of which compilers use about half. They are run for
 * the frame's beginning, the frame pointer, the return address and the register that is asked
 * for; what becomes of others is passed over.
 */
#include "stack/cfa_interpreter.h"

#include "stack/cpu.h"

/* Compilers remember one row at a time, and coroutines have small stacks. */
enum { REMEMBERED_MAX = 3 };

/* The instructions of a program, run up to the row of one address. */
struct run {
	const struct fp_frame_common *common;
	struct fp_frame_reader reader;
	uintptr_t location;
	struct fp_frame_row row;
	struct fp_frame_row initial; /* what the common instructions made */
	struct fp_frame_row remembered[REMEMBERED_MAX];
	size_t depth;
};

static void give_up(struct run *run)
{
	run->reader.is_broken = true;
}

/* Where a row keeps what became of a register, or NULL when nobody asks for that one. */
static struct fp_saved *saved_in(struct run *run, struct fp_frame_row *row, uint64_t reg)
{
	if (reg == FP_CPU_REGISTER_FP)
		return &row->fp;
	if (reg == FP_CPU_REGISTER_RA)
		return &row->ra;
	return reg == run->common->asked ? &row->asked : NULL;
}

static void save(struct run *run, uint64_t reg, enum fp_saved_kind kind, int64_t value)
{
	struct fp_saved *saved = saved_in(run, &run->row, reg);

	if (saved != NULL)
		*saved = (struct fp_saved){.kind = kind, .value = value};
}

/* So many units of data in bytes; absurd numbers wrap around. */
static int64_t scale(const struct run *run, int64_t units)
{
	return (int64_t)((uint64_t)units * (uint64_t)run->common->data_unit);
}

static void save_at(struct run *run, uint64_t reg, int64_t units)
{
	save(run, reg, FP_SAVED_AT, scale(run, units));
}

static void restore(struct run *run, uint64_t reg)
{
	struct fp_saved *saved = saved_in(run, &run->row, reg);

	if (saved != NULL)
		*saved = *saved_in(run, &run->initial, reg);
}

static void set_base(struct run *run, uint64_t reg)
{
	run->row.base = FP_BASE_REGISTER;
	run->row.reg = (unsigned)reg;
}

/* Of a base that is a register; the value of an expression is where that stands. */
static void set_base_offset(struct run *run, int64_t offset)
{
	if (run->row.base != FP_BASE_REGISTER)
		give_up(run);
	else
		run->row.value = offset;
}

/* An expression is a length and so many bytes; the row has the address of the length. */
static int64_t take_expression(struct fp_frame_reader *reader)
{
	int64_t address = (int64_t)(uintptr_t)reader->at;

	fp_frame_skip(reader, fp_frame_read_unsigned(reader));
	return address;
}

static void remember(struct run *run)
{
	if (run->depth == REMEMBERED_MAX)
		give_up(run);
	else
		run->remembered[run->depth++] = run->row;
}

static void recall(struct run *run)
{
	if (run->depth == 0)
		give_up(run);
	else
		run->row = run->remembered[--run->depth];
}

/* DW_CFA_*: those with an operand in their low bits, and the others. */
enum {
	ADVANCE = 0x40,
	OFFSET = 0x80,
	RESTORE = 0xc0,
	NOTHING = 0x00,
	ADVANCE_1 = 0x02,
	ADVANCE_2 = 0x03,
	ADVANCE_4 = 0x04,
	OFFSET_EXTENDED = 0x05,
	RESTORE_EXTENDED = 0x06,
	UNDEFINED = 0x07,
	SAME_VALUE = 0x08,
	IN_REGISTER = 0x09,
	REMEMBER = 0x0a,
	RECALL = 0x0b,
	BASE = 0x0c,
	BASE_REGISTER = 0x0d,
	BASE_OFFSET = 0x0e,
	BASE_EXPRESSION = 0x0f,
	EXPRESSION = 0x10,
	OFFSET_SIGNED = 0x11,
	BASE_SIGNED = 0x12,
	BASE_OFFSET_SIGNED = 0x13,
	VALUE_EXPRESSION = 0x16,
	RETURN_IS_SIGNED = 0x2d, /* aarch64: fp_cpu_strip() takes the signature away */
	ARGUMENTS_SIZE = 0x2e
};

static void advance(struct run *run, uint64_t units)
{
	run->location += units * run->common->code_unit;
}

static void run_base(struct run *run, unsigned instruction)
{
	struct fp_frame_reader *reader = &run->reader;

	switch (instruction) {
	case BASE:
		set_base(run, fp_frame_read_unsigned(reader));
		run->row.value = (int64_t)fp_frame_read_unsigned(reader);
		break;
	case BASE_SIGNED:
		set_base(run, fp_frame_read_unsigned(reader));
		run->row.value = scale(run, fp_frame_read_signed(reader));
		break;
	case BASE_REGISTER:
		set_base(run, fp_frame_read_unsigned(reader));
		break;
	case BASE_OFFSET:
		set_base_offset(run, (int64_t)fp_frame_read_unsigned(reader));
		break;
	case BASE_OFFSET_SIGNED:
		set_base_offset(run, scale(run, fp_frame_read_signed(reader)));
		break;
	case BASE_EXPRESSION:
		run->row.base = FP_BASE_EXPRESSION;
		run->row.value = take_expression(reader);
		break;
	default:
		give_up(run);
		break;
	}
}

/* Instructions that say where a register is. */
static void run_register(struct run *run, unsigned instruction)
{
	struct fp_frame_reader *reader = &run->reader;
	uint64_t reg = fp_frame_read_unsigned(reader);

	switch (instruction) {
	case OFFSET_EXTENDED:
		save_at(run, reg, (int64_t)fp_frame_read_unsigned(reader));
		break;
	case OFFSET_SIGNED:
		save_at(run, reg, fp_frame_read_signed(reader));
		break;
	case RESTORE_EXTENDED:
		restore(run, reg);
		break;
	case UNDEFINED:
		save(run, reg, FP_SAVED_NOWHERE, 0);
		break;
	case SAME_VALUE:
		save(run, reg, FP_SAVED_NOT, 0);
		break;
	case IN_REGISTER:
		save(run, reg, FP_SAVED_IN, (int64_t)fp_frame_read_unsigned(reader));
		break;
	case EXPRESSION:
		save(run, reg, FP_SAVED_EXPRESSION, take_expression(reader));
		break;
	default:
		take_expression(reader);
		save(run, reg, FP_SAVED_OTHERWISE, 0);
		break;
	}
}

static void run_extended(struct run *run, unsigned instruction)
{
	switch (instruction) {
	case NOTHING:
	case RETURN_IS_SIGNED:
		break;
	case ADVANCE_1:
		advance(run, fp_frame_read(&run->reader, 1));
		break;
	case ADVANCE_2:
		advance(run, fp_frame_read(&run->reader, 2));
		break;
	case ADVANCE_4:
		advance(run, fp_frame_read(&run->reader, 4));
		break;
	case OFFSET_EXTENDED ... IN_REGISTER:
	case EXPRESSION:
	case OFFSET_SIGNED:
	case VALUE_EXPRESSION:
		run_register(run, instruction);
		break;
	case REMEMBER:
		remember(run);
		break;
	case RECALL:
		recall(run);
		break;
	case ARGUMENTS_SIZE:
		fp_frame_read_unsigned(&run->reader);
		break;
	default:
		run_base(run, instruction);
		break;
	}
}

static void run_one(struct run *run)
{
	unsigned instruction = (unsigned)fp_frame_read(&run->reader, 1);
	unsigned operand = instruction & 0x3f;

	switch (instruction & 0xc0) {
	case ADVANCE:
		advance(run, operand);
		break;
	case OFFSET:
		save_at(run, operand, (int64_t)fp_frame_read_unsigned(&run->reader));
		break;
	case RESTORE:
		restore(run, operand);
		break;
	default:
		run_extended(run, instruction);
		break;
	}
}

/* Runs INSTRUCTIONS up to the last one that is about the instruction so far INTO the function;
 * whether all could be read. */
static bool run_up_to(struct run *run, const struct fp_frame_reader *instructions,
                      uintptr_t into)
{
	run->reader = *instructions;
	while (!run->reader.is_broken && run->reader.at < run->reader.end &&
	       run->location <= into)
		run_one(run);
	return !run->reader.is_broken;
}

bool fp_cfa_interpret(const struct fp_frame_common *common, const struct fp_frame_reader *own,
                      uintptr_t into, struct fp_frame_row *row)
{
	struct run run = {.common = common};

	if (!run_up_to(&run, &common->instructions, into))
		return false;
	run.initial = run.row;
	if (!run_up_to(&run, own, into))
		return false;
	*row = run.row;
	return true;
}
