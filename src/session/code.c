/* SPDX-License-Identifier: Apache-2.0
 *
 * Code that is unloaded: what its addresses meant is logged before others come to stand there.
 * Each trace is logged once for that, and only so many unloads are looked at, so that a program
 * that loads and unloads for ever has no log that grows for ever.
 *
 * Context: alloc.
 */
#include <string.h>

#include "base/align.h"
#include "base/meta.h"
#include "session/session.h"
#include "session/state.h"
#include "stack/stack.h"

enum { UNLOADS_MAX = 10000 };

/* A bit for each trace that was logged here; under the session's lock. */
static uint8_t *logged;
static size_t logged_bytes;
static unsigned unloads;

static bool is_in(const struct fp_log_known_module *code, uintptr_t address)
{
	/* A return address may stand behind the last instruction. */
	return address > code->start && address <= code->end;
}

static bool make_room_locked(uint32_t traces)
{
	size_t bytes = fp_align_up(traces / 8 + 1, 4096);

	if (bytes <= logged_bytes)
		return true;
	uint8_t *grown = fp_meta_alloc(2 * bytes);
	if (grown == NULL)
		return false;
	if (logged != NULL) {
		memcpy(grown, logged, logged_bytes);
		fp_meta_free(logged, logged_bytes);
	}
	logged = grown;
	logged_bytes = 2 * bytes;
	return true;
}

static void log_trace_locked(const struct fp_log_known_module *gone, fp_trace_id trace)
{
	uint8_t bit = (uint8_t)(1u << trace % 8);
	size_t count;
	const uintptr_t *frames = fp_stack_trace(trace, &count);
	bool is_gone = false;

	for (size_t i = 0; i < count && !is_gone; i++)
		is_gone = is_in(gone, frames[i]);
	if (!is_gone || (logged[trace / 8] & bit) != 0)
		return;
	logged[trace / 8] |= bit;
	fp_log_trace(fp_session_log(), trace, frames, count);
}

static void went_locked(const struct fp_log_known_module *module)
{
	uint32_t traces = fp_stack_trace_count();

	if (unloads >= UNLOADS_MAX || !make_room_locked(traces))
		return;
	unloads++;
	for (fp_trace_id trace = 1; trace <= traces; trace++)
		log_trace_locked(module, trace);
}

void fp_session_look_at_code(void)
{
	if (!fp_session_is_started() || atomic_load(&fp_session.own.is_finished))
		return;
	fp_lock_acquire(&fp_session.lock);
	if (unloads < UNLOADS_MAX)
		fp_log_modules(fp_session_log());
	fp_lock_release(&fp_session.lock);
}

static bool is_known(const struct fp_stack_code *code)
{
	bool is_known = false;

	fp_lock_acquire(&fp_session.lock);
	for (size_t i = 0; i < fp_session.log.modules && !is_known; i++) {
		const struct fp_log_known_module *known = &fp_session.log.known[i];

		is_known = known->is_there && known->start >= code->start &&
		           known->end <= code->end;
	}
	fp_lock_release(&fp_session.lock);
	return is_known;
}

/* Code may go without a word, so it is logged when it is met. */
static void meet_code(const struct fp_stack_code *code)
{
	if (fp_session_is_started() && !(code->is_first && is_known(code)))
		fp_session_look_at_code();
}

void fp_session_watch_code(void)
{
	static const struct fp_log_code_watch watch = {.went = went_locked};

	fp_session.log.watch = &watch;
	fp_stack_on_new_code(meet_code);
}
