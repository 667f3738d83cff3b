/* SPDX-License-Identifier: Apache-2.0
 *
 * Leaks of one place put together, and stacks that only grew. Sums over points. A log may say
 * anything, so nothing here takes for granted that time passed or that bytes rose.
 */
#include "report/leaks.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/tool_messages.h"
#include "report/names.h"
#include "report/stack.h"

static int compare_places(const void *left, const void *right)
{
	const struct fp_report_leak *a = left;
	const struct fp_report_leak *b = right;
	int result = (a->class > b->class) - (a->class < b->class);

	if (result == 0)
		result = fp_report_compare_stacks(a->stack, b->stack);
	if (result == 0)
		result = fp_report_compare_strings(a->site.file, b->site.file);
	return result != 0 ? result
	                   : (a->site.line > b->site.line) - (a->site.line < b->site.line);
}

static int compare_sizes(const void *left, const void *right)
{
	const struct fp_report_leak *a = left;
	const struct fp_report_leak *b = right;

	if (a->bytes != b->bytes)
		return a->bytes > b->bytes ? -1 : 1;
	return compare_places(left, right);
}

static void widen(struct fp_report_age *age, const struct fp_report_age *other)
{
	if (other->oldest > age->oldest)
		age->oldest = other->oldest;
	if (other->newest < age->newest)
		age->newest = other->newest;
}

static void add_news(struct fp_report_leak *leak, const struct fp_report_leak *other)
{
	leak->has_age &= other->has_age;
	widen(&leak->age, &other->age);
	if (leak->new.blocks == 0)
		leak->new.age = other->new.age;
	else if (other->new.blocks > 0)
		widen(&leak->new.age, &other->new.age);
	leak->new.blocks += other->new.blocks;
	leak->new.bytes += other->new.bytes;
	leak->new.indirect_blocks += other->new.indirect_blocks;
	leak->new.indirect_bytes += other->new.indirect_bytes;
}

void fp_report_leak_add_details(struct fp_report_leak *leak, const struct fp_report_leak *other)
{
	add_news(leak, other);
	leak->indirect_blocks += other->indirect_blocks;
	leak->indirect_bytes += other->indirect_bytes;
	for (size_t i = 0; i < leak->member_count; i++) {
		struct fp_report_member *member = &leak->members[i];

		for (size_t j = 0; j < other->member_count; j++) {
			const struct fp_report_member *same = &other->members[j];

			if (member->depth != same->depth ||
			    fp_report_compare_stacks(member->stack, same->stack) != 0)
				continue;
			member->blocks += same->blocks;
			member->bytes += same->bytes;
		}
	}
	if (leak->heap != other->heap)
		leak->heap = 0;
	if (leak->level != other->level)
		leak->level = FP_LEVEL_NONE;
}

void fp_report_merge_leaks(struct fp_report *report)
{
	struct fp_report_leak *leaks = report->leaks;
	size_t kept = 0;

	if (report->leak_count == 0)
		return;
	qsort(leaks, report->leak_count, sizeof(leaks[0]), compare_places);
	for (size_t i = 1; i < report->leak_count; i++) {
		if (compare_places(&leaks[kept], &leaks[i]) != 0) {
			leaks[++kept] = leaks[i];
			continue;
		}
		leaks[kept].blocks += leaks[i].blocks;
		leaks[kept].bytes += leaks[i].bytes;
		fp_report_leak_add_details(&leaks[kept], &leaks[i]);
	}
	report->leak_count = kept + 1;
	qsort(leaks, report->leak_count, sizeof(leaks[0]), compare_sizes);
}

static bool is_lost(const struct fp_report_leak *leak)
{
	return leak->class == FP_LEAK_DEFINITE || leak->class == FP_LEAK_INDIRECT;
}

void fp_report_count_leak(struct fp_report_unlisted *leaks, const struct fp_report_leak *leak)
{
	leaks->leaks++;
	if (is_lost(leak)) {
		leaks->leaked_blocks += leak->blocks;
		leaks->leaked_bytes += leak->bytes;
		leaks->new_leaked_blocks += leak->new.blocks;
		leaks->new_leaked_bytes += leak->new.bytes;
	} else if (leak->class == FP_LEAK_POSSIBLE) {
		leaks->possible_blocks += leak->blocks;
		leaks->possible_bytes += leak->bytes;
		leaks->new_possible_blocks += leak->new.blocks;
		leaks->new_possible_bytes += leak->new.bytes;
	}
}

static const char unlisted_note[] = FP_SAY_SMALLER_LEAKS_NOT;

/* What a report that was read says of LEAKS is no longer so. */
static void drop_unlisted_note(struct fp_report *report, uint64_t leaks)
{
	char text[sizeof(unlisted_note) + 20];
	size_t kept = 0;

	snprintf(text, sizeof(text), unlisted_note, leaks);
	for (size_t i = 0; i < report->note_count; i++)
		if (!fp_report_is_word(report->notes[i], text))
			report->notes[kept++] = report->notes[i];
	report->note_count = kept;
}

int fp_report_limit_leaks(struct fp_report *report, size_t most)
{
	const uint64_t before = report->unlisted.leaks;
	size_t listed[2] = {0, 0};
	size_t kept = 0;

	for (size_t i = 0; i < report->leak_count; i++) {
		struct fp_report_leak *leak = &report->leaks[i];

		if (listed[is_lost(leak)]++ < most)
			report->leaks[kept++] = *leak;
		else
			fp_report_count_leak(&report->unlisted, leak);
	}
	report->leak_count = kept;
	if (report->unlisted.leaks == before)
		return 0;
	drop_unlisted_note(report, before);
	return fp_report_note(report, unlisted_note, report->unlisted.leaks);
}

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

void fp_report_set_held(struct fp_report_growing *growing, const struct fp_report_held *held)
{
	growing->holders = held->holders;
	growing->holder_count = held->holder_count;
	growing->path = held->path;
	growing->path_count = held->path_count;
	growing->path_left_out = held->path_left_out;
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
