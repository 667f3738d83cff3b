/* SPDX-License-Identifier: Apache-2.0
 *
 * A function begins with "push REGISTER", "sub $N, %rsp" and moves that save registers in the
 * frame; before its "ret" stand moves that fetch them, "add $N, %rsp" and "pop REGISTER".
 * Instructions have no fixed length, so that nothing can be decoded backwards: the nearest
 * "sub" before the address is looked at, and the first "ret" behind it that looks like that.
 */
#include "stack/frame_code.h"

#include <stddef.h>

#include "base/instruction_x86_64.h"
#include "stack/reading.h"

enum {
	REACH = 16 << 10, /* of a function's code, either way */
	LONGEST = 160,    /* of a beginning or an end, in bytes */
	CALL_MAX = 7,
	WORD = sizeof(uintptr_t),
	UPPER = 0x41, /* before "push" and "pop" of one of the upper registers */
	PUSH = 0x50,
	POP = 0x58,
	WORD_PREFIX = 0x48,
	FETCH = 0x8b,
	SAVE = 0x89,
	CHANGE = 0x81,
	CHANGE_BY_BYTE = 0x83,
	COPY = 3, /* the length of one from register to register */
	SHORT_CHANGE = 4,
	LONG_CHANGE = 7,
	GIVE = 0, /* "add" and "sub", of their group */
	TAKE = 5,
	LEA = 0x8d,
	LEA_LONG = 8, /* bytes of it with a distance of a word */
	LEAVE = 0xc9,
	CALL = 0xe8,
	CALL_BYTES = 5,
	RET = 0xc3
};

/* Code that can be read: no byte outside is looked at. */
struct code {
	const uint8_t *start;
	const uint8_t *end;
};

/* What instructions say about the frame that they make or leave. */
struct parts {
	const uint8_t *at; /* what was not read yet begins or ends there */
	uint32_t room;     /* bytes that are taken or given back */
	uint32_t words;    /* that are pushed or popped */
	uint32_t fp_word;  /* the one that is the frame pointer, counted from the caller's; 0:
	                      none */
	bool has_fp_in_room;
	uint32_t fp_in_room; /* where it is saved, from the stack pointer */
};

/* The instruction AT, of a word: what frames are made and left with. The code is copied without
 * a call of the C library's: a page may go away, and only a fault in our own code is recovered
 * from. */
static bool read(const struct code *code, const uint8_t *at, struct fp_instruction *instruction)
{
	uint8_t bytes[FP_INSTRUCTION_MAX] = {0};

	if (at < code->start || code->end - at < COPY || (at[0] & 0xfb) != WORD_PREFIX ||
	    (at[1] != SAVE && at[1] != FETCH && at[1] != CHANGE && at[1] != CHANGE_BY_BYTE))
		return false;
	for (size_t i = 0; i < sizeof(bytes) && at + i < code->end; i++)
		bytes[i] = ((const volatile uint8_t *)at)[i];
	return fp_instruction_read(bytes, instruction) && instruction->length <= code->end - at;
}

/* "push" or "pop" (BASE) of a register that ends at AT: its length, or 0. */
static size_t length_of_stacking(const struct code *code, const uint8_t *at, uint8_t base)
{
	if (at <= code->start || at > code->end || (at[-1] & 0xf8) != base)
		return 0;
	return at - 1 > code->start && at[-2] == UPPER ? 2 : 1;
}

/* The registers that are pushed or popped right before, the last of them first. */
static void read_stacking(const struct code *code, uint8_t base, struct parts *parts)
{
	size_t length;

	while ((length = length_of_stacking(code, parts->at, base)) != 0) {
		parts->words++;
		if (length == 1 && (parts->at[-1] & 7) == FP_RBP)
			parts->fp_word = parts->words;
		parts->at -= length;
	}
}

/* The length of "mov REGISTER, N(%rsp)" (SAVE) or the other way round (FETCH) AT, or 0. */
static size_t read_move(const struct code *code, const uint8_t *at, uint8_t operation,
                        struct parts *parts)
{
	struct fp_instruction move;

	if (!read(code, at, &move) || move.opcode != operation || !move.is_memory ||
	    move.base != FP_RSP || move.index != FP_NO_REGISTER)
		return 0;
	if (move.reg == FP_RBP) {
		parts->has_fp_in_room = true;
		parts->fp_in_room = (uint32_t)move.distance;
	}
	return move.length;
}

/* Whether AT the stack pointer has a number added or taken away (MEMBER); then that. */
static size_t read_room(const struct code *code, const uint8_t *at, unsigned member,
                        uint32_t *room)
{
	struct fp_instruction change;

	if (!read(code, at, &change) || change.is_memory || change.rm != FP_RSP ||
	    change.reg != member || change.opcode == SAVE || change.opcode == FETCH)
		return 0;
	*room = (uint32_t)change.immediate;
	return change.length;
}

/* "mov FROM, TO", in both ways to write it, AT. */
static bool is_copy(const struct code *code, const uint8_t *at, unsigned from, unsigned to)
{
	struct fp_instruction move;

	return read(code, at, &move) && !move.is_memory &&
	       ((move.opcode == SAVE && move.reg == from && move.rm == to) ||
	        (move.opcode == FETCH && move.reg == to && move.rm == from));
}

static bool holds(const struct parts *parts, uintptr_t sp, struct fp_frame_code *frame)
{
	uintptr_t pc;

	if (parts->room % WORD != 0 || parts->room > INT32_MAX)
		return false;
	frame->up = parts->room + (parts->words + 1) * WORD;
	frame->fp_below = 0;
	if (parts->fp_word != 0)
		frame->fp_below = (parts->fp_word + 1) * WORD;
	else if (parts->has_fp_in_room && parts->fp_in_room < parts->room)
		frame->fp_below = frame->up - parts->fp_in_room;
	return fp_read_word(sp + frame->up - WORD, &pc) && fp_frame_code_is_behind_call(pc);
}

/* ---- Ends ----------------------------------------------------------------------------------
 */

/* The instruction right before that gives room back, or takes it (MEMBER). */
static bool read_room_before(const struct code *code, unsigned member, struct parts *parts)
{
	static const size_t lengths[] = {SHORT_CHANGE, LONG_CHANGE};

	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
		if (read_room(code, parts->at - lengths[i], member, &parts->room) ==
		    lengths[i]) {
			parts->at -= lengths[i];
			return true;
		}
	return false;
}

static bool read_fetch(const struct code *code, struct parts *parts)
{
	static const size_t lengths[] = {4, 5, 8};

	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
		if (read_move(code, parts->at - lengths[i], FETCH, parts) == lengths[i]) {
			parts->at -= lengths[i];
			return true;
		}
	return false;
}

/* Whether RET, a "ret", is where a frame ends that the stack pointer alone leads out of. */
static bool read_end(const struct code *code, const uint8_t *ret, struct parts *parts)
{
	*parts = (struct parts){.at = ret};
	read_stacking(code, POP, parts);
	if (!read_room_before(code, GIVE, parts))
		return parts->words > 0;
	for (int i = 0; i < LONGEST / 4 && read_fetch(code, parts); i++)
		;
	return true;
}

/* The first that is one. */
static bool find_end(const struct code *code, uintptr_t pc, uintptr_t sp,
                     struct fp_frame_code *frame)
{
	const uint8_t *at = (const uint8_t *)pc;
	struct parts parts;

	for (; at < code->end; at++) {
		if (*at != RET)
			continue;
		bool is_end = read_end(code, at, &parts);

		if ((at > code->start && at[-1] == LEAVE) ||
		    is_copy(code, parts.at - COPY, FP_RBP, FP_RSP))
			return false;
		/* Those behind it are of other functions. */
		if (is_end)
			return holds(&parts, sp, frame);
	}
	return false;
}

/* ---- Beginnings ----------------------------------------------------------------------------
 */

/* The frame that is made around the "sub" AT. */
static void read_beginning(const struct code *code, const uint8_t *at, struct parts *parts)
{
	size_t length;

	*parts = (struct parts){.at = at};
	read_stacking(code, PUSH, parts);
	/* Read from the last on; the caller's is the first. */
	if (parts->fp_word != 0)
		parts->fp_word = parts->words - parts->fp_word + 1;
	at += read_room(code, at, TAKE, &parts->room);
	for (int i = 0; i < LONGEST / 4; i++, at += length)
		if ((length = read_move(code, at, SAVE, parts)) == 0)
			break;
}

/* "lea N(%rsp), %rbp" AT: whether it is one, and its N. */
static bool read_lea(const struct code *code, const uint8_t *at, uint32_t *distance)
{
	if (code->end - at < LEA_LONG || at[0] != WORD_PREFIX || at[1] != LEA || at[3] != 0x24)
		return false;
	*distance = at[4];
	if (at[2] == 0xac)
		*distance |= (uint32_t)at[5] << 8 | (uint32_t)at[6] << 16;
	return at[2] == 0xac || at[2] == 0x6c;
}

/* .NET's compiler pushes the frame pointer first, other registers and room behind it, and then
 * lets it point to where it is saved: records, though no copy of the stack pointer. */
static bool makes_record(const struct code *code, const uint8_t *at)
{
	struct parts parts = {.at = at};
	uint32_t distance;

	if (!read_lea(code, at, &distance))
		return false;
	if (at - code->start > 3 && at[-3] == 0xc5 && at[-2] == 0xf8 && at[-1] == 0x77)
		parts.at -= 3; /* "vzeroupper" */
	read_room_before(code, TAKE, &parts);
	read_stacking(code, PUSH, &parts);
	return parts.words > 0 && parts.fp_word == parts.words &&
	       distance == parts.room + (parts.words - 1) * WORD;
}

/* Whether what follows AT calls a clause of the function, as Mono does: the clause saves the
 * stack pointer where the frame pointer leads. */
static bool calls_clause(const struct code *code, const uint8_t *at)
{
	const volatile uint8_t *call = at;
	struct fp_instruction save;
	uint32_t distance;

	if (code->end - at < CALL_BYTES || call[0] != CALL)
		return false;
	distance = call[1] | (uint32_t)call[2] << 8 | (uint32_t)call[3] << 16 |
	           (uint32_t)call[4] << 24;
	if ((int32_t)distance < 0 || (int64_t)distance > code->end - at - CALL_BYTES)
		return false;
	return read(code, at + CALL_BYTES + distance, &save) && save.opcode == SAVE &&
	       save.is_memory && save.reg == FP_RSP && save.base == FP_RBP;
}

enum beginning { UNKNOWN, KEEPS_FRAME_POINTER, HOLDS };

/* The nearest one before PC: those before it are of other functions. */
static enum beginning find_beginning(const struct code *code, uintptr_t pc, uintptr_t sp,
                                     struct fp_frame_code *frame)
{
	struct parts parts;

	for (const uint8_t *at = (const uint8_t *)pc; at-- > code->start;) {
		uint32_t room;
		size_t length;

		if (is_copy(code, at, FP_RSP, FP_RBP) || makes_record(code, at))
			return KEEPS_FRAME_POINTER;
		length = read_room(code, at, TAKE, &room);
		if (length == 0)
			continue;
		if (calls_clause(code, at + length))
			return KEEPS_FRAME_POINTER;
		read_beginning(code, at, &parts);
		if (is_copy(code, parts.at - COPY, FP_RSP, FP_RBP))
			return KEEPS_FRAME_POINTER;
		return holds(&parts, sp, frame) ? HOLDS : UNKNOWN;
	}
	return UNKNOWN;
}

/* ---- Both ----------------------------------------------------------------------------------
 */

/* Around PC, page by page: the code may begin and end at any of them. */
static struct code code_around(uintptr_t pc)
{
	uintptr_t page = pc & ~(uintptr_t)(FP_READ_PAGE - 1);
	uintptr_t start = page;
	uintptr_t end = page;

	while (page - start < REACH && fp_read_is_readable(start - 1))
		start -= FP_READ_PAGE;
	while (end - page < REACH && fp_read_is_readable(end))
		end += FP_READ_PAGE;
	return (struct code){(const uint8_t *)start, (const uint8_t *)end};
}

bool fp_frame_code_find(uintptr_t pc, uintptr_t sp, struct fp_frame_code *frame)
{
	if (!fp_read_is_readable(pc))
		return false;
	const struct code code = code_around(pc);
	enum beginning beginning = find_beginning(&code, pc, sp, frame);
	return beginning == HOLDS || (beginning == UNKNOWN && find_end(&code, pc, sp, frame));
}

/* "call *OPERAND", or "call FUNCTION", in the LENGTH bytes before END. */
static bool is_call(const uint8_t *end, size_t length)
{
	uint8_t bytes[FP_INSTRUCTION_MAX] = {0};
	struct fp_instruction call;

	if (end[-(ptrdiff_t)length] != 0xff && end[-(ptrdiff_t)length] != 0xe8)
		return false;
	for (size_t i = 0; i < length; i++)
		bytes[i] = ((const volatile uint8_t *)end - length)[i];
	return fp_instruction_read(bytes, &call) && call.length == length &&
	       (call.opcode == 0xe8 || (call.reg & 7) == 2);
}

bool fp_frame_code_is_behind_call(uintptr_t pc)
{
	const uint8_t *end = (const uint8_t *)pc;

	if (pc < CALL_MAX || !fp_read_is_readable(pc - 1) ||
	    (pc % FP_READ_PAGE < CALL_MAX && !fp_read_is_readable(pc - CALL_MAX)))
		return false;
	for (size_t length = 2; length <= CALL_MAX; length++)
		if (is_call(end, length))
			return true;
	return false;
}
