/* SPDX-License-Identifier: Apache-2.0
 *
 * leak_growth: what grows is told at the end. Where somebody collects events as they come, it
 * is told before, too, because servers are killed; each list replaces the one before.
 *
 * Context: alloc.
 */
#include "session/state.h"
#include "timeline/timeline.h"

/* Between the first two snapshots, in milliseconds: what ends before eight of them, like most
 * programs of a build, is not judged. */
enum { FIRST_INTERVAL = 100 };

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
