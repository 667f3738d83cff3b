/* SPDX-License-Identifier: Apache-2.0
 *
 * When to look. The heap calls at thresholds that are set here; one thread at a time looks, and
 * the others go on without waiting.
 */
#include "timeline/timeline.h"

#include <stdatomic.h>

#include "base/child.h"
#include "base/clock.h"
#include "base/lock.h"
#include "base/messages.h"
#include "heap/heap.h"
#include "registry/registry.h"
#include "timeline/snapshot.h"
#include "timeline/trend.h"

enum {
	MOMENTS = 256,
	LEAST_RISE = 4096,
	GROWTH_STEP = 16 /* blocks made or freed between two looks at the clock */
};

struct moment {
	uint64_t milliseconds;
	uint64_t blocks;
	uint64_t bytes;
};

FP_CHILD_WRITES static struct fp_lock lock = FP_LOCK_INITIALIZER(FP_RANK_TIMELINE);
FP_HELD_ACROSS_FORK(FP_RANK_TIMELINE, &lock);
FP_CHILD_WRITES static _Atomic bool is_looking;

/* Under the lock. */
static struct moment moments[MOMENTS];
FP_CHILD_WRITES static size_t moment_count;
FP_CHILD_WRITES static uint64_t step; /* blocks made or freed between two moments */
FP_CHILD_WRITES static uint64_t next_serial;
FP_CHILD_WRITES static uint64_t next_frees;
FP_CHILD_WRITES static uint64_t next_peak; /* bytes above which a peak is worth a snapshot */
FP_CHILD_WRITES static struct fp_snapshot peak_snapshot;
FP_CHILD_WRITES static uint64_t start; /* fp_clock_nanoseconds() then */

static struct fp_timeline_config config; /* set once */

/*
 * The snapshots that growth is seen by: when the next one is due, and taking it in parts that
 * no call of malloc notices. Intervals double when the row of snapshots is full. Looking takes
 * a twentieth of the time at most: the larger the heap, the longer the interval. All of it is
 * under the lock.
 */

enum {
	BLOCKS_AT_ONCE = 2000, /* visited in one call, unless a part has more */
	COST_SHARE = 20
};

FP_CHILD_WRITES static struct {
	uint64_t interval;
	uint64_t due;
	uint64_t cost; /* nanoseconds that the newest snapshot took */
	bool is_taking;
	size_t part; /* the next one */
	struct fp_snapshot snapshot;
	struct fp_trends trends;
} pace;

/* INTERVAL is the first one, 0: no snapshot is ever taken. */
static void start_pace(uint64_t interval)
{
	fp_snapshot_drop(&pace.snapshot);
	fp_trends_drop(&pace.trends);
	pace.interval = interval;
	pace.due = interval;
	pace.cost = 0;
	pace.is_taking = false;
}

static void set_due(uint64_t now)
{
	uint64_t least = COST_SHARE * pace.cost / 1000000;

	pace.due = now + (least > pace.interval ? least : pace.interval);
}

static void begin_taking(uint64_t now)
{
	pace.is_taking = true;
	pace.part = 0;
	pace.cost = 0;
	pace.snapshot.milliseconds = now;
}

/* Whether all parts are in the snapshot. Without memory there is none. */
static bool take_some(void)
{
	uint64_t before = pace.snapshot.blocks;

	while (pace.part < FP_REGISTRY_PARTS &&
	       pace.snapshot.blocks - before < BLOCKS_AT_ONCE) {
		if (fp_snapshot_take_part(&pace.snapshot, pace.part++) != 0) {
			pace.is_taking = false;
			return false;
		}
	}
	return pace.part == FP_REGISTRY_PARTS;
}

static void end_taking(void)
{
	if (fp_trends_are_full(&pace.trends)) {
		fp_trends_thin(&pace.trends);
		pace.interval *= 2;
	}
	fp_trends_add(&pace.trends, &pace.snapshot);
	fp_snapshot_drop(&pace.snapshot);
	pace.is_taking = false;
}

/* To be called often. True when a snapshot became complete that more than nothing can be judged
 * by. */
static bool take_in_parts(uint64_t now)
{
	if (pace.interval == 0 || (!pace.is_taking && now < pace.due))
		return false;
	uint64_t begun = fp_clock_nanoseconds();
	if (!pace.is_taking)
		begin_taking(now);
	bool is_whole = take_some();
	if (is_whole)
		end_taking();
	pace.cost += fp_clock_nanoseconds() - begun;
	if (!pace.is_taking)
		set_due(now);
	return is_whole && pace.trends.snapshots >= FP_TREND_NEEDED;
}

/* Looking took so much more. */
static void charge(uint64_t nanoseconds_more)
{
	pace.cost += nanoseconds_more;
	if (!pace.is_taking)
		pace.due += COST_SHARE * nanoseconds_more / 1000000;
}

/* Notes what kept growth from being seen. */
static void note_growth(struct fp_log *log)
{
	if (pace.interval != 0 && pace.trends.snapshots < FP_TREND_NEEDED)
		fp_log_note(log, FP_TELL_GROWTH_YOUNG);
	if (pace.trends.is_lossy)
		fp_log_note(log, FP_TELL_GROWTH_LOSSY);
}

static void log_growth(struct fp_log *log)
{
	if (pace.interval != 0)
		fp_trends_log(&pace.trends, log);
}

static uint64_t milliseconds(void)
{
	return (fp_clock_nanoseconds() - start) / 1000000;
}

uint64_t fp_timeline_now(void)
{
	return milliseconds();
}

static struct moment moment_of(const struct fp_heap_totals *totals)
{
	return (struct moment){milliseconds(), totals->live_blocks, totals->live_bytes};
}

static void thin_out(void)
{
	for (size_t i = 0; i < MOMENTS / 2; i++)
		moments[i] = moments[2 * i + 1];
	moment_count = MOMENTS / 2;
	step *= 2;
}

static uint64_t sooner(uint64_t one, uint64_t other)
{
	return one < other ? one : other;
}

static void watch(const struct fp_heap_totals *totals)
{
	uint64_t ahead = pace.interval != 0 ? GROWTH_STEP : UINT64_MAX / 2;

	fp_heap_watch_step(sooner(next_serial, totals->last_serial + ahead),
	                   sooner(next_frees, totals->frees + ahead));
}

static void set_step(const struct fp_heap_totals *totals)
{
	next_serial = totals->last_serial + step;
	next_frees = totals->frees + step;
	watch(totals);
}

static void note_moment(const struct fp_heap_totals *totals)
{
	if (moment_count == MOMENTS)
		thin_out();
	moments[moment_count++] = moment_of(totals);
	set_step(totals);
}

static void set_peak(uint64_t peak)
{
	next_peak = peak + peak / 8 + LEAST_RISE;
	fp_heap_watch_peak(next_peak);
}

static void take_snapshot(const struct fp_heap_totals *totals, const struct fp_block *dying)
{
	struct fp_snapshot newer = {.milliseconds = milliseconds()};

	/* Whether or not there is memory for it: the next try is worth its time only later. */
	set_peak(totals->peak_bytes);
	if (fp_snapshot_take(&newer, dying) != 0)
		return;
	fp_snapshot_drop(&peak_snapshot);
	peak_snapshot = newer;
}

/* DYING is no more in the totals. True when there may be news of growth. */
static bool look_locked(const struct fp_block *dying)
{
	struct fp_heap_totals totals;

	fp_heap_totals(&totals);
	if (totals.last_serial >= next_serial || totals.frees >= next_frees)
		note_moment(&totals);
	else
		watch(&totals);
	if (dying != NULL && totals.peak_bytes > next_peak &&
	    totals.live_bytes < totals.peak_bytes - totals.peak_bytes / 16)
		take_snapshot(&totals, dying);
	return take_in_parts(milliseconds());
}

/* What is done with the news counts as looking: it, too, is to take little of the time. */
static void tell_news(void)
{
	uint64_t begun = fp_clock_nanoseconds();

	if (config.growth_news == NULL)
		return;
	config.growth_news();
	fp_lock_acquire(&lock);
	charge(fp_clock_nanoseconds() - begun);
	fp_lock_release(&lock);
}

static void look(const struct fp_block *dying)
{
	if (atomic_exchange_explicit(&is_looking, true, memory_order_acquire))
		return;
	fp_lock_acquire(&lock);
	bool has_news = look_locked(dying);
	fp_lock_release(&lock);
	if (has_news)
		tell_news();
	atomic_store_explicit(&is_looking, false, memory_order_release);
}

/* With the lock, or where there is one thread only. */
static void begin(void)
{
	struct fp_heap_totals totals;

	start = fp_clock_nanoseconds();
	moment_count = 0;
	step = 1;
	fp_snapshot_drop(&peak_snapshot);
	start_pace(config.growth_ms);
	fp_heap_totals(&totals);
	set_step(&totals);
}

void fp_timeline_start(const struct fp_timeline_config *new_config)
{
	config = *new_config;
	fp_heap_watch(look);
	begin();
	next_peak = 0;
	fp_heap_watch_peak(next_peak);
}

void fp_timeline_start_in_child(void)
{
	struct fp_heap_totals totals;

	atomic_store(&is_looking, false);
	fp_heap_totals(&totals);
	begin();
	/* What it inherited is no news, nor is a little more. */
	set_peak(totals.peak_bytes);
}

static void log_moment(struct fp_log *log, const struct moment *moment)
{
	const struct fp_log_snapshot snapshot = {
	        .milliseconds = moment->milliseconds,
	        .live_blocks = moment->blocks,
	        .live_bytes = moment->bytes,
	};

	fp_log_snapshot(log, &snapshot);
}

static void log_locked(struct fp_log *log, const struct fp_heap_totals *totals)
{
	const struct moment now = moment_of(totals);
	bool is_logged = peak_snapshot.blocks == 0;

	for (size_t i = 0; i < moment_count; i++) {
		if (!is_logged && moments[i].milliseconds > peak_snapshot.milliseconds) {
			fp_snapshot_log(&peak_snapshot, log);
			is_logged = true;
		}
		log_moment(log, &moments[i]);
	}
	if (!is_logged)
		fp_snapshot_log(&peak_snapshot, log);
	if (moment_count > 0)
		log_moment(log, &now);
}

/* Whether what is live now shows the peak better than the snapshot there is. */
static bool is_better_now(const struct fp_heap_totals *totals)
{
	return peak_snapshot.blocks > 0 ? totals->live_bytes > peak_snapshot.bytes
	                                : totals->peak_bytes > next_peak;
}

void fp_timeline_log(struct fp_log *log, bool looks)
{
	struct fp_heap_totals totals;

	fp_lock_acquire(&lock);
	fp_heap_totals(&totals);
	if (looks && is_better_now(&totals))
		take_snapshot(&totals, NULL);
	log_locked(log, &totals);
	log_growth(log);
	note_growth(log);
	fp_lock_release(&lock);
}

void fp_timeline_log_growth(struct fp_log *log)
{
	fp_lock_acquire(&lock);
	log_growth(log);
	fp_lock_release(&lock);
}

size_t fp_timeline_count_growing(void)
{
	fp_lock_acquire(&lock);
	size_t count = fp_trends_count(&pace.trends);
	fp_lock_release(&lock);
	return count;
}

size_t fp_timeline_list_growing(fp_trace_id traces[FP_TREND_LISTED_MAX])
{
	fp_lock_acquire(&lock);
	size_t count = fp_trends_list(&pace.trends, traces);
	fp_lock_release(&lock);
	return count;
}
