/* SPDX-License-Identifier: Apache-2.0
 *
 * A host that changes the protection of what a heap gave it, and leaves it so: protected_blocks
 * HOW. What the heap has to touch it opens for that; what cannot be opened is its end.
 */
#include "victim.h"

#include <fencepost/extension.h>

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { PAGE = 4096, SYSCALL_MSEAL = 462 };

static IHostMalloc *heap;

static char *make(size_t size)
{
	void *block = NULL;

	EXPECT(IHostMalloc_Alloc(heap, size, eTaskCritical, &block) == S_OK); /* plant: alloc */
	memset(block, 'b', size);
	return block;
}

static char *page_of(const char *block)
{
	return (char *)((uintptr_t)block / PAGE * PAGE);
}

static char *make_protected(size_t size, int protection)
{
	char *block = make(size);

	EXPECT(mprotect(page_of(block), PAGE, protection) == 0);
	return block;
}

static void freed(void)
{
	static const int protections[] = {PROT_READ, PROT_NONE, PROT_READ | PROT_EXEC};
	static const size_t sizes[] = {100, PAGE, 3 * PAGE, 100 * PAGE};
	IFencepostMalloc *extended;
	void *out;

	EXPECT(IHostMalloc_QueryInterface(heap, &IID_IFencepostMalloc, &out) == S_OK);
	extended = out;
	for (int i = 0; i < 12; i++) {
		char *block = make_protected(sizes[i / 3], protections[i % 3]);

		EXPECT(IHostMalloc_Free(heap, block) == S_OK);
		EXPECT(IHostMalloc_Free(heap, make(sizes[i / 3])) == S_OK);
		block = make_protected(sizes[i / 3], PROT_READ);
		EXPECT(IFencepostMalloc_Realloc(extended, block, 10, 0, &out) == S_OK);
		EXPECT(*(char *)out == 'b' && IHostMalloc_Free(heap, out) == S_OK);
	}
	EXPECT(fp_finding_count() == 0);
}

/* "r-xp" */
static void read_protection(const char *address, char protection[5])
{
	FILE *maps = fopen("/proc/self/maps", "re");
	char line[512];
	uintptr_t start;
	uintptr_t end;

	EXPECT(maps != NULL);
	protection[0] = '\0';
	while (fgets(line, sizeof(line), maps) != NULL)
		if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR, &start, &end) == 2 &&
		    (uintptr_t)address >= start && (uintptr_t)address < end)
			sscanf(line, "%*s %4s", protection);
	fclose(maps);
}

/* What is only looked at stays as the host had it. */
static void checked(void)
{
	static const struct {
		int protection;
		const char *words;
	} protections[] = {{PROT_NONE, "---p"},
	                   {PROT_READ, "r--p"},
	                   {PROT_READ | PROT_EXEC, "r-xp"},
	                   {PROT_READ | PROT_WRITE | PROT_EXEC, "rwxp"}};
	enum { PROTECTIONS = sizeof(protections) / sizeof(protections[0]) };
	static const size_t sizes[] = {100, 3 * PAGE - 100, 20 * PAGE - 100};
	char *blocks[3][PROTECTIONS];
	char words[5];

	for (int i = 0; i < 3 * PROTECTIONS; i++)
		blocks[i / PROTECTIONS][i % PROTECTIONS] = make_protected(
		        sizes[i / PROTECTIONS], protections[i % PROTECTIONS].protection);
	for (int round = 0; round < 2; round++) {
		EXPECT(fp_check_heap() == 0);
		for (int i = 0; i < 3 * PROTECTIONS; i++) {
			read_protection(page_of(blocks[i / PROTECTIONS][i % PROTECTIONS]),
			                words);
			EXPECT(strcmp(words, protections[i % PROTECTIONS].words) == 0);
		}
	}
}

static void expect_end(char *block)
{
	HRESULT result = IHostMalloc_Free(heap, block); /* plant: free */

	EXPECT(result == E_FAIL);
	result = IHostMalloc_Free(heap, NULL); /* plant: later call */
	EXPECT(result == HOST_E_CLRNOTAVAILABLE);
	heap = victim_heap();
	EXPECT(IHostMalloc_Free(heap, make(100)) == S_OK);
}

static void sealed(void)
{
	char *block = make_protected(100, PROT_READ);

	if (syscall(SYSCALL_MSEAL, page_of(block), PAGE, 0) != 0) {
		printf("SKIPPED: mseal(2), Linux 6.10: %s\n", strerror(errno));
		return;
	}
	expect_end(block);
}

int main(int argc, char **argv)
{
	EXPECT(argc == 2);
	heap = victim_heap();
	if (strcmp(argv[1], "freed") == 0)
		freed();
	else if (strcmp(argv[1], "checked") == 0)
		checked();
	else
		sealed();
	return 0;
}
