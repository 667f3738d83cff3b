/* SPDX-License-Identifier: Apache-2.0
 *
 * Rules, made of the rows of .eh_frame and kept in a table that threads share without locks.
 * What compilers do not make of ordinary functions has no rule: then libunwind is asked for the
 * whole stack. Nothing here looks at the stack.
 */
#include "stack/rule.h"

#include <stdatomic.h>
#include <stddef.h>

#include "stack/frame_table.h"

enum { KEPT = 1 << 12, UP_MAX = 1 << 20 };

/* A rule in one word, and that word mixed with its address in another: whoever reads halves of
 * two of them sees that they do not belong together. */
struct kept {
	_Atomic uint64_t word;
	_Atomic uint64_t check;
};

static struct kept kept[KEPT];

static uint64_t pack(const struct fp_rule *rule)
{
	/* Never 0, so that an empty place holds no rule of address 0. */
	return (uint64_t)rule->kind << 60 | (uint64_t)rule->fp_below << 30 |
	       (uint64_t)rule->up << 1 | 1;
}

static struct fp_rule unpack(uint64_t word)
{
	return (struct fp_rule){
	        .kind = (enum fp_rule_kind)(word >> 60),
	        .up = word >> 1 & (2 * UP_MAX - 1),
	        .fp_below = word >> 30 & (2 * UP_MAX - 1),
	};
}

static const struct fp_rule no_rule = {.kind = FP_RULE_NONE};

static struct fp_rule simplify(const struct fp_frame_row *row)
{
	struct fp_rule rule = {.kind = row->base == FP_BASE_SP ? FP_RULE_SP : FP_RULE_FP};

	if (row->ra.kind == FP_SAVED_NOWHERE)
		return (struct fp_rule){.kind = FP_RULE_OUTERMOST};
	if (row->base == FP_BASE_OTHER || row->up < FP_RULE_RETURN_BELOW || row->up > UP_MAX ||
	    row->ra.kind != FP_SAVED_BELOW || row->ra.below != FP_RULE_RETURN_BELOW)
		return no_rule;
	rule.up = (uint32_t)row->up;
	if (row->fp.kind == FP_SAVED_BELOW && row->fp.below > FP_RULE_RETURN_BELOW &&
	    row->fp.below <= UP_MAX)
		rule.fp_below = (uint32_t)row->fp.below;
	return rule.fp_below != 0 || row->fp.kind == FP_SAVED_NOT ? rule : no_rule;
}

struct fp_rule fp_rule_at(uintptr_t pc)
{
	struct kept *place = &kept[(pc * 0x9e3779b97f4a7c15u) >> 52];
	uint64_t word = atomic_load_explicit(&place->word, memory_order_relaxed);
	struct fp_frame_row row;

	_Static_assert(KEPT == 1 << (64 - 52), "the shift above");
	if (atomic_load_explicit(&place->check, memory_order_relaxed) == (word ^ pc))
		return unpack(word);
	struct fp_rule rule = no_rule;
	/* The call is the instruction before. */
	if (fp_frame_table_find(pc - 1, &row))
		rule = simplify(&row);
	word = pack(&rule);
	atomic_store_explicit(&place->word, word, memory_order_relaxed);
	atomic_store_explicit(&place->check, word ^ pc, memory_order_relaxed);
	return rule;
}

void fp_rule_forget_all(void)
{
	for (size_t i = 0; i < KEPT; i++)
		atomic_store_explicit(&kept[i].check, 0, memory_order_relaxed);
}
