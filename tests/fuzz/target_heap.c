/* SPDX-License-Identifier: Apache-2.0
 *
 * Any order of calls on two heaps, right and wrong ones, held against a model that is an array
 * of blocks: what each call answers, which finding it makes, and what blocks hold.
 * FP_FUZZ_BACKEND names the back end. What came before in the process is no part of the model,
 * so an input does the same wherever it stands.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/vm.h"
#include "guard/guard.h"
#include "heap/heap.h"
#include "registry/registry.h"
#include "stack/stack.h"
#include "target.h"

enum {
	BLOCKS = 24,
	HEAPS = 2,
	FILL = 0xcb,
	HISTORY = 4 << 20,
	CALLS_MAX = 512, /* so that no freed block is forgotten before the input ends */
	NO_FINDING = -1
};

struct model {
	unsigned char *at; /* NULL: never allocated */
	size_t size;
	unsigned heap;
	unsigned char pattern;
	uint8_t family;
	bool is_live;
	bool is_damaged;
};

static struct model blocks[BLOCKS];
static struct fp_heap *heaps[HEAPS];
static unsigned findings;
static int last_kind;

/* ---- The input ----------------------------------------------------------------------------
 */

static const uint8_t *next, *end;

static unsigned take_byte(void)
{
	return next < end ? *next++ : 0;
}

/* Of malloc's blocks it depends on the code that called which claims are right. */
static uint8_t take_family(void)
{
	static const uint8_t families[] = {FP_FAMILY_HOST, FP_FAMILY_NEW, FP_FAMILY_NEW_ARRAY,
	                                   FP_FAMILY_ALIGNED};

	return families[take_byte() % sizeof(families)];
}

/* Small ones, those around pages, and now and then a large one. */
static size_t take_size(void)
{
	unsigned kind = take_byte();
	size_t number = take_byte();

	if (kind < 160)
		return number;
	if (kind < 230)
		return 4096U * (kind % 4 + 1) + number - 128;
	return number << 8 | kind;
}

/* ---- Findings -----------------------------------------------------------------------------
 */

static void see(const struct fp_finding *finding, void *user)
{
	(void)user;
	findings++;
	last_kind = (int)finding->kind;
}

/* What was found since the last time: one of KIND, or none. */
static void expect(int kind)
{
	fuzz_must(findings == (kind != NO_FINDING));
	fuzz_must(kind == NO_FINDING || last_kind == kind);
	findings = 0;
}

/* ---- The model ----------------------------------------------------------------------------
 */

static void fill(struct model *block)
{
	memset(block->at, block->pattern, block->size);
}

static void check_content(const struct model *block, size_t size)
{
	for (size_t i = 0; i < size; i++)
		fuzz_must(block->at[i] == block->pattern);
}

/* A cell may be another block's by now. */
static bool is_anybodys(const unsigned char *address)
{
	for (int i = 0; i < BLOCKS; i++)
		if (blocks[i].is_live && address >= blocks[i].at - 16 &&
		    address < blocks[i].at + blocks[i].size + 16)
			return true;
	return false;
}

static void check_apart(const struct model *block)
{
	for (int i = 0; i < BLOCKS; i++)
		fuzz_must(&blocks[i] == block || !blocks[i].is_live ||
		          block->at + block->size <= blocks[i].at ||
		          blocks[i].at + blocks[i].size <= block->at);
}

/* ---- Calls --------------------------------------------------------------------------------
 */

static void free_block(struct model *block)
{
	int kind = block->is_damaged ? (int)FP_FINDING_HEAP_BUFFER_OVERFLOW : NO_FINDING;

	check_content(block, block->size);
	fuzz_must(fp_heap_free(heaps[block->heap], block->at) ==
	          (block->is_damaged ? -EPERM : 0));
	expect(kind);
	block->is_live = block->is_damaged = false;
}

static void allocate(struct model *block)
{
	const struct fp_heap_request request = {.size = take_size(),
	                                        .align = (size_t)1 << take_byte() % 13,
	                                        .is_zeroed = take_byte() % 2 != 0,
	                                        .family = take_family()};
	void *memory;

	if (block->is_live)
		free_block(block);
	block->heap = take_byte() % HEAPS;
	fuzz_must(fp_heap_alloc(heaps[block->heap], &request, &memory) == 0);
	expect(NO_FINDING);
	fuzz_must((uintptr_t)memory % request.align == 0);
	block->at = memory;
	block->size = request.size;
	block->family = request.family;
	block->is_live = true;
	check_apart(block);
	block->pattern = 0;
	if (request.is_zeroed)
		check_content(block, block->size);
	block->pattern = (unsigned char)take_byte();
	fill(block);
}

static void release(struct model *block)
{
	if (block->is_live) {
		free_block(block);
	} else if (block->at && !is_anybodys(block->at)) {
		fuzz_must(fp_heap_free(heaps[block->heap], block->at) == -EPERM);
		expect(FP_FINDING_DOUBLE_FREE);
	}
}

static void release_inside(struct model *block)
{
	size_t offset = take_byte() % (block->size + 1);

	if (!block->at || offset == 0 || (!block->is_live && is_anybodys(block->at + offset)))
		return;
	fuzz_must(fp_heap_free(heaps[block->heap], block->at + offset) == -EPERM);
	expect(FP_FINDING_INVALID_FREE);
}

static void release_to_other(struct model *block)
{
	if (!block->is_live)
		return;
	fuzz_must(fp_heap_free(heaps[1 - block->heap], block->at) == -EPERM);
	expect(FP_FINDING_WRONG_HEAP);
}

static void release_as(struct model *block)
{
	struct fp_heap_claim claim = {.block = block->at,
	                              .family = take_family(),
	                              .has_size = take_byte() % 2 != 0,
	                              .size = take_byte()};

	if (!block->is_live || block->is_damaged)
		return;
	bool is_right =
	        claim.family == block->family && (!claim.has_size || claim.size == block->size);
	int status = fp_heap_free_as(heaps[block->heap], &claim);
	fuzz_must(status == (is_right ? 0 : -EPERM));
	expect(is_right ? NO_FINDING : (int)FP_FINDING_ALLOC_DEALLOC_MISMATCH);
	block->is_live = false;
}

static void reallocate(struct model *block)
{
	const struct fp_heap_request request = {.size = take_size(), .family = block->family};
	const struct fp_heap_claim claim = {.block = block->at, .family = FP_FAMILY_COUNT};
	void *memory = NULL;

	if (!block->is_live || block->is_damaged)
		return;
	fuzz_must(fp_heap_realloc(heaps[block->heap], &claim, &request, &memory) == 0);
	expect(NO_FINDING);
	size_t kept = block->size < request.size ? block->size : request.size;
	block->at = memory;
	block->size = request.size;
	check_apart(block);
	check_content(block, kept);
	fill(block);
}

/* Behind a block that does not end where its guard begins there is padding. */
static void damage(struct model *block)
{
	if (!block->is_live || block->size % 16 == 0)
		return;
	block->at[block->size] = (unsigned char)(FILL ^ (take_byte() | 1));
	block->is_damaged = true;
}

static void check_all(void)
{
	unsigned damaged = 0;

	for (int i = 0; i < BLOCKS; i++)
		damaged += blocks[i].is_live && blocks[i].is_damaged;
	fuzz_must(fp_heap_check(FP_TRACE_NONE, "now") == damaged);
	fuzz_must(findings == damaged);
	findings = 0;
	for (int i = 0; i < BLOCKS; i++)
		blocks[i].is_damaged = false;
}

static void identify(const struct model *block)
{
	size_t size = 0;
	const struct fp_heap *heap = heaps[block->heap];

	if (!block->at || (!block->is_live && is_anybodys(block->at)))
		return;
	fuzz_must(fp_heap_is_ours(block->at));
	fuzz_must(fp_heap_identify(heap, block->at) ==
	          (block->is_live ? FP_HEAP_LIVE : FP_HEAP_FREED));
	fuzz_must(fp_heap_size_of(block->at, &size) == block->is_live);
	fuzz_must(!block->is_live || size == block->size);
	fuzz_must(fp_heap_owns(heap, block->at, &size) == block->is_live);
	fuzz_must(!fp_heap_owns(heaps[1 - block->heap], block->at, &size));
	if (block->is_live && block->size > 1) {
		fuzz_must(fp_heap_identify(heap, block->at + 1) == FP_HEAP_INSIDE);
		fuzz_must(!fp_heap_size_of(block->at + 1, &size));
	}
	struct fp_block found;
	fuzz_must(fp_heap_find((uintptr_t)block->at + block->size / 2, &found));
	fuzz_must(found.address == (uintptr_t)block->at && found.size == block->size);
	expect(NO_FINDING);
}

static bool count_visited(const struct fp_block *block, void *user)
{
	bool is_known = false;

	for (int i = 0; i < BLOCKS; i++)
		is_known |= blocks[i].is_live && (uintptr_t)blocks[i].at == block->address &&
		            blocks[i].size == block->size;
	fuzz_must(is_known);
	++*(unsigned *)user;
	return true;
}

static void count(void)
{
	struct fp_heap_totals totals;
	uint64_t bytes = 0;
	unsigned live[HEAPS] = {0};
	unsigned visited[HEAPS] = {0};

	for (int i = 0; i < BLOCKS; i++) {
		live[blocks[i].heap] += blocks[i].is_live;
		bytes += blocks[i].is_live ? blocks[i].size : 0;
	}
	fp_heap_totals(&totals);
	fuzz_must(totals.live_blocks == live[0] + live[1] && totals.live_bytes == bytes);
	for (int i = 0; i < HEAPS; i++) {
		fuzz_must(fp_heap_walk(heaps[i], count_visited, &visited[i]) == 0);
		fuzz_must(visited[i] == live[i]);
	}
	fuzz_must(totals.allocations >= totals.frees + totals.live_blocks);
	fuzz_must(totals.seal_failures == 0);
}

static void call(void)
{
	unsigned what = take_byte();
	struct model *block = &blocks[take_byte() % BLOCKS];

	switch (what % 12) {
	case 0:
	case 1:
	case 2:
		allocate(block);
		break;
	case 3:
	case 4:
		release(block);
		break;
	case 5:
		release_inside(block);
		break;
	case 6:
		release_to_other(block);
		break;
	case 7:
		release_as(block);
		break;
	case 8:
		reallocate(block);
		break;
	case 9:
		damage(block);
		break;
	case 10:
		identify(block);
		break;
	default:
		check_all();
		count();
		break;
	}
}

static void start(void)
{
	const char *name = getenv("FP_FUZZ_BACKEND");
	const struct fp_guard_config guard = {
	        .backend = name ? name : "auto", .guard_pages = 1, .fill = FILL};
	const struct fp_stack_config stack = {.depth = 8};
	const struct fp_heap_config config = {
	        .align = 16, .placement = FP_PLACEMENT_RIGHT, .sink = see};
	const char *why = "unknown";

	if (fp_guard_init(&guard, &why) != 0) {
		fprintf(stderr, "*** NOT TESTED on this machine: back end %s (%s)\n",
		        guard.backend, why);
		_exit(0);
	}
	fp_registry_init(HISTORY);
	fp_stack_init(&stack);
	fp_heap_init(&config);
	for (int i = 0; i < HEAPS; i++)
		fuzz_must(fp_heap_create(&(struct fp_heap_traits){0}, &heaps[i]) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!heaps[0])
		start();
	next = data;
	end = data + size;
	for (int i = 0; next < end && i < CALLS_MAX; i++)
		call();
	check_all();
	for (int i = 0; i < BLOCKS; i++)
		if (blocks[i].is_live)
			free_block(&blocks[i]);
	memset(blocks, 0, sizeof(blocks));
	count();
	return 0;
}
