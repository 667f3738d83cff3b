/* SPDX-License-Identifier: Apache-2.0
 *
 * Two or three threads on one heap, with blocks that all of them free, in the order that the
 * input says, and interrupted where it says so, to look at blocks as a handler of faults does.
 * Whatever the order: of one block one free succeeds, nobody waits for ever, ranks hold, and at
 * the end the accounts are right.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/lock.h"
#include "guard/guard.h"
#include "heap/heap.h"
#include "registry/registry.h"
#include "scheduler.h"
#include "stack/stack.h"
#include "target.h"

enum { SHARED = 4, CALLS_MAX = 24, HISTORY = 4 << 20, FILL = 0xcb };

static struct fp_heap *heap;
static void *shared[SHARED];
static uint64_t allocated, freed, refused, found;

/* The calls of each thread, two bytes each. */
static struct {
	const uint8_t *at;
	size_t count;
} scripts[FUZZ_THREADS_MAX];

static void see(const struct fp_finding *finding, void *user)
{
	(void)finding, (void)user;
	fuzz_must(!fp_lock_is_any_held());
	found++;
}

static void allocate(unsigned place, unsigned number)
{
	const struct fp_heap_request request = {.size = number % 4 == 0 ? number * 64 : number,
	                                        .is_zeroed = number % 2 != 0};
	void *block;

	fuzz_must(fp_heap_alloc(heap, &request, &block) == 0);
	allocated++;
	memset(block, 'x', request.size);
	/* Who overwrites the pointer of another thread's block frees that first. */
	void *other = shared[place];
	shared[place] = block;
	if (other) {
		int status = fp_heap_free(heap, other);

		fuzz_must(status == 0 || status == -EPERM);
		freed += status == 0;
		refused += status != 0;
	}
}

static void release(unsigned place, bool is_forgotten)
{
	void *block = shared[place];

	if (!block)
		return;
	int status = fp_heap_free(heap, block);
	fuzz_must(status == 0 || status == -EPERM);
	freed += status == 0;
	refused += status != 0;
	if (is_forgotten && shared[place] == block)
		shared[place] = NULL;
}

static bool visit(const struct fp_block *block, void *user)
{
	(void)user;
	fuzz_must(block->state == FP_BLOCK_LIVE && block->size < 1 << 20);
	return true;
}

static void call(unsigned what, unsigned number)
{
	size_t size;
	struct fp_block block;
	unsigned place = what / 16 % SHARED;

	switch (what % 10) {
	case 0:
	case 1:
	case 2:
		allocate(place, number);
		break;
	case 3:
		release(place, false);
		break;
	case 4:
	case 5:
		release(place, true);
		break;
	case 6:
		fp_heap_size_of(shared[place], &size);
		fp_heap_find((uintptr_t)shared[place] + number, &block);
		break;
	case 7:
		fuzz_must(fp_heap_walk(heap, visit, NULL) == 0);
		break;
	case 8:
		fuzz_must(fp_heap_check(FP_TRACE_NONE, "now") == 0);
		break;
	default:
		fuzz_must(fp_heap_lock(heap) == 0);
		release(place, true);
		fuzz_must(fp_heap_unlock(heap) == 0);
		break;
	}
}

static void run(unsigned thread)
{
	for (size_t i = 0; i < scripts[thread].count; i++)
		call(scripts[thread].at[2 * i], scripts[thread].at[2 * i + 1]);
}

/* What is found may be half of something; it must be found without waiting. */
static void interrupt(unsigned thread)
{
	uint32_t held = fp_lock_enter_fault_mode();
	struct fp_place place;
	struct fp_block block;

	for (unsigned i = 0; i < SHARED; i++)
		if (shared[i] && fp_guard_find((uintptr_t)shared[i] + thread, &place))
			fp_heap_find((uintptr_t)shared[i] + thread, &block);
	fp_lock_leave_fault_mode(held);
}

static void start(void)
{
	const char *name = getenv("FP_FUZZ_BACKEND");
	const struct fp_guard_config guard = {
	        .backend = name ? name : "auto", .guard_pages = 1, .fill = FILL};
	const struct fp_stack_config stack = {.depth = 8};
	const struct fp_heap_config config = {
	        .align = 16, .placement = FP_PLACEMENT_RIGHT, .sink = see};
	const char *why;

	fuzz_must(fp_guard_init(&guard, &why) == 0);
	fp_registry_init(HISTORY);
	fp_stack_init(&stack);
	fp_heap_init(&config);
	fuzz_must(fp_heap_create(&(struct fp_heap_traits){0}, &heap) == 0);
}

static void check_accounts(void)
{
	struct fp_heap_totals totals;

	fp_heap_totals(&totals);
	fuzz_must(totals.live_blocks == 0 && totals.live_bytes == 0);
	fuzz_must(allocated == freed && found == refused);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!heap)
		start();
	if (size < 4)
		return 0;
	unsigned threads = 2 + data[0] % 2;
	allocated = freed = refused = found = 0;
	data++;
	size--;
	for (unsigned i = 0; i < threads; i++) {
		size_t count = size / 2 / (threads + 1);

		scripts[i].at = data;
		scripts[i].count = count < CALLS_MAX ? count : CALLS_MAX;
		data += 2 * scripts[i].count;
		size -= 2 * scripts[i].count;
	}
	fuzz_schedule(&(struct fuzz_schedule){data, size, run, interrupt}, threads);
	for (unsigned i = 0; i < SHARED; i++)
		release(i, true);
	check_accounts();
	return 0;
}
