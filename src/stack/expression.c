/* SPDX-License-Identifier: Apache-2.0
 *
 * A machine with a small stack. An operation that no compiler or assembler is known to use in
 * .eh_frame ends the computation, and what it was for is unknown.
 */
#include "stack/expression.h"

#include "stack/cfa_interpreter.h"
#include "stack/walk.h"

enum { DEPTH_MAX = 8 };

/* DW_OP_*. */
enum {
	READ = 0x06,
	CONST_1U = 0x08,
	CONST_1S = 0x09,
	CONST_2U = 0x0a,
	CONST_2S = 0x0b,
	CONST_4U = 0x0c,
	CONST_4S = 0x0d,
	CONST_8U = 0x0e,
	CONST_8S = 0x0f,
	CONST_U = 0x10,
	CONST_S = 0x11,
	DUPLICATE = 0x12,
	DROP = 0x13,
	AND = 0x1a,
	MINUS = 0x1c,
	MULTIPLY = 0x1e,
	OR = 0x21,
	PLUS = 0x22,
	PLUS_CONST = 0x23,
	SHIFT_LEFT = 0x24,
	SHIFT_RIGHT = 0x25,
	EQUAL = 0x29,
	NOT_LESS = 0x2a,
	GREATER = 0x2b,
	NOT_GREATER = 0x2c,
	LESS = 0x2d,
	NOT_EQUAL = 0x2e,
	LITERAL_0 = 0x30,
	LITERAL_31 = 0x4f,
	BASE_0 = 0x70,
	BASE_31 = 0x8f,
	BASE_ANY = 0x92,
	NOTHING = 0x96
};

struct computation {
	struct fp_frame_reader reader;
	struct fp_walk *walk;
	uint64_t stack[DEPTH_MAX];
	unsigned depth;
};

static void push(struct computation *run, uint64_t value)
{
	if (run->depth == DEPTH_MAX)
		run->reader.is_broken = true;
	else
		run->stack[run->depth++] = value;
}

static uint64_t pop(struct computation *run)
{
	if (run->depth > 0)
		return run->stack[--run->depth];
	run->reader.is_broken = true;
	return 0;
}

static int64_t extend(uint64_t value, unsigned bytes)
{
	unsigned shift = 64 - 8 * bytes;

	return (int64_t)(value << shift) >> shift;
}

static uint64_t take_constant(struct fp_frame_reader *reader, unsigned operation)
{
	unsigned bytes = 1U << (operation - CONST_1U) / 2;

	if (operation == CONST_U)
		return fp_frame_read_unsigned(reader);
	if (operation == CONST_S)
		return (uint64_t)fp_frame_read_signed(reader);
	uint64_t value = fp_frame_read(reader, bytes);
	return (operation - CONST_1U) % 2 == 0 ? value : (uint64_t)extend(value, bytes);
}

static void duplicate(struct computation *run)
{
	uint64_t value = pop(run);

	push(run, value);
	push(run, value);
}

static void push_register(struct computation *run, unsigned number)
{
	int64_t offset = fp_frame_read_signed(&run->reader);
	uintptr_t value;

	if (!fp_walk_register(run->walk, number, &value))
		run->reader.is_broken = true;
	else
		push(run, value + (uint64_t)offset);
}

static void read_memory(struct computation *run)
{
	uintptr_t word;

	if (!fp_walk_read(run->walk, (uintptr_t)pop(run), &word))
		run->reader.is_broken = true;
	else
		push(run, word);
}

static uint64_t combine(unsigned operation, uint64_t left, uint64_t right)
{
	switch (operation) {
	case AND:
		return left & right;
	case MINUS:
		return left - right;
	case MULTIPLY:
		return left * right;
	case OR:
		return left | right;
	case PLUS:
		return left + right;
	case SHIFT_LEFT:
		return right < 64 ? left << right : 0;
	case SHIFT_RIGHT:
		return right < 64 ? left >> right : 0;
	case EQUAL:
		return left == right;
	case NOT_LESS:
		return (int64_t)left >= (int64_t)right;
	case GREATER:
		return (int64_t)left > (int64_t)right;
	case NOT_GREATER:
		return (int64_t)left <= (int64_t)right;
	case LESS:
		return (int64_t)left < (int64_t)right;
	default: /* NOT_EQUAL */
		return left != right;
	}
}

static void run_two_operands(struct computation *run, unsigned operation)
{
	uint64_t right = pop(run);
	uint64_t left = pop(run);

	push(run, combine(operation, left, right));
}

static void run_other(struct computation *run, unsigned operation)
{
	switch (operation) {
	case AND:
	case MINUS:
	case MULTIPLY:
	case OR:
	case PLUS:
	case SHIFT_LEFT:
	case SHIFT_RIGHT:
	case EQUAL ... NOT_EQUAL:
		run_two_operands(run, operation);
		break;
	case LITERAL_0 ... LITERAL_31:
		push(run, operation - LITERAL_0);
		break;
	case BASE_0 ... BASE_31:
		push_register(run, operation - BASE_0);
		break;
	case BASE_ANY:
		push_register(run, (unsigned)fp_frame_read_unsigned(&run->reader));
		break;
	case NOTHING:
		break;
	default:
		run->reader.is_broken = true;
		break;
	}
}

static void run_one(struct computation *run)
{
	unsigned operation = (unsigned)fp_frame_read(&run->reader, 1);

	switch (operation) {
	case READ:
		read_memory(run);
		break;
	case CONST_1U ... CONST_S:
		push(run, take_constant(&run->reader, operation));
		break;
	case DUPLICATE:
		duplicate(run);
		break;
	case DROP:
		pop(run);
		break;
	case PLUS_CONST:
		push(run, pop(run) + fp_frame_read_unsigned(&run->reader));
		break;
	default:
		run_other(run, operation);
		break;
	}
}

bool fp_expression_compute(const uint8_t *at, struct fp_walk *walk, uintptr_t *value)
{
	enum { LENGTH_MAX = 10 };
	struct computation run = {
	        .reader = {.at = at, .end = at + LENGTH_MAX},
	        .walk = walk,
	};
	uint64_t bytes = fp_frame_read_unsigned(&run.reader);

	run.reader.end = run.reader.at + bytes;
	push(&run, *value);
	while (!run.reader.is_broken && run.reader.at < run.reader.end)
		run_one(&run);
	*value = (uintptr_t)pop(&run);
	return !run.reader.is_broken;
}
