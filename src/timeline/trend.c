/* SPDX-License-Identifier: Apache-2.0
 *
 * Rows of snapshots by stack, and the judgement of each. A stack is followed from the snapshot
 * before its first, where it had nothing, until two snapshots in a row have nothing of it.
 */
#include "timeline/trend.h"

#include <string.h>

#include "base/meta.h"
#include "stack/stack.h"

enum {
	FIRST_PLACES = 64,
	LEAST_RISE = 1024, /* bytes that are worth a word */
	PARTS = 8,         /* of the time that is judged: a rise in most of them is steady */
	LATE_SHARE = 16    /* of the rise that the last quarter must have: it goes on */
};

/* A group that a trend has taken. */
static const uint64_t taken = UINT64_MAX;

static void add_point(struct fp_trend *trend, size_t at, const struct fp_log_group *group)
{
	uint64_t blocks = group == NULL ? 0 : group->blocks;

	trend->bytes[at] = group == NULL ? 0 : group->bytes;
	trend->blocks[at] = blocks > UINT32_MAX ? UINT32_MAX : (uint32_t)blocks;
	if (at > 0 && trend->bytes[at] < trend->bytes[at - 1]) {
		trend->before = trend->since;
		trend->since = (uint8_t)at;
	}
}

static bool is_gone(const struct fp_trend *trend, size_t at)
{
	return at > 0 && trend->bytes[at] == 0 && trend->bytes[at - 1] == 0;
}

/* What is followed already. */
static void extend(struct fp_trends *trends, struct fp_snapshot *snapshot)
{
	size_t at = trends->snapshots;
	size_t kept = 0;

	for (size_t i = 0; i < trends->count; i++) {
		struct fp_trend *trend = &trends->stacks[i];
		struct fp_log_group *group = fp_snapshot_find(snapshot, trend->trace);

		add_point(trend, at, group);
		if (group != NULL)
			group->bytes = taken;
		if (is_gone(trend, at))
			continue;
		if (kept != i)
			trends->stacks[kept] = *trend;
		kept++;
	}
	trends->count = kept;
}

static bool make_room(struct fp_trends *trends)
{
	size_t places = trends->places == 0 ? FIRST_PLACES : 2 * trends->places;

	if (trends->count < trends->places)
		return true;
	struct fp_trend *bigger =
	        places > FP_TREND_STACKS_MAX ? NULL : fp_meta_alloc(places * sizeof(*bigger));
	if (bigger == NULL) {
		trends->is_lossy = true;
		return false;
	}
	if (trends->count > 0)
		memcpy(bigger, trends->stacks, trends->count * sizeof(*bigger));
	fp_meta_free(trends->stacks, trends->places * sizeof(*bigger));
	trends->stacks = bigger;
	trends->places = places;
	return true;
}

static void follow(struct fp_trends *trends, const struct fp_log_group *group)
{
	size_t at = trends->snapshots;

	if (!make_room(trends))
		return;
	struct fp_trend *trend = &trends->stacks[trends->count++];
	*trend = (struct fp_trend){.trace = group->trace};
	add_point(trend, at, group);
	trend->since = trend->before = (uint8_t)(at > 0 ? at - 1 : 0);
}

void fp_trends_add(struct fp_trends *trends, struct fp_snapshot *snapshot)
{
	extend(trends, snapshot);
	for (size_t i = 0; i < snapshot->places; i++)
		if (snapshot->groups[i].blocks != 0 && snapshot->groups[i].bytes != taken)
			follow(trends, &snapshot->groups[i]);
	trends->milliseconds[trends->snapshots++] = snapshot->milliseconds;
}

bool fp_trends_are_full(const struct fp_trends *trends)
{
	return trends->snapshots == FP_TREND_SNAPSHOTS;
}

void fp_trends_thin(struct fp_trends *trends)
{
	size_t half = trends->snapshots / 2;

	for (size_t i = 0; i < half; i++)
		trends->milliseconds[i] = trends->milliseconds[2 * i + 1];
	for (size_t i = 0; i < trends->count; i++) {
		struct fp_trend *trend = &trends->stacks[i];

		for (size_t j = 0; j < half; j++) {
			trend->blocks[j] = trend->blocks[2 * j + 1];
			trend->bytes[j] = trend->bytes[2 * j + 1];
		}
		trend->since /= 2;
		trend->before /= 2;
	}
	trends->snapshots = half;
}

/* In how many of PARTS parts of RISE the bytes rose; *PARTS is less where it is short. */
static size_t count_rises(const struct fp_trend *trend, const struct fp_trend_rise *rise,
                          size_t *parts)
{
	size_t length = rise->last - rise->first;
	size_t rises = 0;

	*parts = length < PARTS ? length : PARTS;
	for (size_t i = 0; i < *parts; i++) {
		size_t from = rise->first + i * length / *parts;
		size_t to = rise->first + (i + 1) * length / *parts;

		rises += trend->bytes[to] > trend->bytes[from];
	}
	return rises;
}

bool fp_trend_is_rising(const struct fp_trends *trends, const struct fp_trend *trend,
                        struct fp_trend_rise *rise)
{
	size_t parts;

	if (trends->snapshots < FP_TREND_NEEDED)
		return false;
	rise->first = trend->since;
	rise->last = trends->snapshots - 1;
	if (rise->first == rise->last) {
		rise->first = trend->before;
		rise->last--;
	}
	if (rise->first >= rise->last || 2 * (rise->last - rise->first) < trends->snapshots - 1)
		return false;
	uint64_t end = trend->bytes[rise->last];
	uint64_t risen = end - trend->bytes[rise->first];
	uint64_t late = end - trend->bytes[rise->last - (rise->last - rise->first) / 4];
	size_t rises = count_rises(trend, rise, &parts);
	return risen >= LEAST_RISE && late >= risen / LATE_SHARE && 4 * rises >= 3 * parts;
}

/* The stacks that rose most, most first. Not on the stack: a fault's handler logs this, on what
 * a thread has left. */
static struct ranking {
	struct {
		const struct fp_trend *trend;
		struct fp_trend_rise rise;
		uint64_t bytes;
	} items[FP_TREND_LISTED_MAX];
	size_t count;
	uint64_t left_out;
} ranking;

static void rank(const struct fp_trend *trend, const struct fp_trend_rise *rise)
{
	uint64_t bytes = trend->bytes[rise->last] - trend->bytes[rise->first];
	size_t at = ranking.count;

	while (at > 0 && ranking.items[at - 1].bytes < bytes)
		at--;
	if (ranking.count < FP_TREND_LISTED_MAX)
		ranking.count++;
	else
		ranking.left_out++;
	if (at == FP_TREND_LISTED_MAX)
		return;
	memmove(&ranking.items[at + 1], &ranking.items[at],
	        (ranking.count - 1 - at) * sizeof(ranking.items[0]));
	ranking.items[at].trend = trend;
	ranking.items[at].rise = *rise;
	ranking.items[at].bytes = bytes;
}

static void log_trend(const struct fp_trends *trends, const struct fp_trend *trend,
                      const struct fp_trend_rise *rise, struct fp_log *log)
{
	struct fp_log_point points[FP_TREND_SNAPSHOTS];
	struct fp_log_growing growing = {.trace = trend->trace, .points = points};
	size_t count;
	const uintptr_t *frames = fp_stack_trace(trend->trace, &count);

	for (size_t i = rise->first; i <= rise->last; i++)
		points[growing.point_count++] = (struct fp_log_point){
		        trends->milliseconds[i], trend->blocks[i], trend->bytes[i]};
	fp_log_trace(log, trend->trace, frames, count);
	fp_log_growing(log, &growing);
}

size_t fp_trends_count(const struct fp_trends *trends)
{
	struct fp_trend_rise rise;
	size_t count = 0;

	for (size_t i = 0; i < trends->count; i++)
		count += fp_trend_is_rising(trends, &trends->stacks[i], &rise);
	return count;
}

static void rank_all(const struct fp_trends *trends)
{
	ranking.count = 0;
	ranking.left_out = 0;
	for (size_t i = 0; i < trends->count; i++) {
		struct fp_trend_rise rise;

		if (fp_trend_is_rising(trends, &trends->stacks[i], &rise))
			rank(&trends->stacks[i], &rise);
	}
}

size_t fp_trends_list(const struct fp_trends *trends, fp_trace_id traces[FP_TREND_LISTED_MAX])
{
	rank_all(trends);
	for (size_t i = 0; i < ranking.count; i++)
		traces[i] = ranking.items[i].trend->trace;
	return ranking.count;
}

void fp_trends_log(const struct fp_trends *trends, struct fp_log *log)
{
	rank_all(trends);
	fp_log_growth(log, &(struct fp_log_growth){
	                           .is_judged = trends->snapshots >= FP_TREND_NEEDED,
	                           .snapshots = (uint32_t)trends->snapshots,
	                           .left_out = ranking.left_out,
	                   });
	for (size_t i = 0; i < ranking.count; i++)
		log_trend(trends, ranking.items[i].trend, &ranking.items[i].rise, log);
}

void fp_trends_drop(struct fp_trends *trends)
{
	fp_meta_free(trends->stacks, trends->places * sizeof(*trends->stacks));
	*trends = (struct fp_trends){0};
}
