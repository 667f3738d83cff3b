/* SPDX-License-Identifier: Apache-2.0
 *
 * One thing wrong with one region of four pages: the first is committed, the second was
 * decommitted, the others were never committed.
 *
 * regions read|write OFFSET [released]: an access of four bytes that many bytes from its start
 * regions CALL: what is wrong with the call is its name below
 */
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "victim.h"

enum { PAGE = 4096 };

static IHostMemoryManager *manager;
static char *region;
static char *guarded;

/* On one line each, which the report is to name. */
#define ALLOC(address, size, type)                                                             \
	IHostMemoryManager_VirtualAlloc(manager, address, size, type, PAGE_READWRITE,          \
	                                eAppDomainCritical, &out)
#define FREE(address, size, type) IHostMemoryManager_VirtualFree(manager, address, size, type)

#define PROTECT(protection)                                                                    \
	IHostMemoryManager_VirtualProtect(manager, region, 2 * PAGE, protection, &old)

static void reserve(void)
{
	void *out = NULL;

	EXPECT(ALLOC(NULL, 4 * PAGE, MEM_RESERVE) == S_OK); /* plant: reserve */
	region = out;
}

static void commit(void)
{
	void *out = NULL;

	EXPECT(ALLOC(region, 2 * PAGE, MEM_COMMIT) == S_OK); /* plant: commit */
	memset(region, 'x', 2 * PAGE);
}

static void decommit(void)
{
	EXPECT(FREE(region + PAGE, PAGE, MEM_DECOMMIT) == S_OK); /* plant: decommit */
}

static void release(void)
{
	EXPECT(FREE(region, 0, MEM_RELEASE) == S_OK); /* plant: release */
}

static int access_at(const char *how, long offset)
{
	volatile int *at = (volatile int *)(region + offset);

	if (strcmp(how, "write") == 0)
		*at = 5; /* plant: write */
	else
		return *at == 7; /* plant: read */
	return 0;
}

/* ---- Calls ---------------------------------------------------------------------------------
 */

static void release_twice(void)
{
	release();
	REFUSED(FREE(region, 0, MEM_RELEASE)); /* plant: release_twice */
}

static void release_inside(void)
{
	REFUSED(FREE(region + PAGE, 0, MEM_RELEASE)); /* plant: release_inside */
	release();
}

static void release_with_size(void)
{
	HRESULT result = FREE(region, 2 * PAGE, MEM_RELEASE); /* plant: release_with_size */

	EXPECT(result == E_INVALIDARG);
	release();
}

static void release_stack(void)
{
	REFUSED(FREE(&manager, 0, MEM_RELEASE)); /* plant: release_stack */
	release();
}

static void decommit_beyond(void)
{
	char *third = region + 2 * PAGE;

	REFUSED(FREE(third, 3 * PAGE, MEM_DECOMMIT)); /* plant: decommit_beyond */
	release();
}

static void commit_beyond(void)
{
	char *last = region + 3 * PAGE;
	void *out = region;

	REFUSED(ALLOC(last, 2 * PAGE, MEM_COMMIT)); /* plant: commit_beyond */
	EXPECT(out == NULL);
	release();
}

static void commit_released(void)
{
	void *out = region;

	release();
	REFUSED(ALLOC(region, PAGE, MEM_COMMIT)); /* plant: commit_released */
	EXPECT(out == NULL);
}

static void protect_decommitted(void)
{
	HRESULT result;
	DWORD old;

	result = PROTECT(PAGE_READONLY); /* plant: protect_decommitted */
	REFUSED(result);
	region[0] = 'y';
	release();
}

/* A system call would come back short. */
static void check_range(void)
{
	EXPECT(fp_check_range(region, PAGE, FP_WRITE));
	EXPECT(!fp_check_range(region + 96, PAGE, FP_WRITE)); /* plant: check_range */
	release();
}

/* ---- What is nobody's mistake
 * ---------------------------------------------------------------- */

static void leak(void)
{
	void *out;

	for (int i = 0; i < 3; i++)
		EXPECT(ALLOC(NULL, 16 * PAGE, MEM_RESERVE) == S_OK); /* plant: leak */
}

static void lose(void)
{
	void *out;

	EXPECT(ALLOC(NULL, 16 * PAGE, MEM_RESERVE) == S_OK);
}

/* The parent's region is not the child's leak, its own is. */
static void leak_in_child(void)
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		lose();
		REFUSED(FREE(&manager, 0, MEM_RELEASE));
		exit(0);
	}
	EXPECT(waitpid(child, &status, 0) == child && status == 0);
	release();
}

static void announce(void)
{
	EXPECT(IHostMemoryManager_AcquiredVirtualAddressSpace(manager, region, 300) == S_OK);
	EXPECT(IHostMemoryManager_AcquiredVirtualAddressSpace(manager, &region, 50) == S_OK);
	EXPECT(IHostMemoryManager_ReleasedVirtualAddressSpace(manager, &region) == S_OK);
	EXPECT(IHostMemoryManager_NeedsVirtualAddressSpace(manager, NULL, 5) == E_OUTOFMEMORY);
	release();
	EXPECT(IHostMemoryManager_NeedsVirtualAddressSpace(manager, NULL, 5) == S_OK);
}

static void *commit_guarded(void)
{
	void *out = NULL;

	EXPECT(IHostMemoryManager_VirtualAlloc(manager, NULL, 3 * PAGE, MEM_COMMIT,
	                                       PAGE_READWRITE | PAGE_GUARD, eTaskCritical,
	                                       &out) == S_OK);
	return out;
}

static volatile sig_atomic_t exceptions;

static void count_exception(int number, siginfo_t *info, void *context)
{
	(void)context;
	EXPECT(number == SIGSEGV && info->si_addr == guarded + PAGE + 5);
	exceptions++;
}

static void expect_protection(char *at, DWORD protection)
{
	MEMORY_BASIC_INFORMATION info;
	SIZE_T size;

	EXPECT(IHostMemoryManager_VirtualQuery(manager, at, &info, sizeof(info), &size) ==
	       S_OK);
	EXPECT(info.Protect == protection);
}

/* By Win32's rules: an exception, and the access succeeds when it is tried again. */
static void guard_once(void)
{
	struct sigaction action = {.sa_flags = SA_SIGINFO, .sa_sigaction = count_exception};
	DWORD old = 0;

	guarded = commit_guarded();
	EXPECT(sigaction(SIGSEGV, &action, NULL) == 0 && fp_install_fault_handler() == 0);
	guarded[PAGE + 5] = 'g';
	EXPECT(exceptions == 1 && guarded[PAGE + 5] == 'g');
	guarded[PAGE + 5] = 'h';
	EXPECT(exceptions == 1);
	expect_protection(guarded, PAGE_READWRITE | PAGE_GUARD);
	expect_protection(guarded + PAGE, PAGE_READWRITE);
	expect_protection(guarded + 2 * PAGE, PAGE_READWRITE | PAGE_GUARD);
	EXPECT(IHostMemoryManager_VirtualProtect(manager, guarded + PAGE, 1,
	                                         PAGE_READONLY | PAGE_GUARD, &old) == S_OK);
	EXPECT(old == PAGE_READWRITE);
	EXPECT(guarded[PAGE + 5] == 'h' && exceptions == 2);
	expect_protection(guarded + PAGE, PAGE_READONLY);
	FREE(guarded, 0, MEM_RELEASE);
	release();
}

/* Nobody handles the exception. */
static void guard_unhandled(void)
{
	guarded = commit_guarded();
	guarded[0] = 'g';
}

static void beside(void)
{
	char *room;
	void *out = NULL;

	EXPECT(ALLOC(NULL, 8 << 16, MEM_RESERVE) == S_OK);
	room = out;
	EXPECT(FREE(room, 0, MEM_RELEASE) == S_OK);
	EXPECT(ALLOC(room + (1 << 16), 1 << 16, MEM_RESERVE) == S_OK);
	EXPECT(ALLOC(room + (2 << 16), 1 << 16, MEM_RESERVE) == S_OK);
	FREE(room + (1 << 16), 0, MEM_RELEASE);
	FREE(room + (2 << 16), 0, MEM_RELEASE);
	release();
}

static const struct {
	const char *name;
	void (*call)(void);
} calls[] = {
        {"release_twice", release_twice},
        {"release_inside", release_inside},
        {"release_with_size", release_with_size},
        {"release_stack", release_stack},
        {"decommit_beyond", decommit_beyond},
        {"commit_beyond", commit_beyond},
        {"commit_released", commit_released},
        {"protect_decommitted", protect_decommitted},
        {"check_range", check_range},
        {"leak", leak},
        {"leak_in_child", leak_in_child},
        {"announce", announce},
        {"guard_once", guard_once},
        {"guard_unhandled", guard_unhandled},
        {"beside", beside},
};

int main(int argc, char **argv)
{
	manager = victim_manager();
	reserve();
	commit();
	decommit();
	EXPECT(region[0] == 'x');
	if (argc == 2) {
		for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
			if (strcmp(calls[i].name, argv[1]) == 0)
				calls[i].call();
		return 0;
	}
	EXPECT(argc >= 3);
	if (argc > 3)
		release();
	return access_at(argv[1], strtol(argv[2], NULL, 10));
}
