/* SPDX-License-Identifier: Apache-2.0
 *
 * Which stacks grow: rows of snapshots made by hand, of what leaks, caches, sawtooths and the
 * ends of programs look like. A trace is a number here.
 */
#include <stdlib.h>

#include "base/inject.h"
#include "base/meta.h"
#include "log/writer.h"
#include "support/support.h"
#include "timeline/trend.h"

enum { LEAK = 1, OTHER = 2, PLACES = 16 };

static struct fp_trends trends;

static void setup(void)
{
	trends = (struct fp_trends){0};
}

static void teardown(void)
{
	fp_trends_drop(&trends);
}

/* A snapshot of COUNT stacks, traces 1 to COUNT, with that many bytes in blocks of one each. */
static void add(const uint64_t *bytes, size_t count)
{
	struct fp_snapshot snapshot = {
	        .milliseconds = 100 * (trends.snapshots + 1),
	        .places = 4 * PLACES,
	        .groups = fp_meta_alloc(4 * PLACES * sizeof(struct fp_log_group)),
	};

	ck_assert_uint_le(count, PLACES);
	for (size_t i = 0; i < count; i++) {
		fp_trace_id trace = (fp_trace_id)i + 1;
		size_t at = (trace * 0x9e3779b97f4a7c15u >> 32) & (snapshot.places - 1);

		while (snapshot.groups[at].blocks != 0)
			at = (at + 1) & (snapshot.places - 1);
		if (bytes[i] > 0)
			snapshot.groups[at] = (struct fp_log_group){
			        .trace = trace, .blocks = bytes[i], .bytes = bytes[i]};
	}
	if (fp_trends_are_full(&trends))
		fp_trends_thin(&trends);
	fp_trends_add(&trends, &snapshot);
	fp_snapshot_drop(&snapshot);
}

static bool is_rising(fp_trace_id trace, struct fp_trend_rise *rise)
{
	for (size_t i = 0; i < trends.count; i++)
		if (trends.stacks[i].trace == trace)
			return fp_trend_is_rising(&trends, &trends.stacks[i], rise);
	return false;
}

static bool grows(fp_trace_id trace)
{
	struct fp_trend_rise rise;

	return is_rising(trace, &rise);
}

static bool is_followed(fp_trace_id trace)
{
	for (size_t i = 0; i < trends.count; i++)
		if (trends.stacks[i].trace == trace)
			return true;
	return false;
}

START_TEST(what_rises_steadily_grows)
{
	struct fp_trend_rise rise;

	for (uint64_t i = 1; i <= 20; i++)
		add((uint64_t[]){1000 * i, 5000}, 2);
	ck_assert(is_rising(LEAK, &rise));
	ck_assert_uint_eq(rise.first, 0);
	ck_assert_uint_eq(rise.last, 19);
	ck_assert(!grows(OTHER));
	ck_assert_uint_eq(fp_trends_count(&trends), 1);
}
END_TEST

START_TEST(too_few_snapshots_judge_nothing)
{
	for (uint64_t i = 1; i < FP_TREND_NEEDED; i++)
		add((uint64_t[]){10000 * i}, 1);
	ck_assert(!grows(LEAK));
	add((uint64_t[]){10000 * FP_TREND_NEEDED}, 1);
	ck_assert(grows(LEAK));
}
END_TEST

/* A leak now and then, as in a server with few requests: not in each snapshot, but in most
 * parts of the time. */
START_TEST(a_slow_leak_grows)
{
	for (uint64_t i = 0; i < 32; i++)
		add((uint64_t[]){100 + 2000 * (i / 3)}, 1);
	ck_assert(grows(LEAK));
}
END_TEST

START_TEST(a_cache_that_is_full_does_not)
{
	for (uint64_t i = 1; i <= 32; i++)
		add((uint64_t[]){i < 14 ? 1000 * i : 14000}, 1);
	ck_assert(!grows(LEAK));
}
END_TEST

/* Keys come at random: what is missing of it halves every four snapshots. */
START_TEST(a_cache_that_fills_ever_more_slowly_does_not)
{
	uint64_t missing = 1 << 20;

	for (int i = 0; i < 32; i++) {
		add((uint64_t[]){(1 << 20) - missing + 1}, 1);
		missing -= missing / 6;
	}
	ck_assert(!grows(LEAK));
}
END_TEST

START_TEST(what_falls_now_and_then_does_not)
{
	for (uint64_t i = 0; i < 32; i++)
		add((uint64_t[]){10000 + 1000 * (i % 7), 1000 * i}, 2);
	ck_assert(!grows(LEAK));
	ck_assert(grows(OTHER));
}
END_TEST

START_TEST(an_array_that_doubled_twice_does_not)
{
	for (uint64_t i = 0; i < 32; i++)
		add((uint64_t[]){i < 10 ? 4096 : i < 20 ? 8192 : 16384}, 1);
	ck_assert(!grows(LEAK));
}
END_TEST

START_TEST(a_few_bytes_more_do_not)
{
	for (uint64_t i = 0; i < 32; i++)
		add((uint64_t[]){(1 << 20) + 20 * i}, 1);
	ck_assert(!grows(LEAK));
}
END_TEST

/* It fell early in the run, and rises since. */
START_TEST(only_the_second_half_has_to_rise)
{
	struct fp_trend_rise rise;

	for (uint64_t i = 0; i < 30; i++)
		add((uint64_t[]){i == 10 ? 1 : 5000 + 1000 * i}, 1);
	ck_assert(is_rising(LEAK, &rise));
	ck_assert_uint_eq(rise.first, 10);
	setup();
	for (uint64_t i = 0; i < 30; i++)
		add((uint64_t[]){i == 16 ? 1 : 5000 + 1000 * i}, 1);
	ck_assert(!grows(LEAK));
}
END_TEST

/* A program that frees everything when it ends, and one that is caught at it. */
START_TEST(what_is_freed_in_the_end_has_grown)
{
	struct fp_trend_rise rise;

	for (uint64_t i = 1; i <= 20; i++)
		add((uint64_t[]){1000 * i}, 1);
	add((uint64_t[]){0}, 1);
	ck_assert(is_rising(LEAK, &rise));
	ck_assert_uint_eq(rise.last, 19);
	add((uint64_t[]){0}, 1);
	ck_assert(!is_followed(LEAK));
}
END_TEST

START_TEST(a_stack_that_came_late_is_judged_later)
{
	for (uint64_t i = 0; i < 12; i++)
		add((uint64_t[]){5000, 0}, 2);
	for (uint64_t i = 1; i < 8; i++)
		add((uint64_t[]){5000, 1000 * i}, 2);
	ck_assert(!grows(OTHER));
	for (uint64_t i = 8; i < 16; i++)
		add((uint64_t[]){5000, 1000 * i}, 2);
	ck_assert(grows(OTHER));
}
END_TEST

START_TEST(a_long_run_has_no_more_snapshots)
{
	struct fp_trend_rise rise;
	uint64_t interval = 1;
	size_t leak = 0;

	for (uint64_t i = interval; i <= 10000; i += interval) {
		interval *= fp_trends_are_full(&trends) ? 2 : 1;
		add((uint64_t[]){1000 * i, i / interval % 3 == 0 ? 2000 : 4000}, 2);
		ck_assert_uint_le(trends.snapshots, FP_TREND_SNAPSHOTS);
		ck_assert(i < FP_TREND_NEEDED || grows(LEAK));
		ck_assert(!grows(OTHER));
	}
	ck_assert_uint_ge(trends.snapshots, FP_TREND_SNAPSHOTS / 2);
	ck_assert(is_rising(LEAK, &rise));
	ck_assert_uint_eq(rise.first, 0);
	while (trends.stacks[leak].trace != LEAK)
		leak++;
	for (size_t i = 1; i < trends.snapshots; i++)
		ck_assert_uint_gt(trends.stacks[leak].bytes[i],
		                  trends.stacks[leak].bytes[i - 1]);
}
END_TEST

/* A stack that is first seen in the snapshot before every other one goes. */
START_TEST(a_stack_of_the_newest_snapshot_survives_thinning)
{
	for (size_t i = 1; i < FP_TREND_SNAPSHOTS; i++)
		add((uint64_t[]){5000, 0}, 2);
	add((uint64_t[]){5000, 1000}, 2);
	fp_trends_thin(&trends);
	ck_assert(is_followed(OTHER));
	ck_assert(!grows(OTHER));
	ck_assert(!grows(LEAK));
}
END_TEST

START_TEST(without_memory_some_are_not_followed)
{
	add((uint64_t[]){0}, 1);
	fp_inject_arm(FP_INJECT_META, 2, true); /* the first is the snapshot's */
	add((uint64_t[]){5000, 6000}, 2);
	fp_inject_arm(FP_INJECT_META, 0, false);
	ck_assert(trends.is_lossy);
	ck_assert_uint_eq(trends.count, 0);
	for (uint64_t i = 1; i <= 20; i++)
		add((uint64_t[]){1000 * i}, 1);
	ck_assert(grows(LEAK));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("trend");
	TCase *tests = tcase_create("trend");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, what_rises_steadily_grows);
	tcase_add_test(tests, too_few_snapshots_judge_nothing);
	tcase_add_test(tests, a_slow_leak_grows);
	tcase_add_test(tests, a_cache_that_is_full_does_not);
	tcase_add_test(tests, a_cache_that_fills_ever_more_slowly_does_not);
	tcase_add_test(tests, what_falls_now_and_then_does_not);
	tcase_add_test(tests, an_array_that_doubled_twice_does_not);
	tcase_add_test(tests, a_few_bytes_more_do_not);
	tcase_add_test(tests, only_the_second_half_has_to_rise);
	tcase_add_test(tests, what_is_freed_in_the_end_has_grown);
	tcase_add_test(tests, a_stack_that_came_late_is_judged_later);
	tcase_add_test(tests, a_long_run_has_no_more_snapshots);
	tcase_add_test(tests, a_stack_of_the_newest_snapshot_survives_thinning);
	tcase_add_test(tests, without_memory_some_are_not_followed);
	suite_add_tcase(suite, tests);
	return test_run(suite);
}
