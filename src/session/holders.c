/* SPDX-License-Identifier: Apache-2.0
 *
 * Who holds the block of a finding, asked when it is made: of the first few only, because all
 * threads stand still meanwhile. Between the search and the end of the finding's record its
 * result is one thread's.
 *
 * Context: alloc and fault. Takes no lock that it cannot have in time.
 */
#include <stdatomic.h>

#include "base/lock.h"
#include "base/messages.h"
#include "base/room.h"
#include "base/sys.h"
#include "leak/holders.h"
#include "leak/leak.h"
#include "session/session.h"
#include "session/state.h"

enum { SEARCHED_FINDINGS = 8, EXPLAIN_MS = 10000 };

static struct fp_lock lock = FP_LOCK_INITIALIZER(FP_RANK_HOLDERS);
static struct fp_leak_census census;
static struct fp_log_holder holders[FP_LEAK_HOLDERS_MAX];

void fp_session_forget_holders(void)
{
	/* Who had it is not in the child of a fork. */
	if (!fp_lock_is_free(&lock))
		atomic_store(&lock.word, 0);
}

static bool is_asked_about(const struct fp_finding *finding)
{
	switch (finding->kind) {
	case FP_FINDING_HEAP_USE_AFTER_FREE:
	case FP_FINDING_DOUBLE_FREE:
	case FP_FINDING_INVALID_FREE:
		return finding->has_block && finding->block.family != FP_FAMILY_VIRTUAL;
	default:
		return false;
	}
}

static void search_from(void *stack)
{
	fp_leak_find_holders(&census, *(const uintptr_t *)stack);
}

/* A search is deep, and the thread that met a bad access may have a small stack: on one of
 * ours, unless it is there already. */
static void search(uintptr_t stack, void *unused)
{
	bool is_inside = fp_room_holds((uintptr_t)__builtin_frame_address(0));
	struct fp_room *room = is_inside ? NULL : fp_room_take();

	(void)unused;
	fp_room_work(room, search_from, &stack);
	fp_room_give(room);
}

/* Why there can be no search, or NULL. */
static const char *find_obstacle(bool is_any_held)
{
	if (is_any_held)
		return FP_TELL_HOLDERS_HEAP;
	if (atomic_load(&fp_sys_is_confined))
		return FP_TELL_HOLDERS_SECCOMP;
	return NULL;
}

bool fp_session_may_search(void)
{
	return find_obstacle(fp_lock_is_any_held()) == NULL;
}

bool fp_session_find_holders(const struct fp_finding *finding)
{
	bool is_any_held = fp_lock_is_any_held();
	unsigned milliseconds = (unsigned)fp_session.options.holders;

	if (milliseconds == 0 || !is_asked_about(finding) ||
	    fp_session_finding_count() >= SEARCHED_FINDINGS || !fp_session_is_here() ||
	    fp_session_knows(finding) || !fp_lock_acquire_within(&lock, milliseconds))
		return false;
	census = (struct fp_leak_census){
	        .start = finding->block.address,
	        .size = finding->block.size,
	        .context = finding->context,
	        .milliseconds = milliseconds,
	};
	census.obstacle = find_obstacle(is_any_held);
	if (census.obstacle == NULL)
		fp_leak_from_here(search, NULL);
	else
		census.result = FP_CENSUS_SKIPPED;
	return true;
}

void fp_session_release_holders(void)
{
	fp_lock_release(&lock);
}

void fp_session_tell_holders(struct fp_finding *finding)
{
	finding->census = fp_session_log_census(fp_session_log(), &census, holders);
	finding->holders = holders;
	finding->holder_count = census.count;
}

bool fp_session_explain_holders(struct fp_log *log, const struct fp_block *block,
                                uintptr_t stack, struct fp_log_explanation *explanation)
{
	if (!fp_lock_acquire_within(&lock, EXPLAIN_MS))
		return false;
	census = (struct fp_leak_census){
	        .start = block->address,
	        .size = block->size,
	        .milliseconds = EXPLAIN_MS,
	        .obstacle = find_obstacle(false),
	};
	if (census.obstacle == NULL)
		fp_leak_find_holders(&census, stack);
	else
		census.result = FP_CENSUS_SKIPPED;
	explanation->census = fp_session_log_census(log, &census, holders);
	explanation->holders = holders;
	explanation->holder_count = census.count;
	return true;
}
