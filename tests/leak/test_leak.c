/* SPDX-License-Identifier: Apache-2.0
 *
 * Grouping of blocks never freed. The blocks are records only; nothing is allocated for them.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/inject.h"
#include "leak/leak.h"
#include "registry/registry.h"
#include "support/support.h"

enum { PAGE = 4096, GROUPS_MAX = 20000 };

static uint64_t serial;

static void setup(void)
{
	fp_registry_init(1 << 20);
}

static struct fp_block sample(void)
{
	return (struct fp_block){
	        .size = 10,
	        .heap = 1,
	        .alloc_trace = 1,
	        .family = FP_FAMILY_HOST,
	        .level = FP_LEVEL_TASK,
	};
}

static uintptr_t add(struct fp_block block)
{
	block.serial = ++serial;
	block.address = 0x600000000000 + serial * 2 * PAGE;
	ck_assert_int_eq(fp_registry_add(block.address, &block), 0);
	return block.address;
}

struct groups {
	struct fp_leak_group items[GROUPS_MAX];
	size_t count;
};

static struct groups groups;

static void keep_group(const struct fp_leak_group *group, void *user)
{
	struct groups *kept = user;

	ck_assert_uint_lt(kept->count, GROUPS_MAX);
	kept->items[kept->count++] = *group;
}

static int collect(uint64_t after)
{
	groups.count = 0;
	return fp_leak_each_group(after, keep_group, &groups);
}

static const struct fp_leak_group *group_of_trace(fp_trace_id trace)
{
	const struct fp_leak_group *found = NULL;

	for (size_t i = 0; i < groups.count; i++)
		if (groups.items[i].trace == trace) {
			ck_assert_ptr_null(found);
			found = &groups.items[i];
		}
	return found;
}

START_TEST(nothing_live_is_no_group)
{
	ck_assert_int_eq(collect(0), 0);
	ck_assert_uint_eq(groups.count, 0);
	uintptr_t slot = add(sample());
	const struct fp_registry_free request = {.address = slot, .heap = 1};
	struct fp_block block;
	ck_assert_int_eq(fp_registry_free(slot, &request, &block), FP_REGISTRY_FREED);
	ck_assert_int_eq(collect(0), 0);
	ck_assert_uint_eq(groups.count, 0);
}
END_TEST

START_TEST(blocks_of_one_origin_are_one_group)
{
	struct fp_block block = sample();

	block.site = 77;
	block.level = FP_LEVEL_PROCESS;
	block.family = FP_FAMILY_NEW;
	block.heap = 9;
	block.alloc_trace = 55;
	for (size_t i = 0; i < 1000; i++) {
		block.size = i;
		block.alloc_thread = (fp_thread_id)i;
		add(block);
	}
	ck_assert_int_eq(collect(0), 0);
	ck_assert_uint_eq(groups.count, 1);
	ck_assert_uint_eq(groups.items[0].blocks, 1000);
	ck_assert_uint_eq(groups.items[0].bytes, 999 * 1000 / 2);
	ck_assert_uint_eq(groups.items[0].trace, 55);
	ck_assert_uint_eq(groups.items[0].site, 77);
	ck_assert_uint_eq(groups.items[0].heap, 9);
	ck_assert_uint_eq(groups.items[0].family, FP_FAMILY_NEW);
	ck_assert_uint_eq(groups.items[0].level, FP_LEVEL_PROCESS);
}
END_TEST

/* Blocks of no bytes make a group too. */
START_TEST(every_part_of_the_origin_counts)
{
	struct fp_block blocks[6];

	for (int i = 0; i < 6; i++) {
		blocks[i] = sample();
		blocks[i].size = 0;
	}
	blocks[1].alloc_trace = 2;
	blocks[2].site = 1;
	blocks[3].heap = 2;
	blocks[4].family = FP_FAMILY_NEW_ARRAY;
	blocks[5].level = FP_LEVEL_NONE;
	for (int round = 0; round < 3; round++)
		for (int i = 0; i < 6; i++)
			add(blocks[i]);
	ck_assert_int_eq(collect(0), 0);
	ck_assert_uint_eq(groups.count, 6);
	for (int i = 0; i < 6; i++) {
		ck_assert_uint_eq(groups.items[i].blocks, 3);
		ck_assert_uint_eq(groups.items[i].bytes, 0);
	}
}
END_TEST

START_TEST(blocks_of_a_parent_process_are_left_out)
{
	struct fp_block block = sample();

	for (fp_trace_id trace = 1; trace <= 10; trace++) {
		block.alloc_trace = trace;
		add(block);
	}
	ck_assert_int_eq(collect(serial - 3), 0);
	ck_assert_uint_eq(groups.count, 3);
	ck_assert_ptr_null(group_of_trace(7));
	ck_assert_ptr_nonnull(group_of_trace(8));
	ck_assert_ptr_nonnull(group_of_trace(10));
	ck_assert_int_eq(collect(serial), 0);
	ck_assert_uint_eq(groups.count, 0);
	ck_assert_int_eq(collect(UINT64_MAX), 0);
	ck_assert_uint_eq(groups.count, 0);
}
END_TEST

static void add_many_groups(void)
{
	struct fp_block block = sample();

	for (size_t i = 0; i < 3 * GROUPS_MAX / 2; i++) {
		block.alloc_trace = (fp_trace_id)(i % (GROUPS_MAX / 2));
		block.size = block.alloc_trace + 1;
		add(block);
	}
}

START_TEST(thousands_of_groups_are_kept_apart)
{
	add_many_groups();
	ck_assert_int_eq(collect(0), 0);
	ck_assert_uint_eq(groups.count, GROUPS_MAX / 2);
	for (size_t i = 0; i < groups.count; i++) {
		ck_assert_uint_eq(groups.items[i].blocks, 3);
		ck_assert_uint_eq(groups.items[i].bytes, 3 * (groups.items[i].trace + 1));
	}
	ck_assert_ptr_nonnull(group_of_trace(0));
	ck_assert_ptr_nonnull(group_of_trace(GROUPS_MAX / 2 - 1));
}
END_TEST

/* What fits is still reported, in full, and the caller is told that there is more. */
START_TEST(without_memory_some_groups_are_left_out_and_none_is_wrong)
{
	size_t least = 0;

	add_many_groups();
	for (uint64_t nth = 1; nth <= 6; nth++) {
		fp_inject_arm(FP_INJECT_META, nth, true);
		int status = collect(0);
		fp_inject_arm(FP_INJECT_META, 0, false);
		ck_assert_int_eq(status, -ENOMEM);
		ck_assert_uint_lt(groups.count, GROUPS_MAX / 2);
		ck_assert_uint_ge(groups.count, least);
		least = groups.count;
		for (size_t i = 0; i < groups.count; i++) {
			ck_assert_uint_eq(groups.items[i].blocks, 3);
			ck_assert_uint_eq(groups.items[i].bytes,
			                  3 * (groups.items[i].trace + 1));
		}
	}
	ck_assert_uint_gt(least, 1000);
	ck_assert_int_eq(collect(0), 0);
	ck_assert_uint_eq(groups.count, GROUPS_MAX / 2);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("leak");
	TCase *tests = tcase_create("leak");

	tcase_set_timeout(tests, 60);
	tcase_add_checked_fixture(tests, setup, NULL);
	tcase_add_test(tests, nothing_live_is_no_group);
	tcase_add_test(tests, blocks_of_one_origin_are_one_group);
	tcase_add_test(tests, every_part_of_the_origin_counts);
	tcase_add_test(tests, blocks_of_a_parent_process_are_left_out);
	tcase_add_test(tests, thousands_of_groups_are_kept_apart);
	tcase_add_test(tests, without_memory_some_groups_are_left_out_and_none_is_wrong);
	suite_add_tcase(suite, tests);
	return test_run(suite);
}
