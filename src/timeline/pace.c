/* SPDX-License-Identifier: Apache-2.0
 *
 * One snapshot at a time, taken by whichever threads come by.
 */
#include "timeline/pace.h"

#include "base/child.h"
#include "base/clock.h"
#include "base/messages.h"
#include "registry/registry.h"
#include "timeline/snapshot.h"
#include "timeline/trend.h"

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

void fp_pace_start(uint64_t interval)
{
	fp_snapshot_drop(&pace.snapshot);
	fp_trends_drop(&pace.trends);
	pace.interval = interval;
	pace.due = interval;
	pace.cost = 0;
	pace.is_taking = false;
}

bool fp_pace_is_on(void)
{
	return pace.interval != 0;
}

static void set_due(uint64_t now)
{
	uint64_t least = COST_SHARE * pace.cost / 1000000;

	pace.due = now + (least > pace.interval ? least : pace.interval);
}

static void begin(uint64_t now)
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

static void end(void)
{
	if (fp_trends_are_full(&pace.trends)) {
		fp_trends_thin(&pace.trends);
		pace.interval *= 2;
	}
	fp_trends_add(&pace.trends, &pace.snapshot);
	fp_snapshot_drop(&pace.snapshot);
	pace.is_taking = false;
}

bool fp_pace_look(uint64_t now)
{
	if (!fp_pace_is_on() || (!pace.is_taking && now < pace.due))
		return false;
	uint64_t start = fp_clock_nanoseconds();
	if (!pace.is_taking)
		begin(now);
	bool is_whole = take_some();
	if (is_whole)
		end();
	pace.cost += fp_clock_nanoseconds() - start;
	if (!pace.is_taking)
		set_due(now);
	return is_whole && pace.trends.snapshots >= FP_TREND_NEEDED;
}

void fp_pace_charge(uint64_t nanoseconds_more)
{
	pace.cost += nanoseconds_more;
	if (!pace.is_taking)
		pace.due += COST_SHARE * nanoseconds_more / 1000000;
}

void fp_pace_note(struct fp_log *log)
{
	if (fp_pace_is_on() && pace.trends.snapshots < FP_TREND_NEEDED)
		fp_log_note(log, FP_TELL_GROWTH_YOUNG);
	if (pace.trends.is_lossy)
		fp_log_note(log, FP_TELL_GROWTH_LOSSY);
}

void fp_pace_log(struct fp_log *log)
{
	if (fp_pace_is_on())
		fp_trends_log(&pace.trends, log);
}

size_t fp_pace_count(void)
{
	return fp_trends_count(&pace.trends);
}

size_t fp_pace_list(fp_trace_id traces[FP_TREND_LISTED_MAX])
{
	return fp_trends_list(&pace.trends, traces);
}
