/* SPDX-License-Identifier: Apache-2.0
 *
 * IHostMemoryManager's virtual memory, called as a host would from C: every result of every
 * method.
 */
#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#define COBJMACROS
#include <fencepost/fencepost.h>

#include "support/support.h"

enum { PAGE = 4096, GRANULE = 64 << 10 };

static IHostMemoryManager *manager;

static void setup(void)
{
	ck_assert_int_eq(fp_create_memory_manager("reporter=/bin/true", &manager), S_OK);
}

static char *alloc(void *address, SIZE_T size, DWORD type, DWORD protect)
{
	void *out = NULL;

	ck_assert_int_eq(IHostMemoryManager_VirtualAlloc(manager, address, size, type, protect,
	                                                 eTaskCritical, &out),
	                 S_OK);
	ck_assert_ptr_nonnull(out);
	return out;
}

static void refuse(HRESULT result, void *address, SIZE_T size, DWORD type, DWORD protect)
{
	void *out = manager;

	ck_assert_int_eq(IHostMemoryManager_VirtualAlloc(manager, address, size, type, protect,
	                                                 eProcessCritical, &out),
	                 result);
	ck_assert_ptr_null(out);
}

/* ---- Findings ------------------------------------------------------------------------------
 */

static char kind[40];
static struct fp_block_info concerned;
static size_t counted;

static void keep(const struct fp_finding_event *finding, void *user)
{
	(void)user;
	strncpy(kind, finding->kind, sizeof(kind) - 1);
	concerned = finding->block;
}

static void expect_finding(const char *wanted)
{
	ck_assert_uint_eq(fp_finding_count(), ++counted);
	ck_assert_str_eq(kind, wanted);
}

/* ---- Virtual memory ------------------------------------------------------------------------
 */

START_TEST(a_region_is_described_like_a_block)
{
	char *base = alloc(NULL, 4 * PAGE, MEM_RESERVE, PAGE_NOACCESS);
	struct fp_block_info info;

	ck_assert(fp_describe(base + 4 * PAGE + 8, &info));
	ck_assert_ptr_eq(info.address, base);
	ck_assert_uint_eq(info.size, 4 * PAGE);
	ck_assert_int_eq(info.offset, 4 * PAGE + 8);
	ck_assert_str_eq(info.family, "virtual");
	ck_assert_uint_eq(info.heap, 0);
	ck_assert_uint_eq(info.serial, 1);
	ck_assert(info.is_live);
	IHostMemoryManager_VirtualFree(manager, base, 0, MEM_RELEASE);
	ck_assert(fp_describe(base + 1, &info));
	ck_assert(!info.is_live);
	ck_assert_uint_eq(info.free_thread, info.alloc_thread);
}
END_TEST

/* What the published runtime does with its heaps. */
START_TEST(the_patterns_of_the_published_caller_work)
{
	char *room = alloc(NULL, 64 * GRANULE, MEM_RESERVE, PAGE_NOACCESS);
	char *code;
	DWORD old;

	ck_assert_uint_eq((uintptr_t)room % GRANULE, 0);
	for (int i = 0; i < 4; i++)
		memset(alloc(room + i * GRANULE, GRANULE, MEM_COMMIT, PAGE_READWRITE), i,
		       GRANULE);
	ck_assert_int_eq(room[3 * GRANULE], 3);
	alloc(room, GRANULE, MEM_RESET, PAGE_READWRITE);
	room[0] = 1;
	ck_assert_int_eq(
	        IHostMemoryManager_VirtualFree(manager, room + GRANULE, GRANULE, MEM_DECOMMIT),
	        S_OK);
	code = alloc(NULL, GRANULE, MEM_COMMIT, PAGE_EXECUTE_READWRITE);
	ck_assert_int_eq(IHostMemoryManager_VirtualProtect(manager, code, GRANULE,
	                                                   PAGE_EXECUTE_READ, &old),
	                 S_OK);
	ck_assert_uint_eq(old, PAGE_EXECUTE_READWRITE);
	refuse(E_INVALIDARG, NULL, GRANULE, MEM_RESERVE | MEM_WRITE_WATCH, PAGE_READWRITE);
	refuse(E_INVALIDARG, NULL, GRANULE, MEM_RESERVE | MEM_PHYSICAL, PAGE_READWRITE);
	refuse(E_INVALIDARG, NULL, GRANULE, MEM_RESERVE | MEM_LARGE_PAGES, PAGE_READWRITE);
	refuse(E_INVALIDARG, NULL, GRANULE, MEM_RESET_UNDO, PAGE_READWRITE);
	refuse(E_INVALIDARG, NULL, GRANULE, MEM_RESERVE, PAGE_WRITECOPY);
	refuse(E_INVALIDARG, NULL, GRANULE, MEM_RESERVE, PAGE_EXECUTE_WRITECOPY);
	alloc(NULL, GRANULE, MEM_RESERVE | MEM_TOP_DOWN, PAGE_NOACCESS);
	ck_assert_int_eq(IHostMemoryManager_VirtualFree(manager, code, 0, MEM_RELEASE), S_OK);
	ck_assert_int_eq(IHostMemoryManager_VirtualFree(manager, room, 0, MEM_RELEASE), S_OK);
	ck_assert_uint_eq(fp_finding_count(), 0);
}
END_TEST

START_TEST(every_result_of_virtual_alloc)
{
	char *base = alloc(NULL, 4 * PAGE, MEM_RESERVE, PAGE_READWRITE);

	fp_set_finding_callback(keep, NULL);
	ck_assert_int_eq(IHostMemoryManager_VirtualAlloc(manager, NULL, PAGE, MEM_RESERVE,
	                                                 PAGE_READWRITE, eTaskCritical, NULL),
	                 E_POINTER);
	refuse(E_INVALIDARG, NULL, 0, MEM_RESERVE, PAGE_READWRITE);
	refuse(E_INVALIDARG, NULL, PAGE, 0, PAGE_READWRITE);
	refuse(E_INVALIDARG, NULL, PAGE, MEM_RESERVE | MEM_RELEASE, PAGE_READWRITE);
	refuse(E_INVALIDARG, NULL, PAGE, MEM_RESERVE, 0);
	refuse(E_INVALIDARG, NULL, PAGE, MEM_RESERVE, PAGE_GUARD);
	refuse(E_INVALIDARG, NULL, PAGE, MEM_RESERVE, PAGE_NOACCESS | PAGE_GUARD);
	refuse(E_INVALIDARG, NULL, PAGE, MEM_RESERVE,
	       PAGE_READWRITE | PAGE_GUARD | PAGE_NOCACHE);
	refuse(E_INVALIDARG, NULL, PAGE, MEM_RESET, PAGE_READWRITE);
	refuse(E_OUTOFMEMORY, base, PAGE, MEM_RESERVE, PAGE_READWRITE);
	refuse(E_OUTOFMEMORY, NULL, (SIZE_T)1 << 50, MEM_RESERVE, PAGE_READWRITE);
	ck_assert_uint_eq(fp_finding_count(), 0);
	refuse(HOST_E_INVALIDOPERATION, base + 3 * PAGE, 2 * PAGE, MEM_COMMIT, PAGE_READWRITE);
	expect_finding("region-misuse");
	refuse(HOST_E_INVALIDOPERATION, base, PAGE, MEM_RESET, PAGE_READWRITE);
	expect_finding("region-misuse");
	refuse(HOST_E_INVALIDOPERATION, &base, PAGE, MEM_COMMIT, PAGE_READWRITE);
	expect_finding("region-misuse");
}
END_TEST

START_TEST(every_result_of_virtual_free)
{
	char *base = alloc(NULL, 4 * PAGE, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
	static const struct {
		ptrdiff_t offset;
		SIZE_T size;
		DWORD type;
		HRESULT result;
		const char *finding;
	} rows[] = {
	        {0, 0, 0, E_INVALIDARG, "region-misuse"},
	        {0, 0, MEM_RELEASE | MEM_DECOMMIT, E_INVALIDARG, "region-misuse"},
	        {0, PAGE, MEM_RELEASE, E_INVALIDARG, "region-misuse"},
	        {0, 5 * PAGE, MEM_DECOMMIT, HOST_E_INVALIDOPERATION, "region-misuse"},
	        {PAGE, 0, MEM_RELEASE, HOST_E_INVALIDOPERATION, "invalid-free"},
	        {PAGE, 0, MEM_DECOMMIT, HOST_E_INVALIDOPERATION, "invalid-free"},
	        {1, 0, MEM_RELEASE, HOST_E_INVALIDOPERATION, "invalid-free"},
	        {-PAGE, 0, MEM_RELEASE, HOST_E_INVALIDOPERATION, "invalid-free"},
	};

	fp_set_finding_callback(keep, NULL);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ck_assert_int_eq(IHostMemoryManager_VirtualFree(manager, base + rows[i].offset,
		                                                rows[i].size, rows[i].type),
		                 rows[i].result);
		ck_assert_str_eq(kind, rows[i].finding);
		ck_assert_ptr_eq(concerned.address, base);
		ck_assert_str_eq(concerned.family, "virtual");
	}
	counted = fp_finding_count();
	memset(base, 1, 4 * PAGE);
	ck_assert_int_eq(IHostMemoryManager_VirtualFree(manager, base, 4 * PAGE, MEM_DECOMMIT),
	                 S_OK);
	ck_assert_int_eq(IHostMemoryManager_VirtualFree(manager, base, 0, MEM_DECOMMIT), S_OK);
	ck_assert_int_eq(IHostMemoryManager_VirtualFree(manager, base, 0, MEM_RELEASE), S_OK);
	ck_assert_int_eq(IHostMemoryManager_VirtualFree(manager, base, 0, MEM_RELEASE),
	                 HOST_E_INVALIDOPERATION);
	expect_finding("double-free");
	ck_assert_int_eq(IHostMemoryManager_VirtualFree(manager, NULL, 0, MEM_RELEASE),
	                 HOST_E_INVALIDOPERATION);
	expect_finding("invalid-free");
}
END_TEST

START_TEST(every_result_of_virtual_protect)
{
	char *base = alloc(NULL, 4 * PAGE, MEM_RESERVE, PAGE_READWRITE);
	DWORD old = 99;

	alloc(base, 2 * PAGE, MEM_COMMIT, PAGE_READWRITE);
	fp_set_finding_callback(keep, NULL);
	ck_assert_int_eq(
	        IHostMemoryManager_VirtualProtect(manager, base, PAGE, PAGE_READONLY, NULL),
	        E_POINTER);
	base[0] = 1;
	ck_assert_int_eq(
	        IHostMemoryManager_VirtualProtect(manager, base, 0, PAGE_READONLY, &old),
	        E_INVALIDARG);
	ck_assert_uint_eq(old, 0);
	old = 99;
	ck_assert_int_eq(IHostMemoryManager_VirtualProtect(manager, base, 1, 0x80, &old),
	                 E_INVALIDARG);
	ck_assert_uint_eq(old, 0);
	ck_assert_int_eq(
	        IHostMemoryManager_VirtualProtect(manager, base, 2 * PAGE, PAGE_READONLY, &old),
	        S_OK);
	ck_assert_uint_eq(old, PAGE_READWRITE);
	ck_assert_int_eq(
	        IHostMemoryManager_VirtualProtect(manager, base, 3 * PAGE, PAGE_NOACCESS, &old),
	        HOST_E_INVALIDOPERATION);
	ck_assert_uint_eq(old, 0);
	expect_finding("region-misuse");
	ck_assert_int_eq(base[0], 1);
	ck_assert_int_eq(
	        IHostMemoryManager_VirtualProtect(manager, &old, 1, PAGE_NOACCESS, &old),
	        HOST_E_INVALIDOPERATION);
	expect_finding("region-misuse");
}
END_TEST

START_TEST(every_result_of_virtual_query)
{
	char *base = alloc(NULL, 4 * PAGE, MEM_RESERVE, PAGE_EXECUTE_READ);
	MEMORY_BASIC_INFORMATION info;
	SIZE_T size = 7;

	alloc(base + PAGE, PAGE, MEM_COMMIT, PAGE_READWRITE | PAGE_NOCACHE);
	memset(&info, 0xee, sizeof(info));
	ck_assert_int_eq(
	        IHostMemoryManager_VirtualQuery(manager, base, NULL, sizeof(info), &size),
	        E_POINTER);
	ck_assert_uint_eq(size, 0);
	ck_assert_int_eq(
	        IHostMemoryManager_VirtualQuery(manager, base, &info, sizeof(info), NULL),
	        E_POINTER);
	size = 7;
	ck_assert_int_eq(
	        IHostMemoryManager_VirtualQuery(manager, base, &info, sizeof(info) - 1, &size),
	        E_INVALIDARG);
	ck_assert_uint_eq(size, 0);
	ck_assert_int_eq(IHostMemoryManager_VirtualQuery(manager, (void *)(UINTPTR_MAX - 10),
	                                                 &info, sizeof(info), &size),
	                 E_INVALIDARG);
	ck_assert_int_eq(IHostMemoryManager_VirtualQuery(manager, base + PAGE + 3, &info,
	                                                 sizeof(info) + 100, &size),
	                 S_OK);
	ck_assert_uint_eq(size, sizeof(info));
	ck_assert_ptr_eq(info.BaseAddress, base + PAGE);
	ck_assert_ptr_eq(info.AllocationBase, base);
	ck_assert_uint_eq(info.AllocationProtect, PAGE_EXECUTE_READ);
	ck_assert_uint_eq(info.RegionSize, PAGE);
	ck_assert_uint_eq(info.State, MEM_COMMIT);
	ck_assert_uint_eq(info.Protect, PAGE_READWRITE | PAGE_NOCACHE);
	ck_assert_uint_eq(info.Type, MEM_PRIVATE);
	ck_assert_int_eq(
	        IHostMemoryManager_VirtualQuery(manager, &info, &info, sizeof(info), &size),
	        S_OK);
	ck_assert_uint_eq(info.State, MEM_COMMIT);
	ck_assert_uint_eq(fp_finding_count(), 0);
}
END_TEST

START_TEST(calls_on_memory_keep_errno)
{
	MEMORY_BASIC_INFORMATION info;
	SIZE_T size;
	DWORD load;

	errno = 4242;
	char *base = alloc(NULL, PAGE, MEM_RESERVE, PAGE_READWRITE);
	refuse(E_OUTOFMEMORY, base, PAGE, MEM_RESERVE, PAGE_READWRITE);
	refuse(E_OUTOFMEMORY, NULL, (SIZE_T)1 << 50, MEM_RESERVE, PAGE_READWRITE);
	IHostMemoryManager_VirtualFree(manager, base, 0, MEM_RELEASE);
	IHostMemoryManager_VirtualFree(manager, base, 0, MEM_RELEASE);
	IHostMemoryManager_VirtualQuery(manager, &info, &info, sizeof(info), &size);
	IHostMemoryManager_GetMemoryLoad(manager, &load, &size);
	ck_assert_int_eq(errno, 4242);
}
END_TEST

static void reserve_commit_release(unsigned index, void *user)
{
	_Atomic unsigned *bad = user;

	for (int i = 0; i < 200; i++) {
		void *base = NULL;

		*bad += IHostMemoryManager_VirtualAlloc(manager, NULL, 4 * PAGE, MEM_RESERVE,
		                                        PAGE_READWRITE, eTaskCritical,
		                                        &base) != S_OK;
		*bad += IHostMemoryManager_VirtualAlloc(manager, base, 2 * PAGE, MEM_COMMIT,
		                                        PAGE_READWRITE, eTaskCritical,
		                                        &base) != S_OK;
		memset(base, (int)index, 2 * PAGE);
		*bad += ((char *)base)[PAGE] != (char)index;
		*bad += IHostMemoryManager_VirtualFree(manager, base, 0, MEM_RELEASE) != S_OK;
	}
}

START_TEST(eight_threads_do_not_disturb_each_other)
{
	_Atomic unsigned bad = 0;

	test_run_threads(8, reserve_commit_release, &bad);
	ck_assert_uint_eq(bad, 0);
	ck_assert_uint_eq(fp_finding_count(), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("hosting: memory");
	TCase *tests = tcase_create("memory");

	tcase_add_checked_fixture(tests, setup, NULL);
	tcase_add_test(tests, the_patterns_of_the_published_caller_work);
	tcase_add_test(tests, a_region_is_described_like_a_block);
	tcase_add_test(tests, every_result_of_virtual_alloc);
	tcase_add_test(tests, every_result_of_virtual_free);
	tcase_add_test(tests, every_result_of_virtual_protect);
	tcase_add_test(tests, every_result_of_virtual_query);
	tcase_add_test(tests, calls_on_memory_keep_errno);
	tcase_add_test(tests, eight_threads_do_not_disturb_each_other);
	suite_add_tcase(suite, tests);
	return test_run(suite);
}
