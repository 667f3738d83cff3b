/* SPDX-License-Identifier: Apache-2.0
 *
 * Grouping of classified blocks. The blocks are records only; nothing is allocated for them.
 */
#include "base/clock.h"
#include "base/inject.h"
#include "leak/groups.h"
#include "support/support.h"

enum { BLOCKS_MAX = 60000, GROUPS_MAX = 20000 };

static struct fp_leak_block blocks[BLOCKS_MAX];
static struct fp_leak_table table = {.blocks = blocks, .capacity = BLOCKS_MAX};
static struct fp_leak_result result;

static struct {
	struct fp_leak_group items[GROUPS_MAX];
	size_t count;
} groups;

static void setup(void)
{
	table.count = 0;
}

static struct fp_leak_block sample(void)
{
	return (struct fp_leak_block){
	        .size = 10,
	        .heap = 1,
	        .trace = 1,
	        .family = FP_FAMILY_HOST,
	        .level = FP_LEVEL_TASK,
	        .class = FP_LEAK_DEFINITE,
	};
}

/* Its index; the serial is one more. */
static uint32_t add(struct fp_leak_block block)
{
	ck_assert_uint_lt(table.count, BLOCKS_MAX);
	block.serial = table.count + 1;
	table.blocks[table.count] = block;
	return (uint32_t)table.count++;
}

static void keep_group(const struct fp_leak_group *group, void *user)
{
	(void)user;
	ck_assert_uint_lt(groups.count, GROUPS_MAX);
	groups.items[groups.count++] = *group;
}

static void collect_with(struct fp_leak_config config)
{
	groups.count = 0;
	result = (struct fp_leak_result){0};
	config.visit_group = keep_group;
	fp_leak_groups_visit(&table, &config, &result);
}

static void collect(uint64_t after)
{
	collect_with((struct fp_leak_config){.after = after});
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

START_TEST(no_block_is_no_group)
{
	collect(0);
	ck_assert_uint_eq(groups.count, 0);
	ck_assert_uint_eq(result.blocks[FP_LEAK_DEFINITE], 0);
}
END_TEST

START_TEST(blocks_of_one_origin_are_one_group)
{
	struct fp_leak_block block = sample();

	block.site = 77;
	block.level = FP_LEVEL_PROCESS;
	block.family = FP_FAMILY_NEW;
	block.heap = 9;
	block.trace = 55;
	for (size_t i = 0; i < 1000; i++) {
		block.size = i;
		add(block);
	}
	collect(0);
	ck_assert_uint_eq(groups.count, 1);
	ck_assert_uint_eq(groups.items[0].all.blocks, 1000);
	ck_assert_uint_eq(groups.items[0].all.bytes, 999 * 1000 / 2);
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
	struct fp_leak_block each[6];

	for (int i = 0; i < 6; i++) {
		each[i] = sample();
		each[i].size = 0;
	}
	each[1].trace = 2;
	each[2].site = 1;
	each[3].heap = 2;
	each[4].family = FP_FAMILY_NEW_ARRAY;
	each[5].level = FP_LEVEL_NONE;
	for (int round = 0; round < 3; round++)
		for (int i = 0; i < 6; i++)
			add(each[i]);
	collect(0);
	ck_assert_uint_eq(groups.count, 6);
	for (int i = 0; i < 6; i++) {
		ck_assert_uint_eq(groups.items[i].all.blocks, 3);
		ck_assert_uint_eq(groups.items[i].all.bytes, 0);
	}
}
END_TEST

START_TEST(a_list_is_one_leak_with_what_hangs_from_it)
{
	struct fp_leak_block block = sample();
	uint32_t leader = add(block);

	block.class = FP_LEAK_INDIRECT;
	block.hangs_from = leader;
	for (int i = 0; i < 99; i++)
		add(block);
	block.trace = 2;
	block.size = 1000;
	add(block);
	collect(0);
	ck_assert_uint_eq(groups.count, 3);
	for (size_t i = 0; i < groups.count; i++) {
		const struct fp_leak_group *group = &groups.items[i];

		if (group->class == FP_LEAK_DEFINITE) {
			ck_assert_uint_eq(group->all.blocks, 1);
			ck_assert_uint_eq(group->all.bytes, 10);
			ck_assert_uint_eq(group->indirect.blocks, 100);
			ck_assert_uint_eq(group->indirect.bytes, 1990);
			ck_assert_uint_eq(group->hangs_from, FP_TRACE_NONE);
		} else {
			ck_assert_uint_eq(group->hangs_from, 1);
			ck_assert_uint_eq(group->all.blocks, group->trace == 2 ? 1 : 99);
			ck_assert_uint_eq(group->indirect.blocks, 0);
		}
	}
	ck_assert_uint_eq(result.blocks[FP_LEAK_DEFINITE], 1);
	ck_assert_uint_eq(result.blocks[FP_LEAK_INDIRECT], 100);
	ck_assert_uint_eq(result.bytes[FP_LEAK_INDIRECT], 1990);
}
END_TEST

START_TEST(reachable_blocks_are_counted_and_shown_when_asked_for)
{
	struct fp_leak_block block = sample();

	block.class = FP_LEAK_REACHABLE;
	add(block);
	block.class = FP_LEAK_POSSIBLE;
	add(block);
	collect(0);
	ck_assert_uint_eq(groups.count, 1);
	ck_assert_int_eq(groups.items[0].class, FP_LEAK_POSSIBLE);
	ck_assert_uint_eq(result.blocks[FP_LEAK_REACHABLE], 1);
	collect_with((struct fp_leak_config){.with_reachable = true});
	ck_assert_uint_eq(groups.count, 2);
}
END_TEST

/* Blocks of one origin, by what earlier checks told of them. */
static const struct {
	enum fp_leak_class class;
	uint8_t marks;
	bool is_new;
} news[] = {
        {FP_LEAK_DEFINITE, 0, true},
        {FP_LEAK_DEFINITE, FP_BLOCK_TOLD, true},
        {FP_LEAK_DEFINITE, FP_BLOCK_TOLD | FP_BLOCK_LOST, false},
        {FP_LEAK_POSSIBLE, 0, true},
        {FP_LEAK_POSSIBLE, FP_BLOCK_TOLD, false},
        {FP_LEAK_POSSIBLE, FP_BLOCK_TOLD | FP_BLOCK_LOST, false},
        {FP_LEAK_REACHABLE, FP_BLOCK_TOLD | FP_BLOCK_LOST, true},
};

/* Loop index: row of the table. */
START_TEST(what_was_told_as_what_it_is_is_not_new)
{
	struct fp_leak_block block = sample();

	block.class = (uint8_t)news[_i].class;
	block.marks = news[_i].marks;
	add(block);
	collect_with((struct fp_leak_config){.with_reachable = true});
	ck_assert_uint_eq(groups.count, 1);
	ck_assert_uint_eq(groups.items[0].all.blocks, 1);
	ck_assert_uint_eq(groups.items[0].new.blocks, news[_i].is_new);
	ck_assert_uint_eq(groups.items[0].new.bytes, news[_i].is_new ? 10 : 0);
	collect_with((struct fp_leak_config){.with_reachable = true, .told = 1});
	ck_assert_uint_eq(groups.items[0].new.blocks,
	                  news[_i].is_new && news[_i].class != FP_LEAK_REACHABLE);
}
END_TEST

START_TEST(groups_know_their_ages_and_what_is_new_of_them)
{
	struct fp_leak_block block = sample();
	uint32_t now = fp_clock_now();

	block.born = now - 300000; /* fifty minutes */
	block.marks = FP_BLOCK_TOLD | FP_BLOCK_LOST;
	uint32_t leader = add(block);
	block.born = now - 6000;
	block.marks = 0;
	add(block);
	block.born = now - 3000;
	add(block);
	block.class = FP_LEAK_INDIRECT;
	block.hangs_from = leader;
	add(block);
	collect(0);
	for (size_t i = 0; i < groups.count; i++) {
		const struct fp_leak_group *group = &groups.items[i];
		bool is_leader = group->class == FP_LEAK_DEFINITE;

		ck_assert_uint_eq(group->all.blocks, is_leader ? 3 : 1);
		ck_assert_uint_eq(group->new.blocks, is_leader ? 2 : 1);
		ck_assert_uint_eq(group->new_indirect.blocks, is_leader ? 1 : 0);
		/* To the minute: the machine may be busy. */
		ck_assert_uint_eq(group->all.oldest / 60000, is_leader ? 50 : 0);
		ck_assert_uint_eq(group->new.oldest / 60000, is_leader ? 1 : 0);
		ck_assert_uint_ge(group->new.newest, 30000);
		ck_assert_uint_eq(group->new.newest, group->all.newest);
	}
}
END_TEST

START_TEST(blocks_of_a_parent_process_are_left_out)
{
	struct fp_leak_block block = sample();

	for (fp_trace_id trace = 1; trace <= 10; trace++) {
		block.trace = trace;
		add(block);
	}
	collect(table.count - 3);
	ck_assert_uint_eq(groups.count, 3);
	ck_assert_ptr_null(group_of_trace(7));
	ck_assert_ptr_nonnull(group_of_trace(8));
	ck_assert_ptr_nonnull(group_of_trace(10));
	collect(table.count);
	ck_assert_uint_eq(groups.count, 0);
	collect(UINT64_MAX);
	ck_assert_uint_eq(groups.count, 0);
}
END_TEST

static void add_many_groups(void)
{
	struct fp_leak_block block = sample();

	for (size_t i = 0; i < 3 * GROUPS_MAX / 2; i++) {
		block.trace = (fp_trace_id)(i % (GROUPS_MAX / 2));
		block.size = block.trace + 1;
		add(block);
	}
}

START_TEST(thousands_of_groups_are_kept_apart)
{
	add_many_groups();
	collect(0);
	ck_assert_uint_eq(groups.count, GROUPS_MAX / 2);
	for (size_t i = 0; i < groups.count; i++) {
		ck_assert_uint_eq(groups.items[i].all.blocks, 3);
		ck_assert_uint_eq(groups.items[i].all.bytes, 3 * (groups.items[i].trace + 1));
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
		collect(0);
		fp_inject_arm(FP_INJECT_META, 0, false);
		ck_assert(result.is_partial);
		ck_assert_uint_lt(groups.count, GROUPS_MAX / 2);
		ck_assert_uint_ge(groups.count, least);
		least = groups.count;
		for (size_t i = 0; i < groups.count; i++) {
			ck_assert_uint_eq(groups.items[i].all.blocks, 3);
			ck_assert_uint_eq(groups.items[i].all.bytes,
			                  3 * (groups.items[i].trace + 1));
		}
	}
	ck_assert_uint_gt(least, 1000);
	collect(0);
	ck_assert_uint_eq(groups.count, GROUPS_MAX / 2);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("leak");
	TCase *tests = tcase_create("leak");

	tcase_add_checked_fixture(tests, setup, NULL);
	tcase_add_test(tests, no_block_is_no_group);
	tcase_add_test(tests, a_list_is_one_leak_with_what_hangs_from_it);
	tcase_add_test(tests, reachable_blocks_are_counted_and_shown_when_asked_for);
	tcase_add_test(tests, blocks_of_one_origin_are_one_group);
	tcase_add_test(tests, every_part_of_the_origin_counts);
	tcase_add_loop_test(tests, what_was_told_as_what_it_is_is_not_new, 0,
	                    (int)(sizeof(news) / sizeof(news[0])));
	tcase_add_test(tests, groups_know_their_ages_and_what_is_new_of_them);
	tcase_add_test(tests, blocks_of_a_parent_process_are_left_out);
	tcase_add_test(tests, thousands_of_groups_are_kept_apart);
	tcase_add_test(tests, without_memory_some_groups_are_left_out_and_none_is_wrong);
	suite_add_tcase(suite, tests);
	return test_run(suite);
}
