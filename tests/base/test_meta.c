/* SPDX-License-Identifier: Apache-2.0
 *
 * Metadata memory: that it is zeroed and nobody else's, where it stands, and that it fails
 * without a trace.
 */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/inject.h"
#include "base/maps.h"
#include "base/meta.h"
#include "base/vm.h"
#include "support/support.h"

enum { META_SIZES = 1500 };

static bool is_all(const unsigned char *bytes, size_t count, unsigned char value)
{
	for (size_t i = 0; i < count; i++)
		if (bytes[i] != value)
			return false;
	return true;
}

START_TEST(metadata_is_zeroed_aligned_and_nobody_elses)
{
	static unsigned char *items[META_SIZES];

	for (size_t size = 0; size < META_SIZES; size++) {
		items[size] = fp_meta_alloc(size);
		ck_assert_ptr_nonnull(items[size]);
		ck_assert_uint_eq((uintptr_t)items[size] % 16, 0);
		ck_assert(is_all(items[size], size, 0));
		memset(items[size], (int)(size % 255 + 1), size);
	}
	for (size_t size = 0; size < META_SIZES; size++) {
		ck_assert(is_all(items[size], size, (unsigned char)(size % 255 + 1)));
		fp_meta_free(items[size], size);
	}
}
END_TEST

START_TEST(metadata_used_again_is_zeroed_again)
{
	static const size_t sizes[] = {1, 16, 17, 100, 496, 512, 513, 5000};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		for (int round = 0; round < 100; round++) {
			unsigned char *item = fp_meta_alloc(sizes[i]);

			ck_assert(is_all(item, sizes[i], 0));
			memset(item, 0xff, sizes[i]);
			fp_meta_free(item, sizes[i]);
		}
	fp_meta_free(NULL, 77);
}
END_TEST

START_TEST(small_metadata_is_recycled_and_large_is_given_back)
{
	size_t before = fp_meta_footprint();
	size_t bytes = (10 << 20) - FP_META_MARK_BYTES;
	void *large = fp_meta_alloc(bytes);

	ck_assert_uint_eq(fp_meta_footprint(), before + (10 << 20));
	fp_meta_free(large, bytes);
	ck_assert_uint_eq(fp_meta_footprint(), before);
	for (int i = 0; i < 1000000; i++)
		fp_meta_free(fp_meta_alloc(200), 200);
	ck_assert_uint_le(fp_meta_footprint(), before + (8 << 20));
}
END_TEST

START_TEST(large_metadata_stands_between_guards)
{
	size_t page = fp_vm_page_size();
	uintptr_t item = (uintptr_t)fp_meta_alloc(3 * page - 5 - FP_META_MARK_BYTES);

	ck_assert_uint_ne(item, 0);
	ck_assert(test_write_faults(item - 1));
	ck_assert(!test_write_faults(item));
	ck_assert(!test_write_faults(item + 3 * page - 1));
	ck_assert(test_write_faults(item + 3 * page));
}
END_TEST

static bool find_mapping(const struct fp_mapping *mapping, void *user)
{
	struct fp_mapping *wanted = user;

	if (wanted->file_offset < mapping->start || wanted->file_offset >= mapping->end)
		return true;
	*wanted = *mapping;
	return false;
}

START_TEST(chunks_of_small_metadata_stand_between_guards)
{
	uintptr_t item = (uintptr_t)fp_meta_alloc(48);
	struct fp_mapping chunk = {.file_offset = item};

	ck_assert_int_eq(fp_maps_each(find_mapping, &chunk), 0);
	ck_assert(chunk.start <= item && item < chunk.end);
	ck_assert(test_read_faults(chunk.start - 1));
	ck_assert(!test_read_faults(chunk.start));
	ck_assert(!test_read_faults(chunk.end - 1));
	ck_assert(test_read_faults(chunk.end));
}
END_TEST

START_TEST(refused_metadata_is_null_and_the_next_is_not)
{
	fp_inject_arm(FP_INJECT_META, 3, false);
	ck_assert_ptr_nonnull(fp_meta_alloc(32));
	ck_assert_ptr_nonnull(fp_meta_alloc(3200));
	ck_assert_ptr_null(fp_meta_alloc(32));
	ck_assert_ptr_nonnull(fp_meta_alloc(32));
	fp_inject_arm(FP_INJECT_META, 1, true);
	ck_assert_ptr_null(fp_meta_alloc(32));
	ck_assert_ptr_null(fp_meta_alloc(1));
	fp_inject_arm(FP_INJECT_META, 0, false);
	ck_assert_ptr_nonnull(fp_meta_alloc(32));
	ck_assert_ptr_null(fp_meta_alloc(SIZE_MAX));
	ck_assert_ptr_null(fp_meta_alloc(SIZE_MAX / 2 + 1));
	ck_assert_ptr_null(fp_meta_alloc((size_t)1 << 50));
}
END_TEST

/* A large item takes three system calls; none may leave anything behind when it fails. */
START_TEST(metadata_survives_every_refused_system_call)
{
	fp_meta_free(fp_meta_alloc(16), 16); /* the first chunk stands */
	size_t before = fp_meta_footprint();

	for (uint64_t nth = 1; nth <= 3; nth++) {
		fp_inject_arm(FP_INJECT_VM, nth, true);
		ck_assert_ptr_null(fp_meta_alloc(1 << 20));
		ck_assert_uint_eq(fp_meta_footprint(), before);
	}
	fp_inject_arm(FP_INJECT_VM, 0, false);
	ck_assert_ptr_nonnull(fp_meta_alloc(1 << 20));
}
END_TEST

/* As when the process has used up its mappings: what grows where it stands needs none. */
START_TEST(large_metadata_needs_no_mapping_of_its_own)
{
	const size_t bytes = 1 << 20;

	fp_meta_free(fp_meta_alloc(16), 16);
	size_t before = fp_meta_footprint();
	for (uint64_t nth = 1; nth <= 3; nth++) {
		fp_inject_arm(FP_INJECT_VM, nth, false);
		unsigned char *item = fp_meta_alloc(bytes);
		ck_assert_ptr_nonnull(item);
		ck_assert_uint_eq(fp_meta_footprint(), before + bytes);
		ck_assert(item[0] == 0 && item[bytes - 1] == 0);
		memset(item, 1, bytes);
		fp_meta_free(item, bytes);
		ck_assert_uint_eq(fp_meta_footprint(), before);
	}
}
END_TEST

/* One half for anybody, the other for the end; and used again when all of it came back. */
START_TEST(what_was_set_aside_is_there_when_all_is_refused)
{
	const size_t bytes = 1 << 20;

	fp_meta_set_aside(4 * bytes);
	fp_inject_arm(FP_INJECT_VM, 1, true);
	for (int round = 0; round < 3; round++) {
		unsigned char *first = fp_meta_alloc(bytes);
		unsigned char *second = fp_meta_alloc(bytes);

		ck_assert(first != NULL && second != NULL);
		ck_assert(is_all(first, bytes, 0) && is_all(second, bytes, 0));
		ck_assert_ptr_null(fp_meta_alloc(bytes));
		memset(first, 1, bytes);
		memset(second, 1, bytes);
		fp_meta_free(first, bytes);
		fp_meta_free(second, bytes);
	}
	fp_meta_use_aside();
	ck_assert_ptr_nonnull(fp_meta_alloc(4 * bytes - (1 << 16)));
	ck_assert_ptr_nonnull(fp_meta_alloc(100));
	ck_assert_ptr_null(fp_meta_alloc(bytes));
}
END_TEST

static void churn_metadata(unsigned index, void *user)
{
	_Atomic int *bad = user;
	unsigned char *items[64] = {NULL};

	for (unsigned i = 0; i < 20000; i++) {
		size_t size = 16 + (i * 37 + index) % 600;
		unsigned at = i % 64;

		if (items[at] != NULL) {
			size_t old = 16 + ((i - 64) * 37 + index) % 600;

			if (!is_all(items[at], old, (unsigned char)(index + 1)))
				atomic_fetch_add(bad, 1);
			fp_meta_free(items[at], old);
		}
		items[at] = fp_meta_alloc(size);
		if (items[at] == NULL || !is_all(items[at], size, 0))
			atomic_fetch_add(bad, 1);
		memset(items[at], (int)index + 1, size);
	}
}

START_TEST(eight_threads_share_metadata_memory)
{
	_Atomic int bad = 0;

	test_run_threads(8, churn_metadata, &bad);
	ck_assert_int_eq(bad, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("metadata memory");
	TCase *tests = tcase_create("meta");

	tcase_add_test(tests, metadata_is_zeroed_aligned_and_nobody_elses);
	tcase_add_test(tests, metadata_used_again_is_zeroed_again);
	tcase_add_test(tests, small_metadata_is_recycled_and_large_is_given_back);
	tcase_add_test(tests, large_metadata_stands_between_guards);
	tcase_add_test(tests, chunks_of_small_metadata_stand_between_guards);
	tcase_add_test(tests, refused_metadata_is_null_and_the_next_is_not);
	tcase_add_test(tests, metadata_survives_every_refused_system_call);
	tcase_add_test(tests, large_metadata_needs_no_mapping_of_its_own);
	tcase_add_test(tests, what_was_set_aside_is_there_when_all_is_refused);
	tcase_add_test(tests, eight_threads_share_metadata_memory);
	suite_add_tcase(suite, tests);
	return test_run(suite);
}
