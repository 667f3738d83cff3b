/* SPDX-License-Identifier: Apache-2.0
 *
 * Searches for leaks and what the event log is told of them. A search stands for itself: its
 * leaks replace those of earlier ones.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/messages.h"
#include "base/meta.h"
#include "base/text.h"
#include "heap/heap.h"
#include "heap/pools.h"
#include "leak/leak.h"
#include "region/region.h"
#include "session/session.h"
#include "session/state.h"
#include "stack/caller.h"
#include "stack/stack.h"
#include "timeline/timeline.h"

/* What a search is for, and what it told. */
struct telling {
	struct fp_log *log;
	enum fp_session_check kind;
	uint64_t new_blocks; /* that are lost and were not when leaks were last looked for */
	fp_trace_id growing[FP_TREND_LISTED_MAX];
	size_t growing_count;
};

static bool is_lost(enum fp_leak_class class)
{
	return class == FP_LEAK_DEFINITE || class == FP_LEAK_INDIRECT;
}

static bool is_growing(const struct telling *telling, fp_trace_id trace)
{
	for (size_t i = 0; i < telling->growing_count; i++)
		if (telling->growing[i] == trace)
			return true;
	return false;
}

/* Reachable ones are leaks for those only who ask for them. */
static bool is_to_be_told(const struct fp_leak_group *group, const struct telling *telling)
{
	bool is_new = is_lost(group->class) &&
	              (group->new.blocks > 0 || group->new_indirect.blocks > 0);

	if (telling->kind == FP_SESSION_CHECK_ONLY_NEWS)
		return is_new;
	return group->class != FP_LEAK_REACHABLE || fp_session.options.show_reachable;
}

static void tell_group(const struct fp_leak_group *group, void *user)
{
	struct telling *telling = user;

	if (is_lost(group->class))
		telling->new_blocks += group->new.blocks;
	fp_session_log_group(telling->log, group, is_to_be_told(group, telling),
	                     is_growing(telling, group->trace));
}

/* For the next check. */
static void mark_told(const struct fp_leak_block *block, void *user)
{
	uint8_t marks = FP_BLOCK_TOLD | (is_lost(block->class) ? FP_BLOCK_LOST : 0);

	(void)user;
	if ((block->marks & marks) == marks)
		return;
	if (block->family == FP_FAMILY_VIRTUAL)
		fp_region_mark(block->address, block->serial, marks);
	else if (block->family == FP_FAMILY_POOL)
		fp_pools_mark(block->address, block->serial, marks);
	else
		fp_heap_mark(block->address, block->serial, marks);
}

bool fp_session_has_check_failed(void)
{
	return atomic_load(&fp_session.own.leaks.has_failed);
}

static void set_failed(struct fp_log *log)
{
	fp_log_leak_check(log, FP_LOG_CHECK_FAILED);
	atomic_store(&fp_session.own.leaks.has_failed, true);
}

static void note_failure(struct fp_log *log, int status)
{
	fp_log_tell(log, FP_TELL_LEAKS_FAILED, strerrordesc_np(-status));
	set_failed(log);
}

/* Once: it is likely to be so at each check. */
static void note_unanswered(struct fp_log *log, uint64_t threads)
{
	static _Atomic bool is_noted;

	if (!atomic_exchange(&is_noted, true))
		fp_log_tell(log, FP_TELL_THREADS_RAN, FP_TEXT_COUNT(threads));
}

static void log_notes(struct fp_log *log, const struct fp_leak_result *result)
{
	if (result->unanswered > 0)
		note_unanswered(log, result->unanswered);
	if (result->is_blind) {
		fp_log_note(log, FP_TELL_LEAKS_BLIND);
		set_failed(log);
	}
	if (result->is_partial)
		fp_log_note(log, FP_TELL_LEAKS_PARTIAL);
	if (fp_session.options.leak_snapshot && !result->is_snapshot)
		fp_log_note(log, FP_TELL_NO_SNAPSHOT);
}

bool fp_session_is_ignored(const struct fp_block *block, void *user)
{
	(void)user;
	return (block->marks & FP_BLOCK_IGNORED) != 0;
}

static bool is_wanted(void)
{
	return fp_session.options.leak_check != FP_OPTIONS_LEAK_CHECK_NO;
}

bool fp_session_has_blocks(void)
{
	struct fp_heap_totals totals;

	fp_heap_totals(&totals);
	return is_wanted() &&
	       (totals.live_blocks > totals.inherited_blocks || fp_pools_live_count() > 0 ||
	        fp_region_last_serial() > fp_session.first_region);
}

/* At the end of the process the C library's frames lie where the program's were, with gaps in
 * which those have left pointers: what counts is what was there when it called exit(3). */
static size_t find_exit(struct fp_stack_caller *caller, uintptr_t *stack)
{
	if (!atomic_load(&fp_session.own.is_finished) ||
	    !fp_stack_find_caller((uintptr_t)&exit, caller))
		return 0;
	*stack = caller->stack;
	return 1;
}

/* Where the program stands, when that is not where we were called. */
struct vantage {
	struct fp_stack_caller caller;
	struct fp_leak_range registers[FP_LEAK_REGISTER_RANGES];
	size_t count; /* of ranges */
};

static void find_vantage(struct vantage *vantage, uintptr_t *stack)
{
	/* Of the thread that dies, and no other. */
	const struct fp_leak_interrupted *interrupted =
	        fp_session_is_finishing_here() ? fp_session.own.interrupted : NULL;

	if (interrupted != NULL) {
		memcpy(vantage->registers, interrupted->registers, sizeof(vantage->registers));
		vantage->count = interrupted->count;
		*stack = interrupted->stack;
		return;
	}
	vantage->count = find_exit(&vantage->caller, stack);
	vantage->registers[0] = (struct fp_leak_range){
	        .start = (uintptr_t)&vantage->caller.registers,
	        .end = (uintptr_t)(&vantage->caller.registers + 1),
	};
}

/* Looks in saved registers and in the program's own roots, too, the latter as far as there is
 * memory for their list. */
static int search(struct fp_leak_config *config, uintptr_t stack, struct fp_leak_result *result)
{
	struct vantage vantage = {.count = 0};

	find_vantage(&vantage, &stack);
	size_t room = vantage.count + fp_session_copy_roots(NULL, SIZE_MAX);
	struct fp_leak_range *roots = room == 0 ? NULL : fp_meta_alloc(room * sizeof(*roots));
	config->roots = roots == NULL ? vantage.registers : roots;
	config->root_count = vantage.count;
	if (roots != NULL) {
		memcpy(roots, vantage.registers, vantage.count * sizeof(*roots));
		config->root_count +=
		        fp_session_copy_roots(roots + vantage.count, room - vantage.count);
	}
	int status = fp_leak_check(config, stack, result);
	fp_meta_free(roots, room * sizeof(*roots));
	return status;
}

static uint8_t flags_of(enum fp_session_check kind)
{
	return (uint8_t)((atomic_load(&fp_session.own.leaks.is_repeated) ? FP_LOG_CHECK_REPEATED
	                                                                 : 0) |
	                 (kind >= FP_SESSION_CHECK_NEWS ? FP_LOG_CHECK_NEWS : 0));
}

/* The next check tells what is new since this one. */
static void set_told(void)
{
	struct fp_heap_totals totals;

	fp_heap_totals(&totals);
	atomic_store(&fp_session.told_serial, totals.last_serial);
	atomic_store(&fp_session.told_region, fp_region_last_serial());
	atomic_store(&fp_session.own.leaks.is_repeated, true);
}

/* What the last search found, blocks and bytes. */
static _Atomic uint64_t last_found[FP_LEAK_CLASS_COUNT][2];

static void keep_counts(const struct fp_leak_result *result)
{
	for (size_t i = 0; i < FP_LEAK_CLASS_COUNT; i++) {
		atomic_store(&last_found[i][0], result->blocks[i]);
		atomic_store(&last_found[i][1], result->bytes[i]);
	}
}

struct fp_session_leak_counts fp_session_count_leaks(bool of_blocks)
{
	return (struct fp_session_leak_counts){
	        .lost = atomic_load(&last_found[FP_LEAK_DEFINITE][!of_blocks]) +
	                atomic_load(&last_found[FP_LEAK_INDIRECT][!of_blocks]),
	        .possible = atomic_load(&last_found[FP_LEAK_POSSIBLE][!of_blocks]),
	        .reachable = atomic_load(&last_found[FP_LEAK_REACHABLE][!of_blocks]),
	};
}

static uint64_t log_leaks(struct fp_log *log, uintptr_t stack, enum fp_session_check kind)
{
	bool is_last = kind == FP_SESSION_CHECK_LAST;
	struct fp_leak_result result = {0};
	struct telling telling = {.log = log, .kind = kind};
	struct fp_leak_config config = {
	        .after = fp_session.first_serial,
	        .after_region = fp_session.first_region,
	        .told = atomic_load(&fp_session.told_serial),
	        .told_region = atomic_load(&fp_session.told_region),
	        .is_snapshot = fp_session.options.leak_snapshot,
	        .with_reachable = fp_session.options.show_reachable,
	        .is_kept = fp_session_is_ignored,
	        .visit_group = tell_group,
	        .visit_block = is_last ? NULL : mark_told,
	        .user = &telling,
	};

	if (!fp_session_asks_lsan()) {
		fp_log_leak_check(log, FP_LOG_CHECK_OFF);
		return 0;
	}
	fp_log_leak_check(log, flags_of(kind));
	if (!is_last)
		set_told();
	if (!fp_session_has_blocks())
		return 0;
	if (kind != FP_SESSION_CHECK_ONLY_NEWS)
		telling.growing_count = fp_timeline_list_growing(telling.growing);
	config.with_reachable |= telling.growing_count > 0;
	int status = search(&config, stack, &result);
	if (status != 0)
		note_failure(log, status);
	else
		log_notes(log, &result);
	keep_counts(&result);
	if (kind == FP_SESSION_CHECK_ONLY_NEWS)
		return telling.new_blocks;
	return result.blocks[FP_LEAK_DEFINITE] + result.blocks[FP_LEAK_INDIRECT];
}

uint64_t fp_session_log_leaks(struct fp_log *log, uintptr_t stack, enum fp_session_check kind)
{
	if (!is_wanted())
		return 0;
	return atomic_load(&fp_session.own.leaks.is_last)
	               ? atomic_load(&fp_session.own.leaks.found)
	               : log_leaks(log, stack, kind);
}

/* Findings are made meanwhile: what a check has to say comes in one piece. */
static void check(uintptr_t stack, void *user)
{
	struct fp_log *leaks = fp_meta_alloc(sizeof(*leaks));
	uint64_t *leaked = user;

	if (leaks == NULL)
		return;
	fp_log_open(leaks, true);
	*leaked = log_leaks(leaks, stack, FP_SESSION_CHECK_ALL);
	fp_lock_acquire(&fp_session.lock);
	/* Leaks name traces of any module. */
	fp_log_modules(fp_session_log());
	fp_log_append_log(fp_session_log(), leaks);
	fp_session_publish(NULL);
	fp_lock_release(&fp_session.lock);
	fp_log_discard(leaks);
	fp_meta_free(leaks, sizeof(*leaks));
}

size_t fp_session_check_leaks(void)
{
	uint64_t leaked = 0;
	int saved_errno = errno;

	if (fp_session_is_started() && is_wanted() &&
	    !atomic_load(&fp_session.own.leaks.is_last))
		fp_leak_from_here(check, &leaked);
	errno = saved_errno;
	return (size_t)leaked;
}

int fp_session_check_leaks_finally(void)
{
	uint64_t leaked = fp_session_check_leaks();

	/* Whoever comes second looks for none and finds none. */
	if (leaked > 0)
		atomic_store(&fp_session.own.leaks.found, leaked);
	if (!fp_session_is_started() || !is_wanted() ||
	    atomic_exchange(&fp_session.own.leaks.is_last, true) || leaked == 0)
		return 0;
	return (int)fp_session.options.error_exitcode;
}
