/* SPDX-License-Identifier: Apache-2.0
 *
 * Calls that do not fit: each is one finding and changes nothing.
 */
#include <errno.h>
#include <string.h>

#include "regions.h"

static void setup(void)
{
	start_regions((size_t)1 << 40);
}

static void setup_without_room(void)
{
	start_regions(0);
}

START_TEST(a_commit_needs_one_region_around_it)
{
	uintptr_t base = alloc(0, 4 * PAGE, RESERVE, READWRITE);

	refuse(-EPERM, base + 3 * PAGE, 2 * PAGE, COMMIT, READWRITE);
	ck_assert_int_eq(found[0].hresult, -111);
	ck_assert_int_eq(found[0].offset, 3 * PAGE);
	ck_assert_uint_eq(found[0].block.size, 4 * PAGE);
	expect_finding(FP_FINDING_REGION_MISUSE,
	               "MEM_COMMIT: 8192 bytes from 12288 bytes inside a region of 16384 bytes "
	               "are not all in it");
	test_that(test_read_faults(base + 3 * PAGE));
	refuse(-EPERM, base - PAGE, 2 * PAGE, COMMIT, READWRITE);
	expect_finding(FP_FINDING_REGION_MISUSE, "MEM_COMMIT: the address is in no region");
	refuse(-EPERM, (uintptr_t)&base, 1, COMMIT, READWRITE);
	expect_finding(FP_FINDING_REGION_MISUSE, "the stack of the calling thread");
	must_free(base, 0, RELEASE);
	refuse(-EPERM, base, 1, COMMIT, READWRITE);
	ck_assert_uint_ne(found[0].block.free_trace, FP_TRACE_NONE);
	expect_finding(FP_FINDING_REGION_MISUSE, "the region was released before");
}
END_TEST

START_TEST(a_reset_needs_committed_pages)
{
	uintptr_t base = alloc(0, 4 * PAGE, RESERVE, READWRITE);

	alloc(base, 2 * PAGE, COMMIT, READWRITE);
	memset((void *)base, 9, 2 * PAGE);
	refuse(-EPERM, base + PAGE, 2 * PAGE, RESET, READWRITE);
	expect_finding(FP_FINDING_REGION_MISUSE,
	               "MEM_RESET: the page 8192 bytes inside a region of 16384 bytes is "
	               "reserved but not committed");
	ck_assert(is_filled(base, 2 * PAGE, 9));
}
END_TEST

static void refuse_free(int status, uintptr_t address, size_t size, uint32_t type)
{
	ck_assert_int_eq(fp_region_free(address, size, type), status);
	ck_assert_uint_eq(found_count, 1);
	ck_assert_int_eq(found[0].access, FP_ACCESS_FREE);
	ck_assert_int_eq(found[0].hresult, status == -EINVAL ? -222 : -111);
}

START_TEST(a_free_needs_its_type_and_size)
{
	uintptr_t base = alloc(0, 4 * PAGE, RESERVE | COMMIT, READWRITE);

	memset((void *)base, 3, 4 * PAGE);
	refuse_free(-EINVAL, base, 0, 0);
	expect_finding(FP_FINDING_REGION_MISUSE, "neither MEM_DECOMMIT nor MEM_RELEASE");
	refuse_free(-EINVAL, base, 0, RELEASE | DECOMMIT);
	expect_finding(FP_FINDING_REGION_MISUSE, "neither MEM_DECOMMIT nor MEM_RELEASE");
	refuse_free(-EINVAL, base, 4 * PAGE, RELEASE);
	expect_finding(FP_FINDING_REGION_MISUSE,
	               "MEM_RELEASE: a size of 16384 bytes was passed; a release takes 0 and "
	               "gives all of a region of 16384 bytes back");
	refuse_free(-EPERM, base + PAGE, 4 * PAGE, DECOMMIT);
	expect_finding(FP_FINDING_REGION_MISUSE, "are not all in it");
	ck_assert(is_filled(base, 4 * PAGE, 3));
}
END_TEST

START_TEST(a_free_needs_the_address_of_a_live_region)
{
	uintptr_t base = alloc(0, 4 * PAGE, RESERVE | COMMIT, READWRITE);

	memset((void *)base, 3, 4 * PAGE);
	refuse_free(-EPERM, base + PAGE, 0, RELEASE);
	ck_assert_int_eq(found[0].offset, PAGE);
	expect_finding(
	        FP_FINDING_INVALID_FREE,
	        "the address is 4096 bytes inside a region of 16384 bytes, not its start");
	refuse_free(-EPERM, base + PAGE, 0, DECOMMIT);
	expect_finding(FP_FINDING_INVALID_FREE,
	               "MEM_DECOMMIT: the address is 4096 bytes inside");
	refuse_free(-EPERM, 0, 0, RELEASE);
	expect_finding(FP_FINDING_INVALID_FREE, "the address is in no region");
	refuse_free(-EPERM, (uintptr_t)&found, 0, RELEASE);
	expect_finding(FP_FINDING_INVALID_FREE, "a global variable of ");
	refuse_free(-EPERM, base - PAGE, 0, RELEASE);
	ck_assert_int_eq(found[0].offset, -PAGE);
	expect_finding(FP_FINDING_INVALID_FREE, "the address is in no region");
	ck_assert(is_filled(base, 4 * PAGE, 3));
}
END_TEST

START_TEST(a_region_is_released_once)
{
	uintptr_t base = alloc(0, 4 * PAGE, RESERVE | COMMIT, READWRITE);

	must_free(base, 0, RELEASE);
	refuse_free(-EPERM, base, 0, RELEASE);
	ck_assert_uint_ne(found[0].block.free_trace, FP_TRACE_NONE);
	expect_finding(FP_FINDING_DOUBLE_FREE, "the region was released before");
	refuse_free(-EPERM, base, PAGE, DECOMMIT);
	expect_finding(FP_FINDING_DOUBLE_FREE, "MEM_DECOMMIT: the region was released before");
	refuse_free(-EPERM, base + PAGE, 0, RELEASE);
	expect_finding(FP_FINDING_INVALID_FREE,
	               "4096 bytes inside a region of 16384 bytes that was released before");
}
END_TEST

START_TEST(only_committed_pages_of_one_region_can_be_protected)
{
	uintptr_t base = alloc(0, 4 * PAGE, RESERVE, READWRITE);
	uint32_t old = 77;

	alloc(base, 2 * PAGE, COMMIT, READWRITE);
	ck_assert_int_eq(fp_region_protect(base + PAGE, 2 * PAGE, READONLY, &old), -EPERM);
	ck_assert_uint_eq(old, 0);
	expect_finding(FP_FINDING_REGION_MISUSE,
	               "VirtualProtect: the page 8192 bytes inside a region of 16384 bytes is "
	               "reserved but not committed");
	test_that(!test_write_faults(base + PAGE));
	must_free(base, PAGE, DECOMMIT);
	ck_assert_int_eq(fp_region_protect(base, 2 * PAGE, READONLY, &old), -EPERM);
	ck_assert_int_eq(found[0].page.state, FP_PAGE_DECOMMITTED);
	ck_assert_uint_ne(found[0].block.free_trace, FP_TRACE_NONE);
	expect_finding(FP_FINDING_REGION_MISUSE, "was decommitted");
	ck_assert_int_eq(fp_region_protect(base + PAGE, 8 * PAGE, READONLY, &old), -EPERM);
	expect_finding(FP_FINDING_REGION_MISUSE, "are not all in it");
	ck_assert_int_eq(fp_region_protect((uintptr_t)&base, 1, READONLY, &old), -EPERM);
	expect_finding(FP_FINDING_REGION_MISUSE, "VirtualProtect: the address is in no region");
	ck_assert_int_eq(fp_region_protect(base, 0, READONLY, &old), -EINVAL);
	ck_assert_int_eq(fp_region_protect(base + PAGE, 1, 0, &old), -EINVAL);
	ck_assert_int_eq(fp_region_protect(base + PAGE, 1, 0x08, &old), -EINVAL);
	expect_no_finding();
}
END_TEST

START_TEST(without_room_for_them_released_regions_are_forgotten)
{
	uintptr_t base = alloc(0, GRANULE, RESERVE | COMMIT, READWRITE);
	struct fp_region_place place;

	must_free(base, 0, RELEASE);
	ck_assert(!fp_region_find(base, &place));
	refuse_free(-EPERM, base, 0, RELEASE);
	expect_finding(FP_FINDING_INVALID_FREE, "the address is in no region");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("region: misuse");
	TCase *tests = tcase_create("misuse");
	TCase *poor = tcase_create("without room for released ones");

	tcase_add_checked_fixture(tests, setup, NULL);
	tcase_add_test(tests, a_commit_needs_one_region_around_it);
	tcase_add_test(tests, a_reset_needs_committed_pages);
	tcase_add_test(tests, a_free_needs_its_type_and_size);
	tcase_add_test(tests, a_free_needs_the_address_of_a_live_region);
	tcase_add_test(tests, a_region_is_released_once);
	tcase_add_test(tests, only_committed_pages_of_one_region_can_be_protected);
	suite_add_tcase(suite, tests);
	tcase_add_checked_fixture(poor, setup_without_room, NULL);
	tcase_add_test(poor, without_room_for_them_released_regions_are_forgotten);
	suite_add_tcase(suite, poor);
	return test_run(suite);
}
