/* SPDX-License-Identifier: Apache-2.0
 *
 * A heap that is used as it should be: accounts, refused requests, and many threads. Nothing
 * here may ever be a finding but what two threads do wrong on purpose.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/inject.h"
#include "base/vm.h"
#include "heap/tier.h"
#include "heaps.h"
#include "registry/registry.h"
#include "support/times.h"

static struct fp_heap *heap;

/* ---- Accounts ---------------------------------------------------------------------------- */

static void expect_totals(const uint64_t wanted[6])
{
	struct fp_heap_totals totals;

	fp_heap_totals(&totals);
	ck_assert_uint_eq(totals.allocations, wanted[0]);
	ck_assert_uint_eq(totals.frees, wanted[1]);
	ck_assert_uint_eq(totals.live_blocks, wanted[2]);
	ck_assert_uint_eq(totals.live_bytes, wanted[3]);
	ck_assert_uint_eq(totals.peak_blocks, wanted[4]);
	ck_assert_uint_eq(totals.peak_bytes, wanted[5]);
	ck_assert_uint_eq(totals.seal_failures, 0);
}

START_TEST(totals_count_blocks_and_bytes)
{
	start_heaps(-1, 16, FP_PLACEMENT_RIGHT);
	heap = new_heap();
	expect_totals((uint64_t[]){0, 0, 0, 0, 0, 0});
	char *first = take(heap, 100);
	char *second = take(heap, 5000);
	expect_totals((uint64_t[]){2, 0, 2, 5100, 2, 5100});
	give(heap, first);
	expect_totals((uint64_t[]){2, 1, 1, 5000, 2, 5100});
	/* Misuse changes no account. */
	give(heap, first);
	give(heap, second + 1);
	expect_totals((uint64_t[]){2, 1, 1, 5000, 2, 5100});
	char *third = take(heap, 0);
	give(heap, second);
	give(heap, third);
	expect_totals((uint64_t[]){3, 3, 0, 0, 2, 5100});
}
END_TEST

static uint64_t inherited_blocks(void)
{
	struct fp_heap_totals totals;

	fp_heap_totals(&totals);
	return totals.inherited_blocks;
}

START_TEST(a_child_has_what_it_made_itself)
{
	start_heaps(-1, 16, FP_PLACEMENT_RIGHT);
	heap = new_heap();
	char *first = take(heap, 10);
	char *second = take(heap, 10);
	ck_assert_uint_eq(inherited_blocks(), 0);
	/* As after a fork. */
	fp_heap_begin_in_child();
	ck_assert_uint_eq(inherited_blocks(), 2);
	char *own = take(heap, 10);
	give(heap, first);
	ck_assert_uint_eq(inherited_blocks(), 1);
	give(heap, own);
	ck_assert_uint_eq(inherited_blocks(), 1);
	give(heap, second);
	ck_assert_uint_eq(inherited_blocks(), 0);
}
END_TEST

START_TEST(a_block_is_known_by_every_address_around_it)
{
	struct fp_block block;
	char local;

	start_heaps(-1, 16, FP_PLACEMENT_RIGHT);
	heap = new_heap();
	char *memory = take(heap, 100);
	size_t page = fp_vm_page_size();
	const char *const addresses[] = {
	        memory,       memory + 99,        memory + 100, memory - 1, memory - page + 112,
	        memory + 112, memory + 111 + page};
	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
		memset(&block, 0, sizeof(block));
		ck_assert(fp_heap_find((uintptr_t)addresses[i], &block));
		ck_assert_uint_eq(block.address, (uintptr_t)memory);
		ck_assert_uint_eq(block.state, FP_BLOCK_LIVE);
		ck_assert_uint_eq(block.tier,
		                  fp_guard_is_protecting() ? FP_TIER_GUARDED : FP_TIER_PADDED);
	}
	give(heap, memory);
	ck_assert(fp_heap_find((uintptr_t)memory + 50, &block));
	ck_assert_uint_eq(block.state, FP_BLOCK_FREED);
	ck_assert(!fp_heap_find((uintptr_t)&local, &block));
	ck_assert(!fp_heap_find(0, &block));
}
END_TEST

/* ---- Blocks without guards --------------------------------------------------------------- */

static uint64_t blocks_because_of(enum fp_reason reason)
{
	return fp_tier_blocks(reason);
}

/* Beyond the limit a block is padded, and every misuse of it is found as before. */
START_TEST(beyond_max_memory_blocks_are_padded)
{
	const struct fp_tier_config config = {.max_memory = 40960, .sample = 1};
	struct fp_block block;
	char *blocks[20];

	start_heaps(-1, 16, FP_PLACEMENT_RIGHT);
	fp_tier_init(&config);
	heap = new_heap();
	for (size_t i = 0; i < 20; i++) {
		blocks[i] = take(heap, 10 + 100 * i);
		memset(blocks[i], 0, 10 + 100 * i);
		ck_assert(fp_heap_find((uintptr_t)blocks[i], &block));
		ck_assert_uint_eq(block.address, (uintptr_t)blocks[i]);
		ck_assert_uint_eq(block.tier, i < 10 ? FP_TIER_GUARDED : FP_TIER_PADDED);
		ck_assert_uint_eq((uintptr_t)blocks[i] % 16, 0);
	}
	ck_assert_uint_eq(blocks_because_of(FP_REASON_MEMORY), 10);
	blocks[15][10 + 100 * 15] = 1;
	ck_assert_int_eq(give(heap, blocks[15]), -EPERM);
	ck_assert_int_eq(expect_finding(FP_FINDING_HEAP_BUFFER_OVERFLOW)->offset,
	                 10 + 100 * 15);
	ck_assert_int_eq(give(heap, blocks[15]), -EPERM);
	expect_finding(FP_FINDING_DOUBLE_FREE);
	ck_assert_int_eq(give(heap, blocks[16] + 3), -EPERM);
	expect_finding(FP_FINDING_INVALID_FREE);
	blocks[16][-1] = 1;
	ck_assert_int_eq(give(heap, blocks[16]), -EPERM);
	ck_assert_int_eq(expect_finding(FP_FINDING_HEAP_BUFFER_UNDERFLOW)->offset, -1);
	for (int i = 0; i < 20; i++)
		if (i != 15 && i != 16)
			ck_assert_int_eq(give(heap, blocks[i]), 0);
	ck_assert(fp_heap_find((uintptr_t)take(heap, 1), &block));
	ck_assert_uint_eq(block.tier, FP_TIER_GUARDED);
	expect_no_finding();
}
END_TEST

START_TEST(a_sample_guards_one_in_so_many)
{
	const struct fp_tier_config config = {.max_memory = UINT64_MAX, .sample = 10};
	unsigned guarded = 0;

	start_heaps(-1, 16, FP_PLACEMENT_RIGHT);
	fp_tier_init(&config);
	heap = new_heap();
	for (int i = 0; i < 10000; i++) {
		struct fp_block block;
		char *memory = take(heap, 50);

		test_that(fp_heap_find((uintptr_t)memory, &block));
		guarded += block.tier == FP_TIER_GUARDED;
		test_that(give(heap, memory) == 0);
	}
	ck_assert_uint_ge(guarded, 800);
	ck_assert_uint_le(guarded, 1200);
	ck_assert_uint_eq(blocks_because_of(FP_REASON_SAMPLING), 10000 - guarded);
	expect_no_finding();
}
END_TEST

/* ---- Refusals ---------------------------------------------------------------------------- */

enum { WORK = 60 };

static const size_t work_sizes[] = {0, 1, 16, 100, 4096, 5000, 20000, 70000, 300000, 3000000};

/* All of a small block, the ends of a large one. */
static void touch(char *block, size_t size)
{
	size_t part = size < 8192 ? size : 4096;

	memset(block, 'w', part);
	memset(block + size - part, 'w', part);
}

struct refusal {
	enum fp_inject_point point;
	uint64_t nth;
	bool is_for_good;
};

/* Allocates, writes and frees while requests are refused; then nothing may be lost. */
static void work_through(const struct refusal *refusal)
{
	char *blocks[WORK] = {NULL};
	unsigned refused = 0;

	fp_inject_arm(refusal->point, refusal->nth, refusal->is_for_good);
	for (size_t i = 0; i < 2 * WORK; i++) {
		size_t size = work_sizes[i % 10];
		char **block = &blocks[i * 7 % WORK];
		void *memory;

		if (*block != NULL)
			test_that(give(heap, *block) == 0);
		int status = try_alloc(heap, size, &memory);
		test_that(status == 0 || status == -ENOMEM);
		refused += status != 0;
		*block = memory;
		if (status == 0)
			touch(memory, size);
	}
	fp_inject_arm(refusal->point, 0, false);
	for (int i = 0; i < WORK; i++)
		test_that(give(heap, blocks[i]) == 0);
	ck_assert_int_eq(give(heap, take(heap, 10)), 0);
	ck_assert_uint_eq(take_shortages(), refused);
	expect_no_finding();
}

static void expect_nothing_lost(void)
{
	struct fp_heap_totals totals;

	fp_heap_totals(&totals);
	ck_assert_uint_eq(totals.live_blocks, 0);
	ck_assert_uint_eq(totals.live_bytes, 0);
	ck_assert_uint_eq(fp_heap_check(FP_TRACE_NONE, "at the end"), 0);
}

/* The loop's index: which back end, and whether one request fails or all from it on. */
START_TEST(any_refused_request_is_survived)
{
	struct refusal refusal = {.is_for_good = _i % 2};

	if (!start_heaps(_i / 2, 16, FP_PLACEMENT_RIGHT))
		return;
	heap = new_heap();
	/* Each of the first, and as many of the others as there is time for. */
	uint64_t step = (uint64_t)(200 / test_times(200, 20));
	for (int point = 0; point < FP_INJECT_COUNT; point++)
		for (uint64_t nth = 1; nth <= 200; nth += nth < 20 ? 1 : step) {
			refusal.point = (enum fp_inject_point)point;
			refusal.nth = nth;
			work_through(&refusal);
		}
	expect_nothing_lost();
}
END_TEST

static void work_first(void *user)
{
	work_through(user);
	expect_nothing_lost();
}

/* What only the first calls of a process request: each in a process of its own. */
START_TEST(any_refused_first_request_is_survived)
{
	struct refusal refusal = {.is_for_good = false};
	struct test_child child;

	if (!start_heaps(_i, 16, FP_PLACEMENT_RIGHT))
		return;
	heap = new_heap();
	for (int point = 0; point < FP_INJECT_COUNT; point++)
		for (uint64_t nth = 1; nth <= (uint64_t)test_times(20, 8); nth++) {
			refusal.point = (enum fp_inject_point)point;
			refusal.nth = nth;
			test_run_child(work_first, &refusal, &child);
			test_expect_success(child);
		}
}
END_TEST

/* ---- Threads ----------------------------------------------------------------------------- */

enum { THREADS = 8, EXCHANGES = 3000, PLACES = 64 };

struct exchange {
	_Atomic(char *) places[PLACES];
	_Atomic unsigned failures;
};

static void exchange_blocks(unsigned index, void *user)
{
	static const struct fp_heap_request request = {.size = 40};
	struct exchange *exchange = user;
	unsigned count = (unsigned)test_times(EXCHANGES, 500);

	for (unsigned i = 0; i < count; i++) {
		void *block;

		if (fp_heap_alloc(heap, &request, &block) != 0) {
			exchange->failures++;
			return;
		}
		memset(block, (int)index, 40);
		block = atomic_exchange(&exchange->places[(i * 13 + index) % PLACES], block);
		if (fp_heap_free(heap, block) != 0)
			exchange->failures++;
	}
}

START_TEST(eight_threads_free_each_others_blocks)
{
	static struct exchange exchange;

	if (!start_heaps(_i, 16, FP_PLACEMENT_ALTERNATE))
		return;
	heap = new_heap();
	test_run_threads(THREADS, exchange_blocks, &exchange);
	ck_assert_uint_eq(exchange.failures, 0);
	ck_assert_uint_eq(fp_heap_check(FP_TRACE_NONE, "between"), 0);
	for (int i = 0; i < PLACES; i++)
		ck_assert_int_eq(give(heap, exchange.places[i]), 0);
	expect_nothing_lost();
	expect_no_finding();
}
END_TEST

struct duel {
	pthread_barrier_t barrier;
	void *block;
	_Atomic unsigned successes;
	_Atomic unsigned refusals;
	unsigned bad_rounds;
};

enum { DUELS = 2000 };

static void free_at_once(unsigned index, void *user)
{
	static const struct fp_heap_request request = {.size = 40};
	struct duel *duel = user;

	for (unsigned i = 1; i <= DUELS; i++) {
		if (index == 0 && fp_heap_alloc(heap, &request, &duel->block) != 0)
			duel->bad_rounds++;
		pthread_barrier_wait(&duel->barrier);
		if (fp_heap_free(heap, duel->block) == 0)
			duel->successes++;
		else
			duel->refusals++;
		pthread_barrier_wait(&duel->barrier);
		if (index == 0 &&
		    (duel->successes != i || duel->refusals != i || found_count != i))
			duel->bad_rounds++;
	}
}

START_TEST(of_two_frees_at_once_one_succeeds_and_one_is_a_double_free)
{
	struct duel duel = {.block = NULL};

	if (!start_heaps(_i, 16, FP_PLACEMENT_RIGHT))
		return;
	heap = new_heap();
	pthread_barrier_init(&duel.barrier, NULL, 2);
	test_run_threads(2, free_at_once, &duel);
	ck_assert_uint_eq(duel.bad_rounds, 0);
	for (unsigned i = 0; i < DUELS; i++) {
		ck_assert_int_eq(found[i].kind, FP_FINDING_DOUBLE_FREE);
		ck_assert_uint_ne(found[i].thread, found[i].block.free_thread);
	}
	expect_nothing_lost();
}
END_TEST

struct patrol {
	_Atomic bool is_over;
	_Atomic unsigned damaged;
};

/* Thread 0 checks all padding while the others work. */
static void work_or_check(unsigned index, void *user)
{
	static const struct fp_heap_request request = {.size = 100};
	struct patrol *patrol = user;

	while (index == 0 && !patrol->is_over)
		patrol->damaged += (unsigned)fp_heap_check(FP_TRACE_NONE, "meanwhile");
	for (int i = 0; index != 0 && i < 4000; i++) {
		void *block;

		if (fp_heap_alloc(heap, &request, &block) != 0)
			continue;
		memset(block, i, 100);
		fp_heap_free(heap, block);
	}
	patrol->is_over = true;
}

START_TEST(a_check_among_busy_threads_finds_nothing)
{
	struct patrol patrol = {.is_over = false};

	if (!start_heaps(_i, 16, FP_PLACEMENT_RIGHT))
		return;
	heap = new_heap();
	test_run_threads(4, work_or_check, &patrol);
	ck_assert_uint_eq(patrol.damaged, 0);
	expect_nothing_lost();
	expect_no_finding();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("heap");
	TCase *tests = tcase_create("heap");

	announce_untested();
	tcase_add_test(tests, totals_count_blocks_and_bytes);
	tcase_add_test(tests, a_child_has_what_it_made_itself);
	tcase_add_test(tests, a_block_is_known_by_every_address_around_it);
	tcase_add_test(tests, beyond_max_memory_blocks_are_padded);
	tcase_add_test(tests, a_sample_guards_one_in_so_many);
	tcase_add_loop_test(tests, any_refused_request_is_survived, 0, 2 * BACKENDS);
	tcase_add_loop_test(tests, any_refused_first_request_is_survived, 0, BACKENDS);
	tcase_add_loop_test(tests, eight_threads_free_each_others_blocks, 0, BACKENDS);
	tcase_add_loop_test(tests, of_two_frees_at_once_one_succeeds_and_one_is_a_double_free,
	                    0, BACKENDS);
	tcase_add_loop_test(tests, a_check_among_busy_threads_finds_nothing, 0, BACKENDS);
	suite_add_tcase(suite, tests);
	return test_run(suite);
}
