/* SPDX-License-Identifier: Apache-2.0
 *
 * Capturing and interning never call the C library's malloc, not even the first time a thread
 * or a stack is met. The test first proves that its counter would notice.
 */
#include <stdlib.h>

#include "stack/stack.h"
#include "support/counted_malloc.h"
#include "support/support.h"

START_TEST(the_counter_sees_calls_from_shared_libraries)
{
	ck_assert(test_counter_works());
}
END_TEST

__attribute__((noinline)) static fp_trace_id descend(unsigned levels)
{
	fp_trace_id trace = levels == 0 ? fp_stack_capture() : descend(levels - 1);

	__asm__ volatile("");
	return trace;
}

static void capture(unsigned index, void *user)
{
	_Atomic unsigned *missing = user;

	for (unsigned i = 0; i < 100; i++)
		if (descend(index * 100 + i) == FP_TRACE_NONE)
			++*missing;
}

static int compare(const void *a, const void *b)
{
	/* Through code of the C library, which the unwinder has not met before, and which has
	 * calls of its own to make. */
	test_count_malloc(true);
	fp_trace_id trace = descend(3);
	test_count_malloc(false);
	if (trace == FP_TRACE_NONE)
		abort();
	return *(const int *)a - *(const int *)b;
}

START_TEST(captures_call_no_malloc)
{
	const struct fp_stack_config config = {.depth = 256};
	_Atomic unsigned missing = 0;
	int numbers[] = {3, 1, 2};

	fp_stack_init(&config);
	test_count_malloc(true);
	capture(0, &missing);
	fp_stack_intern_site("file.c", 1);
	test_count_malloc(false);
	qsort(numbers, 3, sizeof(numbers[0]), compare);
	ck_assert_uint_eq(missing, 0);
	ck_assert_uint_eq(test_malloc_calls(), 0);
}
END_TEST

static void capture_counted(unsigned index, void *user)
{
	/* The thread's first capture sets up its cache. */
	test_count_malloc(true);
	capture(index, user);
	test_count_malloc(false);
}

START_TEST(the_first_capture_of_a_thread_calls_no_malloc)
{
	const struct fp_stack_config config = {.depth = 64};
	_Atomic unsigned missing = 0;

	fp_stack_init(&config);
	test_run_threads(1, capture_counted, &missing);
	ck_assert_uint_eq(missing, 0);
	ck_assert_uint_eq(test_malloc_calls(), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("stack: no malloc");
	TCase *tests = tcase_create("no malloc");

	tcase_add_test(tests, the_counter_sees_calls_from_shared_libraries);
	tcase_add_test(tests, captures_call_no_malloc);
	tcase_add_test(tests, the_first_capture_of_a_thread_calls_no_malloc);
	suite_add_tcase(suite, tests);
	return test_run(suite);
}
