/* SPDX-License-Identifier: Apache-2.0
 *
 * A program without a fault on a machine that refuses things: what happens is told by the
 * arguments, one step each, in order. Every block's content is verified before it is freed.
 */
#include <fcntl.h>
#include <errno.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "faults.h"
#include "filters.h"
#include "support/times.h"
#include "victim.h"

enum { BLOCKS_MAX = 1 << 18, MIB = 1 << 20, DESCRIPTORS_MAX = 1 << 16 };

struct block {
	unsigned char *memory;
	size_t size;
};

static IHostMalloc *heap;
static struct block *blocks;
static size_t block_count;
static size_t block_size; /* of those to come; 0: from 1 to 200 bytes */
static char *kept;        /* allocated before what happens, freed after it */
static char *dead;        /* freed before it */

static const size_t own_bytes = (size_t)32 * MIB;
static void *own_piece;

static size_t next_size(void)
{
	return block_size != 0 ? block_size : block_count * 37 % 200 + 1;
}

static bool add_block(void)
{
	struct block *block = &blocks[block_count];
	void *memory = NULL;
	HRESULT result;

	block->size = next_size();
	result = IHostMalloc_Alloc(heap, block->size, eTaskCritical, &memory);
	EXPECT(result == S_OK || result == E_OUTOFMEMORY);
	EXPECT((result == S_OK) == (memory != NULL));
	if (result != S_OK)
		return false;
	block->memory = memory;
	memset(memory, (int)(block_count % 251), block->size);
	block_count++;
	return true;
}

static void free_block(void)
{
	const struct block *block = &blocks[--block_count];

	for (size_t i = 0; i < block->size; i++)
		EXPECT(block->memory[i] == block_count % 251);
	EXPECT(IHostMalloc_Free(heap, block->memory) == S_OK);
}

/* ---- The heap ------------------------------------------------------------------------- */

static void start(const char *unused)
{
	(void)unused;
	heap = victim_heap();
}

static void set_size(const char *value)
{
	block_size = strtoul(value, NULL, 0);
}

/* So many blocks more, all of which can be had. */
static void fill(const char *value)
{
	for (size_t count = strtoul(value, NULL, 0); count > 0; count--)
		EXPECT(add_block());
}

/* Blocks until there is no memory, and less than BLOCKS_MAX. */
static void exhaust(const char *unused)
{
	(void)unused;
	while (add_block())
		EXPECT(block_count < BLOCKS_MAX);
	printf("%zu\n", block_count);
}

static void drain(const char *value)
{
	size_t left = strtoul(value, NULL, 0);

	while (block_count > left)
		free_block();
}

static void churn(const char *value)
{
	for (long count = test_times(atol(value), 10000); count > 0; count--) {
		EXPECT(add_block());
		free_block();
	}
}

static char *new_block(void)
{
	void *memory = NULL;

	EXPECT(IHostMalloc_Alloc(heap, 64, eTaskCritical, &memory) == S_OK);
	return memory;
}

static void before(const char *unused)
{
	(void)unused;
	kept = new_block();
	strcpy(kept, "kept");
	dead = new_block();
	EXPECT(IHostMalloc_Free(heap, dead) == S_OK);
	EXPECT(victim_read_faults(dead));
}

static void after(const char *unused)
{
	(void)unused;
	EXPECT(strcmp(kept, "kept") == 0);
	EXPECT(IHostMalloc_Free(heap, kept) == S_OK);
	EXPECT(victim_read_faults(kept));
	EXPECT(victim_read_faults(dead));
}

/* A new block has guards, and none can be read once it is freed. */
static void guarded(const char *unused)
{
	char *block = new_block();

	(void)unused;
	EXPECT(victim_read_faults(block + 64));
	memset(block, 1, 64);
	EXPECT(IHostMalloc_Free(heap, block) == S_OK);
	EXPECT(victim_read_faults(block));
}

/* A block of that size is usable, fenced, and gone when it is freed. */
static void try_size(size_t size, size_t guard_bytes)
{
	size_t reach = (size + 15) / 16 * 16;
	void *memory = NULL;
	char *block;

	EXPECT(IHostMalloc_Alloc(heap, size, eTaskCritical, &memory) == S_OK);
	block = memory;
	block[0] = 1;
	block[size - 1] = 2;
	EXPECT(victim_read_faults(block + reach));
	EXPECT(victim_read_faults(block + reach + guard_bytes - 1));
	EXPECT(IHostMalloc_Free(heap, block) == S_OK);
	EXPECT(victim_read_faults(block));
	EXPECT(victim_read_faults(block + size - 1));
}

/* From 1 byte to 8 GiB, with so many guard pages. */
static void sizes(const char *value)
{
	size_t guard_bytes = strtoul(value, NULL, 0) * (size_t)sysconf(_SC_PAGESIZE);

	for (size_t size = 1; size <= (size_t)8 << 30; size *= 2) {
		try_size(size, guard_bytes);
		try_size(size + size / 3, guard_bytes);
	}
}

/* No machine has as much; from the second on it is more than an address space. */
static void too_large(const char *unused)
{
	static const size_t too_much[] = {(size_t)1 << 47, ((size_t)1 << 47) + 1, SIZE_MAX / 2,
	                                  SIZE_MAX - 1, SIZE_MAX};

	(void)unused;
	for (size_t i = 0; i < sizeof(too_much) / sizeof(too_much[0]); i++) {
		void *memory = heap;

		EXPECT(IHostMalloc_Alloc(heap, too_much[i], eTaskCritical, &memory) ==
		       E_OUTOFMEMORY);
		EXPECT(memory == NULL);
	}
}

/* ---- The machine ---------------------------------------------------------------------- */

static void limit(int resource, rlim_t value)
{
	struct rlimit new_limit;

	EXPECT(getrlimit((__rlimit_resource_t)resource, &new_limit) == 0);
	new_limit.rlim_cur = value;
	EXPECT(setrlimit((__rlimit_resource_t)resource, &new_limit) == 0);
}

static void limit_memory(const char *value)
{
	limit(RLIMIT_AS, strtoul(value, NULL, 0) * MIB);
}

static void limit_descriptors(const char *value)
{
	limit(RLIMIT_NOFILE, strtoul(value, NULL, 0));
}

static void use_up_descriptors(const char *unused)
{
	int fd = 0;

	(void)unused;
	while (fd >= 0 && fd < DESCRIPTORS_MAX)
		fd = open("/dev/null", O_RDWR);
	EXPECT(fd < 0 && errno == EMFILE);
}

static void close_descriptors(const char *unused)
{
	(void)unused;
	EXPECT(close_range(3, ~0U, 0) == 0);
}

static void lock_memory(const char *unused)
{
	(void)unused;
	EXPECT(mlockall(MCL_CURRENT | MCL_FUTURE) == 0);
}

static void enter_filter(const char *name)
{
	EXPECT(filter_enter(name) == 0);
}

/* The program's own memory: so many MiB. */
static void map(const char *value)
{
	size_t bytes = strtoul(value, NULL, 0) * MIB;
	char *memory =
	        mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	EXPECT(memory != MAP_FAILED);
	memory[0] = 1;
	memory[bytes - 1] = 1;
	EXPECT(munmap(memory, bytes) == 0);
}

/* All that a limit leaves, in pieces down to a page; the largest can be returned. */
static void use_up_memory(const char *unused)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	(void)unused;
	for (size_t bytes = own_bytes; bytes >= page; bytes /= 2) {
		void *piece;

		do {
			piece = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			             MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
			if (own_piece == NULL && piece != MAP_FAILED)
				own_piece = piece;
		} while (piece != MAP_FAILED);
	}
	EXPECT(own_piece != NULL);
}

/* Neighbours that are not alike do not merge. */
static void use_up_mappings(const char *unused)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	int prot = PROT_READ;

	(void)unused;
	while (mmap(NULL, page, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED)
		prot ^= PROT_READ;
	EXPECT(errno == ENOMEM);
}

static void return_memory(const char *unused)
{
	(void)unused;
	EXPECT(munmap(own_piece, own_bytes) == 0);
}

static const struct {
	const char *name;
	void (*take)(const char *value);
} steps[] = {
        {"start", start},
        {"size", set_size},
        {"fill", fill},
        {"exhaust", exhaust},
        {"drain", drain},
        {"churn", churn},
        {"before", before},
        {"after", after},
        {"guarded", guarded},
        {"sizes", sizes},
        {"too-large", too_large},
        {"use-up-memory", use_up_memory},
        {"use-up-mappings", use_up_mappings},
        {"return-memory", return_memory},
        {"limit-memory", limit_memory},
        {"limit-descriptors", limit_descriptors},
        {"use-up-descriptors", use_up_descriptors},
        {"close-descriptors", close_descriptors},
        {"lock-memory", lock_memory},
        {"filter", enter_filter},
        {"map", map},
};

/* NAME or NAME=VALUE. */
static void take_step(const char *step)
{
	size_t length = strcspn(step, "=");

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		if (strlen(steps[i].name) != length ||
		    strncmp(steps[i].name, step, length) != 0)
			continue;
		steps[i].take(step[length] == '=' ? step + length + 1 : "");
		return;
	}
	fprintf(stderr, "no step is called %s\n", step);
	exit(2);
}

int main(int argc, char **argv)
{
	/* Outside of the heap, and there before any limit. */
	blocks = mmap(NULL, BLOCKS_MAX * sizeof(*blocks), PROT_READ | PROT_WRITE,
	              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	EXPECT(blocks != MAP_FAILED);
	for (int i = 1; i < argc; i++)
		take_step(argv[i]);
	drain("0");
	if (heap != NULL)
		IHostMalloc_Release(heap);
	return 0;
}
