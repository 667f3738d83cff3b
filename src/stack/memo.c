/* SPDX-License-Identifier: Apache-2.0
 *
 * Memos in a table that threads share. What a stack is recognised by is found by walking it
 * with the rules of its frames, and kept only when that walk met the frames that libunwind did:
 * rules decide what has to be compared, never what a trace holds.
 *
 * Words of the stack are compared from the innermost on, and the first that differs ends it, so
 * nothing is read that unwinding would not read.
 */
#include "stack/memo.h"

#include <stdatomic.h>
#include <string.h>

#include "stack/rule.h"

enum {
	MEMOS = 1 << 11,
	WORDS_MAX = 64,      /* of a stack, that one memo compares */
	KEY_FRAMES = 3,      /* callers that choose a memo's place, too */
	SPAN_MAX = 1 << 20,  /* bytes of stack that a memo may be about */
	FRAME_MAX = 64 << 10 /* bytes that a frame pointer may be away */
};

struct word {
	uint32_t offset; /* from the innermost frame's stack pointer */
	uint64_t value;
};

/* Whoever finds one busy goes on without: threads have stacks, and so memos, of their own. */
struct memo {
	_Atomic bool is_busy;
	bool depends_on_fp;
	uint32_t generation;
	fp_trace_id trace; /* FP_TRACE_NONE: nothing is kept here */
	uint32_t count;
	struct fp_frame start;
	struct word words[WORDS_MAX];
};

static struct memo memos[MEMOS];
static _Atomic uint32_t generation; /* memos of others are forgotten */

static bool take(struct memo *memo)
{
	return !atomic_exchange_explicit(&memo->is_busy, true, memory_order_acquire);
}

static void give(struct memo *memo)
{
	atomic_store_explicit(&memo->is_busy, false, memory_order_release);
}

static uintptr_t read_word(uintptr_t address)
{
	return *(const volatile uintptr_t *)address;
}

/* Makes FRAME that of its caller; false when that would lead nobody knows where. */
static bool go_up(struct fp_frame *frame, const struct fp_rule *rule)
{
	uintptr_t from = rule->kind == FP_RULE_FP ? frame->fp : frame->sp;
	uintptr_t caller = from + rule->up;

	if (rule->kind != FP_RULE_SP &&
	    (rule->kind != FP_RULE_FP || from - frame->sp >= FRAME_MAX || from % 8 != 0))
		return false;
	if (rule->fp_below > caller - frame->sp)
		return false;
	frame->pc = read_word(caller - FP_RULE_RETURN_BELOW);
	if (rule->fp_below != 0)
		frame->fp = read_word(caller - rule->fp_below);
	frame->sp = caller;
	return true;
}

size_t fp_memo_walk(const struct fp_frame *start, uintptr_t *frames, size_t max)
{
	struct fp_frame frame = *start;
	size_t count = 0;

	frames[count++] = frame.pc;
	while (count < max) {
		const struct fp_rule rule = fp_rule_at(frame.pc);

		if (!go_up(&frame, &rule))
			break;
		frames[count++] = frame.pc;
	}
	return count;
}

static uint64_t mix(uint64_t hash, uint64_t word)
{
	hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
	return hash ^ hash >> 29;
}

/* Of the innermost frames: enough to tell apart most that call the same at the same depth. */
static uint64_t key_of(const struct fp_frame *start)
{
	struct fp_frame frame = *start;
	uint64_t key = mix(start->sp, start->pc);

	for (int i = 0; i < KEY_FRAMES; i++) {
		const struct fp_rule rule = fp_rule_at(frame.pc);

		if (!go_up(&frame, &rule))
			break;
		key = mix(key, frame.pc);
	}
	return key;
}

static struct memo *place_of(uint64_t key)
{
	return &memos[(key * 0x9e3779b97f4a7c15u) >> 53];
}

_Static_assert(MEMOS == 1 << (64 - 53), "the shift above");

static bool is_as_it_was(const struct memo *memo, const struct fp_frame *start)
{
	if (memo->trace == FP_TRACE_NONE || memo->start.sp != start->sp ||
	    memo->start.pc != start->pc ||
	    (memo->depends_on_fp && memo->start.fp != start->fp) ||
	    memo->generation != atomic_load_explicit(&generation, memory_order_relaxed))
		return false;
	for (uint32_t i = 0; i < memo->count; i++)
		if (read_word(start->sp + memo->words[i].offset) != memo->words[i].value)
			return false;
	return true;
}

fp_trace_id fp_memo_find(const struct fp_frame *start, uint64_t *key)
{
	fp_trace_id trace = FP_TRACE_NONE;

	*key = key_of(start);
	struct memo *memo = place_of(*key);
	if (!take(memo))
		return FP_TRACE_NONE;
	if (is_as_it_was(memo, start))
		trace = memo->trace;
	give(memo);
	return trace;
}

/* A memo in the making. */
struct draft {
	const struct fp_frame *start;
	struct word words[WORDS_MAX];
	uint32_t count;
	bool depends_on_fp;
	uintptr_t fp_at; /* where the present frame's frame pointer was saved; 0: nowhere */
};

static bool add_word(struct draft *draft, uintptr_t address, uintptr_t value)
{
	uintptr_t offset = address - draft->start->sp;

	if (draft->count == WORDS_MAX || offset >= SPAN_MAX)
		return false;
	draft->words[draft->count++] = (struct word){(uint32_t)offset, value};
	return true;
}

static bool add_frame_pointer(struct draft *draft, const struct fp_frame *frame)
{
	if (draft->fp_at != 0)
		return add_word(draft, draft->fp_at, frame->fp);
	draft->depends_on_fp = true;
	return true;
}

/* What leads from FRAME, which becomes that of its caller. */
static bool add_step(struct draft *draft, struct fp_frame *frame)
{
	const struct fp_rule rule = fp_rule_at(frame->pc);

	if (rule.kind == FP_RULE_FP && !add_frame_pointer(draft, frame))
		return false;
	if (!go_up(frame, &rule))
		return false;
	if (rule.fp_below != 0)
		draft->fp_at = frame->sp - rule.fp_below;
	return add_word(draft, frame->sp - FP_RULE_RETURN_BELOW, frame->pc);
}

/* Whether the walk by rules meets what libunwind met and ends where it did. */
static bool draw_up(struct draft *draft, const struct fp_unwound *unwound)
{
	struct fp_frame frame = *draft->start;

	for (size_t i = 0; i < unwound->count; i++) {
		if (frame.pc != unwound->frames[i])
			return false;
		if (i + 1 < unwound->count && !add_step(draft, &frame))
			return false;
	}
	return unwound->is_cut || fp_rule_at(frame.pc).kind == FP_RULE_OUTERMOST;
}

static void write_memo(struct memo *memo, const struct draft *draft, fp_trace_id trace)
{
	if (!take(memo))
		return;
	memo->generation = atomic_load_explicit(&generation, memory_order_relaxed);
	memo->trace = trace;
	memo->start = *draft->start;
	memo->count = draft->count;
	memo->depends_on_fp = draft->depends_on_fp;
	/* What is no frame pointer may point to a block, and does not keep it from leaking. */
	if (!memo->depends_on_fp)
		memo->start.fp = 0;
	memcpy(memo->words, draft->words, draft->count * sizeof(draft->words[0]));
	give(memo);
}

void fp_memo_keep(const struct fp_frame *start, uint64_t key, const struct fp_unwound *unwound,
                  fp_trace_id trace)
{
	struct draft draft;

	/* Not the words: most of them are never used. */
	draft.start = start;
	draft.count = 0;
	draft.depends_on_fp = false;
	draft.fp_at = 0;
	if (draw_up(&draft, unwound))
		write_memo(place_of(key), &draft, trace);
}

void fp_memo_forget_all(void)
{
	fp_rule_forget_all();
	atomic_fetch_add(&generation, 1);
}
