/* SPDX-License-Identifier: Apache-2.0
 *
 * The search itself, on graphs of blocks: what is reachable from a root that the test gives,
 * and what the rest hangs from.
 */
#include <stdlib.h>
#include <string.h>

#include "graph.h"
#include "leak/table.h"
#include "registry/registry.h"
#include "support/support.h"
#include "support/times.h"

/* ---- Shapes ------------------------------------------------------------------------------ */

START_TEST(a_list_of_a_million_is_reachable_or_one_leak)
{
	const size_t nodes = (size_t)test_times(NODES, 200000);

	add_nodes(nodes);
	for (size_t i = 0; i + 1 < nodes; i++)
		link_nodes(i, 3, i + 1);
	check(make_root_to(0, 0));
	ck_assert_uint_eq(result.blocks[FP_LEAK_REACHABLE], nodes);
	check(NULL);
	ck_assert_uint_eq(result.blocks[FP_LEAK_DEFINITE], 1);
	ck_assert_uint_eq(result.blocks[FP_LEAK_INDIRECT], nodes - 1);
	ck_assert_int_eq(classes[0], FP_LEAK_DEFINITE);
	/* From the middle on. */
	check(make_root_to(nodes / 2, 0));
	ck_assert_uint_eq(result.blocks[FP_LEAK_REACHABLE], nodes / 2);
	ck_assert_uint_eq(result.blocks[FP_LEAK_DEFINITE], 1);
}
END_TEST

/* Linked from the end: every block is a leak that the next one leads to. */
START_TEST(a_list_against_the_order_of_addresses_is_one_leak)
{
	const size_t nodes = (size_t)test_times(NODES, 200000);

	add_nodes(nodes);
	for (size_t i = 1; i < nodes; i++)
		link_nodes(i, 0, i - 1);
	check(NULL);
	ck_assert_uint_eq(result.blocks[FP_LEAK_DEFINITE], 1);
	ck_assert_int_eq(classes[nodes - 1], FP_LEAK_DEFINITE);
}
END_TEST

START_TEST(a_tree_of_a_million_is_reachable_or_one_leak)
{
	const size_t nodes = (size_t)test_times(NODES, 200000);

	add_nodes(nodes);
	for (size_t i = 0; 2 * i + 2 < nodes; i++) {
		link_nodes(i, 1, 2 * i + 1);
		link_nodes(i, 2, 2 * i + 2);
	}
	check(make_root_to(0, 0));
	ck_assert_uint_ge(result.blocks[FP_LEAK_REACHABLE], nodes - 1);
	check(NULL);
	ck_assert_uint_le(result.blocks[FP_LEAK_DEFINITE], 2);
	ck_assert_int_eq(classes[0], FP_LEAK_DEFINITE);
}
END_TEST

/* A ring of three, and a block that leads into it from behind. */
START_TEST(a_ring_has_one_leader_and_none_when_something_leads_to_it)
{
	add_nodes(3);
	link_nodes(0, 0, 1);
	link_nodes(1, 0, 2);
	link_nodes(2, 0, 0);
	check(NULL);
	ck_assert_uint_eq(result.blocks[FP_LEAK_DEFINITE], 1);
	ck_assert_uint_eq(result.blocks[FP_LEAK_INDIRECT], 2);
	add(3, NODE_BYTES, FP_FAMILY_MALLOC);
	link_nodes(3, 0, 1);
	check(NULL);
	ck_assert_uint_eq(result.blocks[FP_LEAK_DEFINITE], 1);
	ck_assert_int_eq(classes[3], FP_LEAK_DEFINITE);
	expect_classes(3, FP_LEAK_INDIRECT);
}
END_TEST

START_TEST(a_block_that_points_to_itself_is_definite)
{
	add_nodes(1);
	link_nodes(0, 0, 0);
	check(NULL);
	ck_assert_uint_eq(result.blocks[FP_LEAK_DEFINITE], 1);
}
END_TEST

/* Any graph: the definite ones are as few as lead everywhere, and none leads to another. */
START_TEST(leaders_of_random_graphs_lead_everywhere_and_not_to_each_other)
{
	enum { COUNT = 40 };
	static bool leads[COUNT][COUNT];

	srand((unsigned)_i + 1);
	add_nodes(COUNT);
	memset(leads, 0, sizeof(leads));
	for (int i = 0; i < COUNT; i++)
		for (int slot = 0; slot < rand() % 3; slot++) {
			int to = rand() % COUNT;

			link_nodes((size_t)i, (size_t)slot, (size_t)to);
			leads[i][to] = true;
		}
	for (int by = 0; by < COUNT; by++)
		for (int from = 0; from < COUNT; from++)
			for (int to = 0; to < COUNT; to++)
				leads[from][to] |= leads[from][by] && leads[by][to];
	check(NULL);
	for (int to = 0; to < COUNT; to++) {
		int leaders = 0;

		for (int from = 0; from < COUNT; from++)
			leaders += from != to && classes[from] == FP_LEAK_DEFINITE &&
			           leads[from][to];
		if (classes[to] == FP_LEAK_DEFINITE)
			ck_assert_int_eq(leaders, 0);
		else
			ck_assert_int_gt(leaders, 0);
	}
}
END_TEST

/* ---- The rest -----------------------------------------------------------------------------
 */

START_TEST(blocks_of_the_parent_hold_but_are_no_leaks)
{
	struct request request = {.config = {.visit_block = keep_class, .after = 2}};

	add_nodes(4);
	link_nodes(0, 0, 2);
	memset(classes, FP_LEAK_REACHABLE, sizeof(classes));
	scrub();
	fp_leak_from_here(search, &request);
	ck_assert_uint_eq(result.blocks[FP_LEAK_DEFINITE], 2);
	ck_assert_int_eq(classes[2], FP_LEAK_DEFINITE);
	ck_assert_int_eq(classes[0], FP_LEAK_REACHABLE);
}
END_TEST

static bool keep_second(const struct fp_block *block, void *user)
{
	(void)user;
	return block->serial == 2;
}

START_TEST(kept_blocks_are_reachable_and_so_is_what_they_hold)
{
	struct request request = {
	        .config = {.visit_block = keep_class, .is_kept = keep_second}};

	add_nodes(3);
	link_nodes(1, 0, 2);
	scrub();
	fp_leak_from_here(search, &request);
	ck_assert_uint_eq(result.blocks[FP_LEAK_DEFINITE], 1);
	ck_assert_uint_eq(result.blocks[FP_LEAK_REACHABLE], 2);
}
END_TEST

/* What a search says of the blocks of CLASS and FAMILY. */
static struct {
	enum fp_leak_class class;
	enum fp_family family;
	struct fp_leak_group group;
	struct fp_leak_link links[FP_LEAK_LINKS_MAX];
	struct fp_leak_member members[FP_LEAK_MEMBERS_MAX];
} told;

static void keep_group(const struct fp_leak_group *group, void *user)
{
	(void)user;
	if (group->class != told.class || group->family != told.family)
		return;
	told.group = *group;
	memcpy(told.links, group->links, group->link_count * sizeof(told.links[0]));
	memcpy(told.members, group->members, group->member_count * sizeof(told.members[0]));
}

APART static void find_group(enum fp_leak_class class, enum fp_family family,
                             const uint64_t *root, bool is_snapshot)
{
	const struct fp_leak_range range = {(uintptr_t)root, (uintptr_t)(root + 1)};
	struct request request = {.config = {.roots = &range,
	                                     .root_count = root != NULL,
	                                     .with_reachable = true,
	                                     .is_snapshot = is_snapshot,
	                                     .visit_group = keep_group}};

	memset(&told, 0, sizeof(told));
	told.class = class;
	told.family = family;
	scrub();
	fp_leak_from_here(search, &request);
	ck_assert_int_eq(request.status, 0);
	ck_assert_uint_gt(told.group.all.blocks, 0);
}

/* Apart, because addresses that stay on the stack are roots. */
APART static void expect_link(size_t index, size_t node, size_t slot)
{
	ck_assert_uint_eq(told.links[index].at, (uintptr_t)&node_at(node)->links[slot]);
}

APART static void link_inside(size_t from, size_t slot, size_t to)
{
	node_at(from)->links[slot] = (uintptr_t)node_at(to) + 8;
}

/* A list whose last node, of another family, is told of; in a copy, too. */
START_TEST(the_path_to_a_block_is_the_shortest_and_bounded)
{
	enum { LAST = 20 };
	const uint64_t *root;

	add_nodes(LAST);
	add(LAST, NODE_BYTES, FP_FAMILY_NEW);
	for (size_t i = 0; i < LAST; i++)
		link_nodes(i, 2, i + 1);
	root = make_root_to(0, 0);
	find_group(FP_LEAK_REACHABLE, FP_FAMILY_NEW, root, _i == 1);
	ck_assert_uint_eq(told.group.link_count, FP_LEAK_LINKS_MAX);
	ck_assert_uint_eq(told.group.links_left_out, LAST + 1 - FP_LEAK_LINKS_MAX);
	for (size_t i = 0; i < 3; i++)
		expect_link(i, LAST - 1 - i, 2);
	expect_link(3, 1, 2);
	expect_link(4, 0, 2);
	ck_assert_uint_eq(told.links[5].at, (uintptr_t)root);
	/* Two steps further in than there is a shorter way. */
	link_inside(1, 0, LAST);
	find_group(FP_LEAK_REACHABLE, FP_FAMILY_NEW, root, _i == 1);
	ck_assert_uint_eq(told.group.link_count, 3);
	ck_assert_uint_eq(told.group.links_left_out, 0);
	expect_link(0, 1, 0);
	ck_assert_uint_eq(told.links[0].offset, 8);
	/* Of the others the one that the root has. */
	find_group(FP_LEAK_REACHABLE, FP_FAMILY_MALLOC, root, _i == 1);
	ck_assert_uint_eq(told.group.link_count, 1);
	ck_assert_uint_eq(told.links[0].at, (uintptr_t)root);
}
END_TEST

/* A list and, from its second node, a large block. */
START_TEST(what_hangs_from_a_leak_is_told_by_depth)
{
	enum { NODES_OF_LIST = 13 };

	add_nodes(NODES_OF_LIST);
	for (size_t i = 0; i + 1 < NODES_OF_LIST; i++)
		link_nodes(i, 0, i + 1);
	add(NODES_OF_LIST, NODE_BYTES + 8, FP_FAMILY_NEW);
	link_nodes(1, 3, NODES_OF_LIST);
	find_group(FP_LEAK_DEFINITE, FP_FAMILY_MALLOC, NULL, false);
	ck_assert_uint_eq(told.group.link_count, 0);
	ck_assert_uint_eq(told.group.indirect.blocks, NODES_OF_LIST);
	ck_assert_uint_eq(told.group.member_count, FP_LEAK_DEPTH_MAX);
	for (unsigned i = 0; i < FP_LEAK_DEPTH_MAX; i++) {
		ck_assert_uint_eq(told.members[i].depth, i + 1);
		ck_assert_uint_eq(told.members[i].trace, 1);
		ck_assert_uint_eq(told.members[i].blocks, i == 1 ? 2 : i == 7 ? 5 : 1);
	}
	ck_assert_uint_eq(told.members[1].bytes, 2 * NODE_BYTES + 8);
	find_group(FP_LEAK_INDIRECT, FP_FAMILY_NEW, NULL, false);
	ck_assert_uint_eq(told.group.member_count, 0);
	ck_assert_uint_eq(told.group.link_count, 2);
	expect_link(0, 1, 3);
	expect_link(1, 0, 0);
}
END_TEST

START_TEST(a_copy_finds_the_same)
{
	struct request request = {.config = {.visit_block = keep_class, .is_snapshot = true}};

	add_nodes(1000);
	for (size_t i = 0; i + 1 < 1000; i++)
		link_nodes(i, 0, i + 1);
	scrub();
	fp_leak_from_here(search, &request);
	ck_assert_int_eq(request.status, 0);
	ck_assert(result.is_snapshot);
	ck_assert_uint_eq(result.blocks[FP_LEAK_DEFINITE], 1);
	ck_assert_uint_eq(result.blocks[FP_LEAK_INDIRECT], 999);
}
END_TEST

START_TEST(addresses_lead_to_their_blocks_however_these_stand)
{
	struct fp_leak_config config = {0};
	struct fp_leak_table table;

	srand((unsigned)_i);
	for (size_t i = 0; i < 5000; i++) {
		struct fp_block block = {.serial = i + 1, .size = (size_t)rand() % 50};

		/* Crowded in places, and far apart. */
		block.address = 0x100000000u * (1 + (size_t)rand() % 7) + i * 64;
		ck_assert_int_eq(
		        fp_registry_add((struct fp_registry_key){.slot = block.address},
		                        &block),
		        0);
	}
	ck_assert_int_eq(fp_leak_table_make(&table, &config), 0);
	ck_assert_uint_eq(table.count, 5000);
	for (uint32_t i = 0; i < table.count; i++) {
		const struct fp_leak_block *block = &table.blocks[i];
		bool has_end = block->size == 0 || fp_leak_may_be_empty(block);
		size_t extent = block->size + has_end;

		test_that(i == 0 || table.blocks[i - 1].address < block->address);
		test_that(fp_leak_table_find(&table, block->address) == i);
		test_that(fp_leak_table_find(&table, block->address + extent - 1) == i);
		test_that(fp_leak_table_find(&table, block->address + extent) != i);
		test_that(fp_leak_table_find(&table, block->address - 1) != i);
	}
	test_that(fp_leak_table_find(&table, 0) == FP_LEAK_NOWHERE);
	test_that(fp_leak_table_find(&table, UINTPTR_MAX) == FP_LEAK_NOWHERE);
	fp_leak_table_free(&table);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("leak: search");
	TCase *tests = tcase_create("search");

	tcase_add_checked_fixture(tests, setup, NULL);
	tcase_add_test(tests, a_list_of_a_million_is_reachable_or_one_leak);
	tcase_add_test(tests, a_list_against_the_order_of_addresses_is_one_leak);
	tcase_add_test(tests, a_tree_of_a_million_is_reachable_or_one_leak);
	tcase_add_test(tests, a_ring_has_one_leader_and_none_when_something_leads_to_it);
	tcase_add_test(tests, a_block_that_points_to_itself_is_definite);
	tcase_add_loop_test(
	        tests, leaders_of_random_graphs_lead_everywhere_and_not_to_each_other, 0, 20);
	tcase_add_test(tests, blocks_of_the_parent_hold_but_are_no_leaks);
	tcase_add_test(tests, kept_blocks_are_reachable_and_so_is_what_they_hold);
	tcase_add_loop_test(tests, the_path_to_a_block_is_the_shortest_and_bounded, 0, 2);
	tcase_add_test(tests, what_hangs_from_a_leak_is_told_by_depth);
	tcase_add_test(tests, a_copy_finds_the_same);
	tcase_add_loop_test(tests, addresses_lead_to_their_blocks_however_these_stand, 0, 3);
	suite_add_tcase(suite, tests);
	return test_run(suite);
}
