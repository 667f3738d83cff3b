/* SPDX-License-Identifier: Apache-2.0
 *
 * Where blocks stand, and that every byte around them is guarded or watched.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/align.h"
#include "base/vm.h"
#include "heap/intact.h"
#include "heap/padding.h"
#include "heaps.h"

static size_t page;

static void setup(void)
{
	page = fp_vm_page_size();
}

/* ---- Placement ------------------------------------------------------------------------- */

/* Sizes where faults are provoked: they take their time. */
static bool is_telling(size_t size)
{
	return size < 40 || size % 97 == 0 || (size + 20) % page < 40;
}

static void expect_right(uintptr_t block, size_t size, size_t align)
{
	uintptr_t extent_end = fp_align_up(size == 0 ? block + 1 : block + size, align);

	ck_assert_uint_eq(extent_end % page, 0);
	for (uintptr_t at = block + size; at < extent_end; at++)
		test_that(*(unsigned char *)at == FP_PADDING_BYTE);
	if (is_telling(size) && fp_guard_is_protecting())
		ck_assert(test_read_faults(extent_end));
	/* The byte before is padding, unless the block fills its slot. */
	if (block % page != 0)
		ck_assert_uint_eq(*(unsigned char *)(block - 1), FP_PADDING_BYTE);
	else if (is_telling(size) && fp_guard_is_protecting())
		ck_assert(test_read_faults(block - 1));
}

static void expect_left(uintptr_t block, size_t size)
{
	ck_assert_uint_eq(block % page, 0);
	if (is_telling(size) && fp_guard_is_protecting())
		ck_assert(test_write_faults(block - 1));
	if (size == 0 || (block + size) % page != 0)
		ck_assert_uint_eq(*(unsigned char *)(block + size), FP_PADDING_BYTE);
	else if (is_telling(size) && fp_guard_is_protecting())
		ck_assert(test_read_faults(block + size));
}

/* What ends a slot's page is told from what begins it by size alone. */
static void expect_one_end(uintptr_t block, size_t size, size_t align)
{
	if (block % page == 0)
		expect_left(block, size);
	else
		expect_right(block, size, align);
}

static const size_t aligns[] = {1, 2, 4, 8, 16};

START_TEST(blocks_are_aligned_and_touch_their_guard)
{
	enum fp_placement placement = (enum fp_placement)(_i / 5);
	size_t align = aligns[_i % 5];
	unsigned lefts = 0;

	start_heaps(-1, align, placement);
	struct fp_heap *heap = new_heap();
	for (size_t size = 0; size <= 5000; size++) {
		char *block = take(heap, size);
		uintptr_t address = (uintptr_t)block;

		test_that(address % align == 0);
		memset(block, 0, size);
		lefts += address % page == 0;
		if (placement == FP_PLACEMENT_RIGHT)
			expect_right(address, size, align);
		else if (placement == FP_PLACEMENT_LEFT)
			expect_left(address, size);
		else
			expect_one_end(address, size, align);
		test_that(give(heap, block) == 0);
		if (is_telling(size) && fp_guard_is_protecting())
			ck_assert(test_read_faults(address));
	}
	if (placement == FP_PLACEMENT_ALTERNATE)
		ck_assert(lefts >= 2500 && lefts <= 2520);
	expect_no_finding();
}
END_TEST

START_TEST(blocks_of_no_bytes_have_addresses_of_their_own)
{
	static char *blocks[1000];

	start_heaps(-1, 16, FP_PLACEMENT_RIGHT);
	struct fp_heap *heap = new_heap();
	for (int i = 0; i < 1000; i++) {
		blocks[i] = take(heap, 0);
		for (int other = 0; other < i; other++)
			test_that(blocks[i] != blocks[other]);
	}
	for (int i = 0; i < 1000; i++)
		ck_assert_int_eq(give(heap, blocks[i]), 0);
	expect_no_finding();
}
END_TEST

/* ---- Damage ---------------------------------------------------------------------------- */

enum { SIZE = 100, BEHIND = 12 }; /* right-aligned to 16: 12 bytes up to the guard */

static void expect_damage(const struct fp_finding *finding, const char *block, int64_t offset)
{
	ck_assert_int_eq(finding->offset, offset);
	ck_assert_uint_eq(finding->address, (uintptr_t)block + (uintptr_t)offset);
	ck_assert_int_eq(finding->access, FP_ACCESS_WRITE);
	ck_assert(finding->has_block);
	ck_assert_uint_eq(finding->block.address, (uintptr_t)block);
	ck_assert_uint_eq(finding->block.size, SIZE);
	ck_assert_int_eq(finding->evidence_offset, offset);
	ck_assert_uint_eq(finding->evidence_size, 1);
	ck_assert_uint_eq(finding->evidence[0], 0x42);
}

/* In every back end, because some hand the memory on: no damage may reappear in a later block.
 */
START_TEST(a_changed_byte_at_any_offset_is_found_at_free)
{
	char wanted[FP_DESCRIPTION_MAX];

	if (!start_heaps(_i, 16, FP_PLACEMENT_RIGHT))
		return;
	struct fp_heap *heap = new_heap();
	for (int64_t offset = SIZE + BEHIND - (int64_t)page; offset < SIZE + BEHIND; offset++) {
		if (offset >= 0 && offset < SIZE)
			continue;
		char *block = take(heap, SIZE);
		block[offset] = 0x42;
		ck_assert_int_eq(give(heap, block), -EPERM);
		expect_damage(expect_finding(offset < 0 ? FP_FINDING_HEAP_BUFFER_UNDERFLOW
		                                        : FP_FINDING_HEAP_BUFFER_OVERFLOW),
		              block, offset);
	}
	ck_assert_int_eq(give(heap, take(heap, SIZE)), 0);
	expect_no_finding();
	snprintf(
	        wanted, sizeof(wanted),
	        "1 padding byte overwritten, %zu bytes before a block of 100 bytes; found when "
	        "the block was freed",
	        page - SIZE - BEHIND);
	ck_assert_str_eq(found[0].description, wanted);
	ck_assert_str_eq(found[found_count - 1].description,
	                 "1 padding byte overwritten, 11 bytes past the end of a block of 100 "
	                 "bytes; found when the block was freed");
	ck_assert_int_eq(found[0].hresult, MISUSE);
}
END_TEST

START_TEST(damage_on_both_sides_is_two_findings)
{
	start_heaps(-1, 16, FP_PLACEMENT_RIGHT);
	struct fp_heap *heap = new_heap();
	char *block = take(heap, SIZE);

	block[-1] = 0x42;
	block[SIZE] = 0x42;
	ck_assert_int_eq(give(heap, block), -EPERM);
	ck_assert_uint_eq(found_count, 2);
	ck_assert_int_eq(found[0].kind, FP_FINDING_HEAP_BUFFER_UNDERFLOW);
	expect_damage(&found[0], block, -1);
	ck_assert_int_eq(found[1].kind, FP_FINDING_HEAP_BUFFER_OVERFLOW);
	expect_damage(&found[1], block, SIZE);
	/* It was freed all the same. */
	ck_assert_int_eq(give(heap, block), -EPERM);
	ck_assert_int_eq(found[2].kind, FP_FINDING_DOUBLE_FREE);
}
END_TEST

START_TEST(of_long_damage_the_bytes_nearest_to_the_block_are_kept)
{
	start_heaps(-1, 16, FP_PLACEMENT_RIGHT);
	struct fp_heap *heap = new_heap();
	char *block = take(heap, SIZE);

	for (int i = 0; i < 200; i++)
		block[i - 200] = (char)(i + 1 == FP_PADDING_BYTE ? 0 : i + 1);
	ck_assert_int_eq(give(heap, block), -EPERM);
	const struct fp_finding *under = expect_finding(FP_FINDING_HEAP_BUFFER_UNDERFLOW);
	ck_assert_int_eq(under->offset, -200);
	ck_assert_int_eq(under->evidence_offset, -FP_EVIDENCE_MAX);
	ck_assert_uint_eq(under->evidence_size, FP_EVIDENCE_MAX);
	ck_assert_uint_eq(under->evidence[0], 200 - FP_EVIDENCE_MAX + 1);
	ck_assert_uint_eq(under->evidence[FP_EVIDENCE_MAX - 1], 200);
	ck_assert_ptr_nonnull(strstr(under->description, "200 padding bytes overwritten"));
}
END_TEST

START_TEST(of_a_long_overflow_the_first_bytes_are_kept)
{
	start_heaps(-1, 16, FP_PLACEMENT_LEFT);
	struct fp_heap *heap = new_heap();
	char *block = take(heap, SIZE);

	memset(block + SIZE + 3, 0x17, 300);
	block[SIZE + 5] = (char)FP_PADDING_BYTE;
	ck_assert_int_eq(give(heap, block), -EPERM);
	const struct fp_finding *over = expect_finding(FP_FINDING_HEAP_BUFFER_OVERFLOW);
	ck_assert_int_eq(over->offset, SIZE + 3);
	ck_assert_int_eq(over->evidence_offset, SIZE + 3);
	ck_assert_uint_eq(over->evidence_size, FP_EVIDENCE_MAX);
	ck_assert_uint_eq(over->evidence[0], 0x17);
	ck_assert_uint_eq(over->evidence[2], FP_PADDING_BYTE);
	ck_assert_str_eq(over->description,
	                 "300 padding bytes overwritten, 3 bytes past the end of a block of "
	                 "100 bytes; found when the block was freed");
}
END_TEST

/* ---- On demand ------------------------------------------------------------------------- */

START_TEST(a_check_finds_damage_once_and_repairs_it)
{
	char *blocks[10];

	start_heaps(-1, 16, FP_PLACEMENT_RIGHT);
	struct fp_heap *heap = new_heap();
	for (int i = 0; i < 10; i++)
		blocks[i] = take(heap, SIZE);
	ck_assert_uint_eq(fp_heap_check(FP_TRACE_NONE, "at noon"), 0);
	expect_no_finding();
	blocks[3][SIZE + 2] = 0x42;
	ck_assert_uint_eq(fp_heap_check(5, "at noon"), 1);
	const struct fp_finding *finding = expect_finding(FP_FINDING_HEAP_BUFFER_OVERFLOW);
	expect_damage(finding, blocks[3], SIZE + 2);
	ck_assert_uint_eq(finding->trace, 5);
	ck_assert(!finding->has_hresult);
	ck_assert_str_eq(finding->description,
	                 "1 padding byte overwritten, 2 bytes past the end of a block of 100 "
	                 "bytes; found at noon");
	ck_assert_uint_eq(fp_heap_check(FP_TRACE_NONE, "at noon"), 0);
	for (int i = 0; i < 10; i++)
		ck_assert_int_eq(give(heap, blocks[i]), 0);
	expect_no_finding();
}
END_TEST

/* More than one sweep holds, in several sizes. */
START_TEST(a_check_finds_every_damaged_block)
{
	static char *blocks[500];

	start_heaps(-1, 16, FP_PLACEMENT_ALTERNATE);
	struct fp_heap *heap = new_heap();
	for (size_t i = 0; i < 500; i++) {
		blocks[i] = take(heap, 1 + 40 * i);
		if (i % 2 == 0 && (uintptr_t)blocks[i] % page != 0)
			blocks[i][-1] = 0x42;
		else if (i % 2 == 0)
			blocks[i][1 + 40 * i] = 0x42;
	}
	ck_assert_uint_eq(fp_heap_check(FP_TRACE_NONE, "at noon"), 250);
	ck_assert_uint_eq(found_count, 250);
	ck_assert_uint_eq(fp_heap_check(FP_TRACE_NONE, "at noon"), 0);
	for (size_t i = 0; i < 500; i++)
		ck_assert_int_eq(give(heap, blocks[i]), 0);
	ck_assert_uint_eq(found_count, 250);
}
END_TEST

/* By the fastest way of this machine and by that of any. */
START_TEST(a_changed_byte_anywhere_in_a_run_is_seen)
{
	enum { LONGEST = 300, SHIFTS = 33 };
	static unsigned char run[SHIFTS + LONGEST + 1];

	fp_intact_init();
	memset(run, FP_PADDING_BYTE, sizeof(run));
	for (size_t bytes = 1; bytes <= LONGEST; bytes++) {
		unsigned char *start = run + bytes % SHIFTS;

		start[bytes] = 0;
		test_that(fp_intact_is(start, bytes) && fp_intact_is_by_libc(start, bytes));
		for (size_t i = 0; i < bytes; i++) {
			start[i] ^= (unsigned char)(1u << i % 8);
			test_that(!fp_intact_is(start, bytes) &&
			          !fp_intact_is_by_libc(start, bytes));
			start[i] = FP_PADDING_BYTE;
		}
		start[bytes] = FP_PADDING_BYTE;
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("heap: padding");
	TCase *tests = tcase_create("padding");

	announce_untested();
	tcase_add_checked_fixture(tests, setup, NULL);
	tcase_add_loop_test(tests, blocks_are_aligned_and_touch_their_guard, 0, 15);
	tcase_add_test(tests, blocks_of_no_bytes_have_addresses_of_their_own);
	tcase_add_loop_test(tests, a_changed_byte_at_any_offset_is_found_at_free, 0, BACKENDS);
	tcase_add_test(tests, damage_on_both_sides_is_two_findings);
	tcase_add_test(tests, of_long_damage_the_bytes_nearest_to_the_block_are_kept);
	tcase_add_test(tests, of_a_long_overflow_the_first_bytes_are_kept);
	tcase_add_test(tests, a_check_finds_damage_once_and_repairs_it);
	tcase_add_test(tests, a_check_finds_every_damaged_block);
	tcase_add_test(tests, a_changed_byte_anywhere_in_a_run_is_seen);
	suite_add_tcase(suite, tests);
	return test_run(suite);
}
