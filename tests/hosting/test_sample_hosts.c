/* SPDX-License-Identifier: Apache-2.0
 *
 * The mistakes that hosts published as samples make in these interfaces, one test each: that we
 * do not make them. Objects, tables and results are asked for as the runtime does it.
 */
#define COBJMACROS
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fencepost/fencepost.h>

#include "support/support.h"

enum { PAGE = 4096, THREADS = 8, HEAPS = 300 };

static IHostMemoryManager *manager;
static IHostControl *control;
static IHostMalloc *heap;

static void setup(void)
{
	ck_assert_int_eq(fp_create_memory_manager("reporter=/bin/true", &manager), S_OK);
	ck_assert_int_eq(fp_create_host_control(NULL, &control), S_OK);
	ck_assert_int_eq(IHostMemoryManager_CreateMalloc(manager, MALLOC_THREADSAFE, &heap),
	                 S_OK);
}

static void *alloc(size_t size)
{
	void *block = NULL;

	ck_assert_int_eq(IHostMalloc_Alloc(heap, size, eTaskCritical, &block), S_OK);
	return block;
}

/* ---- IUnknown ------------------------------------------------------------------------------
 */

/* Counts that begin at 0, or at what was in the memory before. */
START_TEST(a_new_object_has_one_reference)
{
	for (int i = 0; i < HEAPS; i++) {
		IHostMalloc *created = NULL;

		ck_assert_int_eq(IHostMemoryManager_CreateMalloc(manager, 1, &created), S_OK);
		ck_assert_uint_eq(IHostMalloc_AddRef(created), 2);
		ck_assert_uint_eq(IHostMalloc_Release(created), 1);
		ck_assert_uint_eq(IHostMalloc_Release(created), 0);
	}
	ck_assert_uint_eq(fp_finding_count(), 0);
}
END_TEST

static void release_one(unsigned index, void *user)
{
	_Atomic unsigned *last = user;

	(void)index;
	*last += IHostMalloc_Release(heap) == 0;
}

/* Counts that are not atomic, or are read again after the decrement. */
START_TEST(of_threads_that_release_at_once_one_is_the_last)
{
	for (int round = 0; round < HEAPS; round++) {
		_Atomic unsigned last = 0;

		ck_assert_int_eq(IHostMemoryManager_CreateMalloc(manager, 1, &heap), S_OK);
		for (int i = 1; i < THREADS; i++)
			IHostMalloc_AddRef(heap);
		test_run_threads(THREADS, release_one, &last);
		ck_assert_uint_eq(last, 1);
	}
	ck_assert_uint_eq(fp_finding_count(), 0);
}
END_TEST

/* A pointer without a reference, none for the object's own interface, or one for that of
 * another; the out parameter left as it was. */
START_TEST(an_interface_that_is_asked_for_comes_with_a_reference)
{
	static const IID *const others[] = {&IID_IHostControl, &IID_IHostMemoryManager,
	                                    &IID_ICLRMemoryNotificationCallback};
	void *out = NULL;

	ck_assert_int_eq(IHostMalloc_QueryInterface(heap, &IID_IHostMalloc, &out), S_OK);
	ck_assert_ptr_eq(out, heap);
	ck_assert_uint_eq(IHostMalloc_Release(heap), 1);
	ck_assert_int_eq(IHostMalloc_QueryInterface(heap, &IID_IUnknown, &out), S_OK);
	ck_assert_uint_eq(IHostMalloc_Release(heap), 1);
	for (int i = 0; i < 3; i++) {
		out = heap;
		ck_assert_int_eq(IHostMalloc_QueryInterface(heap, others[i], &out),
		                 E_NOINTERFACE);
		ck_assert_ptr_null(out);
	}
}
END_TEST

/* Interface pointers into a list that moves when it grows. */
START_TEST(heaps_stay_where_they_are_however_many_come)
{
	void *block = alloc(100);
	IHostMalloc *created = NULL;

	memset(block, 'x', 100);
	for (int i = 0; i < HEAPS; i++)
		ck_assert_int_eq(IHostMemoryManager_CreateMalloc(manager, 1, &created), S_OK);
	ck_assert_int_eq(IHostMalloc_Free(heap, block), S_OK);
	ck_assert_int_eq(IHostMalloc_Free(heap, alloc(1)), S_OK);
}
END_TEST

/* ---- IHostMalloc ---------------------------------------------------------------------------
 */

/* E_OUTOFMEMORY or E_FAIL for a bad pointer; or it goes on to the system's heap. */
START_TEST(a_pointer_of_somebody_else_is_an_invalid_operation)
{
	char *others = malloc(100);
	char kept[100];

	memset(others, 'x', 100);
	memcpy(kept, others, 100);
	ck_assert_int_eq(IHostMalloc_Free(heap, others), HOST_E_INVALIDOPERATION);
	ck_assert_int_eq(memcmp(kept, others, 100), 0);
	/* Still theirs, to use and to free. */
	ck_assert_uint_ge(malloc_usable_size(others), 100);
	free(others);
	ck_assert_int_eq(IHostMalloc_Free(heap, NULL), S_OK);
}
END_TEST

/* The pointer to the result is looked at, and not the result; no result on failure. */
START_TEST(what_is_missing_is_told_from_where_it_would_go)
{
	void *out = heap;

	ck_assert_int_eq(IHostMalloc_Alloc(heap, (SIZE_T)-1, eTaskCritical, &out),
	                 E_OUTOFMEMORY);
	ck_assert_ptr_null(out);
	ck_assert_int_eq(IHostMalloc_Alloc(heap, 1, eTaskCritical, NULL), E_POINTER);
	out = heap;
	ck_assert_int_eq(IHostMemoryManager_VirtualAlloc(manager, NULL, (SIZE_T)1 << 50,
	                                                 MEM_RESERVE, PAGE_READWRITE,
	                                                 eTaskCritical, &out),
	                 E_OUTOFMEMORY);
	ck_assert_ptr_null(out);
}
END_TEST

/* E_NOTIMPL; or blocks that the heap's Free does not know. */
START_TEST(blocks_of_debug_alloc_are_blocks)
{
	static char file[] = "engine.c";
	struct fp_block_info info;
	void *block = NULL;

	ck_assert_int_eq(IHostMalloc_DebugAlloc(heap, 10, eTaskCritical, file, 7, &block),
	                 S_OK);
	ck_assert(fp_describe(block, &info) && info.is_live && info.size == 10);
	ck_assert_int_eq(IHostMalloc_Free(heap, block), S_OK);
	ck_assert_int_eq(IHostMalloc_Free(heap, block), HOST_E_INVALIDOPERATION);
}
END_TEST

static void allocate_and_free(unsigned index, void *user)
{
	_Atomic unsigned *bad = user;

	for (unsigned i = 0; i < 2000; i++) {
		void *block = NULL;

		*bad += IHostMalloc_Alloc(heap, 1 + (index + i) % 100, eTaskCritical, &block) !=
		        S_OK;
		*bad += IHostMalloc_Free(heap, block) != S_OK;
	}
}

/* Lists and sums without a lock, or brought up to date after the block was given back. */
START_TEST(threads_lose_no_block)
{
	_Atomic unsigned bad = 0;

	test_run_threads(THREADS, allocate_and_free, &bad);
	ck_assert_uint_eq(bad, 0);
	ck_assert_uint_eq(fp_finding_count(), 0);
}
END_TEST

/* Serialized or not, executable or not: flags lost to the precedence of ? and |. */
START_TEST(each_flag_counts_beside_the_other)
{
	for (DWORD flags = 0; flags < 4; flags++) {
		MEMORY_BASIC_INFORMATION info;
		IHostMalloc *created = NULL;
		void *block = NULL;
		SIZE_T size;
		DWORD wanted =
		        flags & MALLOC_EXECUTABLE ? PAGE_EXECUTE_READWRITE : PAGE_READWRITE;

		ck_assert_int_eq(IHostMemoryManager_CreateMalloc(manager, flags, &created),
		                 S_OK);
		ck_assert_int_eq(IHostMalloc_Alloc(created, 10, eTaskCritical, &block), S_OK);
		memset(block, 1, 10);
		ck_assert_int_eq(IHostMemoryManager_VirtualQuery(manager, block, &info,
		                                                 sizeof(info), &size),
		                 S_OK);
		ck_assert_uint_eq(info.Protect, wanted);
		ck_assert_int_eq(IHostMalloc_Free(created, block), S_OK);
	}
}
END_TEST

/* ---- IHostMemoryManager --------------------------------------------------------------------
 */

/* S_OK whatever became of it. */
START_TEST(a_call_that_failed_says_so)
{
	DWORD old = 77;
	void *out = NULL;

	ck_assert_int_ne(IHostMemoryManager_VirtualAlloc(manager, heap, PAGE, MEM_COMMIT,
	                                                 PAGE_READWRITE, eTaskCritical, &out),
	                 S_OK);
	ck_assert_int_ne(IHostMemoryManager_VirtualFree(manager, heap, 0, MEM_RELEASE), S_OK);
	ck_assert_int_ne(
	        IHostMemoryManager_VirtualProtect(manager, heap, PAGE, PAGE_READONLY, &old),
	        S_OK);
	ck_assert_uint_eq(old, 0);
}
END_TEST

/* S_FALSE for no, which callers take for success. */
START_TEST(a_refusal_of_address_space_is_a_failure)
{
	ck_assert(FAILED(IHostMemoryManager_NeedsVirtualAddressSpace(manager, NULL, PAGE)));
}
END_TEST

/* Address space for memory. */
START_TEST(available_memory_is_no_more_than_there_is)
{
	SIZE_T available;
	DWORD load;

	ck_assert_int_eq(IHostMemoryManager_GetMemoryLoad(manager, &load, &available), S_OK);
	ck_assert_uint_le(load, 100);
	ck_assert_uint_le(available,
	                  (SIZE_T)sysconf(_SC_PHYS_PAGES) * (SIZE_T)sysconf(_SC_PAGESIZE));
}
END_TEST

/* Hosts that answer with address space mean that there may be less of it than of memory. */
START_TEST(available_memory_is_no_more_than_the_address_space_left)
{
	struct rlimit limit;
	SIZE_T available;
	DWORD load;

	limit.rlim_cur = limit.rlim_max =
	        (rlim_t)test_status_kib("VmSize:") * 1024 + ((rlim_t)16 << 20);
	ck_assert_int_eq(setrlimit(RLIMIT_AS, &limit), 0);
	ck_assert_int_eq(IHostMemoryManager_GetMemoryLoad(manager, &load, &available), S_OK);
	ck_assert_uint_le(available, 64 << 20); /* some was given back since */
	ck_assert_uint_gt(available, 0);
}
END_TEST

/* S_OK for what it does not have. */
START_TEST(a_control_has_no_manager_that_it_does_not_have)
{
	void *out = heap;

	ck_assert_int_eq(IHostControl_GetHostManager(control, &IID_IHostMalloc, &out),
	                 E_NOINTERFACE);
	ck_assert_ptr_null(out);
	ck_assert_int_eq(IHostControl_GetHostManager(control, &IID_IHostMemoryManager, &out),
	                 S_OK);
	ck_assert_ptr_eq(out, manager);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("hosting: mistakes of samples");
	TCase *tests = tcase_create("samples");

	tcase_add_checked_fixture(tests, setup, NULL);
	tcase_add_test(tests, a_new_object_has_one_reference);
	tcase_add_test(tests, of_threads_that_release_at_once_one_is_the_last);
	tcase_add_test(tests, an_interface_that_is_asked_for_comes_with_a_reference);
	tcase_add_test(tests, heaps_stay_where_they_are_however_many_come);
	tcase_add_test(tests, a_pointer_of_somebody_else_is_an_invalid_operation);
	tcase_add_test(tests, what_is_missing_is_told_from_where_it_would_go);
	tcase_add_test(tests, blocks_of_debug_alloc_are_blocks);
	tcase_add_test(tests, threads_lose_no_block);
	tcase_add_test(tests, each_flag_counts_beside_the_other);
	tcase_add_test(tests, a_call_that_failed_says_so);
	tcase_add_test(tests, a_refusal_of_address_space_is_a_failure);
	tcase_add_test(tests, available_memory_is_no_more_than_there_is);
	tcase_add_test(tests, available_memory_is_no_more_than_the_address_space_left);
	tcase_add_test(tests, a_control_has_no_manager_that_it_does_not_have);
	suite_add_tcase(suite, tests);
	return test_run(suite);
}
