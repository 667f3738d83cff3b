/* SPDX-License-Identifier: Apache-2.0
 *
 * The C and the C++ view are the same interface: a C++ object called by C, a C object called by
 * C++, and libfencepost's own objects called by C++.
 */
#include <check.h>
#include <cstdlib>
#include <cstring>

#include <fencepost/fencepost.h>

#include "abi_calls.h"

namespace
{

/* Answers what abi_call_every_slot() expects, and checks what it is given. */
struct CxxHeap final : IHostMalloc {
	HRESULT STDMETHODCALLTYPE QueryInterface(REFIID riid, void **ppvObject) override
	{
		ck_assert_ptr_eq(&riid, &IID_IHostMalloc);
		*ppvObject = this;
		return E_NOINTERFACE;
	}
	ULONG STDMETHODCALLTYPE AddRef() override
	{
		return 0xfffffffe;
	}
	ULONG STDMETHODCALLTYPE Release() override
	{
		return 0xffffffff;
	}
	HRESULT STDMETHODCALLTYPE Alloc(SIZE_T cbSize, EMemoryCriticalLevel eCriticalLevel,
	                                void **ppMem) override
	{
		ck_assert_uint_eq(cbSize, SIZE_MAX);
		ck_assert_int_eq(eCriticalLevel, eAppDomainCritical);
		*ppMem = nullptr;
		return E_OUTOFMEMORY;
	}
	HRESULT STDMETHODCALLTYPE DebugAlloc(SIZE_T cbSize, EMemoryCriticalLevel eCriticalLevel,
	                                     char *pszFileName, int iLineNo,
	                                     void **ppMem) override
	{
		ck_assert_uint_eq(cbSize, 3);
		ck_assert_int_eq(eCriticalLevel, eProcessCritical);
		ck_assert_str_eq(pszFileName, "file.cs");
		ck_assert_int_eq(iLineNo, -7);
		*ppMem = pszFileName;
		return S_OK;
	}
	HRESULT STDMETHODCALLTYPE Free(void *pMem) override
	{
		ck_assert_str_eq(static_cast<char *>(pMem), "file.cs");
		return HOST_E_INVALIDOPERATION;
	}
};

void check_call(const char *method, HRESULT result)
{
	ck_assert_str_eq(abi_last_call.method, method);
	ck_assert_ptr_eq(abi_last_call.self, abi_c_object());
	ck_assert_int_eq(result, HOST_E_ABANDONED);
}

} /* namespace */

START_TEST(test_c_calls_cxx)
{
	CxxHeap heap;

	ck_assert_int_eq(abi_call_every_slot(&heap), 0);
}
END_TEST

START_TEST(test_cxx_calls_c)
{
	IHostMalloc *heap = abi_c_object();
	char file[] = "file.cs";
	void *out = nullptr;

	check_call("QueryInterface", heap->QueryInterface(IID_IHostMalloc, &out));
	ck_assert_uint_eq(abi_last_call.size, 0x1831991c);
	ck_assert_uint_eq(heap->AddRef(), 0xfffffff0);
	ck_assert_uint_eq(heap->Release(), 0xfffffff1);
	check_call("Alloc", heap->Alloc(SIZE_MAX, eProcessCritical, &out));
	ck_assert_uint_eq(abi_last_call.size, SIZE_MAX);
	ck_assert_int_eq(abi_last_call.level, eProcessCritical);
	ck_assert_ptr_eq(out, &abi_last_call);
	check_call("DebugAlloc", heap->DebugAlloc(3, eTaskCritical, file, -7, &out));
	ck_assert_ptr_eq(abi_last_call.file, file);
	ck_assert_int_eq(abi_last_call.line, -7);
	check_call("Free", heap->Free(file));
	ck_assert_ptr_eq(abi_last_call.pointer, file);
}
END_TEST

START_TEST(test_cxx_calls_fencepost)
{
	IHostMemoryManager *manager = nullptr;
	IHostMalloc *heap = nullptr;
	IUnknown *identity = nullptr;
	void *block = nullptr;

	ck_assert_int_eq(fp_create_memory_manager("leak_check=no:quiet=yes", &manager), S_OK);
	ck_assert_int_eq(manager->CreateMalloc(MALLOC_THREADSAFE, &heap), S_OK);
	ck_assert_int_eq(
	        heap->QueryInterface(IID_IUnknown, reinterpret_cast<void **>(&identity)), S_OK);
	ck_assert_ptr_nonnull(identity);
	identity->Release();
	ck_assert_int_eq(heap->Alloc(100, eTaskCritical, &block), S_OK);
	std::memset(block, 'x', 100);
	ck_assert_int_eq(heap->Alloc(100, eTaskCritical, nullptr), E_POINTER);
	ck_assert_int_eq(heap->Free(block), S_OK);
	ck_assert_uint_eq(heap->Release(), 0);
	manager->Release();
}
END_TEST

int main()
{
	Suite *suite = suite_create("hosting abi in C++");
	TCase *tcase = tcase_create("abi");
	SRunner *runner = srunner_create(suite);

	tcase_add_test(tcase, test_c_calls_cxx);
	tcase_add_test(tcase, test_cxx_calls_c);
	tcase_add_test(tcase, test_cxx_calls_fencepost);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
