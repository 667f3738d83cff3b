/* SPDX-License-Identifier: Apache-2.0
 *
 * A function begins with "push REGISTER", "sub $N, %rsp" and moves that save registers in the
 * frame; before its "ret" stand moves that fetch them, "add $N, %rsp" and "pop REGISTER".
 * Instructions have no fixed length, so that nothing can be decoded backwards: the nearest
 * "sub" before the address is looked at, and the first "ret" behind it that looks like that.
 */
#include "stack/frame_code.h"

#include <stddef.h>
#include <string.h>

#include "stack/reading.h"

enum {
	REACH = 16 << 10, /* of a function's code, either way */
	LONGEST = 160,    /* of a beginning or an end, in bytes */
	CALL_MAX = 7,
	WORD = sizeof(uintptr_t),
	UPPER = 0x41, /* before "push" and "pop" of one of the upper registers */
	PUSH = 0x50,
	POP = 0x58,
	FP = 5, /* the number of the frame pointer */
	FETCH = 0x8b,
	SAVE = 0x89,
	LEAVE = 0xc9,
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

/* Without a call of the C library's: a page may go away, and only a fault in our own code is
 * recovered from. */
static bool is_at(const struct code *code, const uint8_t *at, const char *bytes, size_t count,
                  size_t length)
{
	if (at < code->start || at >= code->end || (size_t)(code->end - at) < length)
		return false;
	for (size_t i = 0; i < count; i++)
		if (at[i] != (uint8_t)bytes[i])
			return false;
	return true;
}

static uint32_t number_at(const uint8_t *at)
{
	uint32_t number;

	memcpy(&number, at, sizeof(number));
	return number;
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
		if (length == 1 && (parts->at[-1] & 7) == FP)
			parts->fp_word = parts->words;
		parts->at -= length;
	}
}

/* The length of "mov REGISTER, N(%rsp)" (SAVE) or the other way round (FETCH) AT, of a register
 * that is kept across calls, or 0. */
static size_t read_move(const struct code *code, const uint8_t *at, uint8_t operation,
                        struct parts *parts)
{
	enum { SHORTEST = 4 };
	static const uint8_t bytes_of_number[] = {0, 1, 4};

	if (at < code->start || at >= code->end || code->end - at < SHORTEST)
		return 0;
	uint8_t mode = at[2] >> 6;
	if ((at[0] & 0xfb) != 0x48 || at[1] != operation || (at[2] & 7) != 4 || mode > 2 ||
	    at[3] != 0x24)
		return 0;
	size_t length = SHORTEST + bytes_of_number[mode];
	if ((size_t)(code->end - at) < length)
		return 0;
	if (at[0] == 0x48 && (at[2] >> 3 & 7) == FP) {
		parts->has_fp_in_room = true;
		parts->fp_in_room = mode == 0   ? 0
		                    : mode == 1 ? at[SHORTEST]
		                                : number_at(at + SHORTEST);
	}
	return length;
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

static bool read_room_given_back(const struct code *code, struct parts *parts)
{
	bool is_short = is_at(code, parts->at - 4, "\x48\x83\xc4", 3, 4);

	if (!is_short && !is_at(code, parts->at - 7, "\x48\x81\xc4", 3, 7))
		return false;
	parts->at -= is_short ? 4 : 7;
	parts->room = is_short ? parts->at[3] : number_at(parts->at + 3);
	return true;
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
	if (!read_room_given_back(code, parts))
		return parts->words > 0;
	for (int i = 0; i < LONGEST / 4 && read_fetch(code, parts); i++)
		;
	return true;
}

/* "mov %rbp, %rsp", in both ways to write it, before AT. */
static bool is_behind_reset(const struct code *code, const uint8_t *at)
{
	return is_at(code, at - 3, "\x48\x89\xec", 3, 3) ||
	       is_at(code, at - 3, "\x48\x8b\xe5", 3, 3);
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

		if ((at > code->start && at[-1] == LEAVE) || is_behind_reset(code, parts.at))
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
	bool is_short = at[1] == 0x83;
	parts->room = is_short ? at[3] : number_at(at + 3);
	at += is_short ? 4 : 7;
	for (int i = 0; i < LONGEST / 4; i++, at += length)
		if ((length = read_move(code, at, SAVE, parts)) == 0)
			break;
}

static bool is_room_taken(const struct code *code, const uint8_t *at)
{
	return is_at(code, at, "\x48\x83\xec", 3, 4) || is_at(code, at, "\x48\x81\xec", 3, 7);
}

/* "mov %rsp, %rbp", in both ways to write it, AT. */
static bool makes_frame_pointer(const struct code *code, const uint8_t *at)
{
	return is_at(code, at, "\x48\x8b\xec", 3, 3) || is_at(code, at, "\x48\x89\xe5", 3, 3);
}

enum beginning { UNKNOWN, KEEPS_FRAME_POINTER, HOLDS };

/* The nearest one before PC: those before it are of other functions. */
static enum beginning find_beginning(const struct code *code, uintptr_t pc, uintptr_t sp,
                                     struct fp_frame_code *frame)
{
	struct parts parts;

	for (const uint8_t *at = (const uint8_t *)pc; at-- > code->start;) {
		if (makes_frame_pointer(code, at))
			return KEEPS_FRAME_POINTER;
		if (!is_room_taken(code, at))
			continue;
		read_beginning(code, at, &parts);
		if (makes_frame_pointer(code, parts.at - 3))
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

/* "call *OPERAND" in the LENGTH bytes before END. */
static bool is_indirect_call(const uint8_t *end, size_t length)
{
	const uint8_t *call = end - length;
	uint8_t mode = call[1] >> 6;
	size_t rest = mode == 1 ? 1 : mode == 2 || (call[1] & 0xc7) == 5 ? 4 : 0;

	if (mode != 3 && (call[1] & 7) == 4)
		rest++;
	return call[0] == 0xff && (call[1] >> 3 & 7) == 2 && length == 2 + rest;
}

bool fp_frame_code_is_behind_call(uintptr_t pc)
{
	const uint8_t *end = (const uint8_t *)pc;

	if (pc < CALL_MAX || !fp_read_is_readable(pc - 1) ||
	    (pc % FP_READ_PAGE < CALL_MAX && !fp_read_is_readable(pc - CALL_MAX)))
		return false;
	if (end[-5] == 0xe8)
		return true;
	for (size_t length = 2; length <= CALL_MAX; length++)
		if (is_indirect_call(end, length))
			return true;
	return false;
}
