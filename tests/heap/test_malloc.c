/* SPDX-License-Identifier: Apache-2.0
 *
 * What malloc(3) and operator new ask of a heap beyond alloc and free: alignment, zeros,
 * claims, realloc and sizes, of guarded and of padded blocks alike.
 */
#include <errno.h>
#include <string.h>

#include "base/own.h"
#include "base/inject.h"
#include "base/vm.h"
#include "heap/tier.h"
#include "heaps.h"

static struct fp_heap *heap;

/* The loop's index chooses the back end, and one more means: no guarded blocks at all. */
enum { WAYS = BACKENDS + 1 };

static bool start(int way)
{
	const struct fp_tier_config padded = {.max_memory = 0, .sample = 1};

	if (!start_heaps(way == BACKENDS ? -1 : way, 16, FP_PLACEMENT_RIGHT))
		return false;
	if (way == BACKENDS)
		fp_tier_init(&padded);
	heap = new_heap();
	return true;
}

static char *take_as(const struct fp_heap_request *request)
{
	void *block;

	test_that(fp_heap_alloc(heap, request, &block) == 0);
	return block;
}

static bool is_all_zero(const char *bytes, size_t size)
{
	return size == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, size - 1) == 0);
}

START_TEST(blocks_have_the_alignment_asked_for)
{
	if (!start(_i))
		return;
	for (size_t align = 1; align <= (size_t)1 << 20; align *= 2)
		for (size_t size = 0; size <= 5000; size += 625) {
			const struct fp_heap_request request = {.size = size, .align = align};
			char *block = take_as(&request);

			test_that((uintptr_t)block % align == 0);
			memset(block, 1, size);
			test_that(give(heap, block) == 0);
		}
	expect_no_finding();
}
END_TEST

START_TEST(an_overflow_of_an_aligned_block_is_found)
{
	const struct fp_heap_request request = {.size = 100, .align = 8192};

	if (!start(_i))
		return;
	char *block = take_as(&request);
	block[100] = 1;
	ck_assert_int_eq(give(heap, block), -EPERM);
	ck_assert_int_eq(expect_finding(FP_FINDING_HEAP_BUFFER_OVERFLOW)->offset, 100);
}
END_TEST

/* Memory goes from block to block; what was in it must not. */
START_TEST(zeros_are_zeros_in_memory_used_before)
{
	static const size_t sizes[] = {0, 1, 100, 4096, 20000, 300000};

	if (!start(_i))
		return;
	for (int round = 0; round < 100; round++)
		for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
			const struct fp_heap_request request = {.size = sizes[i],
			                                        .is_zeroed = true};
			char *block = take_as(&request);

			test_that(is_all_zero(block, sizes[i]));
			memset(block, 0x77, sizes[i]);
			test_that(give(heap, block) == 0);
		}
	expect_no_finding();
}
END_TEST

START_TEST(a_true_claim_is_no_finding)
{
	if (!start(_i))
		return;
	for (uint8_t family = 0; family < FP_FAMILY_COUNT; family++) {
		const struct fp_heap_request request = {.size = 24, .family = family};
		struct fp_heap_claim claim = {.block = take_as(&request), .family = family};

		ck_assert_int_eq(fp_heap_free_as(heap, &claim), 0);
		claim.block = take_as(&request);
		claim.has_size = true;
		claim.size = 24;
		ck_assert_int_eq(fp_heap_free_as(heap, &claim), 0);
	}
	expect_no_finding();
}
END_TEST

START_TEST(a_false_claim_is_a_finding_and_frees_all_the_same)
{
	const struct fp_heap_request request = {.size = 24, .family = FP_FAMILY_NEW_ARRAY};

	if (!start(_i))
		return;
	for (uint8_t family = 0; family < FP_FAMILY_COUNT; family++) {
		struct fp_heap_claim claim = {.block = take_as(&request), .family = family};

		if (family == FP_FAMILY_NEW_ARRAY) {
			claim.has_size = true;
			claim.size = 25;
		}
		ck_assert_int_eq(fp_heap_free_as(heap, &claim), -EPERM);
		const struct fp_finding *finding =
		        expect_finding(FP_FINDING_ALLOC_DEALLOC_MISMATCH);
		ck_assert_ptr_nonnull(strstr(finding->description, "(family new[])"));
		ck_assert_uint_eq(finding->block.state, FP_BLOCK_FREED);
		if (family == FP_FAMILY_NEW_ARRAY)
			ck_assert_ptr_nonnull(strstr(finding->description,
			                             "as one of 25 bytes and not of 24"));
		ck_assert_int_eq(fp_heap_free_as(heap, &claim), -EPERM);
		expect_finding(FP_FINDING_DOUBLE_FREE);
	}
}
END_TEST

static int resize(char **block, size_t size)
{
	const struct fp_heap_request request = {.size = size, .family = FP_FAMILY_MALLOC};
	const struct fp_heap_claim claim = {.block = *block, .family = FP_FAMILY_MALLOC};
	void *resized = NULL;

	errno = ERRNO;
	int status = fp_heap_realloc(heap, &claim, &request, &resized);
	test_that(errno == ERRNO);
	test_that((resized == NULL) == (status != 0));
	if (status == 0)
		*block = resized;
	return status;
}

START_TEST(a_resized_block_keeps_its_content_and_leaves_its_place)
{
	static const size_t sizes[] = {200, 5000, 100, 70000, 50, 3000000, 50, 0, 10};
	const struct fp_heap_request request = {.size = 50, .family = FP_FAMILY_MALLOC};
	struct fp_block found_block;

	if (!start(_i))
		return;
	char *block = take_as(&request);
	memcpy(block, "first", 5);
	for (size_t i = 0; i < 7; i++) {
		char *old = block;

		ck_assert_int_eq(resize(&block, sizes[i]), 0);
		ck_assert_ptr_ne(block, old);
		ck_assert_mem_eq(block, "first", 5);
		memset(block + 5, (int)i, sizes[i] - 5);
		ck_assert(fp_heap_find((uintptr_t)block, &found_block));
		ck_assert_uint_eq(found_block.size, sizes[i]);
	}
	ck_assert_int_eq(resize(&block, 0), 0);
	ck_assert_int_eq(resize(&block, 10), 0);
	ck_assert_int_eq(give(heap, block), 0);
	expect_no_finding();
}
END_TEST

START_TEST(a_block_that_cannot_be_resized_stays_as_it_was)
{
	const struct fp_heap_request request = {.size = 50, .family = FP_FAMILY_MALLOC};
	size_t size = 0;

	if (!start(_i))
		return;
	char *block = take_as(&request);
	char *kept = block;
	memset(block, 'k', 50);
	ck_assert_int_eq(resize(&block, SIZE_MAX), -ENOMEM);
	expect_finding(FP_FINDING_ALLOCATION_TOO_LARGE);
	fp_inject_arm(FP_INJECT_META, 1, true);
	fp_inject_arm(FP_INJECT_VM, 1, true);
	ck_assert_int_eq(resize(&block, 2000000), -ENOMEM);
	fp_inject_arm(FP_INJECT_META, 0, false);
	fp_inject_arm(FP_INJECT_VM, 0, false);
	ck_assert_ptr_eq(block, kept);
	ck_assert_int_eq(block[49], 'k');
	ck_assert(fp_heap_size_of(block, &size));
	ck_assert_uint_eq(size, 50);
	ck_assert_uint_eq(take_shortages(), 1);
	expect_no_finding();
}
END_TEST

START_TEST(resizing_what_is_no_live_block_is_misuse)
{
	const struct fp_heap_request request = {.size = 50, .family = FP_FAMILY_MALLOC};

	if (!start(_i))
		return;
	char *block = take_as(&request);
	char *inside = block + 8;
	char *local = (char *)&inside;
	ck_assert_int_eq(resize(&inside, 100), -EPERM);
	expect_finding(FP_FINDING_INVALID_FREE);
	ck_assert_int_eq(resize(&local, 100), -EPERM);
	expect_finding(FP_FINDING_INVALID_FREE);
	ck_assert_int_eq(give(heap, block), 0);
	ck_assert_int_eq(resize(&block, 100), -EPERM);
	expect_finding(FP_FINDING_DOUBLE_FREE);
}
END_TEST

START_TEST(only_live_blocks_have_sizes)
{
	size_t size = 77;

	if (!start(_i))
		return;
	char *block = take(heap, 123);
	ck_assert(fp_heap_size_of(block, &size));
	ck_assert_uint_eq(size, 123);
	ck_assert(fp_heap_is_ours(block) && fp_heap_is_ours(block + 122));
	size = 77;
	ck_assert(!fp_heap_size_of(block + 1, &size));
	ck_assert(!fp_heap_size_of(&size, &size));
	ck_assert(!fp_heap_size_of(NULL, &size));
	ck_assert(!fp_heap_is_ours(&size) && !fp_heap_is_ours(NULL));
	ck_assert_int_eq(give(heap, block), 0);
	ck_assert(!fp_heap_size_of(block, &size));
	ck_assert_uint_eq(size, 77);
	ck_assert(fp_heap_is_ours(block));
	expect_no_finding();
}
END_TEST

/* A cell serves one block after another; a write in between is somebody's use after free. */
START_TEST(a_write_to_a_freed_padded_block_is_found_later)
{
	start(BACKENDS);
	char *dead = take(heap, 100);
	ck_assert_int_eq(give(heap, dead), 0);
	dead[17] = 1;
	for (int i = 0; i < 5000 && found_count == 0; i++)
		ck_assert_int_eq(give(heap, take(heap, 100)), 0);
	const struct fp_finding *finding = expect_finding(FP_FINDING_HEAP_USE_AFTER_FREE);
	ck_assert(finding->has_block);
	ck_assert_uint_eq(finding->block.address, (uintptr_t)dead);
	ck_assert_int_eq(finding->offset, 17);
}
END_TEST

int main(void)
{
	/* The operators that a program may have are not looked for in our own code. */
	const struct fp_own_object own = fp_own_read("test_malloc", &__ehdr_start);
	Suite *suite = suite_create("heap: under malloc");
	TCase *tests = tcase_create("under malloc");

	fp_own_add(&own);

	announce_untested();
#define ADD(name) tcase_add_loop_test(tests, name, 0, WAYS)
	ADD(blocks_have_the_alignment_asked_for);
	ADD(an_overflow_of_an_aligned_block_is_found);
	ADD(zeros_are_zeros_in_memory_used_before);
	ADD(a_true_claim_is_no_finding);
	ADD(a_false_claim_is_a_finding_and_frees_all_the_same);
	ADD(a_resized_block_keeps_its_content_and_leaves_its_place);
	ADD(a_block_that_cannot_be_resized_stays_as_it_was);
	ADD(resizing_what_is_no_live_block_is_misuse);
	ADD(only_live_blocks_have_sizes);
#undef ADD
	tcase_add_test(tests, a_write_to_a_freed_padded_block_is_found_later);
	suite_add_tcase(suite, tests);
	return test_run(suite);
}
