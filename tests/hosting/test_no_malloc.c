/* SPDX-License-Identifier: Apache-2.0
 *
 * Through the whole library, from the interface to the event log: no call of a heap, good or
 * bad, reaches the C library's malloc, calloc, realloc or free.
 */
#define COBJMACROS
#include <stdlib.h>

#include <fencepost/fencepost.h>

#include "support/counted_malloc.h"
#include "support/support.h"

enum { BLOCKS = 3000 };

static IHostMemoryManager *manager;
static IHostMalloc *heap;
static char *malloced;

static void setup(void)
{
	ck_assert_int_eq(fp_create_memory_manager("reporter=/bin/true", &manager), S_OK);
	ck_assert_int_eq(IHostMemoryManager_CreateMalloc(manager, 0, &heap), S_OK);
	malloced = malloc(10);
}

static void use(unsigned index, void *user)
{
	static const size_t sizes[] = {0, 1, 100, 4096, 70000, 1 << 20};
	_Atomic unsigned *failures = user;
	char file[] = "engine.c";

	for (unsigned i = 0; i < BLOCKS; i++) {
		void *block;

		if (IHostMalloc_DebugAlloc(heap, sizes[i % 6], eTaskCritical, file,
		                           (int)(index * BLOCKS + i), &block) != S_OK ||
		    IHostMalloc_Free(heap, block) != S_OK)
			++*failures;
	}
}

static void misuse(void)
{
	IHostMalloc *other;
	void *block;
	void *freed;

	IHostMemoryManager_CreateMalloc(manager, MALLOC_THREADSAFE, &other);
	IHostMalloc_Alloc(heap, 100, eTaskCritical, &block);
	IHostMalloc_Alloc(heap, 100, eTaskCritical, &freed);
	IHostMalloc_Free(heap, freed);
	IHostMalloc_Free(heap, freed);
	IHostMalloc_Free(heap, (char *)block + 1);
	IHostMalloc_Free(other, block);
	IHostMalloc_Free(heap, malloced);
	IHostMalloc_Free(heap, &block);
	((char *)block)[100] = 1;
	fp_check_heap();
	((char *)block)[-1] = 1;
	IHostMalloc_Free(heap, block);
	IHostMalloc_Alloc(heap, SIZE_MAX, eTaskCritical, &block);
	IHostMalloc_Release(other);
	IHostMalloc_AddRef(other);
}

enum { MISUSES = 9 };

START_TEST(the_counter_sees_calls_from_shared_libraries)
{
	ck_assert(test_counter_works());
}
END_TEST

START_TEST(alloc_and_free_call_no_malloc)
{
	_Atomic unsigned failures = 0;

	test_count_malloc(true);
	use(0, &failures);
	test_count_malloc(false);
	ck_assert_uint_eq(failures, 0);
	ck_assert_uint_eq(test_malloc_calls(), 0);
	ck_assert_uint_eq(fp_finding_count(), 0);
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

	test_run_threads(1, use_counted, &failures);
	ck_assert_uint_eq(failures, 0);
	ck_assert_uint_eq(test_malloc_calls(), 0);
}
END_TEST

START_TEST(findings_call_no_malloc)
{
	test_count_malloc(true);
	misuse();
	test_count_malloc(false);
	ck_assert_uint_eq(fp_finding_count(), MISUSES);
	ck_assert_uint_eq(test_malloc_calls(), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("hosting: no malloc");
	TCase *tests = tcase_create("no malloc");

	tcase_add_checked_fixture(tests, setup, NULL);
	tcase_add_test(tests, the_counter_sees_calls_from_shared_libraries);
	tcase_add_test(tests, alloc_and_free_call_no_malloc);
	tcase_add_test(tests, a_threads_first_calls_call_no_malloc);
	tcase_add_test(tests, findings_call_no_malloc);
	suite_add_tcase(suite, tests);
	return test_run(suite);
}
