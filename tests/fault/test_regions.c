/* SPDX-License-Identifier: Apache-2.0
 *
 * The diagnosis of accesses to regions, on regions that are made up: two of four pages each,
 * with one guard before the first, one between them and one behind the second.
 */
#include <string.h>

#include "fault/diagnose.h"
#include "support/support.h"

enum { PAGE = 4096, SIZE = 4 * PAGE };

static const uintptr_t first = 0x100000;
static const uintptr_t second = 0x100000 + SIZE + PAGE;

static uint8_t states[2]; /* of the pages of each: enum fp_page_state */
static uint8_t fates[2];  /* enum fp_block_state */

static bool find(uintptr_t address, struct fp_region_place *place)
{
	if (address < first - PAGE || address >= second + SIZE + PAGE)
		return false;
	/* The guard between them is the first one's. */
	bool is_second = address >= second;
	uintptr_t base = is_second ? second : first;

	memset(place, 0, sizeof(*place));
	place->block = (struct fp_block){
	        .address = base,
	        .size = SIZE,
	        .alloc_trace = 1,
	        .free_trace = 2,
	        .family = FP_FAMILY_VIRTUAL,
	        .state = fates[is_second],
	};
	place->decommitter = 3;
	place->by_thread = 33;
	place->page = (struct fp_page){.state = states[is_second], .commit_trace = 4};
	place->start = base;
	place->end = base + SIZE;
	if (address - base < SIZE)
		return true;
	place->page = (struct fp_page){.state = FP_PAGE_GUARD};
	place->start = address < base ? base - PAGE : base + SIZE;
	place->end = place->start + PAGE;
	return true;
}

static void setup(void)
{
	memset(states, FP_PAGE_COMMITTED, sizeof(states));
	memset(fates, FP_BLOCK_LIVE, sizeof(fates));
}

static struct fp_finding finding;

static bool diagnose(uintptr_t address)
{
	const struct fp_fault_access access = {
	        .address = address, .access = FP_ACCESS_WRITE, .size = 8};

	memset(&finding, 0xee, sizeof(finding));
	return fp_fault_diagnose_region(&access, find, &finding);
}

static void expect(enum fp_finding_kind kind, uintptr_t base, const char *words)
{
	ck_assert_str_eq(fp_finding_traits(finding.kind)->name, fp_finding_traits(kind)->name);
	ck_assert(finding.has_block);
	ck_assert_uint_eq(finding.block.address, base);
	ck_assert_int_eq(finding.offset, (int64_t)(finding.address - base));
	ck_assert_int_eq(finding.access, FP_ACCESS_WRITE);
	ck_assert_uint_eq(finding.evidence_size, 0);
	ck_assert_str_eq(finding.description, words);
}

START_TEST(a_committed_page_is_its_hosts_affair)
{
	ck_assert(!diagnose(first));
	ck_assert(!diagnose(second + SIZE - 1));
	ck_assert(!diagnose(first - PAGE - 1));
	ck_assert(!diagnose(second + SIZE + PAGE));
}
END_TEST

START_TEST(a_guard_is_an_overflow_or_an_underflow_of_the_nearer_region)
{
	ck_assert(diagnose(first - 16));
	expect(FP_FINDING_HEAP_BUFFER_UNDERFLOW, first,
	       "write of 8 bytes, 16 bytes before a region of 16384 bytes");
	ck_assert(diagnose(second + SIZE));
	expect(FP_FINDING_HEAP_BUFFER_OVERFLOW, second,
	       "write of 8 bytes, 0 bytes past the end of a region of 16384 bytes");
	ck_assert(diagnose(first + SIZE + 100));
	expect(FP_FINDING_HEAP_BUFFER_OVERFLOW, first,
	       "write of 8 bytes, 100 bytes past the end of a region of 16384 bytes");
	ck_assert_int_eq(finding.page.state, FP_PAGE_GUARD);
	ck_assert(diagnose(second - 1));
	expect(FP_FINDING_HEAP_BUFFER_UNDERFLOW, second,
	       "write of 8 bytes, 1 byte before a region of 16384 bytes");
	ck_assert_int_eq(finding.page.state, FP_PAGE_GUARD);
}
END_TEST

/* A dead region's guard is its live neighbour's, too. */
START_TEST(of_two_neighbours_the_live_one_is_blamed)
{
	fates[0] = FP_BLOCK_FREED;
	states[0] = FP_PAGE_RELEASED;
	ck_assert(diagnose(first + SIZE + 100));
	expect(FP_FINDING_HEAP_BUFFER_UNDERFLOW, second,
	       "write of 8 bytes, 3996 bytes before a region of 16384 bytes");
	fates[1] = FP_BLOCK_FREED;
	states[1] = FP_PAGE_RELEASED;
	ck_assert(diagnose(second - 1));
	expect(FP_FINDING_HEAP_USE_AFTER_FREE, first,
	       "write of 8 bytes, 4095 bytes past the end of a region of 16384 bytes that was "
	       "released");
}
END_TEST

START_TEST(a_page_that_is_not_committed_tells_why)
{
	states[0] = FP_PAGE_RESERVED;
	ck_assert(diagnose(first + 5));
	expect(FP_FINDING_UNCOMMITTED_ACCESS, first,
	       "write of 8 bytes, 5 bytes inside a region of 16384 bytes, in pages that were "
	       "reserved and never committed");
	ck_assert_int_eq(finding.block.state, FP_BLOCK_LIVE);
	states[0] = FP_PAGE_DECOMMITTED;
	ck_assert(diagnose(first + 5));
	expect(FP_FINDING_HEAP_USE_AFTER_FREE, first,
	       "write of 8 bytes, 5 bytes inside a region of 16384 bytes, in pages that were "
	       "decommitted");
	/* Who decommitted stands where a block has who freed it. */
	ck_assert_int_eq(finding.block.state, FP_BLOCK_FREED);
	ck_assert_uint_eq(finding.block.free_trace, 3);
	ck_assert_uint_eq(finding.block.free_thread, 33);
	ck_assert_uint_eq(finding.page.commit_trace, 4);
	states[0] = FP_PAGE_RELEASED;
	fates[0] = FP_BLOCK_FREED;
	ck_assert(diagnose(first + 5));
	expect(FP_FINDING_HEAP_USE_AFTER_FREE, first,
	       "write of 8 bytes, 5 bytes inside a region of 16384 bytes that was released");
	ck_assert_uint_eq(finding.block.free_trace, 2);
}
END_TEST

static bool diagnose_range(uintptr_t address, size_t length)
{
	const struct fp_fault_access access = {.address = address, .access = FP_ACCESS_WRITE};

	return fp_fault_diagnose_region_range(&access, length, find, &finding);
}

START_TEST(of_a_range_the_first_bad_byte_is_blamed)
{
	ck_assert(!diagnose_range(first, 0));
	ck_assert(!diagnose_range(first, SIZE));
	ck_assert(!diagnose_range(first + 10, SIZE - 10));
	ck_assert(!diagnose_range(first - PAGE - 100, 100));
	ck_assert(!diagnose_range(UINTPTR_MAX - 5, 50));
	ck_assert(diagnose_range(first + 10, SIZE - 9));
	expect(FP_FINDING_HEAP_BUFFER_OVERFLOW, first,
	       "write of 16375 bytes by a call, 0 bytes past the end of a region of 16384 "
	       "bytes");
	states[1] = FP_PAGE_RESERVED;
	ck_assert(diagnose_range(second + 7, 1));
	expect(FP_FINDING_UNCOMMITTED_ACCESS, second,
	       "write of 1 byte by a call, 7 bytes inside a region of 16384 bytes, in pages "
	       "that "
	       "were reserved and never committed");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("fault: regions");
	TCase *tests = tcase_create("regions");

	tcase_add_checked_fixture(tests, setup, NULL);
	tcase_add_test(tests, a_committed_page_is_its_hosts_affair);
	tcase_add_test(tests, a_guard_is_an_overflow_or_an_underflow_of_the_nearer_region);
	tcase_add_test(tests, of_two_neighbours_the_live_one_is_blamed);
	tcase_add_test(tests, a_page_that_is_not_committed_tells_why);
	tcase_add_test(tests, of_a_range_the_first_bad_byte_is_blamed);
	suite_add_tcase(suite, tests);
	return test_run(suite);
}
