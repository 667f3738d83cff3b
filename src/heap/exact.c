/* SPDX-License-Identifier: Apache-2.0
 *
 * The sites that need more alignment than their blocks' sizes have: those that were found out,
 * and those of callers of malloc whose blocks have pointers at their start. Such a block is no
 * string: its members need the alignment of a pointer, whatever follows on them. A trace is
 * looked up once; what was found holds until one more site is added, here or by another process
 * of the run.
 */
#include "heap/exact.h"

#include <stdatomic.h>
#include <string.h>

#include "base/align.h"
#include "base/hash.h"
#include "heap/heap.h"
#include "model/sites.h"
#include "stack/stack.h"

/* So many frames tell the users of a function like xmalloc apart, and put the many stacks that
 * lead to one place together. Of an address what the loader leaves alone counts. */
enum { FRAMES = 4, SAME_IN_EACH_RUN = 0xfff };

enum { WORD = sizeof(uint64_t), HEADER_WORDS = 4 };

/* What is known of a trace, behind its number and the count of sites that it was looked up
 * among. */
enum { NEEDS_WORD = 1, NEEDS_ALL = 2, ANSWERS = 4, TRACE_SHIFT = 32, KNOWN = 1 << 12 };

/* How far from the code of a program its data may be, and where the first program is; and the
 * bits of addresses that those of one kind of mapping share. */
enum { NEAR_BYTES = 1 << 28, FIRST_BYTE = 4 << 20, KIND_SHIFT = 40, USER_BITS = 47 };

static bool is_on;
static bool is_learning;
static struct fp_sites own_sites;
static struct fp_sites *_Atomic sites = &own_sites;
static _Atomic uint64_t added;
static _Atomic uint64_t known[KNOWN];

void fp_exact_init(bool places, bool learns)
{
	is_on = places;
	is_learning = learns;
}

static uint64_t key_of(fp_trace_id trace, size_t depth)
{
	size_t count;
	const uintptr_t *frames = fp_stack_trace(trace, &count);
	uint64_t key = depth;

	for (size_t i = 0; i < count && i < depth; i++)
		key = fp_hash_word(key, frames[i] & SAME_IN_EACH_RUN);
	return key | 1;
}

static void add(uint64_t key)
{
	if (fp_sites_add(sites, key))
		atomic_fetch_add(&added, 1);
}

static uint64_t find_out(fp_trace_id trace)
{
	if (fp_sites_have(sites, key_of(trace, FRAMES)))
		return NEEDS_ALL;
	return fp_sites_have(sites, key_of(trace, 1)) ? NEEDS_WORD : 0;
}

static uint64_t needs_of(fp_trace_id trace)
{
	const struct fp_sites *all = atomic_load_explicit(&sites, memory_order_relaxed);
	uint64_t count = atomic_load_explicit(&all->count, memory_order_relaxed);
	uint64_t question = (uint64_t)trace << TRACE_SHIFT | count * ANSWERS;
	_Atomic uint64_t *place = &known[trace % KNOWN];
	uint64_t answer = atomic_load_explicit(place, memory_order_relaxed);

	if (count == 0)
		return 0;
	if (answer - question >= ANSWERS) {
		answer = question + find_out(trace);
		atomic_store_explicit(place, answer, memory_order_relaxed);
	}
	return answer - question;
}

size_t fp_exact_align(size_t least, fp_trace_id trace)
{
	uint64_t needs = is_on && least < FP_EXACT_PROMISED ? needs_of(trace) : 0;

	if (needs == NEEDS_ALL)
		return FP_EXACT_PROMISED;
	return needs == NEEDS_WORD && least < WORD ? WORD : least;
}

void fp_heap_align_site(fp_trace_id trace)
{
	add(key_of(trace, FRAMES));
}

/* FRAME: a return address of the program's. */
static bool is_pointer(uint64_t word, uintptr_t frame, uintptr_t block)
{
	uint64_t kind = word >> KIND_SHIFT;

	if (word - (frame - NEAR_BYTES) < 2 * (uint64_t)NEAR_BYTES)
		return word > FIRST_BYTE;
	return word >> USER_BITS == 0 && kind != 0 &&
	       (kind == frame >> KIND_SHIFT || kind == block >> KIND_SHIFT ||
	        kind == (uintptr_t)&known >> KIND_SHIFT);
}

void fp_exact_learn(const struct fp_block *block)
{
	size_t words = block->size / WORD < HEADER_WORDS ? block->size / WORD : HEADER_WORDS;
	bool has_pointer = false;
	size_t count;

	if (!is_learning || block->size % WORD == 0)
		return;
	const uintptr_t *frames = fp_stack_trace(block->alloc_trace, &count);
	for (size_t i = 0; i < words; i++) {
		uint64_t word;

		memcpy(&word, (const char *)block->address + i * WORD, WORD);
		has_pointer |= is_pointer(word, count > 0 ? frames[0] : 0, block->address);
	}
	if (has_pointer)
		add(key_of(block->alloc_trace, 1));
}

bool fp_exact_is_masked(const struct fp_block *block, uintptr_t address)
{
	if (block->state != FP_BLOCK_LIVE || !fp_heap_is_masked(block->address, address))
		return false;
	fp_heap_align_site(block->alloc_trace);
	return true;
}

bool fp_heap_is_masked(uintptr_t start, uintptr_t address)
{
	bool is_masked = false;

	for (uintptr_t unit = 2; is_on && unit <= FP_EXACT_PROMISED; unit *= 2)
		is_masked |= fp_align_down(start, unit) == address;
	return is_masked && address != start;
}

uint64_t fp_heap_aligned_sites(void)
{
	return atomic_load(&added);
}

void fp_heap_share_sites(struct fp_sites *shared)
{
	for (size_t i = 0; i < FP_SITES_MAX; i++)
		if (own_sites.keys[i] != 0)
			fp_sites_add(shared, own_sites.keys[i]);
	sites = shared;
}
