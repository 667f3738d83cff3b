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
#include "base/maps.h"
#include "base/meta.h"
#include "session/session.h"
#include "session/state.h"
#include "stack/stack.h"

enum { RANGES_MAX = 1020, UNLOADS_MAX = 10000 };

struct range {
	uintptr_t start;
	uintptr_t end;
};

/* Executable mappings of files, in the order of addresses. */
struct fp_session_code {
	size_t count;
	struct range ranges[RANGES_MAX];
};

/* A bit for each trace that was logged here; under the session's lock. */
static uint8_t *logged;
static size_t logged_bytes;
static _Atomic unsigned unloads;

static bool add_range(const struct fp_mapping *mapping, void *user)
{
	struct fp_session_code *code = user;

	if (!mapping->is_executable || mapping->path[0] != '/')
		return true;
	code->ranges[code->count++] = (struct range){mapping->start, mapping->end};
	return code->count < RANGES_MAX;
}

static struct fp_session_code *find_code(void)
{
	struct fp_session_code *code = fp_meta_alloc(sizeof(*code));

	if (code != NULL && fp_maps_each(add_range, code) != 0) {
		fp_meta_free(code, sizeof(*code));
		return NULL;
	}
	return code;
}

struct fp_session_code *fp_session_begin_unload(void)
{
	if (!fp_session_is_started() || atomic_load(&fp_session.is_finished) ||
	    atomic_load(&unloads) >= UNLOADS_MAX)
		return NULL;
	struct fp_session_code *code = find_code();
	if (code == NULL)
		return NULL;
	fp_lock_acquire(&fp_session.lock);
	fp_log_modules(&fp_session.log, fp_session_own_code());
	fp_lock_release(&fp_session.lock);
	return code;
}

/* Leaves in BEFORE what is not in AFTER any more. */
static void subtract(struct fp_session_code *before, const struct fp_session_code *after)
{
	size_t kept = 0;
	size_t at = 0;

	for (size_t i = 0; i < before->count; i++) {
		while (at < after->count && after->ranges[at].start < before->ranges[i].start)
			at++;
		if (at == after->count || after->ranges[at].start != before->ranges[i].start)
			before->ranges[kept++] = before->ranges[i];
	}
	before->count = kept;
}

static bool is_in(const struct fp_session_code *code, uintptr_t address)
{
	for (size_t i = 0; i < code->count; i++) {
		/* A return address may stand behind the last instruction. */
		if (address > code->ranges[i].start && address <= code->ranges[i].end)
			return true;
	}
	return false;
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

static void log_trace_locked(const struct fp_session_code *gone, fp_trace_id trace)
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
	fp_log_trace(&fp_session.log, trace, frames, count);
}

void fp_session_end_unload(struct fp_session_code *code)
{
	if (code == NULL)
		return;
	struct fp_session_code *now = find_code();
	if (now != NULL) {
		subtract(code, now);
		fp_meta_free(now, sizeof(*now));
		atomic_fetch_add(&unloads, code->count > 0);
		uint32_t traces = code->count > 0 ? fp_stack_trace_count() : 0;
		fp_lock_acquire(&fp_session.lock);
		if (traces > 0 && !atomic_load(&fp_session.is_finished) &&
		    make_room_locked(traces)) {
			for (fp_trace_id trace = 1; trace <= traces; trace++)
				log_trace_locked(code, trace);
		}
		fp_lock_release(&fp_session.lock);
	}
	fp_meta_free(code, sizeof(*code));
}

void fp_session_forget_unloaded(void)
{
	if (logged != NULL)
		memset(logged, 0, logged_bytes);
}
