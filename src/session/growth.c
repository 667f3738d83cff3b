/* SPDX-License-Identifier: Apache-2.0
 *
 * leak_growth: what grows is told at the end. Where somebody collects events as they come, it
 * is told before, too, because servers are killed; each list replaces the one before.
 *
 * Who holds a block of a stack that grows is looked up then, too, with one search for all of
 * them: what is lost later had such a holder. That search counts as looking, as the snapshots
 * do.
 *
 * Context: alloc.
 */
#include "heap/heap.h"
#include "heap/pools.h"
#include "leak/leak.h"
#include "session/session.h"
#include "session/state.h"
#include "stack/stack.h"
#include "timeline/timeline.h"

/* Between the first two snapshots, in milliseconds: what ends before eight of them, like most
 * programs of a build, is not judged. */
enum { FIRST_INTERVAL = 100 };

/* What held a block of a stack when that was last looked at. Searches for leaks are one at a
 * time, and so is the use of this. */
static struct holding {
	fp_trace_id trace;
	uint64_t milliseconds;
	struct fp_leak_link link;
	struct fp_block block; /* that has the pointer; of no address: none has */
} holdings[FP_TREND_LISTED_MAX];

/* What is looked for. */
struct looking {
	fp_trace_id growing[FP_TREND_LISTED_MAX];
	size_t count;
	uint64_t now;
};

static struct holding *find_holding(fp_trace_id trace)
{
	for (uint32_t i = 0; i < fp_session.own.holdings; i++)
		if (holdings[i].trace == trace)
			return &holdings[i];
	return NULL;
}

static void keep(const struct fp_leak_group *group, uint64_t now)
{
	struct holding *holding = find_holding(group->trace);
	uintptr_t at = group->links[0].at;
	struct fp_block *block;

	if (holding == NULL && fp_session.own.holdings < FP_TREND_LISTED_MAX)
		holding = &holdings[fp_session.own.holdings++];
	if (holding == NULL)
		return;
	*holding = (struct holding){
	        .trace = group->trace, .milliseconds = now, .link = group->links[0]};
	block = &holding->block;
	if (!fp_session_find_live(at, block))
		block->address = 0;
}

static void look_at_group(const struct fp_leak_group *group, void *user)
{
	const struct looking *looking = user;

	if (group->class == FP_LEAK_DEFINITE || group->class == FP_LEAK_INDIRECT ||
	    group->link_count == 0)
		return;
	for (size_t i = 0; i < looking->count; i++)
		if (looking->growing[i] == group->trace)
			keep(group, looking->now);
}

/* From where the program's part of the stack begins: ours holds what is just being given out.
 */
static void search(struct looking *looking)
{
	const struct fp_leak_config config = {
	        .after = fp_session.first_serial,
	        .after_region = fp_session.first_region,
	        .with_reachable = true,
	        .is_kept = fp_session_is_ignored,
	        .visit_group = look_at_group,
	        .user = looking,
	};
	struct fp_leak_result result;
	uintptr_t frame;
	uintptr_t stack;

	if (fp_stack_list_frames(NULL, &frame, &stack, 1) == 1)
		fp_leak_check(&config, stack, &result);
}

static void look_for_holders(void)
{
	struct looking looking = {.now = fp_timeline_now()};

	if (fp_session.options.leak_check == FP_OPTIONS_LEAK_CHECK_NO ||
	    !fp_session_may_search() || !fp_session_is_here())
		return;
	looking.count = fp_timeline_list_growing(looking.growing);
	if (looking.count > 0)
		search(&looking);
}

bool fp_session_find_last_holder(fp_trace_id trace, struct fp_log *log,
                                 struct fp_log_holder *holder, uint64_t *milliseconds)
{
	const struct holding *holding = find_holding(trace);

	if (holding == NULL)
		return false;
	*milliseconds = holding->milliseconds;
	*holder = (struct fp_log_holder){
	        .kind = holding->block.address != 0 ? FP_HOLDER_BLOCK : FP_HOLDER_MEMORY,
	        .address = holding->link.at,
	        .offset = (int64_t)holding->link.offset,
	        .block = fp_session_log_block(log, &holding->block, holding->link.at),
	};
	return true;
}

/* An empty list is worth telling once, and when it replaces another. */
static void tell_locked(void)
{
	size_t count = fp_timeline_count_growing();

	if (fp_session.own.has_told_growth && fp_session.own.growing == 0 && count == 0)
		return;
	fp_log_modules(fp_session_log());
	fp_timeline_log_growth(fp_session_log());
	fp_session.own.growing = count;
	fp_session.own.has_told_growth = true;
	fp_session_publish(NULL);
}

static void tell(void)
{
	look_for_holders();
	fp_lock_acquire(&fp_session.lock);
	if (atomic_load(&fp_session.is_started) && !atomic_load(&fp_session.own.is_finished) &&
	    fp_session_channel_memory() != NULL)
		tell_locked();
	fp_lock_release(&fp_session.lock);
}

void fp_session_start_timeline(void)
{
	const struct fp_timeline_config config = {
	        .growth_ms = fp_session.options.leak_growth ? FIRST_INTERVAL : 0,
	        .growth_news = tell,
	};

	fp_timeline_start(&config);
}
