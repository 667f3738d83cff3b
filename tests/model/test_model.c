/* SPDX-License-Identifier: Apache-2.0
 *
 * The vocabulary: every enum constant has its word, and the words are those the reports and
 * other people's scripts rely on.
 */
#include <string.h>

#include "model/block.h"
#include "model/finding.h"
#include "model/trace.h"
#include "support/support.h"

/* The kinds in the order of their numbers in event logs: append, never reorder. */
static const char *const kinds[] = {
        "heap-buffer-overflow", "heap-buffer-underflow",
        "heap-use-after-free",  "double-free",
        "invalid-free",         "alloc-dealloc-mismatch",
        "wrong-heap",           "unsynchronized-use",
        "lock-timeout",         "abandoned-wait",
        "use-after-release",    "allocation-too-large",
        "heap-unusable",        "uncommitted-access",
        "region-misuse",        "malloc-in-signal-handler",
        "heap-released-in-use", "out-of-memory",
};

enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

START_TEST(kinds_have_their_numbers)
{
	ck_assert_uint_ge(FP_FINDING_COUNT, KINDS);
	for (int kind = 0; kind < KINDS; kind++)
		ck_assert_str_eq(fp_finding_traits((enum fp_finding_kind)kind)->name,
		                 kinds[kind]);
}
END_TEST

START_TEST(every_kind_is_described_and_unique)
{
	for (int kind = 0; kind < FP_FINDING_COUNT; kind++) {
		const struct fp_finding_traits *info =
		        fp_finding_traits((enum fp_finding_kind)kind);

		ck_assert_uint_eq(strspn(info->name, "abcdefghijklmnopqrstuvwxyz-"),
		                  strlen(info->name));
		ck_assert_uint_gt(strlen(info->name), 0);
		ck_assert_int_gt(info->cwe, 0);
		ck_assert_uint_gt(strlen(info->title), 0);
		ck_assert_int_ne(info->title[strlen(info->title) - 1], '.');
		ck_assert(strcmp(info->severity, "error") == 0 ||
		          strcmp(info->severity, "warning") == 0);
		for (int other = 0; other < kind; other++) {
			const struct fp_finding_traits *earlier =
			        fp_finding_traits((enum fp_finding_kind)other);

			ck_assert_str_ne(info->name, earlier->name);
			ck_assert_str_ne(info->title, earlier->title);
		}
	}
}
END_TEST

START_TEST(weaknesses_are_the_enumerated_ones)
{
	ck_assert_int_eq(fp_finding_traits(FP_FINDING_HEAP_BUFFER_OVERFLOW)->cwe, 122);
	ck_assert_int_eq(fp_finding_traits(FP_FINDING_HEAP_BUFFER_UNDERFLOW)->cwe, 124);
	ck_assert_int_eq(fp_finding_traits(FP_FINDING_HEAP_USE_AFTER_FREE)->cwe, 416);
	ck_assert_int_eq(fp_finding_traits(FP_FINDING_DOUBLE_FREE)->cwe, 415);
	ck_assert_int_eq(fp_finding_traits(FP_FINDING_INVALID_FREE)->cwe, 590);
	ck_assert_int_eq(fp_finding_traits(FP_FINDING_ALLOC_DEALLOC_MISMATCH)->cwe, 762);
	ck_assert_int_eq(fp_finding_traits(FP_FINDING_ALLOCATION_TOO_LARGE)->cwe, 789);
	ck_assert_str_eq(fp_finding_traits(FP_FINDING_ALLOCATION_TOO_LARGE)->severity,
	                 "warning");
	ck_assert_str_eq(fp_finding_traits(FP_FINDING_DOUBLE_FREE)->severity, "error");
}
END_TEST

START_TEST(enums_have_their_words)
{
	ck_assert_str_eq(fp_family_name(FP_FAMILY_HOST), "host");
	ck_assert_str_eq(fp_family_name(FP_FAMILY_MALLOC), "malloc");
	ck_assert_str_eq(fp_family_name(FP_FAMILY_NEW), "new");
	ck_assert_str_eq(fp_family_name(FP_FAMILY_NEW_ARRAY), "new[]");
	ck_assert_str_eq(fp_family_name(FP_FAMILY_ALIGNED), "aligned");
	ck_assert_str_eq(fp_family_name(FP_FAMILY_ALIGNED_ARRAY), "aligned");
	ck_assert_str_eq(fp_family_name(FP_FAMILY_VIRTUAL), "virtual");
	ck_assert_str_eq(fp_family_name(FP_FAMILY_POOL), "pool");
	ck_assert_int_eq(FP_FAMILY_COUNT, 8);
	ck_assert_str_eq(fp_tier_name(FP_TIER_GUARDED), "guarded");
	ck_assert_str_eq(fp_tier_name(FP_TIER_PADDED), "padded");
	ck_assert_str_eq(fp_tier_name(FP_TIER_PLAIN), "plain");
	ck_assert_int_eq(FP_TIER_COUNT, 3);
	ck_assert_str_eq(fp_level_name(FP_LEVEL_TASK), "task");
	ck_assert_str_eq(fp_level_name(FP_LEVEL_APPDOMAIN), "appdomain");
	ck_assert_str_eq(fp_level_name(FP_LEVEL_PROCESS), "process");
	ck_assert_ptr_null(fp_level_name(FP_LEVEL_NONE));
	ck_assert_int_eq(FP_LEVEL_COUNT, 4);
	ck_assert_str_eq(fp_access_name(FP_ACCESS_UNKNOWN), "unknown");
	ck_assert_str_eq(fp_access_name(FP_ACCESS_READ), "read");
	ck_assert_str_eq(fp_access_name(FP_ACCESS_WRITE), "write");
	ck_assert_str_eq(fp_access_name(FP_ACCESS_FREE), "free");
	ck_assert_int_eq(FP_ACCESS_COUNT, 4);
}
END_TEST

/* One record per live block: its size is part of what a block costs. */
START_TEST(a_block_costs_one_cache_line)
{
	ck_assert_uint_le(sizeof(struct fp_block), 64);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("model");
	TCase *tests = tcase_create("model");

	tcase_add_test(tests, kinds_have_their_numbers);
	tcase_add_test(tests, every_kind_is_described_and_unique);
	tcase_add_test(tests, weaknesses_are_the_enumerated_ones);
	tcase_add_test(tests, enums_have_their_words);
	tcase_add_test(tests, a_block_costs_one_cache_line);
	suite_add_tcase(suite, tests);
	return test_run(suite);
}
