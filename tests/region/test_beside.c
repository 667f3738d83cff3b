/* SPDX-License-Identifier: Apache-2.0
 *
 * What stands right beside a region that was reserved by address: guards, other regions, memory
 * of others, and what becomes of guards when one of them goes.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "base/vm.h"
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

/* Ends without a guard so far, beside regions and beside others. */
static void expect_unguarded(uint64_t between, uint64_t others, uintptr_t first)
{
	struct fp_region_unguarded unguarded;

	fp_region_unguarded(&unguarded);
	ck_assert_uint_eq(unguarded.between, between);
	ck_assert_uint_eq(unguarded.others, others);
	ck_assert_uint_eq(unguarded.first, first);
}

START_TEST(neighbours_at_an_address_take_the_place_of_guards)
{
	uintptr_t room = find_room(16 * GRANULE);
	uintptr_t middle = alloc(room + 4 * GRANULE, GRANULE, RESERVE | COMMIT, READWRITE);
	uintptr_t after = alloc(middle + GRANULE, GRANULE, RESERVE | COMMIT, READWRITE);
	uintptr_t before = alloc(middle - GRANULE, GRANULE, RESERVE | COMMIT, READWRITE);
	struct fp_region_place place;

	ck_assert(fp_region_find(middle - 1, &place));
	ck_assert_uint_eq(place.block.address, before);
	ck_assert(fp_region_find(middle + GRANULE, &place));
	ck_assert_uint_eq(place.block.address, after);
	memset((void *)before, 7, 3 * GRANULE);
	expect_unguarded(2, 0, after);
	must_free(middle, 0, RELEASE);
	test_that(test_read_faults(middle));
	ck_assert(is_filled(before, GRANULE, 7) && is_filled(after, GRANULE, 7));
	test_that(test_read_faults(before - 1));
	test_that(test_read_faults(after + GRANULE));
}
END_TEST

/* Also where there is no room to keep the released one: what is given back leaves guards. */
START_TEST(a_neighbour_that_goes_leaves_its_guards)
{
	start_regions(0);
	uintptr_t room = find_room(16 * GRANULE);
	uintptr_t before = alloc(room + GRANULE, GRANULE, RESERVE | COMMIT, READWRITE);
	uintptr_t middle = alloc(before + GRANULE, GRANULE, RESERVE | COMMIT, READWRITE);
	uintptr_t after = alloc(middle + GRANULE, GRANULE, RESERVE | COMMIT, READWRITE);
	struct fp_region_place place;

	expect_unguarded(2, 0, middle);
	must_free(middle, 0, RELEASE);
	ck_assert(fp_region_find(before + GRANULE, &place));
	ck_assert_uint_eq(place.block.address, before);
	ck_assert_int_eq(place.page.state, FP_PAGE_GUARD);
	ck_assert(fp_region_find(after - 1, &place));
	ck_assert_uint_eq(place.block.address, after);
	ck_assert(!fp_region_find(middle + 2 * PAGE, &place));
	/* Nobody else can be given that memory. */
	for (uintptr_t at = middle; at < after; at += GRANULE - PAGE)
		ck_assert_int_eq(fp_vm_reserve_at(at, PAGE), -EEXIST);
	ck_assert(is_filled(before, GRANULE, 0) && is_filled(after, GRANULE, 0));
	must_free(before, 0, RELEASE);
	must_free(after, 0, RELEASE);
	ck_assert_int_eq(fp_vm_reserve_at(room, 8 * GRANULE), 0);
	expect_no_finding();
}
END_TEST

/* The first one ends a page before the second begins. */
START_TEST(two_regions_may_share_the_guard_between_them)
{
	uintptr_t room = find_room(16 * GRANULE);
	uintptr_t first = alloc(room, GRANULE - PAGE, RESERVE | COMMIT, READWRITE);
	uintptr_t second = alloc(room + GRANULE, PAGE, RESERVE | COMMIT, READWRITE);

	test_that(test_read_faults(second - 1));
	test_that(test_read_faults(second - PAGE));
	must_free(first, 0, RELEASE);
	test_that(test_read_faults(second - 1));
	ck_assert(is_filled(second, PAGE, 0));
	/* In the place of a released region, too. */
	alloc(first, GRANULE - PAGE, RESERVE | COMMIT, READWRITE);
	test_that(test_read_faults(second - 1));
	expect_unguarded(0, 0, 0);
}
END_TEST

START_TEST(memory_of_others_is_not_taken)
{
	void *others = mmap(NULL, 4 * GRANULE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uintptr_t inside = ((uintptr_t)others + GRANULE) / GRANULE * GRANULE;

	refuse(-ENOMEM, inside, PAGE, RESERVE, READWRITE);
	ck_assert_int_eq(munmap((void *)inside, 2 * GRANULE), 0);
	/* Between two mappings there is room, but none for guards. */
	ck_assert_uint_eq(alloc(inside, 2 * GRANULE, RESERVE | COMMIT, READWRITE), inside);
	memset((void *)inside, 1, 2 * GRANULE);
	expect_unguarded(0, 2, inside);
	must_free(inside, 0, RELEASE);
	expect_no_finding();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("regions: beside each other");
	TCase *tests = tcase_create("beside");

	tcase_add_checked_fixture(tests, setup, NULL);
	tcase_add_test(tests, neighbours_at_an_address_take_the_place_of_guards);
	tcase_add_test(tests, a_neighbour_that_goes_leaves_its_guards);
	tcase_add_test(tests, two_regions_may_share_the_guard_between_them);
	tcase_add_test(tests, memory_of_others_is_not_taken);
	suite_add_tcase(suite, tests);
	return test_run(suite);
}
