/* SPDX-License-Identifier: Apache-2.0
 *
 * Reserving, committing, protecting and giving back by Win32's rules.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "base/inject.h"
#include "regions.h"

static void setup(void)
{
	start_regions((size_t)1 << 40);
}

/* Address space that can be reserved by address. */
static uintptr_t find_room(size_t size)
{
	uintptr_t room = alloc(0, size, RESERVE, NOACCESS);

	must_free(room, 0, RELEASE);
	return room;
}

/* ---- Reserving --------------------------------------------------------------------------- */

START_TEST(a_reservation_is_whole_pages_between_two_guards)
{
	uintptr_t base = alloc(0, 5 * PAGE + 1, RESERVE, READWRITE);
	struct fp_region_place place;

	ck_assert_uint_eq(base % GRANULE, 0);
	ck_assert(fp_region_find(base, &place));
	ck_assert_uint_eq(place.block.address, base);
	ck_assert_uint_eq(place.block.size, 6 * PAGE);
	ck_assert_int_eq(place.page.state, FP_PAGE_RESERVED);
	ck_assert_int_eq(place.block.level, FP_LEVEL_APPDOMAIN);
	ck_assert_uint_ne(place.block.alloc_trace, FP_TRACE_NONE);
	for (int page = -1; page <= 6; page++) {
		test_that(test_read_faults(base + page * PAGE));
		test_that(test_write_faults(base + page * PAGE + PAGE - 1));
	}
	ck_assert(fp_region_find(base - 1, &place));
	ck_assert_int_eq(place.page.state, FP_PAGE_GUARD);
	ck_assert(fp_region_find(base + 6 * PAGE, &place));
	ck_assert_int_eq(place.page.state, FP_PAGE_GUARD);
	ck_assert(!fp_region_find(base - PAGE - 1, &place));
	ck_assert(!fp_region_find(base + 7 * PAGE, &place));
}
END_TEST

START_TEST(an_address_is_rounded_down_to_the_granularity)
{
	uintptr_t room = find_room(16 * GRANULE);
	struct fp_region_place place;

	ck_assert_uint_eq(alloc(room + GRANULE + 3 * PAGE + 5, PAGE, RESERVE, READWRITE),
	                  room + GRANULE);
	/* Up to the page of the last byte, which is in the fifth. */
	ck_assert(fp_region_find(room + GRANULE, &place));
	ck_assert_uint_eq(place.block.size, 5 * PAGE);
	refuse(-ENOMEM, room + GRANULE, PAGE, RESERVE, READWRITE);
	refuse(-ENOMEM, room, 2 * GRANULE, RESERVE, READWRITE);
	expect_no_finding();
}
END_TEST

START_TEST(what_no_region_could_meet_is_refused_without_a_finding)
{
	refuse(-EINVAL, 0, 0, RESERVE, READWRITE);
	refuse(-EINVAL, 0, PAGE, DECOMMIT, READWRITE);
	refuse(-EINVAL, 0, PAGE, RESERVE | 0x200000, READWRITE);
	refuse(-EINVAL, 0, PAGE, RESERVE | 0x20000000, READWRITE);
	refuse(-EINVAL, 0, PAGE, RESERVE, 0);
	refuse(-EINVAL, 0, PAGE, RESERVE, READWRITE | READONLY);
	refuse(-EINVAL, 0, PAGE, RESERVE, 0x08);
	refuse(-EINVAL, 0, PAGE, RESET, READWRITE);
	refuse(-ENOMEM, 0, (size_t)1 << 50, RESERVE, READWRITE);
	refuse(-ENOMEM, 0, SIZE_MAX - 10, RESERVE, READWRITE);
	refuse(-ENOMEM, GRANULE, SIZE_MAX - 10, RESERVE, READWRITE);
	expect_no_finding();
}
END_TEST

/* ---- Committing ----------------------------------------------------------------------------
 */

START_TEST(a_commit_is_every_page_it_touches_and_zero)
{
	uintptr_t base = alloc(0, 16 * PAGE, RESERVE, NOACCESS);

	ck_assert_uint_eq(alloc(base + 3 * PAGE - 1, 2, COMMIT, READWRITE), base + 2 * PAGE);
	ck_assert(is_filled(base + 2 * PAGE, 2 * PAGE, 0));
	memset((void *)(base + 2 * PAGE), 5, 2 * PAGE);
	test_that(test_read_faults(base + 2 * PAGE - 1));
	test_that(test_read_faults(base + 4 * PAGE));
	/* Again, over what is committed and what is not: content stays, protection is new. */
	alloc(base, 16 * PAGE, COMMIT, READONLY);
	ck_assert(is_filled(base, 2 * PAGE, 0));
	ck_assert(is_filled(base + 2 * PAGE, 2 * PAGE, 5));
	test_that(test_write_faults(base + 2 * PAGE));
	expect_no_finding();
}
END_TEST

START_TEST(a_commit_without_an_address_reserves)
{
	uintptr_t base = alloc(0, 10, COMMIT, READWRITE);

	ck_assert_uint_eq(base % GRANULE, 0);
	memset((void *)base, 1, PAGE);
	test_that(test_write_faults(base + PAGE));
	must_free(base, 0, RELEASE);
	base = alloc(0, GRANULE, COMMIT | RESERVE | FP_REGION_TOP_DOWN, READWRITE);
	memset((void *)base, 1, GRANULE);
	must_free(base, 0, RELEASE);
	expect_no_finding();
}
END_TEST

START_TEST(a_reset_empties_committed_pages)
{
	uintptr_t base = alloc(0, 4 * PAGE, RESERVE, READWRITE);

	alloc(base, 2 * PAGE, COMMIT, READWRITE);
	memset((void *)base, 9, 2 * PAGE);
	ck_assert_uint_eq(alloc(base + PAGE + 1, 5, RESET, NOACCESS), base + PAGE);
	ck_assert(is_filled(base, PAGE, 9));
	ck_assert(is_filled(base + PAGE, PAGE, 0));
	test_that(!test_write_faults(base + PAGE));
	refuse(-EINVAL, base, PAGE, RESET, 0);
	refuse(-EINVAL, base, PAGE, RESET | COMMIT, READWRITE);
	expect_no_finding();
}
END_TEST

/* ---- Decommitting and releasing
 * -------------------------------------------------------------- */

START_TEST(decommitted_pages_are_gone_and_come_back_empty)
{
	uintptr_t base = alloc(0, 8 * PAGE, RESERVE | COMMIT, READWRITE);
	struct fp_region_place place;

	memset((void *)base, 3, 8 * PAGE);
	must_free(base + 2 * PAGE + 1, PAGE, DECOMMIT);
	test_that(test_read_faults(base + 2 * PAGE));
	test_that(test_read_faults(base + 4 * PAGE - 1));
	ck_assert(is_filled(base, 2 * PAGE, 3) && is_filled(base + 4 * PAGE, 4 * PAGE, 3));
	ck_assert(fp_region_find(base + 3 * PAGE, &place));
	ck_assert_int_eq(place.page.state, FP_PAGE_DECOMMITTED);
	ck_assert_uint_ne(place.page.commit_trace, FP_TRACE_NONE);
	ck_assert_uint_ne(place.decommitter, FP_TRACE_NONE);
	ck_assert_uint_eq(place.start, base + 2 * PAGE);
	ck_assert_uint_eq(place.end, base + 4 * PAGE);
	/* What is not committed is fine, all of it with a size of 0, and again. */
	must_free(base + 2 * PAGE, 6 * PAGE, DECOMMIT);
	must_free(base, 0, DECOMMIT);
	must_free(base, 0, DECOMMIT);
	test_that(test_read_faults(base));
	alloc(base, 8 * PAGE, COMMIT, READWRITE);
	ck_assert(is_filled(base, 8 * PAGE, 0));
	expect_no_finding();
}
END_TEST

START_TEST(a_release_is_of_all_and_stays_out_of_reach)
{
	uintptr_t base = alloc(0, 8 * PAGE, RESERVE, READWRITE);
	struct fp_region_place place;

	alloc(base + PAGE, PAGE, COMMIT, READWRITE);
	must_free(base + PAGE, PAGE, DECOMMIT);
	alloc(base + 3 * PAGE, PAGE, COMMIT, READONLY);
	must_free(base, 0, RELEASE);
	test_that(test_read_faults(base + 3 * PAGE));
	ck_assert(fp_region_find(base + 3 * PAGE, &place));
	ck_assert_int_eq(place.page.state, FP_PAGE_RELEASED);
	ck_assert_int_eq(place.block.state, FP_BLOCK_FREED);
	ck_assert_uint_ne(place.block.free_trace, FP_TRACE_NONE);
	for (int i = 0; i < 100; i++)
		test_that(alloc(0, 8 * PAGE, RESERVE, READWRITE) != base);
	expect_no_finding();
}
END_TEST

/* The published caller looks for room by reserving, releasing, and reserving again inside. */
START_TEST(a_released_region_gives_way_to_one_at_an_address)
{
	uintptr_t room = find_room(32 * GRANULE);
	uintptr_t inside = alloc(room + 3 * GRANULE, 8 * GRANULE, RESERVE | COMMIT, READWRITE);

	ck_assert_uint_eq(inside, room + 3 * GRANULE);
	ck_assert(is_filled(inside, 8 * GRANULE, 0));
	memset((void *)inside, 1, 8 * GRANULE);
	uintptr_t other = alloc(room + 12 * GRANULE, GRANULE, RESERVE | COMMIT, READWRITE);
	memset((void *)other, 1, GRANULE);
	must_free(inside, 0, RELEASE);
	must_free(other, 0, RELEASE);
	ck_assert_uint_eq(alloc(room, 32 * GRANULE, RESERVE, NOACCESS), room);
	expect_no_finding();
}
END_TEST

START_TEST(many_released_regions_make_room_for_each_other)
{
	size_t mappings = test_mapping_count();

	for (int i = 0; i < 5000; i++)
		must_free(alloc(0, GRANULE, RESERVE | COMMIT, READWRITE), 0, RELEASE);
	/* 1024 are kept, each a mapping at most. */
	ck_assert_uint_lt(test_mapping_count(), mappings + 1500);
	expect_no_finding();
}
END_TEST

START_TEST(address_space_of_the_released_is_given_back_when_asked_for)
{
	uintptr_t base = alloc(0, GRANULE, RESERVE, NOACCESS);
	struct fp_region_place place;
	struct fp_region_announced sums;

	ck_assert(!fp_region_need());
	must_free(base, 0, RELEASE);
	ck_assert(fp_region_need());
	ck_assert(!fp_region_find(base, &place));
	fp_region_acquired(0x10000, 100);
	fp_region_acquired(0x20000, 1000);
	fp_region_returned(0x10000);
	fp_region_returned(0x10000);
	fp_region_announced(&sums);
	ck_assert_uint_eq(sums.needs, 2);
	ck_assert_uint_eq(sums.granted, 1);
	ck_assert_uint_eq(sums.acquired, 2);
	ck_assert_uint_eq(sums.acquired_bytes, 1100);
	ck_assert_uint_eq(sums.mapped, 1);
	ck_assert_uint_eq(sums.mapped_bytes, 1000);
	ck_assert_uint_eq(sums.unknown, 1);
}
END_TEST

/* ---- Protecting
 * ------------------------------------------------------------------------------ */

START_TEST(a_protection_changes_and_tells_the_one_before)
{
	uintptr_t base = alloc(0, 4 * PAGE, RESERVE | COMMIT, READWRITE);
	uint32_t guarded = READWRITE | FP_PROTECT_GUARD;
	uint32_t old = 77;

	memset((void *)base, 3, 4 * PAGE);
	ck_assert_int_eq(fp_region_protect(base + PAGE, 1, READONLY, &old), 0);
	ck_assert_uint_eq(old, READWRITE);
	test_that(test_write_faults(base + PAGE));
	test_that(!test_read_faults(base + PAGE));
	test_that(!test_write_faults(base) && !test_write_faults(base + 2 * PAGE));
	ck_assert_int_eq(fp_region_protect(base + PAGE, 3 * PAGE, NOACCESS, &old), 0);
	ck_assert_uint_eq(old, READONLY);
	test_that(test_read_faults(base + 3 * PAGE));
	ck_assert_int_eq(fp_region_protect(base, 4 * PAGE, guarded, &old), 0);
	ck_assert_uint_eq(old, READWRITE);
	test_that(test_read_faults(base));
	ck_assert_int_eq(fp_region_protect(base, 1, READWRITE, &old), 0);
	ck_assert_uint_eq(old, guarded);
	ck_assert(is_filled(base + 1, PAGE - 1, 3));
	expect_no_finding();
}
END_TEST

/* ---- Trouble
 * --------------------------------------------------------------------------------- */

static bool try_everything(uintptr_t base)
{
	const struct fp_region_request commit = {
	        .address = base, .size = 3 * PAGE, .type = COMMIT, .protection = READWRITE};
	uint32_t old;
	uintptr_t at;

	return fp_region_alloc(&commit, &at) == 0 &&
	       fp_region_protect(base, PAGE, READONLY, &old) == 0 &&
	       fp_region_free(base + PAGE, PAGE, DECOMMIT) == 0;
}

/* Whatever request is refused, the call fails as a whole and all can be done again. */
START_TEST(a_refused_request_changes_nothing)
{
	uintptr_t base = alloc(0, 8 * PAGE, RESERVE, READWRITE);
	bool is_done = false;

	alloc(base + 4 * PAGE, PAGE, COMMIT, READWRITE);
	memset((void *)(base + 4 * PAGE), 6, PAGE);
	for (uint64_t nth = 1; !is_done; nth++) {
		ck_assert_uint_lt(nth, 100);
		fp_inject_arm(_i, nth, false);
		is_done = try_everything(base);
		fp_inject_arm(_i, 0, false);
		ck_assert(is_done || try_everything(base));
		must_free(base, 3 * PAGE, DECOMMIT);
	}
	ck_assert(is_filled(base + 4 * PAGE, PAGE, 6));
	expect_no_finding();
}
END_TEST

START_TEST(a_refused_reservation_leaves_nothing_behind)
{
	const struct fp_region_request request = {
	        .size = PAGE, .type = RESERVE | COMMIT, .protection = READWRITE};
	size_t mappings = test_mapping_count();

	for (uint64_t nth = 1; nth < 12; nth++) {
		uintptr_t fresh;

		fp_inject_arm(_i, nth, false);
		int status = fp_region_alloc(&request, &fresh);
		if (status == 0)
			status = fp_region_free(fresh, 0, RELEASE);
		fp_inject_arm(_i, 0, false);
		ck_assert(status == 0 || status == -ENOMEM);
		fp_region_need();
	}
	/* Metadata takes some of its own. */
	ck_assert_uint_lt(test_mapping_count(), mappings + 12);
	expect_no_finding();
}
END_TEST

static void see(const struct fp_block *region, void *user)
{
	uintptr_t *last = user;

	ck_assert_uint_gt(region->address, last[0]);
	last[0] = region->address;
	last[1]++;
}

START_TEST(live_regions_are_told_of_in_order)
{
	uintptr_t sum[2] = {0, 0};

	alloc(0, PAGE, RESERVE, READWRITE);
	uint64_t after = fp_region_last_serial();
	must_free(alloc(0, PAGE, RESERVE, READWRITE), 0, RELEASE);
	for (int i = 0; i < 20; i++)
		alloc(0, PAGE, RESERVE, READWRITE);
	fp_region_each_live(after, see, sum);
	ck_assert_uint_eq(sum[1], 20);
	ck_assert_uint_eq(fp_region_last_serial(), after + 21);
}
END_TEST

static void see_marks(const struct fp_block *region, void *user)
{
	*(unsigned *)user = region->marks;
}

START_TEST(a_mark_stays_whatever_becomes_of_the_pages)
{
	uintptr_t base = alloc(0, 3 * PAGE, RESERVE, READWRITE);
	uint64_t serial = fp_region_last_serial();
	unsigned marks = 0;

	ck_assert(fp_region_mark(base + PAGE, serial, FP_BLOCK_TOLD));
	alloc(base + PAGE, PAGE, COMMIT, READWRITE);
	ck_assert(fp_region_mark(base, serial, FP_BLOCK_LOST));
	struct fp_region_place place;
	ck_assert(fp_region_find(base + PAGE, &place));
	ck_assert_int_eq(place.page.state, FP_PAGE_COMMITTED);
	fp_region_each_live(0, see_marks, &marks);
	ck_assert_uint_eq(marks, FP_BLOCK_TOLD | FP_BLOCK_LOST);
	ck_assert(!fp_region_mark(base, serial + 1, FP_BLOCK_TOLD));
	must_free(base, 0, RELEASE);
	ck_assert(!fp_region_mark(base, serial, FP_BLOCK_TOLD));
	ck_assert(!fp_region_mark(4096, serial, FP_BLOCK_TOLD));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("region");
	TCase *tests = tcase_create("regions");

	tcase_add_checked_fixture(tests, setup, NULL);
	tcase_add_test(tests, a_reservation_is_whole_pages_between_two_guards);
	tcase_add_test(tests, an_address_is_rounded_down_to_the_granularity);
	tcase_add_test(tests, what_no_region_could_meet_is_refused_without_a_finding);
	tcase_add_test(tests, a_commit_is_every_page_it_touches_and_zero);
	tcase_add_test(tests, a_commit_without_an_address_reserves);
	tcase_add_test(tests, a_reset_empties_committed_pages);
	tcase_add_test(tests, decommitted_pages_are_gone_and_come_back_empty);
	tcase_add_test(tests, a_release_is_of_all_and_stays_out_of_reach);
	tcase_add_test(tests, a_released_region_gives_way_to_one_at_an_address);
	tcase_add_test(tests, many_released_regions_make_room_for_each_other);
	tcase_add_test(tests, address_space_of_the_released_is_given_back_when_asked_for);
	tcase_add_test(tests, a_protection_changes_and_tells_the_one_before);
	tcase_add_loop_test(tests, a_refused_request_changes_nothing, 0, FP_INJECT_COUNT);
	tcase_add_loop_test(tests, a_refused_reservation_leaves_nothing_behind, 0,
	                    FP_INJECT_COUNT);
	tcase_add_test(tests, live_regions_are_told_of_in_order);
	tcase_add_test(tests, a_mark_stays_whatever_becomes_of_the_pages);
	suite_add_tcase(suite, tests);
	return test_run(suite);
}
