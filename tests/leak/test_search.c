/* SPDX-License-Identifier: Apache-2.0
 *
 * The search itself, on graphs of blocks in metadata memory, which is no root: what is
 * reachable from a root that the test gives, and what the rest hangs from. The test keeps its
 * own pointers disguised.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/meta.h"
#include "leak/leak.h"
#include "leak/table.h"
#include "registry/registry.h"
#include "support/support.h"
#include "support/times.h"

enum { NODES = 1000000, NODE_BYTES = 32, SMALL = 64 };

struct node {
	uint64_t links[NODE_BYTES / 8];
};

static uintptr_t disguised_arena;
static size_t arena_bytes;
static size_t arena_used;
static uint64_t serial;
static struct fp_leak_result result;
static uint8_t classes[NODES + SMALL];

static void setup(void)
{
	fp_registry_init(1 << 20);
	arena_bytes = (size_t)(NODES + SMALL) * 2 * NODE_BYTES;
	disguised_arena = ~(uintptr_t)fp_meta_alloc(arena_bytes);
	ck_assert_uint_ne(~disguised_arena, 0);
}

static struct node *node_at(size_t index)
{
	return (struct node *)(~disguised_arena + index * 2 * NODE_BYTES);
}

/* Not inlined: the test's own frames must not keep a node's address. */
#define APART __attribute__((noinline)) static

/* The block of INDEX, of SIZE bytes. */
APART void add(size_t index, size_t size, enum fp_family family)
{
	const struct fp_block block = {
	        .address = (uintptr_t)node_at(index),
	        .size = size,
	        .serial = ++serial,
	        .heap = 1,
	        .alloc_trace = 1,
	        .family = (uint8_t)family,
	};

	test_that(fp_registry_add(block.address, &block) == 0);
	arena_used = index + 1 > arena_used ? index + 1 : arena_used;
}

APART void add_nodes(size_t count)
{
	for (size_t i = 0; i < count; i++)
		add(i, NODE_BYTES, FP_FAMILY_MALLOC);
}

APART void link_nodes(size_t from, size_t slot, size_t to)
{
	node_at(from)->links[slot] = (uintptr_t)node_at(to);
}

static void keep_class(const struct fp_leak_block *block, void *user)
{
	size_t index = (block->address - ~disguised_arena) / (2 * NODE_BYTES);

	(void)user;
	classes[index] = block->class;
}

struct request {
	struct fp_leak_config config;
	int status;
};

static void search(uintptr_t stack, void *user)
{
	struct request *request = user;

	request->status = fp_leak_check(&request->config, stack, &result);
}

/* What earlier calls left on the stack must not look like the pointers of this one. */
APART void scrub(void)
{
	volatile char area[16 << 10];

	for (size_t i = 0; i < sizeof(area); i++)
		area[i] = 0;
}

APART void check_scrubbed(const uint64_t *root)
{
	const struct fp_leak_range range = {(uintptr_t)root, (uintptr_t)(root + 1)};
	struct request request = {.config = {.visit_block = keep_class}};

	memset(classes, FP_LEAK_REACHABLE, sizeof(classes));
	if (root != NULL) {
		request.config.roots = &range;
		request.config.root_count = 1;
	}
	fp_leak_from_here(search, &request);
	ck_assert_int_eq(request.status, 0);
	ck_assert(!result.is_blind);
}

/* Searches with the word at ROOT as one more root, unless it is NULL. */
static void check(const uint64_t *root)
{
	scrub();
	check_scrubbed(root);
}

/* In metadata memory, so that it is a root only when it is given. */
APART uint64_t *make_root_to(size_t index, size_t offset)
{
	uint64_t *root = fp_meta_alloc(sizeof(*root));

	*root = (uintptr_t)node_at(index) + offset;
	return root;
}

static void expect_classes(size_t count, enum fp_leak_class class)
{
	for (size_t i = 0; i < count; i++)
		test_that(classes[i] == class);
}

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

/* ---- Pointers -----------------------------------------------------------------------------
 */

START_TEST(pointers_to_the_inside_are_possible_and_so_is_what_they_lead_to)
{
	add_nodes(3);
	link_nodes(0, 2, 1);
	check(make_root_to(0, 12));
	ck_assert_int_eq(classes[0], FP_LEAK_POSSIBLE);
	ck_assert_int_eq(classes[1], FP_LEAK_POSSIBLE);
	ck_assert_int_eq(classes[2], FP_LEAK_DEFINITE);
}
END_TEST

START_TEST(a_pointer_behind_the_end_is_none)
{
	add_nodes(1);
	check(make_root_to(0, NODE_BYTES));
	ck_assert_int_eq(classes[0], FP_LEAK_DEFINITE);
	check(make_root_to(0, NODE_BYTES - 1));
	ck_assert_int_eq(classes[0], FP_LEAK_POSSIBLE);
}
END_TEST

START_TEST(padding_is_not_searched)
{
	add_nodes(2);
	link_nodes(0, NODE_BYTES / 8, 1);
	check(make_root_to(0, 0));
	ck_assert_int_eq(classes[1], FP_LEAK_DEFINITE);
}
END_TEST

START_TEST(blocks_of_no_bytes_have_an_address)
{
	add(0, 0, FP_FAMILY_MALLOC);
	check(make_root_to(0, 0));
	ck_assert_int_eq(classes[0], FP_LEAK_REACHABLE);
	check(NULL);
	ck_assert_int_eq(classes[0], FP_LEAK_DEFINITE);
}
END_TEST

static const uint64_t primary_table[] = {0, 77, 1};
static uint64_t second_table[] = {(uint64_t)-16, 77, 1};

/* What stands in a block of so many bytes, and where the only pointer to it points. */
static const struct {
	const char *what;
	size_t size;
	uint8_t family;
	uint64_t words[4];
	size_t offset;
	bool is_owned;
} insides[] = {
        {"array of three", 8 + 3 * 8, FP_FAMILY_NEW_ARRAY, {3}, 8, true},
        {"array, over-aligned", 16 + 2 * 8, FP_FAMILY_NEW_ARRAY, {0, 2}, 16, true},
        {"array of a wrong number", 8 + 3 * 8, FP_FAMILY_NEW_ARRAY, {5}, 8, false},
        {"no array", 8 + 3 * 8, FP_FAMILY_MALLOC, {3}, 8, false},
        {"behind its size", 32, FP_FAMILY_MALLOC, {24}, 8, true},
        {"string", 24 + 5 + 1, FP_FAMILY_NEW, {3, 5, 0}, 24, true},
        {"string longer than its room", 24 + 5 + 1, FP_FAMILY_NEW, {6, 5, 0}, 24, false},
        {"vector of a thread", 2 * 16, FP_FAMILY_MALLOC, {0}, 16, true},
        {"vector of another length", 2 * 16, FP_FAMILY_MALLOC, {3}, 16, false},
        {"second base",
         32,
         FP_FAMILY_NEW,
         {(uintptr_t)(primary_table + 2), 0, (uintptr_t)(second_table + 2), 0},
         16,
         true},
        {"first base elsewhere",
         32,
         FP_FAMILY_NEW,
         {(uintptr_t)(second_table + 2), 0, (uintptr_t)(second_table + 2), 0},
         16,
         false},
        {"nothing known", 32, FP_FAMILY_NEW, {9, 9, 9, 9}, 16, false},
};

START_TEST(owners_may_point_to_the_inside)
{
	add(0, insides[_i].size, insides[_i].family);
	memcpy(node_at(0), insides[_i].words, NODE_BYTES);
	check(make_root_to(0, insides[_i].offset));
	ck_assert_msg(classes[0] ==
	                      (insides[_i].is_owned ? FP_LEAK_REACHABLE : FP_LEAK_POSSIBLE),
	              "%s: class %d", insides[_i].what, classes[0]);
}
END_TEST

/* With align=1 blocks begin anywhere, and pointers in them stand at multiples from there. */
START_TEST(pointers_in_unaligned_blocks_are_found)
{
	const struct fp_block block = {
	        .address = (uintptr_t)node_at(0) + 3,
	        .size = 20,
	        .serial = 1,
	        .heap = 1,
	};

	ck_assert_int_eq(fp_registry_add(block.address, &block), 0);
	add(1, NODE_BYTES, FP_FAMILY_MALLOC);
	link_nodes(0, 0, 1);
	memmove((char *)node_at(0) + 3 + 8, node_at(0), sizeof(uint64_t));
	node_at(0)->links[0] = 0;
	check(make_root_to(0, 3));
	ck_assert_int_eq(classes[1], FP_LEAK_REACHABLE);
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
		size_t extent = block->size == 0 ? 1 : block->size;

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
	tcase_add_test(tests, pointers_to_the_inside_are_possible_and_so_is_what_they_lead_to);
	tcase_add_test(tests, a_pointer_behind_the_end_is_none);
	tcase_add_test(tests, padding_is_not_searched);
	tcase_add_test(tests, blocks_of_no_bytes_have_an_address);
	tcase_add_loop_test(tests, owners_may_point_to_the_inside, 0,
	                    sizeof(insides) / sizeof(insides[0]));
	tcase_add_test(tests, pointers_in_unaligned_blocks_are_found);
	tcase_add_test(tests, blocks_of_the_parent_hold_but_are_no_leaks);
	tcase_add_test(tests, kept_blocks_are_reachable_and_so_is_what_they_hold);
	tcase_add_test(tests, a_copy_finds_the_same);
	tcase_add_loop_test(tests, addresses_lead_to_their_blocks_however_these_stand, 0, 3);
	suite_add_tcase(suite, tests);
	return test_run(suite);
}
