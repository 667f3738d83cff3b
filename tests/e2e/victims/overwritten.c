/* SPDX-License-Identifier: Apache-2.0
 *
 * The host overwrites what Fencepost keeps of its blocks: overwritten WHAT. The records are
 * found as a stray pointer would find them, somewhere in writable memory.
 */
#include "victim.h"

#include <fencepost/extension.h>

#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

enum { SIZE = 54321 };

static IHostMemoryManager *manager;
static IHostMalloc *heap;

/* The words that a record of BLOCK holds next to each other, in a copy that has them not. */
struct words {
	uintptr_t first;
	uintptr_t second;
};

static struct words hidden(const void *block)
{
	return (struct words){~(uintptr_t)block, ~(uintptr_t)SIZE};
}

/* Pages without data, which many are, cannot be read. */
static uint64_t *search(int memory, uintptr_t start, uintptr_t end, const struct words *words)
{
	static uint64_t page[512];

	for (; start < end; start += sizeof(page)) {
		if (pread(memory, page, sizeof(page), (off_t)start) != sizeof(page))
			continue;
		for (size_t i = 0; i + 1 < sizeof(page) / sizeof(page[0]); i++)
			if (page[i] == ~words->first && page[i + 1] == ~words->second)
				return (uint64_t *)start + i;
	}
	return NULL;
}

/* The record of the block that WORDS tell of. Memory of files and stacks is none of ours. */
static uint64_t *find_record(const struct words *words)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	int memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	uint64_t *found = NULL;
	char line[512];

	EXPECT(maps != NULL && memory >= 0);
	while (found == NULL && fgets(line, sizeof(line), maps) != NULL) {
		uintptr_t start;
		uintptr_t end;
		char access[5];
		char path[300] = "";

		EXPECT(sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %4s %*s %*s %*s %299s", &start,
		              &end, access, path) >= 3);
		/* Blocks lie in huge reservations. */
		if (strcmp(access, "rw-p") == 0 && path[0] == '\0' && end - start <= 64 << 20)
			found = search(memory, start, end, words);
	}
	close(memory);
	fclose(maps);
	return found;
}

static void *allocate(void)
{
	void *block = NULL;

	EXPECT(IHostMalloc_Alloc(heap, SIZE, eTaskCritical, &block) == S_OK);
	return block;
}

static void expect_unavailable(void *block)
{
	static char file[] = "engine.c";
	IHostMalloc *another = heap;
	void *out = heap;
	HRESULT result = IHostMalloc_Alloc(heap, 1, 0, &out); /* plant: later call */

	EXPECT(result == HOST_E_CLRNOTAVAILABLE && out == NULL);
	EXPECT(IHostMalloc_DebugAlloc(heap, 1, eTaskCritical, file, 1, &out) ==
	       HOST_E_CLRNOTAVAILABLE);
	EXPECT(IHostMalloc_Free(heap, block) == HOST_E_CLRNOTAVAILABLE);
	EXPECT(IHostMalloc_Free(heap, NULL) == HOST_E_CLRNOTAVAILABLE);
	EXPECT(IHostMemoryManager_CreateMalloc(manager, MALLOC_THREADSAFE, &another) ==
	       HOST_E_CLRNOTAVAILABLE);
	EXPECT(another == NULL);
}

static void overwrite_live(void)
{
	void *block = allocate();
	const struct words words = hidden(block);
	uint64_t *record = find_record(&words);

	EXPECT(record != NULL);
	record[1] = 7;
	EXPECT(IHostMalloc_Free(heap, block) == E_FAIL); /* plant: live */
	expect_unavailable(block);
}

/* The record of a freed block waits for another one. */
static void overwrite_spare(void)
{
	void *block = allocate();
	const struct words words = hidden(block);
	uint64_t *record = find_record(&words);
	HRESULT result = S_OK;

	EXPECT(record != NULL);
	EXPECT(IHostMalloc_Free(heap, block) == S_OK);
	memset(record - 2, 'x', 120);
	for (int i = 0; i < 10000 && result == S_OK; i++)
		result = IHostMalloc_Alloc(heap, 10, 0, &block); /* plant: spare */
	EXPECT(result == E_FAIL && block == NULL);
	expect_unavailable(record);
}

/* Something writes behind the object: past its table, its count and to what it points to. */
static void overwrite_heap(void)
{
	IHostMalloc *another = heap;
	uint64_t *description;
	HRESULT result;

	memcpy(&description, (char *)heap + 2 * sizeof(void *), sizeof(description));
	memset(description, 'x', sizeof(*description));
	result = IHostMemoryManager_CreateMalloc(manager, 0, &another); /* plant: heap */
	EXPECT(result == E_FAIL && another == NULL);
	expect_unavailable(&description);
}

/* Nobody frees the block: the look at all of them finds it. */
static void overwrite_checked(void)
{
	const struct words words = hidden(allocate());
	uint64_t *record = find_record(&words);
	void *extended;
	HRESULT result;

	EXPECT(record != NULL);
	EXPECT(IHostMalloc_QueryInterface(heap, &IID_IFencepostMalloc, &extended) == S_OK);
	record[0] += 16;
	result =
	        IFencepostMalloc_Check((IFencepostMalloc *)extended, NULL); /* plant: checked */
	EXPECT(result == E_FAIL);
	expect_unavailable(record);
}

int main(int argc, char **argv)
{
	EXPECT(argc == 2);
	manager = victim_manager();
	EXPECT(IHostMemoryManager_CreateMalloc(manager, MALLOC_THREADSAFE, &heap) == S_OK);
	if (strcmp(argv[1], "live") == 0)
		overwrite_live();
	else if (strcmp(argv[1], "spare") == 0)
		overwrite_spare();
	else if (strcmp(argv[1], "heap") == 0)
		overwrite_heap();
	else
		overwrite_checked();
	return 0;
}
