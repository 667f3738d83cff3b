/* SPDX-License-Identifier: Apache-2.0
 *
 * Neither alloc nor free calls the C library's malloc, calloc, realloc or free: not at the
 * first call of a process or thread, not at any misuse, not when memory runs out.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/inject.h"
#include "heaps.h"
#include "support/counted_malloc.h"

enum { BLOCKS = 3000 };

static struct fp_heap *heap;
static char *malloced;
static int global;

/* Not the helpers of heaps.h: an assertion of Check calls malloc. */
static void *alloc(size_t size)
{
	const struct fp_heap_request request = {.size = size, .file = "engine.c", .line = 5};
	void *block;

	fp_heap_alloc(heap, &request, &block);
	return block;
}

static void use(unsigned unused, void *user)
{
	static const size_t sizes[] = {0, 1, 100, 4096, 70000, 1 << 20};
	_Atomic unsigned *failures = user;

	(void)unused;
	for (size_t i = 0; i < BLOCKS; i++) {
		void *block = alloc(sizes[i % 6]);

		if (block == NULL || fp_heap_free(heap, block) != 0)
			++*failures;
	}
}

static void misuse(void)
{
	char *damaged = alloc(100);
	char *freed = alloc(100);
	char *kept = alloc(100);
	int local = 0;

	damaged[-1] = 1;
	damaged[100] = 1;
	fp_heap_free(heap, damaged);
	fp_heap_free(heap, freed);
	fp_heap_free(heap, freed);
	fp_heap_free(heap, freed + 1);
	fp_heap_free(heap, kept + 1);
	fp_heap_free(heap, &local);
	fp_heap_free(heap, &global);
	fp_heap_free(heap, malloced);
	fp_heap_free(heap, (void *)1);
	fp_heap_free(heap, NULL);
	kept[100] = 1;
	fp_heap_check(FP_TRACE_NONE, "now");
	alloc(SIZE_MAX);
	fp_heap_report_released(heap, "AddRef");
}

enum { MISUSES = 12 };

START_TEST(the_counter_sees_calls_from_shared_libraries)
{
	ck_assert(test_counter_works());
}
END_TEST

/* From the first call on: nothing has warmed up. */
START_TEST(alloc_and_free_call_no_malloc)
{
	_Atomic unsigned failures = 0;

	if (!start_heaps(_i, 16, FP_PLACEMENT_RIGHT))
		return;
	heap = new_heap();
	test_count_malloc(true);
	use(0, &failures);
	test_count_malloc(false);
	ck_assert_uint_eq(failures, 0);
	ck_assert_uint_eq(test_malloc_calls(), 0);
	expect_no_finding();
}
END_TEST

START_TEST(misuse_calls_no_malloc)
{
	if (!start_heaps(_i, 16, FP_PLACEMENT_RIGHT))
		return;
	heap = new_heap();
	malloced = malloc(10);
	test_count_malloc(true);
	misuse();
	test_count_malloc(false);
	ck_assert_uint_eq(found_count, MISUSES);
	ck_assert_uint_eq(test_malloc_calls(), 0);
}
END_TEST

START_TEST(running_out_of_memory_calls_no_malloc)
{
	if (!start_heaps(_i, 16, FP_PLACEMENT_RIGHT))
		return;
	heap = new_heap();
	malloced = malloc(10);
	test_count_malloc(true);
	for (int point = 0; point < FP_INJECT_COUNT; point++) {
		fp_inject_arm((enum fp_inject_point)point, 1, true);
		for (int i = 0; i < 100; i++)
			fp_heap_free(heap, alloc(100));
		fp_inject_arm((enum fp_inject_point)point, 0, false);
	}
	test_count_malloc(false);
	ck_assert_uint_eq(test_malloc_calls(), 0);
}
END_TEST

static void use_counted(unsigned index, void *user)
{
	test_count_malloc(true);
	use(index, user);
	test_count_malloc(false);
}

START_TEST(a_threads_first_calls_call_no_malloc)
{
	_Atomic unsigned failures = 0;

	if (!start_heaps(_i, 16, FP_PLACEMENT_RIGHT))
		return;
	heap = new_heap();
	test_run_threads(1, use_counted, &failures);
	ck_assert_uint_eq(failures, 0);
	ck_assert_uint_eq(test_malloc_calls(), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("heap: no malloc");
	TCase *tests = tcase_create("no malloc");

	announce_untested();
	tcase_add_test(tests, the_counter_sees_calls_from_shared_libraries);
	tcase_add_loop_test(tests, alloc_and_free_call_no_malloc, 0, BACKENDS);
	tcase_add_loop_test(tests, misuse_calls_no_malloc, 0, BACKENDS);
	tcase_add_loop_test(tests, running_out_of_memory_calls_no_malloc, 0, BACKENDS);
	tcase_add_loop_test(tests, a_threads_first_calls_call_no_malloc, 0, BACKENDS);
	suite_add_tcase(suite, tests);
	return test_run(suite);
}
