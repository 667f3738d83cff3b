/* SPDX-License-Identifier: Apache-2.0
 *
 * sample=N and budget=PERCENT: what the door that picks the blocks is told, and what it tells.
 *
 * Context: alloc.
 */
#include <stdatomic.h>
#include <string.h>
#include <sys/auxv.h>

#include "base/messages.h"
#include "base/meta.h"
#include "heap/tier.h"
#include "record/record.h"
#include "session/session.h"
#include "session/state.h"

enum { LISTED = 64 };

static const struct fp_session_picker_door *_Atomic door;

struct fp_session_picking fp_session_take_picking(const struct fp_session_picker_door *new_door)
{
	const struct fp_options *options = &fp_session.options;

	atomic_store(&door, new_door);
	fp_tier_leave_picking(new_door->count_plain);
	if (fp_record_is_on && (options->sample > 1 || options->budget != 0))
		fp_session_note(FP_TELL_RECORDS_GUARDED);
	return (struct fp_session_picking){options->sample, options->budget, options->seed};
}

/* Sixteen bytes that the kernel chose. */
void fp_session_choose_seed(struct fp_options *options)
{
	const void *random = (const void *)getauxval(AT_RANDOM);
	uint32_t seed = 0;

	if (options->seed != 0)
		return;
	if (random != NULL)
		memcpy(&seed, random, sizeof(seed));
	options->seed = seed == 0 ? 1 : seed;
}

void fp_session_suggest_budget(void)
{
	static atomic_bool is_told;

	if (atomic_exchange(&is_told, true))
		return;
	fp_lock_acquire(&fp_session.lock);
	fp_session_note(FP_TELL_SUGGESTION);
	fp_session_publish(NULL);
	fp_lock_release(&fp_session.lock);
}

void fp_session_suspect(const struct fp_finding *finding)
{
	const struct fp_session_picker_door *picker = atomic_load(&door);

	if (picker != NULL && finding->has_block && fp_session.options.budget != 0)
		picker->suspect(finding->block.alloc_trace);
}

/* Contexts with most blocks, these first, and the sum of all others. */
struct list {
	struct fp_log_context listed[LISTED + 1];
	size_t count;
	struct fp_log_context others;
};

static void add_to_others(struct list *list, const struct fp_log_context *context)
{
	list->others.contexts++;
	list->others.blocks += context->blocks;
	list->others.guarded += context->guarded;
}

static void add(const struct fp_session_picked *picked, void *user)
{
	struct list *list = user;
	const struct fp_log_context context = {.blocks = picked->blocks,
	                                       .guarded = picked->guarded,
	                                       .contexts = 1,
	                                       .trace = picked->trace};
	size_t at = list->count;

	if (at == LISTED && list->listed[at - 1].blocks >= context.blocks) {
		add_to_others(list, &context);
		return;
	}
	if (at == LISTED)
		add_to_others(list, &list->listed[--at]);
	list->count = at + 1;
	for (; at > 0 && list->listed[at - 1].blocks < context.blocks; at--)
		list->listed[at] = list->listed[at - 1];
	list->listed[at] = context;
}

void fp_session_log_heap(struct fp_log *tail, struct fp_log_heap *heap)
{
	const struct fp_session_picker_door *picker = atomic_load(&door);
	struct list *list = NULL;

	if (picker != NULL && fp_session.options.budget != 0)
		list = fp_meta_alloc(sizeof(*list));
	if (list != NULL) {
		picker->list_contexts(add, list);
		for (size_t i = 0; i < list->count; i++)
			fp_session_log_trace(tail, list->listed[i].trace);
		if (list->others.contexts != 0)
			list->listed[list->count++] = list->others;
		heap->contexts = list->listed;
		heap->context_count = (uint32_t)list->count;
	}
	fp_log_heap(tail, heap);
	fp_meta_free(list, sizeof(*list));
}
