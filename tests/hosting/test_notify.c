/* SPDX-License-Identifier: Apache-2.0
 *
 * The memory load, notifications, address space that the runtime maps itself, and IHostControl,
 * called as a host would from C.
 */
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#define COBJMACROS
#include <fencepost/fencepost.h>

#include "support/support.h"

enum { PAGE = 4096, GRANULE = 64 << 10 };

static IHostMemoryManager *manager;

static void setup(void)
{
	ck_assert_int_eq(fp_create_memory_manager("reporter=/bin/true", &manager), S_OK);
}

/* ---- Load, notifications and address space
 * ---------------------------------------------------
 */

START_TEST(the_memory_load_is_that_of_the_machine)
{
	DWORD load = 7;
	SIZE_T available = 7;

	ck_assert_int_eq(IHostMemoryManager_GetMemoryLoad(manager, &load, &available), S_OK);
	ck_assert_uint_le(load, 100);
	ck_assert_uint_gt(available, 1 << 20);
	load = 7;
	ck_assert_int_eq(IHostMemoryManager_GetMemoryLoad(manager, &load, NULL), E_POINTER);
	ck_assert_uint_eq(load, 0);
	ck_assert_int_eq(IHostMemoryManager_GetMemoryLoad(manager, NULL, &available),
	                 E_POINTER);
	ck_assert_uint_eq(available, 0);
	ck_assert_int_eq(IHostMemoryManager_GetMemoryLoad(manager, NULL, NULL), E_POINTER);
}
END_TEST

/* A callback as the runtime has it, but counting its references. */
struct callback {
	ICLRMemoryNotificationCallback iface;
	_Atomic ULONG references;
	_Atomic unsigned calls;
	_Atomic int last;
	_Atomic bool could_be_interrupted; /* by a signal of the host */
};

static HRESULT STDMETHODCALLTYPE query_interface(ICLRMemoryNotificationCallback *This,
                                                 REFIID iid, void **out)
{
	(void)This;
	(void)iid;
	*out = NULL;
	return E_NOINTERFACE;
}

static ULONG STDMETHODCALLTYPE add_ref(ICLRMemoryNotificationCallback *This)
{
	return ++((struct callback *)This)->references;
}

static ULONG STDMETHODCALLTYPE release(ICLRMemoryNotificationCallback *This)
{
	return --((struct callback *)This)->references;
}

static HRESULT STDMETHODCALLTYPE on_notification(ICLRMemoryNotificationCallback *This,
                                                 EMemoryAvailable available)
{
	struct callback *callback = (struct callback *)This;
	IHostMalloc *heap;
	void *block;
	sigset_t mask;

	/* Whatever it does: no lock is held. */
	IHostMemoryManager_CreateMalloc(manager, MALLOC_THREADSAFE, &heap);
	IHostMalloc_Alloc(heap, 100, eTaskCritical, &block);
	IHostMalloc_Free(heap, block);
	sigprocmask(SIG_SETMASK, NULL, &mask);
	callback->could_be_interrupted = !sigismember(&mask, SIGTERM) ||
	                                 !sigismember(&mask, SIGCHLD) ||
	                                 !sigismember(&mask, SIGUSR1);
	callback->last = (int)available;
	callback->calls++;
	return S_OK;
}

static ICLRMemoryNotificationCallbackVtbl callback_table = {query_interface, add_ref, release,
                                                            on_notification};

static void wait_for(_Atomic unsigned *count, unsigned wanted)
{
	while (*count != wanted)
		usleep(10000);
	ck_assert_uint_eq(*count, wanted);
}

/* The machine may be so busy that tasks wait for memory, which is what low means. */
static bool has_stalled(void)
{
	FILE *file = fopen("/proc/pressure/memory", "r");
	double share = 0;
	bool is_read = file != NULL && fscanf(file, "some avg10=%lf", &share) == 1;

	if (file != NULL)
		fclose(file);
	return is_read && share > 0;
}

static bool has_plenty(void)
{
	DWORD load;
	SIZE_T available;

	IHostMemoryManager_GetMemoryLoad(manager, &load, &available);
	if (load < 70 && !has_stalled())
		return true;
	fprintf(stderr, "SKIPPED: no notification of much memory, the load is %u\n", load);
	return false;
}

START_TEST(a_callback_is_told_of_changes_once_and_released_in_the_end)
{
	static struct callback first = {.iface = {&callback_table}, .references = 1};
	static struct callback second = {.iface = {&callback_table}, .references = 1};

	if (!has_plenty())
		return;
	ck_assert_int_eq(
	        IHostMemoryManager_RegisterMemoryNotificationCallback(manager, &first.iface),
	        S_OK);
	ck_assert_uint_eq(first.references, 2);
	wait_for(&first.calls, 1);
	ck_assert_int_eq(first.last, eMemoryAvailableHigh);
	ck_assert(!first.could_be_interrupted);
	ck_assert_int_eq(
	        IHostMemoryManager_RegisterMemoryNotificationCallback(manager, &second.iface),
	        S_OK);
	wait_for(&first.references, 1);
	wait_for(&second.calls, 1);
	/* It ends with the manager. */
	ck_assert_uint_eq(IHostMemoryManager_Release(manager), 0);
	wait_for(&second.references, 1);
	ck_assert_uint_eq(first.calls, 1);
	ck_assert_uint_eq(second.calls, 1);
	ck_assert_uint_eq(fp_finding_count(), 0);
}
END_TEST

START_TEST(a_registration_is_ended_with_null)
{
	static struct callback callback = {.iface = {&callback_table}, .references = 1};

	ck_assert_int_eq(IHostMemoryManager_RegisterMemoryNotificationCallback(manager, NULL),
	                 S_OK);
	ck_assert_int_eq(
	        IHostMemoryManager_RegisterMemoryNotificationCallback(manager, &callback.iface),
	        S_OK);
	ck_assert_int_eq(IHostMemoryManager_RegisterMemoryNotificationCallback(manager, NULL),
	                 S_OK);
	wait_for(&callback.references, 1);
}
END_TEST

/* In the child it goes on with the first call of the manager, and ends as in the parent. Who
 * else uses the machine may change what there is to tell, and so add calls. */
START_TEST(a_forked_child_is_told_too)
{
	static struct callback callback = {.iface = {&callback_table}, .references = 1};
	int status;

	if (!has_plenty())
		return;
	ck_assert_int_eq(
	        IHostMemoryManager_RegisterMemoryNotificationCallback(manager, &callback.iface),
	        S_OK);
	wait_for(&callback.calls, 1);
	pid_t child = fork();
	if (child == 0) {
		callback.calls = 0;
		IHostMemoryManager_VirtualFree(manager, NULL, PAGE, MEM_DECOMMIT);
		while (callback.calls == 0)
			usleep(10000);
		IHostMemoryManager_RegisterMemoryNotificationCallback(manager, NULL);
		while (callback.references != 1)
			usleep(10000);
		_exit(callback.references == 1 ? 0 : 1);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
	ck_assert_uint_ge(callback.calls, 1);
}
END_TEST

START_TEST(address_space_is_given_when_there_is_some)
{
	void *base;

	ck_assert_int_eq(IHostMemoryManager_NeedsVirtualAddressSpace(manager, NULL, GRANULE),
	                 E_OUTOFMEMORY);
	ck_assert_int_eq(IHostMemoryManager_VirtualAlloc(manager, NULL, GRANULE, MEM_RESERVE,
	                                                 PAGE_NOACCESS, eTaskCritical, &base),
	                 S_OK);
	ck_assert_int_eq(IHostMemoryManager_VirtualFree(manager, base, 0, MEM_RELEASE), S_OK);
	ck_assert_int_eq(IHostMemoryManager_NeedsVirtualAddressSpace(manager, NULL, GRANULE),
	                 S_OK);
	ck_assert_int_eq(IHostMemoryManager_AcquiredVirtualAddressSpace(manager, base, GRANULE),
	                 S_OK);
	ck_assert_int_eq(IHostMemoryManager_ReleasedVirtualAddressSpace(manager, base), S_OK);
	ck_assert_int_eq(IHostMemoryManager_ReleasedVirtualAddressSpace(manager, base), S_OK);
	ck_assert_uint_eq(fp_finding_count(), 0);
}
END_TEST

/* ---- IHostControl
 * ------------------------------------------------------------------------------
 */

START_TEST(a_host_control_has_the_memory_manager_and_nothing_else)
{
	static const IID unknown = {1, 2, 3, {4, 5, 6, 7, 8, 9, 10, 11}};
	IHostControl *control = NULL;
	IHostControl *again = NULL;
	void *out = NULL;

	ck_assert_int_eq(fp_create_host_control(NULL, NULL), E_POINTER);
	ck_assert_int_eq(fp_create_host_control("align=3", &control), E_INVALIDARG);
	ck_assert_ptr_null(control);
	ck_assert_int_eq(fp_create_host_control("reporter=/bin/true", &control), S_OK);
	ck_assert_int_eq(fp_create_host_control(NULL, &again), S_OK);
	ck_assert_ptr_eq(again, control);
	ck_assert_int_eq(IHostControl_GetHostManager(control, &IID_IHostMemoryManager, &out),
	                 S_OK);
	ck_assert_ptr_eq(out, manager);
	ck_assert_uint_eq(IHostMemoryManager_Release(manager), 1);
	ck_assert_int_eq(IHostControl_GetHostManager(control, &unknown, &out), E_NOINTERFACE);
	ck_assert_ptr_null(out);
	out = manager;
	ck_assert_int_eq(IHostControl_GetHostManager(control, NULL, &out), E_INVALIDARG);
	ck_assert_ptr_null(out);
	ck_assert_int_eq(IHostControl_GetHostManager(control, &unknown, NULL), E_POINTER);
	ck_assert_int_eq(IHostControl_SetAppDomainManager(control, 1, NULL), E_POINTER);
	ck_assert_int_eq(IHostControl_SetAppDomainManager(control, 1, (IUnknown *)manager),
	                 S_OK);
	ck_assert_int_eq(IHostControl_QueryInterface(control, &IID_IHostControl, &out), S_OK);
	ck_assert_ptr_eq(out, control);
	ck_assert_int_eq(IHostControl_QueryInterface(control, &IID_IUnknown, &out), S_OK);
	ck_assert_ptr_eq(out, control);
	ck_assert_int_eq(IHostControl_QueryInterface(control, &IID_IHostMemoryManager, &out),
	                 E_NOINTERFACE);
	ck_assert_ptr_null(out);
	ck_assert_uint_eq(IHostControl_Release(control), 3);
	ck_assert_uint_eq(IHostControl_AddRef(control), 4);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("hosting: notifications");
	TCase *tests = tcase_create("notifications");

	tcase_add_checked_fixture(tests, setup, NULL);
	tcase_add_test(tests, the_memory_load_is_that_of_the_machine);
	tcase_add_test(tests, a_callback_is_told_of_changes_once_and_released_in_the_end);
	tcase_add_test(tests, a_registration_is_ended_with_null);
	tcase_add_test(tests, a_forked_child_is_told_too);
	tcase_add_test(tests, address_space_is_given_when_there_is_some);
	tcase_add_test(tests, a_host_control_has_the_memory_manager_and_nothing_else);
	suite_add_tcase(suite, tests);
	return test_run(suite);
}
