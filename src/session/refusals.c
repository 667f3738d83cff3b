/* SPDX-License-Identifier: Apache-2.0
 *
 * Allocations that fail because fail_alloc asks for it. The first of each stack is logged when
 * it fails, for many a program does not survive it; how many there were, at the end. It must
 * not call into a heap: the session's lock is held.
 *
 * Context: alloc.
 */
#include "base/messages.h"
#include "base/text.h"
#include "heap/refusal.h"
#include "session/session.h"
#include "session/state.h"
#include "stack/function.h"
#include "stack/stack.h"

static void log_failed(const struct fp_block *block, uint64_t count, void *user)
{
	size_t length;
	const uintptr_t *frames = fp_stack_trace(block->alloc_trace, &length);

	fp_log_trace(user, block->alloc_trace, frames, length);
	fp_log_failed(user, &(struct fp_log_failed){.count = count,
	                                            .size = block->size,
	                                            .serial = block->serial,
	                                            .heap = block->heap,
	                                            .family = block->family,
	                                            .level = block->level,
	                                            .trace = block->alloc_trace});
}

static void log_first(const struct fp_block *block)
{
	fp_lock_acquire(&fp_session.lock);
	fp_log_modules(fp_session_log());
	log_failed(block, 1, fp_session_log());
	fp_session_publish(NULL);
	fp_lock_release(&fp_session.lock);
}

void fp_session_start_refusals(const struct fp_option_rule *chosen)
{
	static const enum fp_refusal_rule rules[] = {
	        [FP_OPTION_RULE_NEVER] = FP_REFUSE_NONE,
	        [FP_OPTION_RULE_AT] = FP_REFUSE_AT,
	        [FP_OPTION_RULE_EVERY] = FP_REFUSE_EVERY,
	        [FP_OPTION_RULE_PROBABILITY] = FP_REFUSE_PROBABILITY,
	        [FP_OPTION_RULE_LEVEL] = FP_REFUSE_LEVEL,
	        [FP_OPTION_RULE_STACK] = FP_REFUSE_STACK,
	};
	const struct fp_refusal_config config = {
	        .rule = rules[chosen->kind],
	        .number = chosen->number,
	        .seed = chosen->seed,
	        .enlisted = log_first,
	};

	if (chosen->kind == FP_OPTION_RULE_STACK)
		fp_function_watch(fp_option_rule_function(chosen));
	fp_refusal_init(&config);
}

void fp_session_log_refusals(struct fp_log *tail)
{
	const char *function = fp_option_rule_function(&fp_session.options.fail_alloc);

	fp_refusal_each(log_failed, tail);
	if (function[0] != '\0' && !fp_function_is_known())
		fp_log_tell(tail, FP_TELL_FAIL_ALLOC, function);
}
