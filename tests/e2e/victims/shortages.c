/* SPDX-License-Identifier: Apache-2.0
 *
 * Memory that really cannot be had: shortages CAUSE. A limit is reached, or the kernel forbids
 * what a heap needs; the calls answer as the contract has it.
 */
#include "victim.h"

#include <fencepost/extension.h>

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "filters.h"

enum { MIB = 1 << 20, CALLS_MAX = 2000000 };

/* Debian 12's headers do not have it. */
#ifndef PR_SET_MDWE
enum { PR_SET_MDWE = 65 };
#endif

static IHostMemoryManager *manager;
static IHostMalloc *heap;

static IHostMalloc *create(DWORD flags)
{
	IHostMalloc *created = NULL;

	EXPECT(IHostMemoryManager_CreateMalloc(manager, flags, &created) == S_OK);
	return created;
}

static void start(DWORD flags)
{
	manager = victim_manager();
	heap = create(flags);
}

static void limit(int resource, rlim_t value)
{
	const struct rlimit both = {value, value};

	EXPECT(setrlimit(resource, &both) == 0);
}

static rlim_t status_bytes(const char *key)
{
	FILE *file = fopen("/proc/self/status", "re");
	char line[200];
	rlim_t kilobytes = 0;

	EXPECT(file != NULL);
	while (fgets(line, sizeof(line), file) != NULL)
		if (strncmp(line, key, strlen(key)) == 0)
			kilobytes = strtoul(line + strlen(key), NULL, 10);
	fclose(file);
	return kilobytes * 1024;
}

/* ---- The calls --------------------------------------------------------------------------- */

/* The first answer that is not S_OK. */
static HRESULT fill(size_t size, EMemoryCriticalLevel level)
{
	HRESULT result = S_OK;

	for (int i = 0; i < CALLS_MAX && result == S_OK; i++) {
		void *block = heap;

		result = IHostMalloc_Alloc(heap, size, level, &block); /* plant: alloc */
		EXPECT((block == NULL) == (result != S_OK));
	}
	return result;
}

static HRESULT debug(size_t size)
{
	static char file[] = "engine.c";
	void *block = heap;
	HRESULT result;

	result = IHostMalloc_DebugAlloc(heap, size, 1, file, 7, &block); /* plant: debug */
	EXPECT((block == NULL) == (result != S_OK));
	return result;
}

static HRESULT resize(void *block, size_t size)
{
	IFencepostMalloc *extended;
	void *out = heap;
	HRESULT result;

	EXPECT(IHostMalloc_QueryInterface(heap, &IID_IFencepostMalloc, &out) == S_OK);
	extended = out;
	result = IFencepostMalloc_Realloc(extended, block, size, 0, &out); /* plant: realloc */
	EXPECT(result == S_OK || out == NULL);
	IFencepostMalloc_Release(extended);
	return result;
}

static HRESULT fill_with_heaps(void)
{
	HRESULT result = S_OK;

	for (int i = 0; i < CALLS_MAX && result == S_OK; i++) {
		IHostMalloc *out = heap;

		result = IHostMemoryManager_CreateMalloc(manager, 1, &out); /* plant: create */
		EXPECT((out == NULL) == (result != S_OK));
	}
	return result;
}

/* ---- Limits ------------------------------------------------------------------------------ */

static void address_space(void)
{
	void *block = NULL;

	limit(RLIMIT_AS, 1024 * (rlim_t)MIB);
	start(MALLOC_THREADSAFE);
	EXPECT(IHostMalloc_Alloc(heap, 100, eTaskCritical, &block) == S_OK);
	EXPECT(fill(64 * MIB, eProcessCritical) == E_OUTOFMEMORY);
	EXPECT(debug(64 * MIB) == E_OUTOFMEMORY);
	EXPECT(resize(block, 64 * MIB) == E_OUTOFMEMORY);
	EXPECT(IHostMalloc_Free(heap, block) == S_OK);
}

static void data(void)
{
	start(MALLOC_THREADSAFE);
	limit(RLIMIT_DATA, status_bytes("VmData:") + 16 * MIB);
	EXPECT(fill(64 * MIB, eAppDomainCritical) == E_OUTOFMEMORY);
}

static void heaps(void)
{
	limit(RLIMIT_AS, 64 * (rlim_t)MIB);
	start(MALLOC_THREADSAFE);
	EXPECT(fill_with_heaps() == E_OUTOFMEMORY);
}

/* All mappings that a process may have. Code cannot share those of data. */
static void mappings(void)
{
	start(MALLOC_EXECUTABLE | MALLOC_THREADSAFE);
	for (int i = 0;; i++)
		if (mmap(NULL, 4096, i % 2 == 0 ? PROT_READ : PROT_NONE,
		         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED)
			break;
	EXPECT(errno == ENOMEM);
	EXPECT(fill(64 * MIB, eTaskCritical) == E_OUTOFMEMORY);
}

static void space(void)
{
	start(MALLOC_THREADSAFE);
	EXPECT(fill((size_t)1 << 47, eTaskCritical) == E_OUTOFMEMORY);
	/* The same place again: counted. */
	EXPECT(fill((size_t)1 << 47, eTaskCritical) == E_OUTOFMEMORY);
}

/* ---- What no memory mends ---------------------------------------------------------------- */

static void expect_end(IHostMalloc *other, void *block)
{
	IHostMalloc *ended = heap;
	void *out = heap;
	HRESULT result = IHostMalloc_Alloc(heap, 1, 0, &out); /* plant: later call */

	EXPECT(result == HOST_E_CLRNOTAVAILABLE && out == NULL);
	EXPECT(debug(1) == HOST_E_CLRNOTAVAILABLE);
	EXPECT(resize(block, 5) == HOST_E_CLRNOTAVAILABLE);
	EXPECT(IHostMalloc_Free(heap, block) == HOST_E_CLRNOTAVAILABLE);
	/* This heap can serve nobody any more; others can. */
	heap = other;
	EXPECT(IHostMalloc_Alloc(heap, 10, eTaskCritical, &out) == S_OK);
	EXPECT(IHostMalloc_Free(heap, out) == S_OK);
	EXPECT(IHostMalloc_Release(create(MALLOC_THREADSAFE)) == 0);
	heap = ended;
}

/* Memory that was not executable is never to be. */
static void code_forbidden(bool is_debug)
{
	IHostMalloc *other;
	void *block = NULL;

	start(MALLOC_EXECUTABLE | MALLOC_THREADSAFE);
	other = create(MALLOC_THREADSAFE);
	EXPECT(IHostMalloc_Alloc(heap, 10, eTaskCritical, &block) == S_OK);
	if (prctl(PR_SET_MDWE, 1UL, 0UL, 0UL, 0UL) != 0) {
		printf("SKIPPED: PR_SET_MDWE, Linux 6.3: %s\n", strerror(errno));
		return;
	}
	EXPECT((is_debug ? debug(MIB) : fill(MIB, eTaskCritical)) == E_FAIL);
	expect_end(other, block);
}

/* What systemd makes of MemoryDenyWriteExecute=yes. */
static void code_filtered(void)
{
	IHostMalloc *other;
	void *block = NULL;

	start(MALLOC_EXECUTABLE | MALLOC_THREADSAFE);
	other = create(MALLOC_THREADSAFE);
	EXPECT(IHostMalloc_Alloc(heap, 10, eTaskCritical, &block) == S_OK);
	EXPECT(filter_enter("no-code") == 0);
	EXPECT(fill(MIB, eTaskCritical) == E_FAIL);
	expect_end(other, block);
}

/* A sandbox that allows no change of protection at all, but new mappings: that is enough. */
static void no_protection(void)
{
	void *block = NULL;

	start(MALLOC_THREADSAFE);
	EXPECT(filter_enter("no-mprotect") == 0);
	for (size_t size = 10; size < 16 * MIB; size *= 2) {
		EXPECT(IHostMalloc_Alloc(heap, size, eTaskCritical, &block) == S_OK);
		memset(block, 1, size);
		EXPECT(IHostMalloc_Free(heap, block) == S_OK);
	}
	EXPECT(fp_finding_count() == 0);
}

int main(int argc, char **argv)
{
	EXPECT(argc == 2);
	if (strcmp(argv[1], "address-space") == 0)
		address_space();
	else if (strcmp(argv[1], "data") == 0)
		data();
	else if (strcmp(argv[1], "heaps") == 0)
		heaps();
	else if (strcmp(argv[1], "mappings") == 0)
		mappings();
	else if (strcmp(argv[1], "space") == 0)
		space();
	else if (strcmp(argv[1], "code-filtered") == 0)
		code_filtered();
	else if (strcmp(argv[1], "no-protection") == 0)
		no_protection();
	else
		code_forbidden(strcmp(argv[1], "debug-forbidden") == 0);
	return 0;
}
