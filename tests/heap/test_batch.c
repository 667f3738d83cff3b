/* SPDX-License-Identifier: Apache-2.0
 *
 * Freed blocks that wait to be sealed together: what is lost meanwhile, what is not, and that
 * the wait ends. Over the back ends that seal many slots at once; the others never wait.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/lock.h"
#include "guard/guard.h"
#include "heaps.h"

enum { BATCH = 8, SIZE = 40, THREADS = 4, ROUNDS = 2000 };

/* Whether this back end can wait. */
static bool start(int backend)
{
	return strcmp(backend_names[backend], "mprotect") != 0 &&
	       strcmp(backend_names[backend], "none") != 0 &&
	       start_heaps_batched(backend, BATCH);
}

START_TEST(a_full_batch_is_sealed_and_none_before)
{
	char *blocks[BATCH];

	if (!start(_i))
		return;
	struct fp_heap *heap = new_heap();
	for (int i = 0; i < BATCH; i++)
		blocks[i] = take(heap, SIZE);
	for (int i = 0; i < BATCH - 1; i++)
		ck_assert_int_eq(give(heap, blocks[i]), 0);
	for (int i = 0; i < BATCH; i++)
		ck_assert(!test_read_faults((uintptr_t)blocks[i]));
	ck_assert_int_eq(give(heap, blocks[BATCH - 1]), 0);
	for (int i = 0; i < BATCH; i++)
		ck_assert(test_read_faults((uintptr_t)blocks[i]));
	expect_no_finding();
}
END_TEST

START_TEST(a_write_before_the_seal_is_found_when_it_comes)
{
	if (!start(_i))
		return;
	struct fp_heap *heap = new_heap();
	char *block = take(heap, SIZE);
	ck_assert_int_eq(give(heap, block), 0);
	block[7] = 1;
	block[9] = 2;
	fp_guard_seal_waiting();
	const struct fp_finding *finding = expect_finding(FP_FINDING_HEAP_USE_AFTER_FREE);
	ck_assert_int_eq(finding->access, FP_ACCESS_WRITE);
	ck_assert_int_eq(finding->offset, 7);
	ck_assert_uint_eq(finding->block.size, SIZE);
	ck_assert_uint_ne(finding->block.free_trace, FP_TRACE_NONE);
	ck_assert(test_read_faults((uintptr_t)block));
	fp_guard_seal_waiting();
	expect_no_finding();
}
END_TEST

START_TEST(misuse_of_a_waiting_block_is_found_at_once)
{
	if (!start(_i))
		return;
	struct fp_heap *heap = new_heap();
	char *block = take(heap, SIZE);
	ck_assert_int_eq(give(heap, block), 0);
	ck_assert_int_ne(give(heap, block), 0);
	expect_finding(FP_FINDING_DOUBLE_FREE);
	ck_assert_int_ne(give(heap, block + 1), 0);
	expect_finding(FP_FINDING_INVALID_FREE);
}
END_TEST

START_TEST(a_waiting_address_is_nobody_elses)
{
	char *freed[BATCH - 1];

	if (!start(_i))
		return;
	struct fp_heap *heap = new_heap();
	for (int i = 0; i < BATCH - 1; i++) {
		freed[i] = take(heap, SIZE);
		ck_assert_int_eq(give(heap, freed[i]), 0);
	}
	for (int i = 0; i < 1000; i++) {
		const char *block = take(heap, SIZE);

		for (int j = 0; j < BATCH - 1; j++)
			ck_assert_ptr_ne(block, freed[j]);
	}
}
END_TEST

START_TEST(checking_the_heap_ends_the_wait)
{
	if (!start(_i))
		return;
	struct fp_heap *heap = new_heap();
	char *block = take(heap, SIZE);
	ck_assert_int_eq(give(heap, block), 0);
	ck_assert_uint_eq(fp_heap_check(FP_TRACE_NONE, "here"), 0);
	ck_assert(test_read_faults((uintptr_t)block));
	expect_no_finding();
}
END_TEST

static void *churn(void *user)
{
	for (int i = 0; i < ROUNDS; i++) {
		char *block = take(user, (size_t)i % 9000);

		test_that(give(user, block) == 0);
	}
	return NULL;
}

START_TEST(threads_and_a_forked_child_wait_as_well)
{
	pthread_t threads[THREADS];

	if (!start(_i))
		return;
	struct fp_heap *heap = new_heap();
	char *block = take(heap, SIZE);
	ck_assert_int_eq(give(heap, block), 0);
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, churn, heap), 0);
	fp_lock_acquire_ranks(FP_RANKS_ALL);
	pid_t child = fork();
	fp_lock_release_ranks(FP_RANKS_ALL);
	if (child == 0) {
		if (fp_guard_renew_in_child() != 0)
			_exit(1);
		fp_guard_seal_waiting();
		_exit(test_read_faults((uintptr_t)block) ? 0 : 2);
	}
	int status;
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
	fp_guard_seal_waiting();
	ck_assert(test_read_faults((uintptr_t)block));
	expect_no_finding();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("batch");
	TCase *tests = tcase_create("batch");

	announce_untested();
	tcase_add_loop_test(tests, a_full_batch_is_sealed_and_none_before, 0, BACKENDS);
	tcase_add_loop_test(tests, a_write_before_the_seal_is_found_when_it_comes, 0, BACKENDS);
	tcase_add_loop_test(tests, misuse_of_a_waiting_block_is_found_at_once, 0, BACKENDS);
	tcase_add_loop_test(tests, a_waiting_address_is_nobody_elses, 0, BACKENDS);
	tcase_add_loop_test(tests, checking_the_heap_ends_the_wait, 0, BACKENDS);
	tcase_add_loop_test(tests, threads_and_a_forked_child_wait_as_well, 0, BACKENDS);
	suite_add_tcase(suite, tests);
	return test_run(suite);
}
