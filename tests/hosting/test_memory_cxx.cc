/* SPDX-License-Identifier: Apache-2.0
 *
 * IHostControl, IHostMemoryManager and the callback through the abstract classes of C++: each
 * slot is the one that C calls, with the same arguments.
 */
#include <atomic>
#include <check.h>
#include <cstdlib>
#include <cstring>
#include <unistd.h>

#include <fencepost/fencepost.h>

namespace
{

const SIZE_T page = 4096;

struct Callback final : ICLRMemoryNotificationCallback {
	std::atomic<ULONG> references{1};
	std::atomic<int> last{0};

	HRESULT STDMETHODCALLTYPE QueryInterface(REFIID, void **out) override
	{
		*out = nullptr;
		return E_NOINTERFACE;
	}
	ULONG STDMETHODCALLTYPE AddRef() override
	{
		return ++references;
	}
	ULONG STDMETHODCALLTYPE Release() override
	{
		return --references;
	}
	HRESULT STDMETHODCALLTYPE OnMemoryNotification(EMemoryAvailable available) override
	{
		last = available;
		return S_OK;
	}
};

IHostMemoryManager *get_manager()
{
	IHostControl *control = nullptr;
	void *manager = nullptr;

	ck_assert_int_eq(fp_create_host_control("leak_check=no:quiet=yes", &control), S_OK);
	ck_assert_int_eq(control->GetHostManager(IID_IHostMemoryManager, &manager), S_OK);
	ck_assert_int_eq(control->SetAppDomainManager(1, control), S_OK);
	control->Release();
	return static_cast<IHostMemoryManager *>(manager);
}

} /* namespace */

START_TEST(test_virtual_memory)
{
	IHostMemoryManager *manager = get_manager();
	MEMORY_BASIC_INFORMATION info;
	void *base = nullptr;
	void *out = nullptr;
	SIZE_T size = 0;
	DWORD old = 0;

	ck_assert_int_eq(manager->VirtualAlloc(nullptr, 4 * page, MEM_RESERVE, PAGE_NOACCESS,
	                                       eProcessCritical, &base),
	                 S_OK);
	char *bytes = static_cast<char *>(base);
	ck_assert_int_eq(manager->VirtualAlloc(bytes + page, page, MEM_COMMIT, PAGE_READWRITE,
	                                       eTaskCritical, &out),
	                 S_OK);
	ck_assert_ptr_eq(out, bytes + page);
	std::memset(out, 1, page);
	ck_assert_int_eq(manager->VirtualProtect(out, page, PAGE_READONLY, &old), S_OK);
	ck_assert_uint_eq(old, PAGE_READWRITE);
	ck_assert_int_eq(manager->VirtualQuery(out, &info, sizeof(info), &size), S_OK);
	ck_assert_uint_eq(size, sizeof(info));
	ck_assert_ptr_eq(info.AllocationBase, base);
	ck_assert_uint_eq(info.Protect, PAGE_READONLY);
	ck_assert_int_eq(manager->VirtualFree(out, page, MEM_DECOMMIT), S_OK);
	ck_assert_int_eq(manager->VirtualFree(base, 0, MEM_RELEASE), S_OK);
	ck_assert_int_eq(manager->VirtualFree(base, 0, MEM_RELEASE), HOST_E_INVALIDOPERATION);
	ck_assert_uint_eq(fp_finding_count(), 1);
	manager->Release();
}
END_TEST

START_TEST(test_what_the_machine_has)
{
	IHostMemoryManager *manager = get_manager();
	Callback *callback = new Callback;
	SIZE_T available = 0;
	DWORD load = 101;

	ck_assert_int_eq(manager->GetMemoryLoad(&load, &available), S_OK);
	ck_assert_uint_le(load, 100);
	ck_assert_uint_gt(available, 0);
	ck_assert_int_eq(manager->RegisterMemoryNotificationCallback(callback), S_OK);
	ck_assert_uint_eq(callback->references, 2);
	for (int i = 0; load < 70 && i < 500 && callback->last == 0; i++)
		usleep(10000);
	if (load < 70)
		ck_assert_int_eq(callback->last, eMemoryAvailableHigh);
	ck_assert_int_eq(manager->RegisterMemoryNotificationCallback(nullptr), S_OK);
	for (int i = 0; i < 500 && callback->references != 1; i++)
		usleep(10000);
	ck_assert_uint_eq(callback->references, 1);
	delete callback;
	ck_assert_int_eq(manager->NeedsVirtualAddressSpace(nullptr, page), E_OUTOFMEMORY);
	ck_assert_int_eq(manager->AcquiredVirtualAddressSpace(&load, page), S_OK);
	ck_assert_int_eq(manager->ReleasedVirtualAddressSpace(&load), S_OK);
	ck_assert_uint_eq(fp_finding_count(), 0);
	manager->Release();
}
END_TEST

int main()
{
	Suite *suite = suite_create("hosting memory in C++");
	TCase *tcase = tcase_create("memory");
	SRunner *runner = srunner_create(suite);

	tcase_add_test(tcase, test_virtual_memory);
	tcase_add_test(tcase, test_what_the_machine_has);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
