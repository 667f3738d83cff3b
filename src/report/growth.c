/* SPDX-License-Identifier: Apache-2.0
 *
 * Sums over points. A log may say anything, so nothing here takes for granted that time passed
 * or that bytes rose.
 */
#include "report/growth.h"

#include <stdlib.h>
#include <string.h>

enum { MINUTE = 60000 };

static uint64_t above(uint64_t number, uint64_t other)
{
	return number > other ? number - other : 0;
}

static uint64_t rate_of(uint64_t bytes, uint64_t milliseconds)
{
	if (milliseconds == 0)
		return 0;
	if (bytes <= UINT64_MAX / MINUTE)
		return bytes * MINUTE / milliseconds;
	return bytes / milliseconds <= UINT64_MAX / MINUTE ? bytes / milliseconds * MINUTE
	                                                   : UINT64_MAX;
}

struct fp_report_rise fp_report_rise_of(const struct fp_report_growing *growing)
{
	const struct fp_report_point *points = growing->points;
	size_t last = growing->point_count - 1;
	struct fp_report_rise rise = {.live_blocks = points[last].blocks,
	                              .live_bytes = points[last].bytes,
	                              .first = &points[0],
	                              .last = &points[last]};

	rise.bytes = above(points[last].bytes, points[0].bytes);
	rise.per_minute =
	        rate_of(rise.bytes, above(points[last].milliseconds, points[0].milliseconds));
	while (last > 0 && points[last].bytes <= points[last - 1].bytes)
		last--;
	rise.last_rise = points[last].milliseconds;
	return rise;
}

uint64_t fp_report_grown_bytes(const struct fp_report *report)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < report->growth.count; i++) {
		uint64_t bytes = fp_report_rise_of(&report->growth.stacks[i]).bytes;

		sum = bytes > UINT64_MAX - sum ? UINT64_MAX : sum + bytes;
	}
	return sum;
}

struct fp_report_growing *fp_report_add_growing(struct fp_report *report)
{
	struct fp_report_growing *stacks =
	        fp_report_grow(report->growth.stacks, report->growth.count, sizeof(*stacks));

	if (!stacks)
		return NULL;
	report->growth.stacks = stacks;
	stacks += report->growth.count++;
	memset(stacks, 0, sizeof(*stacks));
	return stacks;
}

void fp_report_forget_growing(struct fp_report *report)
{
	for (size_t i = 0; i < report->growth.count; i++)
		fp_report_shares_free(&report->growth.stacks[i].shares);
	report->growth.count = 0;
}

static int compare_growing(const void *left, const void *right)
{
	const struct fp_report_growing *a = left;
	const struct fp_report_growing *b = right;
	uint64_t a_bytes = fp_report_rise_of(a).bytes;
	uint64_t b_bytes = fp_report_rise_of(b).bytes;

	if (a_bytes != b_bytes)
		return a_bytes > b_bytes ? -1 : 1;
	return (a->fingerprint > b->fingerprint) - (a->fingerprint < b->fingerprint);
}

void fp_report_sort_growing(struct fp_report *report)
{
	if (report->growth.count > 0)
		qsort(report->growth.stacks, report->growth.count,
		      sizeof(report->growth.stacks[0]), compare_growing);
}
