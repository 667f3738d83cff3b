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
		ck_assert_int_eq(fp_registry_add(block.address, &block), 0);
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
	tcase_add_test(tests, a_copy_finds_the_same);
	tcase_add_loop_test(tests, addresses_lead_to_their_blocks_however_these_stand, 0, 3);
	suite_add_tcase(suite, tests);
	return test_run(suite);
}
