/* SPDX-License-Identifier: Apache-2.0
 *
 * Rules, made of the rows of .eh_frame or, where there are none, of the code, and kept in a
 * table that threads share without locks. Each belongs to a module and is made anew when
 * another one stands at its address.
 */
#include "stack/unwind_rule.h"

#include <stdatomic.h>
#include <stddef.h>

#include "base/hash.h"
#include "stack/cpu.h"
#include "stack/frame_code.h"
#include "stack/frame_table.h"

enum { KEPT = 1 << 12, UNIT = 8, UNITS_MAX = 1 << 16 };

/* A rule in one word, and that word mixed with its address in another: whoever reads halves of
 * two of them sees that they do not belong together. */
struct kept {
	_Atomic uint64_t word;
	_Atomic uint64_t check;
};

static struct kept kept[KEPT];

/* Bits of a rule's word. The lowest is set, so that an empty place holds no rule of address 0.
 */
enum { KIND_AT = 1, MODULE_AT = 4, UP_AT = 14, FP_AT = 30, RA_AT = 46 };

static uint64_t pack(const struct fp_unwind_rule *rule)
{
	return 1 | (uint64_t)rule->kind << KIND_AT | (uint64_t)rule->module << MODULE_AT |
	       (uint64_t)(rule->up / UNIT) << UP_AT |
	       (uint64_t)(rule->fp_below / UNIT) << FP_AT |
	       (uint64_t)(rule->ra_below / UNIT) << RA_AT;
}

static uint32_t bytes_at(uint64_t word, unsigned shift)
{
	return (uint32_t)(word >> shift & (UNITS_MAX - 1)) * UNIT;
}

static struct fp_unwind_rule unpack(uint64_t word)
{
	return (struct fp_unwind_rule){
	        .kind = (enum fp_unwind_rule_kind)(word >> KIND_AT & 7),
	        .module = word >> MODULE_AT & FP_MODULE_UNKNOWN,
	        .up = bytes_at(word, UP_AT),
	        .fp_below = bytes_at(word, FP_AT),
	        .ra_below = bytes_at(word, RA_AT),
	};
}

static bool fits(int64_t bytes)
{
	return bytes > 0 && bytes % UNIT == 0 && bytes / UNIT < UNITS_MAX;
}

static bool is_saved_below(const struct fp_saved *saved)
{
	return saved->kind == FP_SAVED_AT && fits(-saved->value);
}

/* Whether ROW is that of an ordinary function; then RULE says the same. */
static bool simplify(const struct fp_frame_row *row, struct fp_unwind_rule *rule)
{
	if (row->base != FP_BASE_REGISTER || !fits(row->value) ||
	    (row->reg != FP_CPU_REGISTER_SP && row->reg != FP_CPU_REGISTER_FP) ||
	    !is_saved_below(&row->ra) ||
	    (row->fp.kind != FP_SAVED_NOT && !is_saved_below(&row->fp)))
		return false;
	rule->kind = row->reg == FP_CPU_REGISTER_SP ? FP_UNWIND_RULE_SP : FP_UNWIND_RULE_FP;
	rule->up = (uint32_t)row->value;
	rule->ra_below = (uint32_t)-row->ra.value;
	rule->fp_below = row->fp.kind == FP_SAVED_NOT ? 0 : (uint32_t)-row->fp.value;
	return true;
}

/* Nobody says how the function that goes on at PC leaves. */
static void ask_code(uintptr_t pc, uintptr_t sp, struct fp_unwind_rule *rule)
{
	struct fp_frame_code frame;

	if (!fp_frame_code_find(pc, sp, &frame) || !fits(frame.up))
		return;
	rule->kind = FP_UNWIND_RULE_BY_CODE;
	rule->up = frame.up;
	rule->ra_below = UNIT;
	rule->fp_below = frame.fp_below;
}

static struct fp_unwind_rule make(uintptr_t pc, uintptr_t sp)
{
	/* The call is the instruction before. */
	const struct fp_module module = fp_module_at(pc - 1);
	const struct fp_frame_query query = {
	        .pc = pc - 1,
	        .module = module,
	        .asked = FP_CPU_REGISTER_FP,
	};
	struct fp_unwind_rule rule = {.kind = FP_UNWIND_RULE_NONE, .module = module.number};
	struct fp_frame_row row;
	struct fp_frame_entry entry;

	if (module.index == NULL || !fp_frame_table_find(&query, &row, &entry))
		ask_code(pc, sp, &rule);
	else if (entry.is_signal)
		return rule;
	else if (row.ra.kind == FP_SAVED_NOWHERE)
		rule.kind = FP_UNWIND_RULE_OUTERMOST;
	else
		simplify(&row, &rule);
	return rule;
}

static struct kept *place_of(uintptr_t pc)
{
	return &kept[fp_hash_place(fp_hash_word(0, pc), KEPT)];
}

/* The word of what is kept for PC, or 0. */
static uint64_t word_of(uintptr_t pc)
{
	struct kept *place = place_of(pc);
	uint64_t word = atomic_load_explicit(&place->word, memory_order_relaxed);

	return atomic_load_explicit(&place->check, memory_order_relaxed) == (word ^ pc) ? word
	                                                                                : 0;
}

struct fp_unwind_rule fp_unwind_rule_kept(uintptr_t pc)
{
	return unpack(word_of(pc));
}

struct fp_unwind_rule fp_unwind_rule_at(uintptr_t pc, uintptr_t sp, unsigned known)
{
	struct kept *place = place_of(pc);
	uint64_t word = word_of(pc);
	struct fp_unwind_rule rule = unpack(word);

	if (word != 0 && ((rule.module == known && known != FP_MODULE_NONE) ||
	                  fp_module_is_there(rule.module, pc - 1)))
		return rule;
	rule = make(pc, sp);
	if (rule.module == FP_MODULE_UNKNOWN)
		return rule;
	word = pack(&rule);
	atomic_store_explicit(&place->word, word, memory_order_relaxed);
	atomic_store_explicit(&place->check, word ^ pc, memory_order_relaxed);
	return rule;
}
