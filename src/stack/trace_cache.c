/* SPDX-License-Identifier: Apache-2.0
 *
 * Memos in a table that threads share. Words of the stack are compared from the innermost on,
 * and the first that differs ends it, so nothing is read that a walk would not read.
 */
#include "stack/trace_cache.h"

#include <stdatomic.h>

#include "base/hash.h"
#include "stack/cpu.h"
#include "stack/module.h"
#include "stack/unwind_rule.h"
#include "stack/walk.h"

enum {
	ENTRIES = 1 << 11,
	WORDS_MAX = 64,    /* of a stack, that one entry compares */
	MODULES_MAX = 8,   /* that one entry compares */
	KEY_FRAMES = 3,    /* callers that choose an entry's place, too */
	SPAN_MAX = 1 << 20 /* bytes of stack that an entry may be about */
};

struct word {
	uint32_t offset; /* from the innermost frame's stack pointer */
	uint64_t value;
};

/* Code of a module that the walk came through. */
struct passage {
	uintptr_t pc;
	unsigned module;
};

/* Whoever finds one busy goes on without: threads have stacks, and so entries, of their own. */
struct fp_trace_cache_entry {
	_Atomic bool is_busy;
	bool is_too_much;   /* of a draft: it does not fit */
	bool depends_on_fp; /* on that of the first frame */
	bool knows_fp;      /* of a draft: another one than that has been read */
	uint8_t passages;
	uint32_t generation;
	fp_trace_id trace; /* FP_TRACE_NONE: nothing is kept here */
	uint32_t words;
	struct fp_frame start;
	struct passage passage[MODULES_MAX];
	struct word word[WORDS_MAX];
};

static struct fp_trace_cache_entry entries[ENTRIES];
static _Atomic uint32_t generation; /* entries of others are forgotten */

static bool take(struct fp_trace_cache_entry *entry)
{
	return !atomic_load_explicit(&entry->is_busy, memory_order_relaxed) &&
	       !atomic_exchange_explicit(&entry->is_busy, true, memory_order_acquire);
}

static void give(struct fp_trace_cache_entry *entry)
{
	atomic_store_explicit(&entry->is_busy, false, memory_order_release);
}

static uint64_t mix(uint64_t hash, uint64_t word)
{
	hash = fp_hash_word(hash, word);
	return hash ^ hash >> 29;
}

/* Makes FRAME that of its caller as far as a rule that was kept leads: a wrong one does no harm
 * here. */
static bool go_up(struct fp_frame *frame)
{
	const struct fp_unwind_rule rule = fp_unwind_rule_kept(frame->pc);
	uintptr_t caller = (rule.kind == FP_UNWIND_RULE_FP ? frame->fp : frame->sp) + rule.up;

	if ((rule.kind == FP_UNWIND_RULE_NONE || rule.kind == FP_UNWIND_RULE_OUTERMOST) ||
	    caller - frame->sp >= SPAN_MAX ||
	    !fp_read_word(caller - rule.ra_below, &frame->pc) ||
	    (rule.fp_below != 0 && !fp_read_word(caller - rule.fp_below, &frame->fp)))
		return false;
	frame->sp = caller;
	return true;
}

/* Of the innermost frames: enough to tell apart most that call the same at the same depth. */
static uint64_t key_of(const struct fp_frame *start)
{
	struct fp_frame frame = *start;
	uint64_t key = mix(start->sp, start->pc);

	for (int i = 0; i < KEY_FRAMES && go_up(&frame); i++)
		key = mix(key, frame.pc);
	return key;
}

static struct fp_trace_cache_entry *place_of(uint64_t key)
{
	return &entries[fp_hash_place(fp_hash_word(0, key), ENTRIES)];
}

static bool is_as_it_was(const struct fp_trace_cache_entry *entry, const struct fp_frame *start)
{
	uintptr_t word;

	if (entry->trace == FP_TRACE_NONE || entry->start.sp != start->sp ||
	    entry->start.pc != start->pc ||
	    (entry->depends_on_fp && entry->start.fp != start->fp) ||
	    entry->generation != atomic_load_explicit(&generation, memory_order_relaxed))
		return false;
	for (uint32_t i = 0; i < entry->words; i++)
		if (!fp_read_word(start->sp + entry->word[i].offset, &word) ||
		    word != entry->word[i].value)
			return false;
	for (uint32_t i = 0; i < entry->passages; i++)
		if (!fp_module_is_there(entry->passage[i].module, entry->passage[i].pc))
			return false;
	return true;
}

static void begin(struct fp_trace_cache_entry *draft, const struct fp_frame *start)
{
	draft->trace = FP_TRACE_NONE;
	draft->is_too_much = false;
	draft->depends_on_fp = false;
	draft->knows_fp = false;
	draft->passages = 0;
	draft->words = 0;
	draft->generation = atomic_load_explicit(&generation, memory_order_relaxed);
	draft->start = *start;
	/* What is no frame pointer may point to a block, and does not keep it from leaking. */
	draft->start.fp = 0;
}

fp_trace_id fp_trace_cache_find(const struct fp_frame *start,
                                struct fp_trace_cache_entry **draft)
{
	struct fp_trace_cache_entry *entry = place_of(key_of(start));

	*draft = NULL;
	if (!take(entry))
		return FP_TRACE_NONE;
	*draft = entry;
	/* Reading the stack may end in a jump to the caller, who gives it back. */
	atomic_signal_fence(memory_order_seq_cst);
	fp_trace_id trace = is_as_it_was(entry, start) ? entry->trace : FP_TRACE_NONE;
	if (trace != FP_TRACE_NONE) {
		*draft = NULL;
		give(entry);
		return trace;
	}
	begin(entry, start);
	return FP_TRACE_NONE;
}

void fp_trace_cache_keep(struct fp_trace_cache_entry *draft, fp_trace_id trace)
{
	draft->trace = draft->is_too_much ? FP_TRACE_NONE : trace;
	give(draft);
}

void fp_trace_cache_drop(struct fp_trace_cache_entry *draft)
{
	draft->trace = FP_TRACE_NONE;
	give(draft);
}

void fp_trace_cache_note_word(struct fp_trace_cache_entry *draft, uintptr_t address,
                              uintptr_t word)
{
	uintptr_t offset = address - draft->start.sp;

	if (draft->words == WORDS_MAX || offset >= SPAN_MAX) {
		draft->is_too_much = true;
		return;
	}
	draft->word[draft->words++] = (struct word){(uint32_t)offset, word};
}

void fp_trace_cache_note_module(struct fp_trace_cache_entry *draft, unsigned number,
                                uintptr_t pc)
{
	for (uint32_t i = 0; i < draft->passages; i++)
		if (draft->passage[i].module == number && number != FP_MODULE_NONE)
			return;
	if (draft->passages == MODULES_MAX || number == FP_MODULE_UNKNOWN) {
		draft->is_too_much = true;
		return;
	}
	draft->passage[draft->passages++] = (struct passage){pc, number};
}

void fp_trace_cache_note_frame_pointer(struct fp_trace_cache_entry *draft, uintptr_t fp)
{
	if (draft->knows_fp)
		return;
	draft->depends_on_fp = true;
	draft->start.fp = fp;
}

void fp_trace_cache_know_frame_pointer(struct fp_trace_cache_entry *draft)
{
	draft->knows_fp = true;
}

void fp_trace_cache_forget_all(void)
{
	atomic_fetch_add(&generation, 1);
}
