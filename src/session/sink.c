/* SPDX-License-Identifier: Apache-2.0
 *
 * Where findings arrive: the same misuse at the same place is one finding with a count. The
 * first is logged at once, so that it survives whatever the program does next.
 *
 * Context: alloc.
 */
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/messages.h"
#include "base/meta.h"
#include "base/text.h"
#include "heap/heap.h"
#include "heap/tier.h"
#include "session/session.h"
#include "session/state.h"
#include "stack/stack.h"

/* ---- As fencepost.h shows them -------------------------------------------------------------
 *
 * Blocks and findings as <fencepost/fencepost.h> shows them to a program.
 *
 * Context: alloc.
 */

static void describe_block(const struct fp_block *block, uintptr_t address,
                           struct fp_block_info *info)
{
	*info = (struct fp_block_info){
	        .address = (const void *)block->address,
	        .size = block->size,
	        .offset = (ptrdiff_t)(address - block->address),
	        .is_live = block->state == FP_BLOCK_LIVE,
	        .tier = fp_tier_name(block->tier),
	        .family = fp_family_name(block->family),
	        .heap = block->heap,
	        .serial = block->serial,
	        .alloc_thread = block->alloc_thread,
	        .free_thread = block->state == FP_BLOCK_LIVE ? 0 : block->free_thread,
	};
}

static void describe(const struct fp_finding *finding, struct fp_finding_info *info)
{
	*info = (struct fp_finding_info){
	        .kind = fp_finding_traits(finding->kind)->name,
	        .description = finding->description,
	        .address = (const void *)finding->address,
	        .thread = finding->thread,
	        .has_block = finding->has_block,
	};
	if (finding->has_block)
		describe_block(&finding->block, finding->address, &info->block);
}

bool fp_session_describe_address(uintptr_t address, struct fp_block_info *info)
{
	struct fp_block block;

	if (!fp_session_find_block(address, &block))
		return false;
	describe_block(&block, address, info);
	return true;
}

/* ---- Findings -------------------------------------------------------------------------------
 */

enum { PLACES = 1 << 12, FINDINGS_MAX = PLACES / 2 };

#define ONE(...) +1
enum { PARTS = FP_SAME_FINDING(ONE, ONE) };
#undef ONE

struct known {
	uint64_t count; /* 0 is a free place */
	uint32_t same[PARTS];
	uint32_t index;
};

static struct known *table; /* open addressing, under the session's lock */

static void (*_Atomic debuggers_place)(const struct fp_finding_info *finding);
static _Atomic(fp_finding_callback) callback;
static void *_Atomic callback_user;

/* Traces that a finding does not have are FP_TRACE_NONE. */
static void identify(const struct fp_finding *finding, uint32_t same[PARTS])
{
#define WORD(member) finding->member,
#define STACK(of) finding->of##trace,
	const uint32_t parts[PARTS] = {FP_SAME_FINDING(WORD, STACK)};
#undef WORD
#undef STACK

	memcpy(same, parts, sizeof(parts));
}

static struct known *find_locked(const uint32_t same[PARTS])
{
	uint64_t hash = 0;

	for (size_t i = 0; i < PARTS; i++)
		hash = fp_hash_word(hash, same[i]);
	size_t at = fp_hash_place(hash, PLACES);
	while (table[at].count != 0 &&
	       memcmp(table[at].same, same, sizeof(table[at].same)) != 0)
		at = fp_hash_next(at, PLACES);
	return &table[at];
}

/* Where THREAD was created becomes one of BIRTHS, of which there are COUNT; and who created
 * that one, and so on. */
static uint32_t add_birth(struct fp_log_birth *births, uint32_t count, fp_thread_id thread)
{
	struct fp_stack_birth birth = {.thread = thread};

	/* An id that the first thread of a forked child has may have been a thread's. */
	while (count < FP_BIRTHS_MAX && birth.thread != (fp_thread_id)fp_session.pid &&
	       fp_stack_find_birth(&birth)) {
		for (uint32_t i = 0; i < count; i++)
			if (births[i].thread == birth.thread)
				return count;
		births[count++] =
		        (struct fp_log_birth){birth.thread, birth.creator, birth.trace};
		fp_session_log_trace(fp_session_log(), birth.trace);
		birth.thread = birth.creator;
	}
	return count;
}

/* Of all threads that FINDING names. */
static uint32_t find_births(const struct fp_finding *finding, struct fp_log_birth *births)
{
	uint32_t count = add_birth(births, 0, finding->thread);

	count = add_birth(births, count, finding->other.thread);
	if (finding->has_block && finding->block.state == FP_BLOCK_FREED)
		count = add_birth(births, count, finding->block.free_thread);
	count = add_birth(births, count, finding->page.commit_thread);
	if (finding->has_block)
		count = add_birth(births, count, finding->block.alloc_thread);
	for (uint32_t i = 0; i < finding->nearest_count; i++)
		count = add_birth(births, count, finding->nearest[i].alloc_thread);
	return count;
}

static void log_finding(uint32_t index, const struct fp_finding *finding, bool has_holders)
{
	struct fp_log_site site = {.file = ""};
	struct fp_log_birth births[FP_BIRTHS_MAX];
	struct fp_finding told = *finding;
	int line = 0;

	fp_log_modules(fp_session_log());
	fp_session_log_trace(fp_session_log(), finding->trace);
	fp_session_log_trace(fp_session_log(), finding->other.trace);
	if (finding->has_block) {
		fp_session_log_trace(fp_session_log(), finding->block.alloc_trace);
		fp_session_log_trace(fp_session_log(), finding->block.free_trace);
		fp_session_log_trace(fp_session_log(), finding->page.commit_trace);
		fp_stack_site(finding->block.site, &site.file, &line);
		site.line = (uint32_t)line;
	}
	for (uint32_t i = 0; i < finding->nearest_count; i++) {
		fp_session_log_trace(fp_session_log(), finding->nearest[i].alloc_trace);
		fp_session_log_trace(fp_session_log(), finding->nearest[i].free_trace);
	}
	told.births = births;
	told.birth_count = find_births(finding, births);
	if (has_holders)
		fp_session_tell_holders(&told);
	fp_log_finding(fp_session_log(), index, &told, &site);
	if (finding->kind == FP_FINDING_CRASH &&
	    fp_session.options.align != FP_OPTIONS_ALIGN_16)
		fp_log_note(fp_session_log(), FP_TELL_ALIGN_CRASH);
}

void fp_session_reserve_findings(void)
{
	table = fp_meta_alloc(PLACES * sizeof(*table));
}

/* Whether the finding is a new one. */
static bool add_locked(const struct fp_finding *finding, bool has_holders)
{
	uint32_t same[PARTS];

	identify(finding, same);
	if (table == NULL)
		fp_session_reserve_findings();
	struct known *known = table != NULL ? find_locked(same) : NULL;
	bool is_known = known != NULL && known->count > 0;
	if (known == NULL ||
	    (!is_known && atomic_load(&fp_session.own.findings.distinct) == FINDINGS_MAX)) {
		fp_session.own.findings.beyond++;
		return false;
	}
	known->count++;
	if (is_known)
		return false;
	memcpy(known->same, same, sizeof(same));
	known->index = (uint32_t)atomic_load(&fp_session.own.findings.distinct);
	atomic_fetch_add(&fp_session.own.findings.distinct, 1);
	log_finding(known->index, finding, has_holders);
	fp_session_date_remains();
	fp_session_start_watcher();
	fp_session_publish(NULL);
	return true;
}

bool fp_session_knows(const struct fp_finding *finding)
{
	uint32_t same[PARTS];

	identify(finding, same);
	fp_lock_acquire(&fp_session.lock);
	bool is_known = table != NULL && find_locked(same)->count > 0;
	fp_lock_release(&fp_session.lock);
	return is_known;
}

static void halt(void)
{
	fp_session_finish_dying(SIGABRT);
	abort();
}

static void tell(const struct fp_finding *finding)
{
	void (*place)(const struct fp_finding_info *) = atomic_load(&debuggers_place);
	fp_finding_callback call = atomic_load(&callback);
	struct fp_finding_info info;

	describe(finding, &info);
	if (place != NULL)
		place(&info);
	if (call != NULL)
		call(&info, atomic_load(&callback_user));
}

void fp_session_sink(const struct fp_finding *finding, void *unused)
{
	(void)unused;
	bool has_holders = fp_session_find_holders(finding);
	fp_lock_acquire(&fp_session.lock);
	bool is_new = add_locked(finding, has_holders);
	fp_lock_release(&fp_session.lock);
	if (has_holders)
		fp_session_release_holders();
	if (!is_new)
		return;
	fp_session_suspect(finding);
	tell(finding);
	/* What is found while the report is made has nothing left to halt. */
	bool is_end =
	        fp_session.options.halt_on_error && !atomic_load(&fp_session.own.is_finished);
	/* What comes of a fault the program's own handler may make the end of; and with the
	 * first process of a namespace all others end, who reads along among them. */
	if (is_end || fp_lock_is_in_fault_mode() || fp_session.pid == 1)
		fp_session_await_shown();
	if (is_end)
		halt();
}

void fp_session_tell_debuggers(void (*on_finding)(const struct fp_finding_info *finding))
{
	atomic_store(&debuggers_place, on_finding);
}

void fp_session_set_callback(fp_finding_callback new_callback, void *user)
{
	static atomic_bool is_root;

	/* The program may have given its only pointer away. */
	if (!atomic_exchange(&is_root, true))
		fp_session_add_root(&callback_user, sizeof(callback_user));
	/* No call may see the new function with the old user pointer. */
	atomic_store(&callback, NULL);
	atomic_store(&callback_user, user);
	atomic_store(&callback, new_callback);
}

size_t fp_session_finding_count(void)
{
	return atomic_load(&fp_session.own.findings.distinct);
}

void fp_session_log_counts(struct fp_log *log)
{
	/* A report may be asked for while findings are made. */
	fp_lock_acquire(&fp_session.lock);
	for (size_t i = 0; fp_session_finding_count() > 0 && i < PLACES; i++)
		if (table[i].count > 1)
			fp_log_finding_count(log, table[i].index, table[i].count);
	if (fp_session.own.findings.beyond > 0)
		fp_log_tell(log, FP_TELL_BEYOND, fp_session.own.findings.beyond,
		            (uint64_t)atomic_load(&fp_session.own.findings.distinct));
	fp_lock_release(&fp_session.lock);
}

void fp_session_forget_findings(void)
{
	fp_meta_free(table, PLACES * sizeof(*table));
	table = NULL;
}
