/* SPDX-License-Identifier: Apache-2.0
 *
 * Which block may be freed by whom, what is remembered of freed ones, and that nothing known is
 * lost when memory runs out; for slots that have links, and for those that have none. Slots
 * here are numbers; nothing is mapped.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/inject.h"
#include "registry/registry.h"
#include "support/support.h"

enum { PAGE = 4096, HEAP = 3, OTHER_HEAP = 4, SLOTS = 1 << 16 };

static const size_t plenty = 64 << 20;

static uintptr_t slot_of(size_t index)
{
	return 0x7f0000000000 + index * 2 * PAGE;
}

static bool have_links;

static void give_links(void)
{
	have_links = true;
}

static struct fp_registry_key key_of(size_t index)
{
	static _Atomic(void *) links[SLOTS];

	return (struct fp_registry_key){.slot = slot_of(index),
	                                .link = have_links ? &links[index] : NULL};
}

static uintptr_t address_of(size_t index)
{
	return slot_of(index) + PAGE - 48;
}

static struct fp_block block_of(size_t index)
{
	return (struct fp_block){
	        .address = address_of(index),
	        .size = index + 1,
	        .serial = index + 1,
	        .heap = HEAP,
	        .alloc_trace = (fp_trace_id)index + 7,
	        .alloc_thread = 11,
	        .site = 5,
	        .family = FP_FAMILY_HOST,
	        .state = FP_BLOCK_LIVE,
	};
}

static int add(size_t index)
{
	struct fp_block block = block_of(index);

	return fp_registry_add(key_of(index), &block);
}

static enum fp_registry_verdict free_at(size_t index, uintptr_t address, fp_heap_id heap,
                                        struct fp_block *block)
{
	const struct fp_registry_free request = {.key = key_of(index),
	                                         .address = address,
	                                         .heap = heap,
	                                         .trace = 99,
	                                         .thread = 22};

	return fp_registry_free(&request, block);
}

static enum fp_registry_verdict free_block(size_t index)
{
	struct fp_block block;

	return free_at(index, address_of(index), HEAP, &block);
}

static bool is_known(size_t index, enum fp_block_state state)
{
	struct fp_block block;

	return fp_registry_find(key_of(index), &block) && block.address == address_of(index) &&
	       block.state == state;
}

struct count {
	size_t blocks;
	uint64_t serials;
};

static void count_block(const struct fp_block *block, void *user)
{
	struct count *count = user;

	count->blocks++;
	count->serials += block->serial;
}

static struct count count_live(void)
{
	struct count count = {0};

	fp_registry_each_live(count_block, &count);
	return count;
}

/* ---- Verdicts -------------------------------------------------------------------------- */

START_TEST(an_added_block_is_found_as_it_was)
{
	struct fp_block wanted = block_of(1);
	struct fp_block found;

	fp_registry_init(plenty);
	ck_assert(!fp_registry_find(key_of(1), &found));
	ck_assert_int_eq(add(1), 0);
	ck_assert(fp_registry_find(key_of(1), &found));
	ck_assert_mem_eq(&found, &wanted, sizeof(found));
	ck_assert(!fp_registry_find(key_of(2), &found));
	ck_assert(!fp_registry_find((struct fp_registry_key){0}, &found));
}
END_TEST

START_TEST(a_free_by_its_owner_keeps_who_and_where)
{
	struct fp_block freed;
	struct fp_block found;

	fp_registry_init(plenty);
	add(1);
	ck_assert_int_eq(free_at(1, address_of(1), HEAP, &freed), FP_REGISTRY_FREED);
	ck_assert_uint_eq(freed.free_trace, 99);
	ck_assert_uint_eq(freed.free_thread, 22);
	ck_assert_uint_eq(freed.state, FP_BLOCK_FREED);
	ck_assert_uint_eq(freed.serial, 2);
	ck_assert(fp_registry_find(key_of(1), &found));
	ck_assert_mem_eq(&found, &freed, sizeof(found));
}
END_TEST

START_TEST(a_second_free_meets_the_first_one_again)
{
	const struct fp_registry_free later = {.key = key_of(1),
	                                       .address = address_of(1),
	                                       .heap = HEAP,
	                                       .trace = 100,
	                                       .thread = 23};
	struct fp_block block;

	fp_registry_init(plenty);
	add(1);
	ck_assert_int_eq(free_block(1), FP_REGISTRY_FREED);
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(fp_registry_free(&later, &block), FP_REGISTRY_TWICE);
		ck_assert_uint_eq(block.free_trace, 99);
		ck_assert_uint_eq(block.free_thread, 22);
	}
}
END_TEST

START_TEST(a_refused_free_leaves_a_block_that_is_no_leak)
{
	struct fp_block wanted = block_of(1);
	struct fp_block block;

	fp_registry_init(plenty);
	add(1);
	ck_assert_int_eq(free_at(1, address_of(1) + 1, HEAP, &block), FP_REGISTRY_INTERIOR);
	ck_assert_mem_eq(&block, &wanted, sizeof(block));
	wanted.marks = FP_BLOCK_IGNORED;
	ck_assert_int_eq(free_at(1, slot_of(1), HEAP, &block), FP_REGISTRY_INTERIOR);
	ck_assert_int_eq(free_at(1, address_of(1), OTHER_HEAP, &block), FP_REGISTRY_FOREIGN);
	ck_assert_mem_eq(&block, &wanted, sizeof(block));
	/* Not its start either: which heap asks does not matter then. */
	ck_assert_int_eq(free_at(1, address_of(1) + 1, OTHER_HEAP, &block),
	                 FP_REGISTRY_INTERIOR);
	ck_assert_int_eq(free_at(2, address_of(2), HEAP, &block), FP_REGISTRY_UNKNOWN);
	ck_assert(is_known(1, FP_BLOCK_LIVE));
	ck_assert_int_eq(free_block(1), FP_REGISTRY_FREED);
}
END_TEST

/* ---- History --------------------------------------------------------------------------- */

static size_t count_known_freed(size_t blocks)
{
	size_t known = 0;

	for (size_t i = 0; i < blocks; i++)
		known += is_known(i, FP_BLOCK_FREED);
	return known;
}

/* The budget is divided among shards, so it is not the very oldest that goes; but what is kept
 * of any shard is its newest, and no more than the budget's worth. */
START_TEST(the_oldest_freed_blocks_are_forgotten_first)
{
	enum { BLOCKS = 20000, KEPT_LEAST = 500 };
	struct fp_block block;

	fp_registry_init(256 << 10);
	for (size_t i = 0; i < BLOCKS; i++) {
		test_that(add(i) == 0);
		test_that(free_block(i) == FP_REGISTRY_FREED);
	}
	size_t known = count_known_freed(BLOCKS);
	ck_assert_uint_ge(known, KEPT_LEAST);
	ck_assert_uint_le(known, (256 << 10) / sizeof(struct fp_block));
	ck_assert_uint_eq(fp_registry_evictions(), BLOCKS - known);
	ck_assert(is_known(BLOCKS - 1, FP_BLOCK_FREED));
	ck_assert(!is_known(0, FP_BLOCK_FREED));
	/* Half of what is kept is surely among the newest. */
	for (size_t i = BLOCKS - KEPT_LEAST / 4; i < BLOCKS; i++)
		ck_assert(is_known(i, FP_BLOCK_FREED));
	for (size_t i = 0; i < BLOCKS - 4 * known; i++)
		ck_assert(!is_known(i, FP_BLOCK_FREED));
	ck_assert_int_eq(free_at(0, address_of(0), HEAP, &block), FP_REGISTRY_UNKNOWN);
	ck_assert_int_eq(free_block(BLOCKS - 1), FP_REGISTRY_TWICE);
}
END_TEST

START_TEST(live_blocks_are_never_forgotten)
{
	fp_registry_init(0);
	for (size_t i = 0; i < 10000; i++)
		test_that(add(i) == 0);
	for (size_t i = 0; i < 10000; i += 2)
		ck_assert_int_eq(free_block(i), FP_REGISTRY_FREED);
	for (size_t i = 0; i < 10000; i++)
		ck_assert_int_eq(is_known(i, FP_BLOCK_LIVE), i % 2);
	ck_assert_uint_eq(count_known_freed(10000), 0);
	ck_assert_uint_eq(fp_registry_evictions(), 5000);
	ck_assert_int_eq(free_block(0), FP_REGISTRY_UNKNOWN);
	ck_assert_int_eq(free_block(1), FP_REGISTRY_FREED);
	ck_assert_int_eq(free_block(1), FP_REGISTRY_UNKNOWN);
}
END_TEST

START_TEST(a_history_that_suffices_forgets_nothing)
{
	fp_registry_init(plenty);
	for (size_t i = 0; i < 50000; i++) {
		test_that(add(i) == 0);
		test_that(free_block(i) == FP_REGISTRY_FREED);
	}
	ck_assert_uint_eq(fp_registry_evictions(), 0);
	ck_assert_uint_eq(count_known_freed(50000), 50000);
}
END_TEST

START_TEST(each_live_block_is_visited_once)
{
	uint64_t serials = 0;

	fp_registry_init(plenty);
	for (size_t i = 0; i < 3000; i++)
		add(i);
	for (size_t i = 0; i < 3000; i++)
		if (i % 3 == 0)
			ck_assert_int_eq(free_block(i), FP_REGISTRY_FREED);
		else
			serials += i + 1;
	struct count live = count_live();
	ck_assert_uint_eq(live.blocks, 2000);
	ck_assert_uint_eq(live.serials, serials);
	for (size_t i = 0; i < FP_REGISTRY_PARTS; i++)
		fp_registry_each_live_of(i, count_block, &live);
	ck_assert(live.blocks == 2 * 2000 && live.serials == 2 * serials);
	fp_registry_each_freed(count_block, &live);
	ck_assert_uint_eq(live.serials, serials + 3000 * 3001 / 2);
}
END_TEST

/* ---- No memory ------------------------------------------------------------------------- */

enum { MANY = 5000, BATCH = 16 };

/* Adds MANY blocks while the NTH request for metadata fails: the number refused. */
static size_t add_many(uint64_t nth)
{
	size_t refused = 0;

	fp_inject_arm(FP_INJECT_META, nth, false);
	for (size_t i = 0; i < MANY; i++)
		if (add(i) != 0) {
			refused++;
			ck_assert(!is_known(i, FP_BLOCK_LIVE));
			/* Once more, as a caller may. */
			test_that(add(i) == 0);
		}
	fp_inject_arm(FP_INJECT_META, 0, false);
	return refused;
}

static void add_and_free_many(void *user)
{
	size_t refused = add_many(*(uint64_t *)user);

	test_must(refused <= 1);
	test_must(count_live().blocks == MANY);
	for (size_t i = 0; i < MANY; i++)
		test_must(is_known(i, FP_BLOCK_LIVE));
	for (size_t i = 0; i < MANY; i++)
		test_must(free_block(i) == FP_REGISTRY_FREED);
	test_must(count_live().blocks == 0);
	_exit(refused == 1 ? 1 : 0);
}

/* Every request there is: records, first tables, and the buckets of growing tables. One in 29
 * and all of the first 200, each in a fresh process. */
START_TEST(a_refused_request_refuses_one_block_and_loses_none)
{
	uint64_t nth = 1;
	struct test_child child;

	fp_registry_init(plenty);
	for (;; nth += nth < 200 ? 1 : 29) {
		test_run_child(add_and_free_many, &nth, &child);
		ck_assert_str_eq(child.text, "");
		ck_assert(WIFEXITED(child.status));
		if (child.status == 0)
			break;
	}
	/* Beyond the last request nothing is refused; a batch of records is one, and the way to
	 * each where it has no link. */
	ck_assert_uint_gt(nth, have_links ? MANY / BATCH : MANY);
}
END_TEST

/* What cannot be remembered is forgotten, and counted; the free itself is as good as any. */
START_TEST(a_free_needs_no_memory)
{
	fp_registry_init(plenty);
	for (size_t i = 0; i < MANY; i++)
		test_that(add(i) == 0);
	fp_inject_arm(FP_INJECT_META, 1, true);
	size_t added = MANY;
	while (add(added) == 0)
		added++;
	ck_assert_uint_lt(added - MANY, FP_REGISTRY_PARTS * BATCH);
	for (size_t i = 0; i < added; i++)
		ck_assert_int_eq(free_block(i), FP_REGISTRY_FREED);
	fp_inject_arm(FP_INJECT_META, 0, false);
	ck_assert_uint_eq(count_live().blocks, 0);
	ck_assert_uint_eq(count_known_freed(added) + fp_registry_evictions(), added);
	ck_assert_int_eq(add(0), 0);
	ck_assert_int_eq(free_block(0), FP_REGISTRY_FREED);
	ck_assert_int_eq(free_block(0), FP_REGISTRY_TWICE);
}
END_TEST

/* ---- What freed blocks held, and slots used again ---------------------------------------- */

static enum fp_registry_verdict free_keeping_bytes(const void *address)
{
	const struct fp_registry_free request = {.key = key_of(1),
	                                         .address = (uintptr_t)address,
	                                         .heap = HEAP,
	                                         .keeps_bytes = true};
	struct fp_block block;

	return fp_registry_free(&request, &block);
}

START_TEST(the_first_bytes_of_a_freed_block_are_kept)
{
	static char content[] = "what the block held when it was freed, and much more of it";
	struct fp_block block = block_of(1);
	uint8_t bytes[100];

	fp_registry_init(plenty);
	block.address = (uintptr_t)content;
	block.size = sizeof(content);
	ck_assert_int_eq(fp_registry_add(key_of(1), &block), 0);
	ck_assert_uint_eq(fp_registry_last_bytes(key_of(1), bytes, sizeof(bytes)), 0);
	ck_assert_int_eq(free_keeping_bytes(content), FP_REGISTRY_FREED);
	size_t kept = fp_registry_last_bytes(key_of(1), bytes, sizeof(bytes));
	ck_assert_uint_ge(kept, 16);
	ck_assert_uint_le(kept, sizeof(content));
	ck_assert_mem_eq(bytes, content, kept);
	content[0] = '!';
	ck_assert_uint_eq(fp_registry_last_bytes(key_of(1), bytes, 5), 5);
	ck_assert_mem_eq(bytes, "what ", 5);
	ck_assert_uint_eq(fp_registry_last_bytes(key_of(2), bytes, 5), 0);
}
END_TEST

START_TEST(of_a_short_block_no_more_is_kept_than_it_had)
{
	static char content[] = "abcdef";
	struct fp_block block = block_of(1);
	uint8_t bytes[100];

	fp_registry_init(plenty);
	block.address = (uintptr_t)content;
	block.size = 3;
	ck_assert_int_eq(fp_registry_add(key_of(1), &block), 0);
	ck_assert_int_eq(free_keeping_bytes(content), FP_REGISTRY_FREED);
	ck_assert_uint_eq(fp_registry_last_bytes(key_of(1), bytes, sizeof(bytes)), 3);
	ck_assert_mem_eq(bytes, "abc", 3);
}
END_TEST

/* Cells of padded blocks serve one block after another, and the newest is what is known. */
START_TEST(a_slot_used_again_knows_its_newest_block)
{
	fp_registry_init(128 << 10);
	for (size_t round = 0; round < 5000; round++) {
		struct fp_block block = block_of(1);
		struct fp_block found;

		block.serial = round;
		ck_assert_int_eq(fp_registry_add(key_of(1), &block), 0);
		ck_assert(fp_registry_find(key_of(1), &found));
		ck_assert_uint_eq(found.serial, round);
		ck_assert_uint_eq(found.state, FP_BLOCK_LIVE);
		ck_assert_uint_eq(count_live().blocks, 1);
		ck_assert_int_eq(free_block(1), FP_REGISTRY_FREED);
		ck_assert_int_eq(free_block(1), FP_REGISTRY_TWICE);
		/* Others pass through the history meanwhile. */
		for (size_t i = 0; i < 3; i++) {
			size_t other = 2 + 3 * round + i;

			ck_assert_int_eq(add(other), 0);
			ck_assert_int_eq(free_block(other), FP_REGISTRY_FREED);
		}
	}
	ck_assert_uint_eq(count_live().blocks, 0);
}
END_TEST

/* ---- Threads --------------------------------------------------------------------------- */

enum { THREADS = 8, EACH = 4000 };

struct race {
	_Atomic unsigned freed;
	_Atomic unsigned twice;
	_Atomic unsigned wrong;
};

static void race_for_blocks(unsigned index, void *user)
{
	struct race *race = user;

	for (size_t i = 0; i < EACH; i++)
		if (add(index * EACH + i) != 0)
			race->wrong++;
	/* Everybody frees everything: one of the eight may, once. */
	for (size_t i = 0; i < EACH; i++)
		switch (free_block((index * EACH + i) % (EACH / 2))) {
		case FP_REGISTRY_FREED:
			race->freed++;
			break;
		case FP_REGISTRY_TWICE:
			race->twice++;
			break;
		case FP_REGISTRY_UNKNOWN: /* not added yet */
			break;
		default:
			race->wrong++;
		}
}

START_TEST(a_mark_is_for_one_block_only)
{
	struct fp_block block;

	fp_registry_init(plenty);
	ck_assert_int_eq(add(0), 0);
	ck_assert(!fp_registry_mark(key_of(0), 2, FP_BLOCK_IGNORED));
	ck_assert(!fp_registry_mark(key_of(1), 1, FP_BLOCK_IGNORED));
	ck_assert(fp_registry_mark(key_of(0), 1, FP_BLOCK_IGNORED));
	ck_assert(fp_registry_find(key_of(0), &block) && block.marks == FP_BLOCK_IGNORED);
}
END_TEST

START_TEST(of_eight_threads_one_frees_a_block)
{
	static struct race race;

	fp_registry_init(plenty);
	test_run_threads(THREADS, race_for_blocks, &race);
	ck_assert_uint_eq(race.wrong, 0);
	/* The first thread's own pass comes after its additions. */
	ck_assert_uint_eq(race.freed, EACH / 2);
	ck_assert_uint_ge(race.twice, EACH / 2);
	ck_assert_uint_eq(count_live().blocks, THREADS * EACH - EACH / 2);
	for (size_t i = 0; i < EACH / 2; i++)
		ck_assert(is_known(i, FP_BLOCK_FREED));
}
END_TEST

static TCase *make_case(const char *name)
{
	TCase *tests = tcase_create(name);

	tcase_add_test(tests, an_added_block_is_found_as_it_was);
	tcase_add_test(tests, a_free_by_its_owner_keeps_who_and_where);
	tcase_add_test(tests, a_second_free_meets_the_first_one_again);
	tcase_add_test(tests, a_refused_free_leaves_a_block_that_is_no_leak);
	tcase_add_test(tests, the_oldest_freed_blocks_are_forgotten_first);
	tcase_add_test(tests, live_blocks_are_never_forgotten);
	tcase_add_test(tests, a_history_that_suffices_forgets_nothing);
	tcase_add_test(tests, each_live_block_is_visited_once);
	tcase_add_test(tests, a_refused_request_refuses_one_block_and_loses_none);
	tcase_add_test(tests, a_free_needs_no_memory);
	tcase_add_test(tests, the_first_bytes_of_a_freed_block_are_kept);
	tcase_add_test(tests, of_a_short_block_no_more_is_kept_than_it_had);
	tcase_add_test(tests, a_slot_used_again_knows_its_newest_block);
	tcase_add_test(tests, a_mark_is_for_one_block_only);
	tcase_add_test(tests, of_eight_threads_one_frees_a_block);
	return tests;
}

int main(void)
{
	Suite *suite = suite_create("registry");
	TCase *linked = make_case("slots with links");

	tcase_add_checked_fixture(linked, give_links, NULL);
	suite_add_tcase(suite, linked);
	suite_add_tcase(suite, make_case("slots without links"));
	return test_run(suite);
}
