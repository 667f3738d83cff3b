/* SPDX-License-Identifier: Apache-2.0
 *
 * The objects behind the hosting interfaces, called as a host calls them: every flag, every out
 * parameter, reference counts, and what becomes of calls after the last Release.
 */
#define COBJMACROS
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <fencepost/fencepost.h>

#include "support/support.h"

static IHostMemoryManager *manager;
static IHostMalloc *heap;

static IHostMalloc *create(DWORD flags)
{
	IHostMalloc *created = NULL;

	ck_assert_int_eq(IHostMemoryManager_CreateMalloc(manager, flags, &created), S_OK);
	ck_assert_ptr_nonnull(created);
	return created;
}

static void setup(void)
{
	/* Each test is a process with a report at its end, which is not what is tested here. */
	ck_assert_int_eq(fp_create_memory_manager("reporter=/bin/true", &manager), S_OK);
	heap = create(MALLOC_THREADSAFE);
}

static char *alloc(IHostMalloc *from, size_t size)
{
	void *block = NULL;

	ck_assert_int_eq(IHostMalloc_Alloc(from, size, eTaskCritical, &block), S_OK);
	ck_assert_ptr_nonnull(block);
	return block;
}

/* ---- CreateMalloc ------------------------------------------------------------------------ */

START_TEST(every_combination_of_known_flags_is_a_heap)
{
	IHostMalloc *created = create((DWORD)_i);
	char *block = alloc(created, 100);

	memset(block, 1, 100);
	ck_assert_int_eq(IHostMalloc_Free(created, block), S_OK);
	ck_assert_uint_eq(IHostMalloc_Release(created), 0);
	ck_assert_uint_eq(fp_finding_count(), 0);
}
END_TEST

START_TEST(other_flags_are_refused)
{
	static const DWORD flags[] = {4, 5, 6, 7, 8, 0x80000000, 0xffffffff, 0x103};

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		IHostMalloc *created = heap;

		ck_assert_int_eq(IHostMemoryManager_CreateMalloc(manager, flags[i], &created),
		                 E_INVALIDARG);
		ck_assert_ptr_null(created);
	}
	ck_assert_int_eq(IHostMemoryManager_CreateMalloc(manager, 0, NULL), E_POINTER);
	ck_assert_int_eq(IHostMemoryManager_CreateMalloc(manager, 99, NULL), E_POINTER);
}
END_TEST

START_TEST(heaps_are_apart)
{
	IHostMalloc *heaps[50];
	char *blocks[50];

	for (int i = 0; i < 50; i++) {
		heaps[i] = create((DWORD)i % 4);
		blocks[i] = alloc(heaps[i], 10);
	}
	for (int i = 0; i < 50; i++)
		ck_assert_int_eq(IHostMalloc_Free(heaps[(i + 1) % 50], blocks[i]),
		                 HOST_E_INVALIDOPERATION);
	for (int i = 0; i < 50; i++)
		ck_assert_int_eq(IHostMalloc_Free(heaps[i], blocks[i]), S_OK);
	ck_assert_uint_ge(fp_finding_count(), 1);
}
END_TEST

/* A function that returns 42. */
#if defined(__x86_64__) || defined(__i386__)
static const unsigned char code[] = {0xb8, 42, 0, 0, 0, 0xc3};
#elif defined(__aarch64__)
static const unsigned char code[] = {0x40, 5, 0x80, 0x52, 0xc0, 3, 0x5f, 0xd6};
#elif defined(__riscv)
static const unsigned char code[] = {0x13, 5, 0xa0, 2, 0x67, 0x80, 0, 0};
#else
#error "a function that returns 42, for this machine"
#endif

START_TEST(blocks_of_an_executable_heap_run_code)
{
	IHostMalloc *created = create(MALLOC_EXECUTABLE | MALLOC_THREADSAFE);

	for (int i = 0; i < 100; i++) {
		char *block = alloc(created, sizeof(code));

		memcpy(block, code, sizeof(code));
		__builtin___clear_cache(block, block + sizeof(code));
		ck_assert_int_eq(((int (*)(void))(uintptr_t)block)(), 42);
		ck_assert_int_eq(IHostMalloc_Free(created, block), S_OK);
	}
}
END_TEST

/* ---- IUnknown ---------------------------------------------------------------------------- */

START_TEST(a_heap_is_itself_under_its_two_interfaces)
{
	static const IID unknown = {1, 2, 3, {4, 5, 6, 7, 8, 9, 10, 11}};
	void *out;

	ck_assert_int_eq(IHostMalloc_QueryInterface(heap, &IID_IUnknown, &out), S_OK);
	ck_assert_ptr_eq(out, heap);
	ck_assert_int_eq(IHostMalloc_QueryInterface(heap, &IID_IHostMalloc, &out), S_OK);
	ck_assert_ptr_eq(out, heap);
	ck_assert_uint_eq(IHostMalloc_Release(heap), 2);
	ck_assert_uint_eq(IHostMalloc_Release(heap), 1);
	ck_assert_int_eq(IHostMalloc_QueryInterface(heap, &unknown, &out), E_NOINTERFACE);
	ck_assert_ptr_null(out);
	out = heap;
	ck_assert_int_eq(IHostMalloc_QueryInterface(heap, &IID_IHostMemoryManager, &out),
	                 E_NOINTERFACE);
	ck_assert_ptr_null(out);
	out = heap;
	ck_assert_int_eq(IHostMalloc_QueryInterface(heap, NULL, &out), E_POINTER);
	ck_assert_ptr_null(out);
	ck_assert_int_eq(IHostMalloc_QueryInterface(heap, &IID_IUnknown, NULL), E_POINTER);
	/* No refused call has taken a reference. */
	ck_assert_uint_eq(IHostMalloc_AddRef(heap), 2);
	ck_assert_uint_eq(IHostMalloc_Release(heap), 1);
}
END_TEST

START_TEST(the_manager_is_itself_under_its_two_interfaces)
{
	void *out;

	ck_assert_int_eq(IHostMemoryManager_QueryInterface(manager, &IID_IUnknown, &out), S_OK);
	ck_assert_ptr_eq(out, manager);
	ck_assert_int_eq(
	        IHostMemoryManager_QueryInterface(manager, &IID_IHostMemoryManager, &out),
	        S_OK);
	ck_assert_ptr_eq(out, manager);
	ck_assert_uint_eq(IHostMemoryManager_Release(manager), 2);
	ck_assert_uint_eq(IHostMemoryManager_Release(manager), 1);
	ck_assert_int_eq(IHostMemoryManager_QueryInterface(manager, &IID_IHostMalloc, &out),
	                 E_NOINTERFACE);
	ck_assert_ptr_null(out);
	out = heap;
	ck_assert_int_eq(IHostMemoryManager_QueryInterface(manager, NULL, &out), E_POINTER);
	ck_assert_ptr_null(out);
	ck_assert_int_eq(IHostMemoryManager_QueryInterface(manager, &IID_IUnknown, NULL),
	                 E_POINTER);
}
END_TEST

START_TEST(the_manager_can_be_had_again_after_its_last_release)
{
	IHostMemoryManager *again = NULL;

	ck_assert_uint_eq(IHostMemoryManager_Release(manager), 0);
	ck_assert_int_eq(fp_create_memory_manager(NULL, &again), S_OK);
	ck_assert_ptr_eq(again, manager);
	ck_assert_int_eq(IHostMalloc_Free(create(0), NULL), S_OK);
	ck_assert_uint_eq(IHostMemoryManager_AddRef(manager), 2);
	ck_assert_uint_eq(fp_finding_count(), 0);
}
END_TEST

static void take_and_give_references(unsigned index, void *user)
{
	_Atomic unsigned *bad = user;

	(void)index;
	for (int i = 0; i < 20000; i++) {
		void *out;

		if (IHostMalloc_AddRef(heap) < 2 || IHostMemoryManager_AddRef(manager) < 2 ||
		    IHostMalloc_QueryInterface(heap, &IID_IUnknown, &out) != S_OK)
			++*bad;
		if (IHostMalloc_Release(heap) < 1 || IHostMalloc_Release(heap) < 1 ||
		    IHostMemoryManager_Release(manager) < 1)
			++*bad;
	}
}

START_TEST(references_of_eight_threads_add_up)
{
	_Atomic unsigned bad = 0;

	test_run_threads(8, take_and_give_references, &bad);
	ck_assert_uint_eq(bad, 0);
	ck_assert_uint_eq(IHostMemoryManager_Release(manager), 0);
	ck_assert_uint_eq(IHostMalloc_Release(heap), 0);
	ck_assert_uint_eq(fp_finding_count(), 0);
}
END_TEST

/* ---- After the last Release ----------------------------------------------------------------
 */

static char found_kinds[10][32];
static char found_texts[10][100];
static unsigned found;

static void keep_finding(const struct fp_finding_event *finding, void *user)
{
	ck_assert_ptr_eq(user, &found);
	strncpy(found_kinds[found % 10], finding->kind, 31);
	strncpy(found_texts[found % 10], finding->description, 99);
	found++;
}

static void expect_use_after_release(const char *method)
{
	char wanted[100] = "";

	strcat(strcpy(wanted, method), " was called on heap 1 after its last Release");
	ck_assert_uint_eq(found, 1);
	ck_assert_str_eq(found_kinds[0], "use-after-release");
	ck_assert_str_eq(found_texts[0], wanted);
	found = 0;
}

START_TEST(every_method_of_a_dead_heap_is_a_finding)
{
	void *out = alloc(heap, 10);
	char *block = out;

	fp_set_finding_callback(keep_finding, &found);
	ck_assert_uint_eq(IHostMalloc_Release(heap), 0);
	ck_assert_uint_eq(found, 1);
	ck_assert_str_eq(found_kinds[0], "heap-released-in-use");
	found = 0;
	ck_assert_int_eq(IHostMalloc_QueryInterface(heap, &IID_IUnknown, &out),
	                 HOST_E_INVALIDOPERATION);
	ck_assert_ptr_null(out);
	expect_use_after_release("QueryInterface");
	ck_assert_uint_eq(IHostMalloc_AddRef(heap), 0);
	expect_use_after_release("AddRef");
	ck_assert_uint_eq(IHostMalloc_Release(heap), 0);
	expect_use_after_release("Release");
	out = block;
	ck_assert_int_eq(IHostMalloc_Alloc(heap, 1, eTaskCritical, &out),
	                 HOST_E_INVALIDOPERATION);
	ck_assert_ptr_null(out);
	expect_use_after_release("Alloc");
	out = block;
	ck_assert_int_eq(
	        IHostMalloc_DebugAlloc(heap, 1, eTaskCritical, found_texts[9], 1, &out),
	        HOST_E_INVALIDOPERATION);
	ck_assert_ptr_null(out);
	expect_use_after_release("DebugAlloc");
	ck_assert_int_eq(IHostMalloc_Free(heap, block), HOST_E_INVALIDOPERATION);
	expect_use_after_release("Free");
	/* The block is valid still, and another heap does not take it. */
	memset(block, 1, 10);
	ck_assert_int_eq(IHostMalloc_Free(create(0), block), HOST_E_INVALIDOPERATION);
	ck_assert_str_eq(found_kinds[0], "wrong-heap");
	ck_assert_uint_eq(fp_finding_count(), 8);
}
END_TEST

static volatile int twice = 2;

START_TEST(a_finding_is_told_by_its_place)
{
	fp_set_finding_callback(keep_finding, &found);
	for (int i = 0; i < twice; i++)
		IHostMalloc_Free(heap, &found);
	ck_assert_uint_eq(found, 1);
	IHostMalloc_Free(heap, &found);
	ck_assert_uint_eq(found, 2);
	ck_assert_uint_eq(fp_finding_count(), 2);
}
END_TEST

/* ---- Alloc, DebugAlloc, Free ---------------------------------------------------------------
 */

START_TEST(the_edges_of_alloc_and_free_are_as_documented)
{
	void *out = heap;
	char *empty = alloc(heap, 0);
	char *other = alloc(heap, 0);

	ck_assert_ptr_ne(empty, other);
	ck_assert_int_eq(IHostMalloc_Free(heap, empty), S_OK);
	ck_assert_int_eq(IHostMalloc_Free(heap, other), S_OK);
	ck_assert_int_eq(IHostMalloc_Free(heap, NULL), S_OK);
	ck_assert_int_eq(IHostMalloc_Alloc(heap, 1, eTaskCritical, NULL), E_POINTER);
	ck_assert_int_eq(IHostMalloc_DebugAlloc(heap, 1, eTaskCritical, NULL, 0, NULL),
	                 E_POINTER);
	ck_assert_uint_eq(fp_finding_count(), 0);
	ck_assert_int_eq(IHostMalloc_Alloc(heap, SIZE_MAX, eTaskCritical, &out), E_OUTOFMEMORY);
	ck_assert_ptr_null(out);
	out = heap;
	ck_assert_int_eq(IHostMalloc_DebugAlloc(heap, SIZE_MAX, eTaskCritical, NULL, 0, &out),
	                 E_OUTOFMEMORY);
	ck_assert_ptr_null(out);
	ck_assert_uint_eq(fp_finding_count(), 2);
	/* Large, but not absurd: another finding. */
	ck_assert_int_eq(IHostMalloc_Alloc(heap, (size_t)1 << 47, eTaskCritical, &out),
	                 E_OUTOFMEMORY);
	ck_assert_uint_eq(fp_finding_count(), 3);
}
END_TEST

/* A level beyond the known ones is some host's extension, not a reason to fail. */
START_TEST(any_critical_level_and_any_site_is_taken)
{
	static char file[] = "engine.c";

	for (int level = -1; level < 5; level++) {
		void *block = NULL;

		ck_assert_int_eq(
		        IHostMalloc_Alloc(heap, 10, (EMemoryCriticalLevel)level, &block), S_OK);
		ck_assert_int_eq(IHostMalloc_Free(heap, block), S_OK);
		ck_assert_int_eq(IHostMalloc_DebugAlloc(heap, 10, (EMemoryCriticalLevel)level,
		                                        level % 2 ? file : NULL, -level,
		                                        &block),
		                 S_OK);
		ck_assert_int_eq(IHostMalloc_Free(heap, block), S_OK);
	}
	ck_assert_str_eq(file, "engine.c");
	ck_assert_uint_eq(fp_finding_count(), 0);
}
END_TEST

START_TEST(misuse_is_refused_with_one_code_and_errno_is_kept)
{
	char *block = alloc(heap, 100);
	char *damaged = alloc(heap, 100);

	errno = 4242;
	ck_assert_int_eq(IHostMalloc_Free(heap, block + 4), HOST_E_INVALIDOPERATION);
	ck_assert_int_eq(IHostMalloc_Free(create(0), block), HOST_E_INVALIDOPERATION);
	ck_assert_int_eq(IHostMalloc_Free(heap, &block), HOST_E_INVALIDOPERATION);
	ck_assert_int_eq(IHostMalloc_Free(heap, block), S_OK);
	ck_assert_int_eq(IHostMalloc_Free(heap, block), HOST_E_INVALIDOPERATION);
	damaged[100] = 1;
	ck_assert_int_eq(IHostMalloc_Free(heap, damaged), HOST_E_INVALIDOPERATION);
	ck_assert_int_eq(errno, 4242);
	ck_assert_uint_eq(fp_finding_count(), 5);
	ck_assert_int_eq(IHostMalloc_Free(heap, alloc(heap, 10)), S_OK);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("hosting: objects");
	TCase *tests = tcase_create("objects");

	tcase_add_checked_fixture(tests, setup, NULL);
	tcase_add_loop_test(tests, every_combination_of_known_flags_is_a_heap, 0, 4);
	tcase_add_test(tests, other_flags_are_refused);
	tcase_add_test(tests, heaps_are_apart);
	tcase_add_test(tests, blocks_of_an_executable_heap_run_code);
	tcase_add_test(tests, a_heap_is_itself_under_its_two_interfaces);
	tcase_add_test(tests, the_manager_is_itself_under_its_two_interfaces);
	tcase_add_test(tests, the_manager_can_be_had_again_after_its_last_release);
	tcase_add_test(tests, references_of_eight_threads_add_up);
	tcase_add_test(tests, every_method_of_a_dead_heap_is_a_finding);
	tcase_add_test(tests, a_finding_is_told_by_its_place);
	tcase_add_test(tests, the_edges_of_alloc_and_free_are_as_documented);
	tcase_add_test(tests, any_critical_level_and_any_site_is_taken);
	tcase_add_test(tests, misuse_is_refused_with_one_code_and_errno_is_kept);
	suite_add_tcase(suite, tests);
	return test_run(suite);
}
