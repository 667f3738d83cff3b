/* SPDX-License-Identifier: Apache-2.0
 *
 * The heap over time, read back from a log: moments that cover the run, and a snapshot that
 * shows the peak and is taken seldom.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/inject.h"
#include "heaps.h"
#include "support/events.h"
#include "heap/tier.h"
#include "timeline/timeline.h"

enum { BLOCKS = 3000, SNAPSHOT = 13, SNAPSHOTS_MAX = 400, GROWTH = 16, GROWING = 17 };

struct snapshot {
	uint64_t milliseconds;
	uint64_t blocks;
	uint64_t bytes;
	uint32_t groups;
	uint64_t group_blocks; /* of all groups */
	uint64_t group_bytes;
};

static struct snapshot snapshots[SNAPSHOTS_MAX];
static size_t snapshot_count;
static const struct snapshot *snapshot; /* the last one by stack, or NULL */
static struct fp_heap *heap;
static char *blocks[BLOCKS];

static void setup(void)
{
	const struct fp_tier_config tiers = {.max_memory = 1 << 30, .sample = 1};

	ck_assert(start_heaps(-1, 16, FP_PLACEMENT_RIGHT));
	fp_tier_init(&tiers);
	fp_timeline_start(&(struct fp_timeline_config){0});
	heap = new_heap();
}

static struct snapshot read_snapshot(struct test_event *event)
{
	struct snapshot one = {0};

	one.milliseconds = test_event_u64(event);
	one.blocks = test_event_u64(event);
	one.bytes = test_event_u64(event);
	one.groups = test_event_u32(event);
	for (uint32_t i = 0; i < one.groups; i++) {
		test_event_u32(event);
		one.group_blocks += test_event_u64(event);
		one.group_bytes += test_event_u64(event);
	}
	test_event_end(event);
	return one;
}

/* What the timeline logs now. */
static void log_now(bool looks)
{
	static struct fp_log log;
	struct test_events events;
	struct test_event event;
	int fd = memfd_create("events", MFD_CLOEXEC);
	size_t size;
	char *bytes;

	fp_log_open(&log, false);
	fp_timeline_log(&log, looks);
	ck_assert_int_eq(fp_log_copy(&log, fd), 0);
	size = (size_t)lseek(fd, 0, SEEK_END);
	bytes = malloc(size);
	ck_assert_int_eq(pread(fd, bytes, size, 0), (ssize_t)size);
	close(fd);
	test_events_open(&events, bytes, size);
	snapshot_count = 0;
	snapshot = NULL;
	while (test_events_find(&events, SNAPSHOT, &event)) {
		ck_assert_uint_lt(snapshot_count, SNAPSHOTS_MAX);
		snapshots[snapshot_count] = read_snapshot(&event);
		if (snapshots[snapshot_count].groups > 0)
			snapshot = &snapshots[snapshot_count];
		snapshot_count++;
	}
	free(bytes);
}

static void take_some(size_t first, size_t count, size_t size)
{
	for (size_t i = first; i < first + count; i++)
		blocks[i] = take(heap, size);
}

static void give_some(size_t first, size_t count)
{
	for (size_t i = first; i < first + count; i++)
		ck_assert_int_eq(give(heap, blocks[i]), 0);
}

START_TEST(nothing_happened)
{
	log_now(true);
	ck_assert_uint_eq(snapshot_count, 0);
}
END_TEST

START_TEST(the_first_blocks_are_moments_each)
{
	take_some(0, 10, 100);
	give_some(0, 5);
	log_now(false);
	ck_assert_uint_eq(snapshot_count, 16 + 1); /* the fall from the peak has a snapshot */
	for (size_t i = 0; i < 10; i++)
		ck_assert_uint_eq(snapshots[i].bytes, 100 * (i + 1));
}
END_TEST

START_TEST(moments_cover_the_run_and_stay_few)
{
	uint64_t before = 0;

	for (int round = 0; round < 20; round++) {
		take_some(0, BLOCKS, 10);
		give_some(0, BLOCKS);
	}
	log_now(true);
	ck_assert_uint_ge(snapshot_count, 128);
	ck_assert_uint_le(snapshot_count, 258);
	for (size_t i = 0; i < snapshot_count; i++) {
		test_that(snapshots[i].milliseconds >= before);
		test_that(snapshots[i].bytes <= BLOCKS * 10);
		before = snapshots[i].milliseconds;
	}
	ck_assert_uint_eq(snapshots[snapshot_count - 1].bytes, 0);
}
END_TEST

START_TEST(a_snapshot_shows_the_peak)
{
	take_some(0, BLOCKS, 1000);
	log_now(false);
	ck_assert_ptr_null(snapshot);
	give_some(0, BLOCKS);
	log_now(true);
	ck_assert_ptr_nonnull(snapshot);
	ck_assert_uint_le(snapshot->blocks, BLOCKS);
	ck_assert_uint_ge(snapshot->blocks, BLOCKS - BLOCKS / 16 - 1);
	ck_assert_uint_eq(snapshot->bytes, 1000 * snapshot->blocks);
	ck_assert_uint_eq(snapshot->group_blocks, snapshot->blocks);
	ck_assert_uint_eq(snapshot->group_bytes, snapshot->bytes);
}
END_TEST

/* What makes the peak is not missing because its end is what is noticed. */
START_TEST(the_block_that_goes_is_in_the_snapshot)
{
	take_some(0, 10, 100);
	blocks[10] = take(heap, 1 << 20);
	ck_assert_int_eq(give(heap, blocks[10]), 0);
	log_now(false);
	ck_assert_ptr_nonnull(snapshot);
	ck_assert_uint_eq(snapshot->blocks, 11);
	ck_assert_uint_eq(snapshot->bytes, (1 << 20) + 1000);
}
END_TEST

START_TEST(what_is_live_at_the_end_can_be_the_peak)
{
	take_some(0, 100, 1000);
	log_now(true);
	ck_assert_ptr_nonnull(snapshot);
	ck_assert_uint_eq(snapshot->bytes, 100000);
}
END_TEST

START_TEST(only_a_higher_peak_makes_a_new_snapshot)
{
	take_some(0, 1000, 1000);
	give_some(0, 1000);
	log_now(true);
	ck_assert_ptr_nonnull(snapshot);
	uint64_t first = snapshot->bytes;
	take_some(0, 1100, 1000);
	give_some(0, 1100);
	log_now(true);
	ck_assert_uint_eq(snapshot->bytes, first);
	take_some(0, 1200, 1000);
	give_some(0, 1200);
	log_now(true);
	ck_assert_uint_gt(snapshot->bytes, first);
	ck_assert_uint_ge(snapshot->bytes, 1200 * 1000 / 16 * 15);
}
END_TEST

START_TEST(without_memory_there_is_no_snapshot_and_no_harm)
{
	take_some(0, 100, 1000);
	fp_inject_arm(FP_INJECT_META, 1, true);
	give_some(0, 50);
	fp_inject_arm(FP_INJECT_META, 0, false);
	log_now(true);
	ck_assert_ptr_null(snapshot);
	ck_assert_uint_eq(snapshots[snapshot_count - 1].bytes, 50000);
}
END_TEST

static void work(unsigned index, void *unused)
{
	(void)unused;
	for (int round = 0; round < 200; round++) {
		void *mine[20];

		for (int i = 0; i < 20; i++)
			mine[i] = take(heap, 100 * (index + 1));
		for (int i = 0; i < 20; i++)
			ck_assert_int_eq(give(heap, mine[i]), 0);
	}
}

START_TEST(threads_share_one_timeline)
{
	test_run_threads(8, work, NULL);
	log_now(true);
	ck_assert_uint_ge(snapshot_count, 128);
	ck_assert_uint_le(snapshot_count, 258);
	ck_assert_uint_eq(snapshots[snapshot_count - 1].bytes, 0);
	ck_assert_ptr_nonnull(snapshot);
}
END_TEST

START_TEST(a_child_starts_anew)
{
	take_some(0, 100, 1000);
	fp_timeline_start_in_child();
	give_some(0, 60);
	log_now(true);
	ck_assert_ptr_null(snapshot); /* the peak was its parent's */
	ck_assert_uint_eq(snapshots[0].blocks, 99);
	take_some(0, 300, 1000);
	log_now(true);
	ck_assert_ptr_nonnull(snapshot);
	ck_assert_uint_eq(snapshot->blocks, 340);
}
END_TEST

/* ---- Growth -------------------------------------------------------------------------------
 */

static _Atomic unsigned news;

static void count_news(void)
{
	news++;
}

static void start_growth(void)
{
	fp_timeline_start(&(struct fp_timeline_config){1, count_news});
}

struct growth {
	bool is_told;
	bool is_judged;
	uint32_t snapshots;
	size_t stacks;
	uint64_t first_bytes; /* of the stack that grew most */
	uint64_t last_bytes;
	uint64_t last_blocks;
};

static void read_growing(struct test_event *event, struct growth *growth)
{
	uint64_t before = 0;
	uint64_t bytes = 0;

	test_event_u32(event);
	uint32_t points = test_event_u32(event);
	for (uint32_t i = 0; i < points; i++) {
		uint64_t time = test_event_u64(event);
		uint64_t count = test_event_u64(event);

		test_that(time >= before);
		before = time;
		uint64_t now = test_event_u64(event);
		test_that(now >= bytes);
		bytes = now;
		if (growth->stacks == 0 && i == 0)
			growth->first_bytes = now;
		if (growth->stacks == 0)
			growth->last_blocks = count;
	}
	if (growth->stacks++ == 0)
		growth->last_bytes = bytes;
	test_event_end(event);
}

static struct growth read_growth(void)
{
	static struct fp_log log;
	struct growth growth = {0};
	struct test_events events;
	struct test_event event;
	int fd = memfd_create("events", MFD_CLOEXEC);

	fp_log_open(&log, false);
	fp_timeline_log(&log, true);
	ck_assert_int_eq(fp_log_copy(&log, fd), 0);
	size_t size = (size_t)lseek(fd, 0, SEEK_END);
	char *bytes = malloc(size);
	ck_assert_int_eq(pread(fd, bytes, size, 0), (ssize_t)size);
	close(fd);
	test_events_open(&events, bytes, size);
	growth.is_told = test_events_find(&events, GROWTH, &event);
	if (growth.is_told) {
		growth.is_judged = test_event_u8(&event) == 1;
		for (int i = 0; i < 3; i++)
			ck_assert_uint_eq(test_event_u8(&event), 0);
		growth.snapshots = test_event_u32(&event);
		test_event_u64(&event);
		test_event_end(&event);
	}
	while (test_events_find(&events, GROWING, &event))
		read_growing(&event, &growth);
	free(bytes);
	return growth;
}

/* What comes and goes, so that somebody looks at the clock, for a while. */
static void pass_time(void)
{
	for (int i = 0; i < 5; i++) {
		take_some(BLOCKS - 20, 20, 50);
		give_some(BLOCKS - 20, 20);
		usleep(700);
	}
}

START_TEST(growth_is_not_looked_for_unasked)
{
	pass_time();
	ck_assert(!read_growth().is_told);
	fp_timeline_log_growth(&(struct fp_log){.first = NULL});
	ck_assert_uint_eq(fp_timeline_count_growing(), 0);
}
END_TEST

START_TEST(what_only_rises_is_told)
{
	start_growth();
	for (size_t i = 0; i < 100; i++) {
		take_some(i * 20, 20, 100);
		pass_time();
	}
	struct growth growth = read_growth();
	ck_assert(growth.is_told && growth.is_judged);
	ck_assert_uint_ge(growth.snapshots, 8);
	ck_assert_uint_eq(growth.stacks, 1);
	ck_assert_uint_eq(growth.last_bytes, 100 * growth.last_blocks);
	ck_assert_uint_gt(growth.last_bytes, growth.first_bytes);
	ck_assert_uint_le(growth.last_blocks, 2000);
	ck_assert_uint_gt(news, 0);
	ck_assert_uint_eq(fp_timeline_count_growing(), 1);
}
END_TEST

START_TEST(what_comes_and_goes_does_not_grow)
{
	start_growth();
	for (int round = 0; round < 100; round++) {
		take_some(0, 100, 1000);
		pass_time();
		give_some(0, 100);
	}
	struct growth growth = read_growth();
	ck_assert(growth.is_judged);
	ck_assert_uint_eq(growth.stacks, 0);
}
END_TEST

START_TEST(a_short_run_is_not_judged)
{
	fp_timeline_start(&(struct fp_timeline_config){3600000, count_news});
	take_some(0, 100, 1000);
	struct growth growth = read_growth();
	ck_assert(growth.is_told && !growth.is_judged);
	ck_assert_uint_eq(growth.snapshots, 0);
	ck_assert_uint_eq(news, 0);
}
END_TEST

/* Its parent's growth is not its own. */
START_TEST(growth_of_a_child_starts_anew)
{
	start_growth();
	for (size_t i = 0; i < 60; i++) {
		take_some(i * 20, 20, 100);
		pass_time();
	}
	ck_assert_uint_eq(read_growth().stacks, 1);
	fp_timeline_start_in_child();
	ck_assert(!read_growth().is_judged);
	for (size_t i = 0; i < 60; i++)
		pass_time();
	struct growth growth = read_growth();
	ck_assert(growth.is_judged);
	ck_assert_uint_eq(growth.stacks, 0);
}
END_TEST

static void leak_some(unsigned index, void *unused)
{
	(void)unused;
	for (int round = 0; round < 60; round++) {
		for (int i = 0; i < 20; i++) {
			void *own = take(heap, 100 * (index + 1));

			if (i % 4 != 0)
				ck_assert_int_eq(give(heap, own), 0);
		}
		usleep(5000);
	}
}

START_TEST(growth_of_threads_is_seen)
{
	start_growth();
	test_run_threads(8, leak_some, NULL);
	struct growth growth = read_growth();
	ck_assert(growth.is_judged);
	ck_assert_uint_eq(growth.last_blocks <= 8 * 60 * 5 + 8 * 20, true);
	/* In-flight blocks of the same stack may hide it in a snapshot or two. */
	ck_assert_uint_le(growth.stacks, 1);
}
END_TEST

START_TEST(without_memory_growth_does_no_harm)
{
	start_growth();
	for (size_t i = 0; i < 30; i++) {
		take_some(i * 20, 20, 100);
		/* A snapshot's table, unless the blocks themselves took it. */
		fp_inject_arm(FP_INJECT_META, 1, false);
		give_some(i * 20 + 10, 10);
		fp_inject_arm(FP_INJECT_META, 0, false);
		pass_time();
	}
	ck_assert(read_growth().is_told);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("timeline");
	TCase *tests = tcase_create("timeline");

	tcase_add_checked_fixture(tests, setup, NULL);
	tcase_add_test(tests, nothing_happened);
	tcase_add_test(tests, the_first_blocks_are_moments_each);
	tcase_add_test(tests, moments_cover_the_run_and_stay_few);
	tcase_add_test(tests, a_snapshot_shows_the_peak);
	tcase_add_test(tests, the_block_that_goes_is_in_the_snapshot);
	tcase_add_test(tests, what_is_live_at_the_end_can_be_the_peak);
	tcase_add_test(tests, only_a_higher_peak_makes_a_new_snapshot);
	tcase_add_test(tests, without_memory_there_is_no_snapshot_and_no_harm);
	tcase_add_test(tests, threads_share_one_timeline);
	tcase_add_test(tests, a_child_starts_anew);
	tcase_add_test(tests, growth_is_not_looked_for_unasked);
	tcase_add_test(tests, what_only_rises_is_told);
	tcase_add_test(tests, what_comes_and_goes_does_not_grow);
	tcase_add_test(tests, a_short_run_is_not_judged);
	tcase_add_test(tests, growth_of_a_child_starts_anew);
	tcase_add_test(tests, growth_of_threads_is_seen);
	tcase_add_test(tests, without_memory_growth_does_no_harm);
	suite_add_tcase(suite, tests);
	return test_run(suite);
}
