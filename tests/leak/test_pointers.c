/* SPDX-License-Identifier: Apache-2.0
 *
 * What counts as a pointer to a block, and which pointers to its inside hold it.
 */
#include <string.h>

#include "graph.h"
#include "registry/registry.h"
#include "support/support.h"

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
static uint64_t second_table[] = {(uint64_t)-24, 77, 1};

/* What stands in a block of so many bytes, and where the only pointer to it points. */
static const struct {
	const char *what;
	size_t size;
	uint8_t family;
	uint64_t words[4];
	size_t offset;
	bool is_owned;
} insides[] = {
        {"tag in the lowest bit", 32, FP_FAMILY_MALLOC, {9, 9, 9, 9}, 1, true},
        {"largest tag", 8, FP_FAMILY_HOST, {9}, 7, true},
        {"behind a header of one word", 16, FP_FAMILY_MALLOC, {9, 9}, 8, true},
        {"behind a header of two words", 32, FP_FAMILY_HOST, {9, 9, 9, 9}, 16, true},
        {"array of three", 8 + 3 * 8, FP_FAMILY_NEW_ARRAY, {3}, 8, true},
        {"array, over-aligned", 16 + 2 * 8, FP_FAMILY_NEW_ARRAY, {0, 2}, 16, true},
        {"third character", 32, FP_FAMILY_MALLOC, {9, 9, 9, 9}, 10, false},
        {"second number of a header", 32, FP_FAMILY_MALLOC, {9, 9, 9, 9}, 12, false},
        {"sds of 32 bits", 32, FP_FAMILY_MALLOC, {5 | 22ul << 32, 3}, 9, true},
        {"sds longer than its block", 32, FP_FAMILY_MALLOC, {5 | 23ul << 32, 3}, 9, false},
        {"sds longer than its room", 32, FP_FAMILY_MALLOC, {6 | 5ul << 32, 3}, 9, false},
        {"sds of another type", 32, FP_FAMILY_MALLOC, {5 | 22ul << 32, 2}, 9, false},
        {"sds of 64 bits", 32, FP_FAMILY_MALLOC, {3, 14, 4}, 17, true},
        {"sds of 64 bits that is none", 32, FP_FAMILY_MALLOC, {3, 14, 3}, 17, false},
        {"string", 24 + 5 + 1, FP_FAMILY_NEW, {3, 5, 0}, 24, true},
        {"string longer than its room", 24 + 5 + 1, FP_FAMILY_NEW, {6, 5, 0}, 24, false},
        {"second base",
         32,
         FP_FAMILY_NEW,
         {(uintptr_t)(primary_table + 2), 0, 0, (uintptr_t)(second_table + 2)},
         24,
         true},
        {"first base elsewhere",
         32,
         FP_FAMILY_NEW,
         {(uintptr_t)(second_table + 2), 0, 0, (uintptr_t)(second_table + 2)},
         24,
         false},
        {"nothing known", 32, FP_FAMILY_NEW, {9, 9, 9, 9}, 24, false},
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

/* Links at word 5 of a block of seven: next, previous. */
enum { LINKED_BYTES = 56, LINK = 5 };

APART static void link_inside(size_t from, size_t slot, size_t to, size_t word)
{
	uint64_t *links = (uint64_t *)node_at(from);

	links[slot] = (uintptr_t)((uint64_t *)node_at(to) + word);
}

/* The neighbours of a member point back to it; a pointer that nobody returns is none of a list.
 */
START_TEST(members_of_a_list_are_held_by_their_links)
{
	add(0, LINKED_BYTES, FP_FAMILY_MALLOC);
	add(1, LINKED_BYTES, FP_FAMILY_MALLOC);
	add(2, LINKED_BYTES, FP_FAMILY_MALLOC);
	link_inside(0, LINK, 1, LINK);
	link_inside(1, LINK + 1, 0, LINK);
	link_inside(1, LINK, 2, LINK);
	check(make_root_to(0, LINK * 8));
	ck_assert_int_eq(classes[0], FP_LEAK_REACHABLE);
	ck_assert_int_eq(classes[1], FP_LEAK_REACHABLE);
	ck_assert_int_eq(classes[2], FP_LEAK_POSSIBLE);
	/* As queue(3) has them: the second link is to the place that points here. */
	link_inside(2, LINK + 1, 1, LINK);
	check(make_root_to(0, LINK * 8));
	expect_classes(3, FP_LEAK_REACHABLE);
}
END_TEST

/* What a pointer right behind a block that may be an array without elements says of it. */
static const struct {
	size_t size;
	uint8_t family;
	uint64_t last; /* its last word */
	enum fp_leak_class class;
} empties[] = {
        {8, FP_FAMILY_NEW_ARRAY, 0, FP_LEAK_REACHABLE},
        {8, FP_FAMILY_MALLOC, 0, FP_LEAK_REACHABLE},
        {8, FP_FAMILY_NEW_ARRAY, 1, FP_LEAK_DEFINITE},
        {16, FP_FAMILY_NEW_ARRAY, 0, FP_LEAK_REACHABLE},
        {16, FP_FAMILY_MALLOC, 1, FP_LEAK_DEFINITE},
        {24, FP_FAMILY_NEW_ARRAY, 0, FP_LEAK_DEFINITE},
        {32, FP_FAMILY_ALIGNED_ARRAY, 0, FP_LEAK_REACHABLE},
        {32, FP_FAMILY_MALLOC, 0, FP_LEAK_DEFINITE},
};

START_TEST(arrays_without_elements_are_held_by_their_ends)
{
	size_t size = empties[_i].size;

	add(0, size, empties[_i].family);
	*(uint64_t *)((uintptr_t)node_at(0) + size - 8) = empties[_i].last;
	check(make_root_to(0, size));
	ck_assert_int_eq(classes[0], empties[_i].class);
	check(make_root_to(0, size + 1));
	ck_assert_int_eq(classes[0], FP_LEAK_DEFINITE);
}
END_TEST

/* Blocks stand as densely where nothing guards them. */
START_TEST(the_end_of_a_block_is_the_start_of_the_next)
{
	struct fp_block next = {.size = 8, .serial = 77, .heap = 1};

	add(0, 8, FP_FAMILY_NEW_ARRAY);
	next.address = (uintptr_t)node_at(0) + 8;
	ck_assert_int_eq(fp_registry_add((struct fp_registry_key){.slot = next.address}, &next),
	                 0);
	next.address = 0;
	check(make_root_to(0, 8));
	ck_assert_int_eq(classes[0], FP_LEAK_DEFINITE);
	ck_assert_uint_eq(result.blocks[FP_LEAK_REACHABLE], 1);
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

	ck_assert_int_eq(
	        fp_registry_add((struct fp_registry_key){.slot = block.address}, &block), 0);
	add(1, NODE_BYTES, FP_FAMILY_MALLOC);
	link_nodes(0, 0, 1);
	memmove((char *)node_at(0) + 3 + 8, node_at(0), sizeof(uint64_t));
	node_at(0)->links[0] = 0;
	check(make_root_to(0, 3));
	ck_assert_int_eq(classes[1], FP_LEAK_REACHABLE);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("leak: pointers");
	TCase *tests = tcase_create("pointers");

	tcase_add_checked_fixture(tests, setup, NULL);
	tcase_add_test(tests, pointers_to_the_inside_are_possible_and_so_is_what_they_lead_to);
	tcase_add_test(tests, a_pointer_behind_the_end_is_none);
	tcase_add_test(tests, padding_is_not_searched);
	tcase_add_test(tests, blocks_of_no_bytes_have_an_address);
	tcase_add_loop_test(tests, owners_may_point_to_the_inside, 0,
	                    sizeof(insides) / sizeof(insides[0]));
	tcase_add_test(tests, members_of_a_list_are_held_by_their_links);
	tcase_add_loop_test(tests, arrays_without_elements_are_held_by_their_ends, 0,
	                    sizeof(empties) / sizeof(empties[0]));
	tcase_add_test(tests, the_end_of_a_block_is_the_start_of_the_next);
	tcase_add_test(tests, pointers_in_unaligned_blocks_are_found);
	suite_add_tcase(suite, tests);
	return test_run(suite);
}
