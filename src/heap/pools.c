/* SPDX-License-Identifier: Apache-2.0
 *
 * What a program does with its pools, and what it does wrong. Of a block that was freed the
 * record stays until its memory is given out again, or there are too many of them. No finding
 * is made, and nothing poisoned, with the lock.
 */
#include "heap/pools.h"

#include "base/clock.h"
#include "base/lock.h"
#include "base/messages.h"
#include "base/text.h"
#include "base/thread.h"
#include "heap/findings.h"
#include "heap/heap.h"
#include "heap/pool_table.h"
#include "heap/state.h"
#include "heap/totals.h"
#include "poison/poison.h"
#include "stack/stack.h"

enum { FREED_MAX = 1 << 16, DESTROYED_MAX = 64, POOL_HEAP = 1 };

static struct fp_lock lock = FP_LOCK_INITIALIZER(FP_RANK_POOLS);
FP_HELD_ACROSS_FORK(FP_RANK_POOLS, &lock);
static _Atomic size_t live;
static size_t freed;
static struct {
	uint32_t number;
	uint64_t serial;
} destroyed[DESTROYED_MAX]; /* pools; the latest ones */
static size_t destructions;

_Atomic size_t fp_pools_records;

/* One call of the program's. */
struct call {
	const char *name;
	uintptr_t pool;
	uintptr_t address;
	struct fp_poisoner by;
};

static struct call begin(const char *name, uintptr_t pool, uintptr_t address)
{
	return (struct call){name, pool, address, {fp_stack_capture(), fp_thread_self()}};
}

/* ---- Records -------------------------------------------------------------------------------
 */

static struct fp_block *block_of(uint32_t number)
{
	return &fp_pool_record(number)->block;
}

static bool is_live(uint32_t number)
{
	return block_of(number)->state == FP_BLOCK_LIVE;
}

static size_t extent_of(const struct fp_block *block)
{
	return block->size + (block->size == 0);
}

static uintptr_t end_of(uint32_t number)
{
	return block_of(number)->address + extent_of(block_of(number));
}

static void drop(uint32_t number)
{
	if (fp_pool_record(number)->tree != FP_POOL_POOLS) {
		if (is_live(number))
			atomic_fetch_sub(&live, 1);
		else
			freed--;
	}
	fp_pool_drop(number);
	atomic_fetch_sub(&fp_pools_records, 1);
}

static uint32_t add(enum fp_pool_tree tree, uint32_t pool, const struct fp_block *block)
{
	uint32_t number = fp_pool_add(tree, pool, block);

	if (number == FP_POOL_NONE)
		return number;
	atomic_fetch_add(&fp_pools_records, 1);
	if (tree != FP_POOL_POOLS)
		atomic_fetch_add(&live, 1);
	return number;
}

static void free_record(uint32_t number, const struct fp_poisoner *by)
{
	struct fp_block *block = block_of(number);

	block->state = FP_BLOCK_FREED;
	block->free_trace = by->trace;
	block->free_thread = by->thread;
	atomic_fetch_sub(&live, 1);
	fp_pool_move_to_list(number, FP_POOL_FREED);
	if (++freed > FREED_MAX)
		drop(fp_pool_record(FP_POOL_FREED)->previous);
}

/* The first record of TREE that has bytes in [START, END). */
static uint32_t first_in(enum fp_pool_tree tree, uintptr_t start, uintptr_t end)
{
	uint32_t number = fp_pool_at_or_before(tree, start);

	if (number == FP_POOL_NONE || end_of(number) <= start)
		number = fp_pool_at_or_behind(tree, start);
	return number != FP_POOL_NONE && block_of(number)->address < end ? number
	                                                                 : FP_POOL_NONE;
}

static void forget_in(enum fp_pool_tree tree, uintptr_t start, uintptr_t end)
{
	uint32_t number;

	while ((number = first_in(tree, start, end)) != FP_POOL_NONE)
		drop(number);
}

/* NEW is given out where there were others: what was freed is no more, nor what was not and is
 * given out again all the same. A larger one is what NEW is cut out of. */
static void clear_way(const struct fp_block *new)
{
	uintptr_t end = new->address + extent_of(new);
	uint32_t outer = first_in(FP_POOL_BLOCKS, new->address, end);

	if (outer != FP_POOL_NONE && is_live(outer) && end_of(outer) >= end &&
	    block_of(outer)->address <= new->address &&block_of(outer)->size > new->size) {
		forget_in(FP_POOL_SUPERBLOCKS, block_of(outer)->address, end_of(outer));
		fp_pool_move_to_tree(outer, FP_POOL_SUPERBLOCKS);
	}
	forget_in(FP_POOL_BLOCKS, new->address, end);
}

/* The pool NUMBER, also one that was destroyed. */
static uint32_t find_pool(uintptr_t pool)
{
	uint32_t number = fp_pool_at_or_before(FP_POOL_POOLS, pool);

	if (pool == 0)
		return FP_POOL_LOOSE;
	return number != FP_POOL_NONE && block_of(number)->address == pool ? number
	                                                                   : FP_POOL_NONE;
}

static uint32_t find_block(uintptr_t address)
{
	for (unsigned tree = FP_POOL_BLOCKS; tree <= FP_POOL_SUPERBLOCKS; tree++) {
		uint32_t number = fp_pool_at_or_before(tree, address);

		if (number != FP_POOL_NONE && block_of(number)->address == address)
			return number;
	}
	return FP_POOL_NONE;
}

/* ---- Findings ------------------------------------------------------------------------------
 */

static struct fp_misuse misuse_of(const struct call *call)
{
	return (struct fp_misuse){.address = call->address, .trace = call->by.trace};
}

/* DESTROYED is the pool when it was, or not there at all. */
static void report_pool(const struct call *call, const struct fp_block *gone)
{
	const struct fp_misuse misuse = {.address = call->pool, .trace = call->by.trace};
	struct fp_finding finding;
	struct fp_text text;

	fp_findings_begin(&finding, &text, FP_FINDING_POOL_MISUSE, &misuse);
	finding.access = FP_ACCESS_UNKNOWN;
	fp_text_print(&text, gone != NULL ? FP_TELL_POOL_DESTROYED : FP_TELL_POOL_UNKNOWN,
	              call->name, call->pool);
	if (gone != NULL)
		finding.other = (struct fp_party){FP_PARTY_RELEASER, gone->free_thread,
		                                  gone->free_trace};
	fp_findings_deliver(&finding);
}

static void report_other_pool(const struct call *call, const struct fp_block *block,
                              uintptr_t owner)
{
	const struct fp_misuse misuse = misuse_of(call);
	struct fp_finding finding;
	struct fp_text text;

	fp_findings_begin(&finding, &text, FP_FINDING_POOL_MISUSE, &misuse);
	finding.has_block = true;
	finding.block = *block;
	if (owner != 0 && call->pool != 0)
		fp_text_print(&text, FP_TELL_POOL_OTHER, call->name, owner, call->pool);
	else
		fp_text_print(&text, owner != 0 ? FP_TELL_POOL_NONE : FP_TELL_POOL_OF_NONE,
		              call->name, owner != 0 ? owner : call->pool);
	fp_findings_deliver(&finding);
}

/* What CALL takes for a block is none that begins there. */
static void report_block(const struct call *call)
{
	const struct fp_misuse misuse = misuse_of(call);
	struct fp_block block;

	if (!fp_pools_find(call->address, &block)) {
		fp_findings_foreign_free(&misuse);
		return;
	}
	/* That it is never freed now is no second mistake. */
	fp_pools_mark(block.address, block.serial, FP_BLOCK_IGNORED);
	if (block.state == FP_BLOCK_FREED)
		fp_findings_double_free(&misuse, &block);
	else
		fp_findings_interior_free(&misuse, &block);
}

/* With the lock, without which it goes on when there is no such pool: POOL, or FP_POOL_NONE and
 * a finding. */
static uint32_t enter(const struct call *call)
{
	struct fp_block gone;

	fp_lock_acquire(&lock);
	uint32_t pool = find_pool(call->pool);
	if (pool == FP_POOL_LOOSE || (pool != FP_POOL_NONE && is_live(pool)))
		return pool;
	if (pool != FP_POOL_NONE)
		gone = *block_of(pool);
	fp_lock_release(&lock);
	report_pool(call, pool != FP_POOL_NONE ? &gone : NULL);
	return FP_POOL_NONE;
}

/* The same of its live block at call->address. */
static uint32_t enter_block(const struct call *call)
{
	uint32_t pool = enter(call);
	struct fp_block block;
	uintptr_t owner = 0;

	if (pool == FP_POOL_NONE)
		return FP_POOL_NONE;
	uint32_t number = find_block(call->address);
	bool is_found = number != FP_POOL_NONE && is_live(number);
	if (is_found && fp_pool_record(number)->pool == pool)
		return number;
	if (is_found) {
		block_of(number)->marks |= FP_BLOCK_IGNORED;
		block = *block_of(number);
		if (fp_pool_record(number)->pool != FP_POOL_LOOSE)
			owner = block_of(fp_pool_record(number)->pool)->address;
	}
	fp_lock_release(&lock);
	if (is_found)
		report_other_pool(call, &block, owner);
	else
		report_block(call);
	return FP_POOL_NONE;
}

/* ---- Pools ---------------------------------------------------------------------------------
 */

static struct fp_block describe(const struct call *call, size_t size)
{
	uint64_t serial = fp_totals_next_serial();

	/* The memory is that of another allocation. */
	fp_totals_refuse();
	return (struct fp_block){
	        .address = call->address,
	        .size = size,
	        .serial = serial,
	        .heap = POOL_HEAP,
	        .alloc_trace = call->by.trace,
	        .alloc_thread = call->by.thread,
	        .born = fp_clock_now(),
	        .family = FP_FAMILY_POOL,
	        .tier = FP_TIER_PLAIN,
	        .level = FP_LEVEL_NONE,
	        .marks = fp_thread_is_ignoring() ? FP_BLOCK_IGNORED : 0,
	};
}

void fp_pools_create(uintptr_t pool, unsigned flags)
{
	const struct call call = begin("VALGRIND_CREATE_MEMPOOL", pool, pool);
	const struct fp_block block = describe(&call, 0);

	fp_lock_acquire(&lock);
	uint32_t number = find_pool(pool);
	/* One that is there already goes on: Valgrind, too, lets it. */
	if (number == FP_POOL_NONE)
		number = add(FP_POOL_POOLS, FP_POOL_NONE, &block);
	else if (number != FP_POOL_LOOSE && !is_live(number))
		*block_of(number) = block;
	if (number > FP_POOL_LOOSE)
		fp_pool_record(number)->flags = (uint8_t)flags;
	fp_lock_release(&lock);
}

static void remember_destroyed(uint32_t number)
{
	size_t at = destructions++ % DESTROYED_MAX;
	uint32_t old = destroyed[at].number;

	if (old != FP_POOL_NONE && fp_pool_record(old)->tree == FP_POOL_POOLS &&
	    block_of(old)->serial == destroyed[at].serial && !is_live(old))
		drop(old);
	destroyed[at].number = number;
	destroyed[at].serial = block_of(number)->serial;
}

/* Frees the blocks of POOL, one after the other: poisoning has no lock of ours. False: there is
 * none left. */
static bool free_one(const struct call *call, uint32_t pool, struct fp_block *block)
{
	uint32_t number = fp_pool_record(pool)->next;

	if (fp_pool_record(pool)->tree != FP_POOL_POOLS || number == pool)
		return false;
	free_record(number, &call->by);
	*block = *block_of(number);
	return true;
}

void fp_pools_destroy(uintptr_t pool)
{
	const struct call call = begin("VALGRIND_DESTROY_MEMPOOL", pool, pool);
	uint32_t number = enter(&call);
	struct fp_block block;

	if (number == FP_POOL_NONE)
		return;
	while (number != FP_POOL_LOOSE && free_one(&call, number, &block)) {
		fp_lock_release(&lock);
		fp_heap_poison_by(block.address, block.size, &call.by);
		fp_lock_acquire(&lock);
	}
	if (number != FP_POOL_LOOSE && is_live(number)) {
		block_of(number)->state = FP_BLOCK_FREED;
		block_of(number)->free_trace = call.by.trace;
		block_of(number)->free_thread = call.by.thread;
		remember_destroyed(number);
	}
	fp_lock_release(&lock);
}

void fp_pools_move(uintptr_t pool, uintptr_t wanted)
{
	const struct call call = begin("VALGRIND_MOVE_MEMPOOL", pool, pool);
	uint32_t number = enter(&call);

	if (number == FP_POOL_NONE)
		return;
	uint32_t there = find_pool(wanted);
	if (number != FP_POOL_LOOSE && there != number && there != FP_POOL_LOOSE) {
		/* What had that number is gone. */
		if (there != FP_POOL_NONE && !is_live(there))
			drop(there);
		if (there == FP_POOL_NONE || !is_live(there))
			fp_pool_move_to_address(number, wanted);
	}
	fp_lock_release(&lock);
}

bool fp_pools_exists(uintptr_t pool)
{
	fp_lock_acquire(&lock);
	uint32_t number = find_pool(pool);
	bool exists = number > FP_POOL_LOOSE && is_live(number);
	fp_lock_release(&lock);
	return exists;
}

/* ---- Blocks --------------------------------------------------------------------------------
 */

void fp_pools_alloc(uintptr_t pool, uintptr_t address, size_t size)
{
	const struct call call = begin("VALGRIND_MEMPOOL_ALLOC", pool, address);
	const struct fp_block block = describe(&call, size);
	uint32_t number;

	/* As Valgrind: an allocator that failed may say so. */
	if (address == 0 || size > UINTPTR_MAX - address ||
	    (number = enter(&call)) == FP_POOL_NONE)
		return;
	clear_way(&block);
	add(FP_POOL_BLOCKS, number, &block);
	fp_lock_release(&lock);
	fp_heap_unpoison((const void *)address, size);
}

/* Those that were cut out of a block go with it, where the pool says so. */
static void free_inside(uint32_t number, const struct fp_poisoner *by)
{
	const struct fp_pool_record *record = fp_pool_record(number);
	uintptr_t end = end_of(number);

	if (record->tree != FP_POOL_SUPERBLOCKS || record->pool == FP_POOL_LOOSE ||
	    (fp_pool_record(record->pool)->flags & FP_POOL_AUTO_FREE) == 0)
		return;
	for (uintptr_t at = record->block.address; at < end;) {
		uint32_t inner = first_in(FP_POOL_BLOCKS, at, end);

		if (inner == FP_POOL_NONE)
			break;
		at = end_of(inner);
		if (is_live(inner))
			free_record(inner, by);
	}
}

void fp_pools_free(uintptr_t pool, uintptr_t address)
{
	const struct call call = begin(
	        pool == 0 ? "VALGRIND_FREELIKE_BLOCK" : "VALGRIND_MEMPOOL_FREE", pool, address);
	uint32_t number = address == 0 ? FP_POOL_NONE : enter_block(&call);

	if (number == FP_POOL_NONE)
		return;
	const struct fp_block block = *block_of(number);
	free_inside(number, &call.by);
	free_record(number, &call.by);
	fp_lock_release(&lock);
	fp_heap_poison_by(block.address, block.size, &call.by);
}

static void poison_between(uintptr_t start, uintptr_t end, const struct fp_poisoner *by)
{
	if (start < end)
		fp_heap_poison_by(start, end - start, by);
}

/* What is left of the block NUMBER of OLD is [START, END), or nothing. With the lock, and then
 * without. */
static void cut(uint32_t number, const struct fp_block *old, const uintptr_t kept[2],
                const struct fp_poisoner *by)
{
	uintptr_t end = old->address + old->size;
	uintptr_t from = kept[0] > old->address ? kept[0] : old->address;
	uintptr_t to = kept[1] < end ? kept[1] : end;

	if (from >= to) {
		free_record(number, by);
		from = to = end;
	} else {
		block_of(number)->size = to - from;
		if (from != old->address)
			fp_pool_move_to_address(number, from);
	}
	fp_lock_release(&lock);
	poison_between(old->address, from, by);
	poison_between(to, end, by);
}

/* The first block of POOL that is not wholly in KEPT. */
static uint32_t find_outside(uint32_t pool, const uintptr_t kept[2])
{
	uint32_t number = fp_pool_record(pool)->next;

	while (number != pool && block_of(number)->address >= kept[0] &&
	       end_of(number) <= kept[1])
		number = fp_pool_record(number)->next;
	return number == pool ? FP_POOL_NONE : number;
}

void fp_pools_trim(uintptr_t pool, uintptr_t start, size_t size)
{
	const struct call call = begin("VALGRIND_MEMPOOL_TRIM", pool, start);
	const uintptr_t kept[2] = {start, start + size};
	uint32_t number;

	while ((number = enter(&call)) > FP_POOL_LOOSE) {
		uint32_t outside = find_outside(number, kept);

		if (outside == FP_POOL_NONE)
			break;
		const struct fp_block old = *block_of(outside);
		cut(outside, &old, kept, &call.by);
	}
	if (number != FP_POOL_NONE)
		fp_lock_release(&lock);
}

void fp_pools_change(uintptr_t pool, uintptr_t address, uintptr_t wanted, size_t size)
{
	const struct call call =
	        begin(pool == 0 ? "VALGRIND_RESIZEINPLACE_BLOCK" : "VALGRIND_MEMPOOL_CHANGE",
	              pool, address);
	uint32_t number = enter_block(&call);

	if (number == FP_POOL_NONE || wanted == 0 || size > UINTPTR_MAX - wanted)
		return;
	const struct fp_block old = *block_of(number);
	const uint32_t owner = fp_pool_record(number)->pool;
	struct fp_block new = old;

	new.address = wanted;
	new.size = size;
	drop(number);
	clear_way(&new);
	add(FP_POOL_BLOCKS, owner, &new);
	fp_lock_release(&lock);
	poison_between(old.address,
	               wanted < old.address + old.size ? wanted : old.address + old.size,
	               &call.by);
	poison_between(wanted + size > old.address ? wanted + size : old.address,
	               old.address + old.size, &call.by);
	fp_heap_unpoison((const void *)wanted, size);
}

void fp_pools_forget(uintptr_t start, size_t size)
{
	if (!fp_pools_are_used())
		return;
	fp_lock_acquire(&lock);
	forget_in(FP_POOL_BLOCKS, start, start + size);
	forget_in(FP_POOL_SUPERBLOCKS, start, start + size);
	fp_lock_release(&lock);
}

/* ---- Questions -----------------------------------------------------------------------------
 */

static bool copy(uint32_t number, struct fp_block *block)
{
	if (number != FP_POOL_NONE)
		*block = *block_of(number);
	return number != FP_POOL_NONE;
}

bool fp_pools_find_before(uintptr_t address, struct fp_block *block)
{
	if (!fp_pools_are_used())
		return false;
	fp_lock_acquire(&lock);
	bool is_found = copy(fp_pool_at_or_before(FP_POOL_BLOCKS, address), block);
	fp_lock_release(&lock);
	return is_found;
}

bool fp_pools_find(uintptr_t address, struct fp_block *block)
{
	return fp_pools_next(address, address + 1, block);
}

bool fp_pools_next(uintptr_t start, uintptr_t end, struct fp_block *block)
{
	if (!fp_pools_are_used())
		return false;
	fp_lock_acquire(&lock);
	bool is_found = copy(first_in(FP_POOL_BLOCKS, start, end), block);
	fp_lock_release(&lock);
	return is_found;
}

void fp_pools_each_live(fp_registry_visitor visit, void *user)
{
	if (!fp_pools_are_used())
		return;
	fp_lock_acquire(&lock);
	for (uint32_t at = fp_pool_at_or_behind(FP_POOL_BLOCKS, 0); at != FP_POOL_NONE;
	     at = fp_pool_at_or_behind(FP_POOL_BLOCKS, block_of(at)->address + 1))
		if (is_live(at))
			visit(block_of(at), user);
	fp_lock_release(&lock);
}

size_t fp_pools_live_count(void)
{
	return atomic_load(&live);
}

bool fp_pools_mark(uintptr_t address, uint64_t serial, uint8_t marks)
{
	fp_lock_acquire(&lock);
	uint32_t number = find_block(address);
	bool is_it = number != FP_POOL_NONE && block_of(number)->serial == serial;
	if (is_it)
		block_of(number)->marks |= marks;
	fp_lock_release(&lock);
	return is_it;
}

bool fp_pools_are_idle(void)
{
	return fp_lock_is_free(&lock);
}
