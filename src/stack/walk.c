/* SPDX-License-Identifier: Apache-2.0
 *
 * One step at a time. What leads a walk is taken down in its entry as it is read: the words of
 * the stack, the modules, and whether the frame pointer that it began with counted. A saved
 * frame pointer is read when a frame needs it, so that where no frame does, none is compared.
 */
#include "stack/walk.h"

#include <stddef.h>

#include "base/maps.h"
#include "stack/cpu.h"
#include "stack/frame_code.h"
#include "stack/expression.h"
#include "stack/frame_table.h"
#include "stack/trace_cache.h"
#include "stack/module.h"
#include "stack/unwind_rule.h"

enum {
	FRAME_MAX = 1 << 30,  /* bytes that a frame pointer may be away */
	RECORD_MAX = 1 << 20, /* where nobody says that there is one */
	WORD = sizeof(uintptr_t)
};

void fp_walk_begin(struct fp_walk *walk, const struct fp_frame *frame,
                   struct fp_trace_cache_entry *entry)
{
	*walk = (struct fp_walk){
	        .frame = *frame,
	        .module = FP_MODULE_UNKNOWN,
	        .entry = entry,
	        .asked = FP_WALK_ASKS_NOTHING,
	};
}

static bool read_interrupted(struct fp_walk *walk, uintptr_t context, unsigned number,
                             uintptr_t *value)
{
	return number < FP_CPU_REGISTERS &&
	       fp_walk_read(walk, context + fp_cpu_offset(number), value);
}

/* Goes to the frame whose registers are in the context at CONTEXT. */
static bool enter_interrupted(struct fp_walk *walk, uintptr_t context)
{
	struct fp_frame frame;

	if (!read_interrupted(walk, context, FP_CPU_REGISTER_PC, &frame.pc) ||
	    !read_interrupted(walk, context, FP_CPU_REGISTER_SP, &frame.sp) ||
	    !read_interrupted(walk, context, FP_CPU_REGISTER_FP, &frame.fp))
		return false;
	if (walk->asked != FP_WALK_ASKS_NOTHING &&
	    !read_interrupted(walk, context, walk->asked, &walk->asked_value))
		walk->asked_value = 0;
	walk->frame = frame;
	walk->fp_at = 0;
	walk->context = context;
	return true;
}

bool fp_walk_begin_interrupted(struct fp_walk *walk, const void *context)
{
	static const struct fp_frame nowhere = {0};

	fp_walk_begin(walk, &nowhere, NULL);
	return enter_interrupted(walk, (uintptr_t)context);
}

bool fp_walk_read(struct fp_walk *walk, uintptr_t address, uintptr_t *word)
{
	if (!fp_read_word(address, word))
		return false;
	if (walk->entry != NULL)
		fp_trace_cache_note_word(walk->entry, address, *word);
	return true;
}

static bool read_frame_pointer(struct fp_walk *walk)
{
	if (walk->fp_at == 0) {
		if (walk->entry != NULL)
			fp_trace_cache_note_frame_pointer(walk->entry, walk->frame.fp);
		return true;
	}
	bool is_read = fp_walk_read(walk, walk->fp_at, &walk->frame.fp);
	/* It stays where it is: what is taken down once holds. */
	walk->fp_at = is_read ? 0 : walk->fp_at;
	if (is_read && walk->entry != NULL)
		fp_trace_cache_know_frame_pointer(walk->entry);
	return is_read;
}

bool fp_walk_register(struct fp_walk *walk, unsigned number, uintptr_t *value)
{
	if (number == FP_CPU_REGISTER_SP) {
		*value = walk->frame.sp;
		return true;
	}
	if (number == FP_CPU_REGISTER_FP) {
		bool is_read = read_frame_pointer(walk);

		*value = walk->frame.fp;
		return is_read;
	}
	if (number == FP_CPU_REGISTER_PC) {
		*value = walk->frame.pc;
		return true;
	}
	return walk->context != 0 && read_interrupted(walk, walk->context, number, value);
}

static void note_module(struct fp_walk *walk, unsigned number, uintptr_t pc)
{
	if (number == walk->module && number != FP_MODULE_NONE)
		return;
	walk->module = number;
	uint64_t mark = fp_module_mark(number);
	if (mark != 0)
		walk->mark = (walk->mark ^ mark) * 0x9e3779b97f4a7c15u;
	if (walk->entry != NULL)
		fp_trace_cache_note_module(walk->entry, number, pc);
}

/* The frame is that of a caller from now on, which goes on at PC. */
static enum fp_step go_to(struct fp_walk *walk, uintptr_t sp, uintptr_t pc)
{
	bool is_up = sp > walk->frame.sp || (walk->context != 0 && sp == walk->frame.sp);

	walk->context = 0;
	walk->frame.sp = sp;
	walk->frame.pc = fp_cpu_strip(pc);
	if (walk->frame.pc == 0)
		return FP_STEP_END;
	return is_up ? FP_STEP_ON : FP_STEP_LOST;
}

static enum fp_step step_by_rule(struct fp_walk *walk, const struct fp_unwind_rule *rule)
{
	uintptr_t from = walk->frame.sp;
	uintptr_t pc;

	if (rule->kind == FP_UNWIND_RULE_FP) {
		if (!read_frame_pointer(walk) || walk->frame.fp - from >= FRAME_MAX)
			return FP_STEP_LOST;
		from = walk->frame.fp;
	}
	uintptr_t caller = from + rule->up;
	if (!fp_walk_read(walk, caller - rule->ra_below, &pc))
		return FP_STEP_LOST;
	walk->pc_at = caller - rule->ra_below;
	if (rule->fp_below != 0)
		walk->fp_at = caller - rule->fp_below;
	return go_to(walk, caller, pc);
}

/* Code that says nothing of its frames mostly keeps frame pointers. */
static enum fp_step step_by_record(struct fp_walk *walk)
{
	uintptr_t pc;

	if (FP_CPU_RECORD_BYTES == 0 || !read_frame_pointer(walk))
		return FP_STEP_LOST;
	uintptr_t record = walk->frame.fp;
	if (record == 0)
		return FP_STEP_END;
	if (record - walk->frame.sp >= RECORD_MAX || record % WORD != 0 ||
	    !fp_walk_read(walk, record + WORD, &pc))
		return FP_STEP_LOST;
	walk->fp_at = record;
	return go_to(walk, record + FP_CPU_RECORD_BYTES, pc);
}

/* A call that led to no code has left where it came from, and nothing else. */
static enum fp_step step_from_no_code(struct fp_walk *walk)
{
	uintptr_t pc;

	if (FP_CPU_RETURN_BELOW == 0 && fp_walk_register(walk, FP_CPU_REGISTER_RA, &pc))
		return go_to(walk, walk->frame.sp, pc);
	if (FP_CPU_RETURN_BELOW != 0 && fp_walk_read(walk, walk->frame.sp, &pc) &&
	    fp_module_at(pc - 1).index != NULL)
		return go_to(walk, walk->frame.sp + FP_CPU_RETURN_BELOW, pc);
	return step_by_record(walk);
}

/* What the code seems to say holds where it leads behind a call. */
static enum fp_step step_by_code(struct fp_walk *walk, const struct fp_unwind_rule *rule)
{
	uintptr_t pc;

	if (!fp_walk_read(walk, walk->frame.sp + rule->up - rule->ra_below, &pc) ||
	    !fp_frame_code_is_behind_call(fp_cpu_strip(pc)))
		return step_by_record(walk);
	return step_by_rule(walk, rule);
}

static bool find_base(struct fp_walk *walk, const struct fp_frame_row *row, uintptr_t *base)
{
	*base = 0;
	if (row->base == FP_BASE_EXPRESSION)
		return fp_expression_compute((const uint8_t *)(uintptr_t)row->value, walk,
		                             base);
	if (row->base != FP_BASE_REGISTER || !fp_walk_register(walk, row->reg, base))
		return false;
	*base += (uintptr_t)row->value;
	return true;
}

/* Where in memory a frame that begins at BASE has saved a register, if it has. */
static bool find_saved(struct fp_walk *walk, const struct fp_saved *saved, uintptr_t base,
                       uintptr_t *address)
{
	*address = base + (uintptr_t)saved->value;
	if (saved->kind == FP_SAVED_AT)
		return true;
	*address = base;
	return saved->kind == FP_SAVED_EXPRESSION &&
	       fp_expression_compute((const uint8_t *)(uintptr_t)saved->value, walk, address);
}

/* The value that register NUMBER has in the caller of the frame. */
static bool find_value(struct fp_walk *walk, const struct fp_saved *saved, unsigned number,
                       uintptr_t base, uintptr_t *value)
{
	uintptr_t address;

	if (find_saved(walk, saved, base, &address))
		return fp_walk_read(walk, address, value);
	if (saved->kind == FP_SAVED_IN)
		return fp_walk_register(walk, (unsigned)saved->value, value);
	return saved->kind == FP_SAVED_NOT && fp_walk_register(walk, number, value);
}

static void follow_asked(struct fp_walk *walk, const struct fp_frame_row *row, uintptr_t base)
{
	uintptr_t value;

	/* In it still: then it is what it was. */
	if (walk->asked != FP_WALK_ASKS_NOTHING && row->asked.kind != FP_SAVED_NOT)
		walk->asked_value =
		        find_value(walk, &row->asked, walk->asked, base, &value) ? value : 0;
}

static void follow_frame_pointer(struct fp_walk *walk, const struct fp_saved *saved,
                                 uintptr_t base)
{
	uintptr_t address;

	if (saved->kind == FP_SAVED_NOT)
		return;
	if (find_saved(walk, saved, base, &address)) {
		walk->fp_at = address;
		return;
	}
	walk->fp_at = 0;
	if (!find_value(walk, saved, FP_CPU_REGISTER_FP, base, &walk->frame.fp))
		walk->frame.fp = 0;
}

static enum fp_step step_by_row(struct fp_walk *walk, const struct fp_frame_row *row)
{
	uintptr_t base;
	uintptr_t pc;

	if (row->ra.kind == FP_SAVED_NOWHERE)
		return FP_STEP_END;
	if (!find_base(walk, row, &base) ||
	    !find_value(walk, &row->ra, FP_CPU_REGISTER_RA, base, &pc))
		return FP_STEP_LOST;
	if (row->ra.kind == FP_SAVED_AT)
		walk->pc_at = base + (uintptr_t)row->ra.value;
	follow_asked(walk, row, base);
	follow_frame_pointer(walk, &row->fp, base);
	return go_to(walk, base, pc);
}

/* Where a module has its data a wild call can lead, too. */
static bool is_data(uintptr_t pc)
{
	struct fp_maps_place place;

	return fp_maps_at(pc, &place) == 0 && !place.is_executable;
}

static enum fp_step step_slowly(struct fp_walk *walk)
{
	uintptr_t pc = walk->frame.pc - (walk->context == 0);
	const struct fp_module module = fp_module_at(pc);
	const struct fp_frame_query query = {.pc = pc, .module = module, .asked = walk->asked};
	struct fp_frame_row row;
	struct fp_frame_entry entry;

	note_module(walk, module.number, pc);
	if (module.number == FP_MODULE_NONE && walk->context != 0)
		return step_from_no_code(walk);
	if (module.index == NULL || !fp_frame_table_find(&query, &row, &entry))
		return walk->context != 0 && is_data(pc) ? step_from_no_code(walk)
		                                         : step_by_record(walk);
	if (!entry.is_signal)
		return step_by_row(walk, &row);
	return enter_interrupted(walk, fp_cpu_signal_context(walk->frame.sp)) ? FP_STEP_ON
	                                                                      : FP_STEP_LOST;
}

enum fp_step fp_walk_step(struct fp_walk *walk)
{
	walk->pc_at = 0;
	/* Rules are about return addresses, and follow no other register. */
	if (walk->context != 0 || walk->asked != FP_WALK_ASKS_NOTHING)
		return step_slowly(walk);
	const struct fp_unwind_rule rule =
	        fp_unwind_rule_at(walk->frame.pc, walk->frame.sp, walk->module);
	note_module(walk, rule.module, walk->frame.pc - 1);
	if (rule.kind == FP_UNWIND_RULE_OUTERMOST)
		return FP_STEP_END;
	if (rule.kind == FP_UNWIND_RULE_BY_CODE)
		return step_by_code(walk, &rule);
	return rule.kind == FP_UNWIND_RULE_NONE ? step_slowly(walk) : step_by_rule(walk, &rule);
}

void fp_walk_look(struct fp_walk *walk)
{
	uintptr_t pc = walk->frame.pc - (walk->context == 0);

	note_module(walk,
	            fp_unwind_rule_at(walk->frame.pc, walk->frame.sp, walk->module).module, pc);
}
