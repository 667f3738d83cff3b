/* SPDX-License-Identifier: Apache-2.0
 *
 * The binary contract of the hosting interfaces, against the published numbers rather than the
 * header: slots, identifiers, results, and real objects called through their tables by index.
 */
#define COBJMACROS
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <fencepost/fencepost.h>

#define SLOT(table, method) (offsetof(table, method) / sizeof(void *))

START_TEST(test_slots)
{
	ck_assert_uint_eq(SLOT(IUnknownVtbl, QueryInterface), 0);
	ck_assert_uint_eq(SLOT(IUnknownVtbl, AddRef), 1);
	ck_assert_uint_eq(SLOT(IUnknownVtbl, Release), 2);
	ck_assert_uint_eq(SLOT(IHostMallocVtbl, QueryInterface), 0);
	ck_assert_uint_eq(SLOT(IHostMallocVtbl, AddRef), 1);
	ck_assert_uint_eq(SLOT(IHostMallocVtbl, Release), 2);
	ck_assert_uint_eq(SLOT(IHostMallocVtbl, Alloc), 3);
	ck_assert_uint_eq(SLOT(IHostMallocVtbl, DebugAlloc), 4);
	ck_assert_uint_eq(SLOT(IHostMallocVtbl, Free), 5);
	ck_assert_uint_eq(sizeof(IHostMallocVtbl), 6 * sizeof(void *));
	ck_assert_uint_eq(SLOT(IHostMemoryManagerVtbl, CreateMalloc), 3);
	ck_assert_uint_eq(SLOT(IHostMemoryManagerVtbl, VirtualAlloc), 4);
	ck_assert_uint_eq(SLOT(IHostMemoryManagerVtbl, VirtualFree), 5);
	ck_assert_uint_eq(SLOT(IHostMemoryManagerVtbl, VirtualQuery), 6);
	ck_assert_uint_eq(SLOT(IHostMemoryManagerVtbl, VirtualProtect), 7);
	ck_assert_uint_eq(SLOT(IHostMemoryManagerVtbl, GetMemoryLoad), 8);
	ck_assert_uint_eq(SLOT(IHostMemoryManagerVtbl, RegisterMemoryNotificationCallback), 9);
	ck_assert_uint_eq(SLOT(IHostMemoryManagerVtbl, NeedsVirtualAddressSpace), 10);
	ck_assert_uint_eq(SLOT(IHostMemoryManagerVtbl, AcquiredVirtualAddressSpace), 11);
	ck_assert_uint_eq(SLOT(IHostMemoryManagerVtbl, ReleasedVirtualAddressSpace), 12);
	ck_assert_uint_eq(sizeof(IHostMemoryManagerVtbl), 13 * sizeof(void *));
	ck_assert_uint_eq(SLOT(ICLRMemoryNotificationCallbackVtbl, OnMemoryNotification), 3);
	ck_assert_uint_eq(SLOT(IHostControlVtbl, GetHostManager), 3);
	ck_assert_uint_eq(SLOT(IHostControlVtbl, SetAppDomainManager), 4);
}
END_TEST

/* A GUID in memory: the first three fields are little-endian, the rest is as written. */
START_TEST(test_identifiers)
{
	static const struct {
		const IID *iid;
		unsigned char bytes[16];
	} identifiers[] = {
	        {&IID_IUnknown, {0, 0, 0, 0, 0, 0, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0x46}},
	        {&IID_IHostMalloc,
	         {0x1c, 0x99, 0x31, 0x18, 0x53, 0xcc, 0x31, 0x4a, 0xb2, 0x18, 0x04, 0xe9, 0x10,
	          0x44, 0x64, 0x79}},
	        {&IID_IHostMemoryManager,
	         {0xd1, 0x98, 0xc6, 0x7b, 0xe3, 0xf9, 0x60, 0x44, 0x9c, 0xde, 0xd0, 0x42, 0x48,
	          0xe9, 0xfa, 0x25}},
	        {&IID_ICLRMemoryNotificationCallback,
	         {0x57, 0x8e, 0xeb, 0x47, 0x46, 0x08, 0x46, 0x45, 0xaf, 0x76, 0x6f, 0x42, 0xfc,
	          0xfc, 0x26, 0x49}},
	        {&IID_IHostControl,
	         {0x3c, 0x07, 0xca, 0x02, 0x79, 0x70, 0x60, 0x48, 0x88, 0x0a, 0xc2, 0xf7, 0xa4,
	          0x49, 0xc9, 0x91}},
	};

	ck_assert_mem_eq(identifiers[_i].iid, identifiers[_i].bytes, 16);
}
END_TEST

START_TEST(test_results_are_the_published_numbers)
{
	ck_assert_int_eq(S_OK, 0);
	ck_assert_int_eq(S_FALSE, 1);
	ck_assert_int_eq(E_NOTIMPL, -2147467263);
	ck_assert_int_eq(E_NOINTERFACE, -2147467262);
	ck_assert_int_eq(E_POINTER, -2147467261);
	ck_assert_int_eq(E_ABORT, -2147467260);
	ck_assert_int_eq(E_FAIL, -2147467259);
	ck_assert_int_eq(E_UNEXPECTED, -2147418113);
	ck_assert_int_eq(E_ACCESSDENIED, -2147024891);
	ck_assert_int_eq(E_HANDLE, -2147024890);
	ck_assert_int_eq(E_OUTOFMEMORY, -2147024882);
	ck_assert_int_eq(E_INVALIDARG, -2147024809);
	ck_assert_int_eq(HOST_E_DEADLOCK, -2146234336);
	ck_assert_int_eq(HOST_E_INTERRUPTED, -2146234335);
	ck_assert_int_eq(HOST_E_INVALIDOPERATION, -2146234334);
	ck_assert_int_eq(HOST_E_CLRNOTAVAILABLE, -2146234333);
	ck_assert_int_eq(HOST_E_TIMEOUT, -2146234332);
	ck_assert_int_eq(HOST_E_NOT_OWNER, -2146234331);
	ck_assert_int_eq(HOST_E_ABANDONED, -2146234330);
	ck_assert_int_eq(HOST_E_EXITPROCESS_STACKOVERFLOW, -2146234325);
	ck_assert(FAILED(E_FAIL) && FAILED(HOST_E_TIMEOUT) && SUCCEEDED(S_FALSE));
	ck_assert_int_eq(eProcessCritical, 2);
	ck_assert_int_eq(eMemoryAvailableHigh, 3);
	ck_assert_int_eq(MALLOC_THREADSAFE | MALLOC_EXECUTABLE, 3);
}
END_TEST

/* An object as a caller that knows nothing but the contract sees it. */
typedef void (*any_method)(void);

static any_method slot(void *object, size_t index)
{
	const any_method *table;

	memcpy(&table, object, sizeof(table));
	return table[index];
}

START_TEST(test_objects_by_slot)
{
	IHostMemoryManager *manager = NULL;
	void *heap = NULL;
	void *block = NULL;
	int32_t result;

	ck_assert_int_eq(fp_create_memory_manager("leak_check=no:quiet=yes", &manager), S_OK);
	result = ((int32_t(*)(void *, uint32_t, void **))slot(manager, 3))(manager, 1, &heap);
	ck_assert_int_eq(result, 0);
	result = ((int32_t(*)(void *, size_t, int, void **))slot(heap, 3))(heap, 10, 0, &block);
	ck_assert_int_eq(result, 0);
	memset(block, 'x', 10);
	result = ((int32_t(*)(void *, size_t, int, void **))slot(heap, 3))(heap, 10, 0, NULL);
	ck_assert_int_eq(result, -2147467261);
	result = ((int32_t(*)(void *, void *))slot(heap, 5))(heap, block);
	ck_assert_int_eq(result, 0);
	ck_assert_uint_eq(((uint32_t(*)(void *))slot(heap, 1))(heap), 2);
	ck_assert_uint_eq(((uint32_t(*)(void *))slot(heap, 2))(heap), 1);
	ck_assert_uint_eq(((uint32_t(*)(void *))slot(heap, 2))(heap), 0);
	IHostMemoryManager_Release(manager);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("hosting abi");
	TCase *tcase = tcase_create("abi");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tcase, test_slots);
	tcase_add_loop_test(tcase, test_identifiers, 0, 5);
	tcase_add_test(tcase, test_results_are_the_published_numbers);
	tcase_add_test(tcase, test_objects_by_slot);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
