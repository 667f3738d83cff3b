/* SPDX-License-Identifier: Apache-2.0
 *
 * A shard is one hash table of live and freed blocks and a queue of the freed ones, oldest
 * first. Freeing a block changes its record where it stands: a record's neighbours are seldom
 * in a cache, so moving it to another table would cost more than all the rest.
 *
 * This is the only file that includes <uthash.h>: its macros expand at each use, and its
 * defaults (malloc, exit on failure) are what must never happen here.
 */
#include "registry/registry.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include "base/lock.h"
#include "base/meta.h"

/* Slots stand pages apart, cells at least 16 bytes. */
#define HASH_FUNCTION(key, length, hash)                                                       \
	do {                                                                                   \
		uintptr_t hashed_key;                                                          \
		memcpy(&hashed_key, (key), sizeof(hashed_key));                                \
		(hash) = (unsigned)(((hashed_key >> 4) * 0x9e3779b97f4a7c15u) >> 32);          \
	} while (0)
#define HASH_NONFATAL_OOM 1
#define uthash_malloc(size) fp_meta_alloc(size)
#define uthash_free(memory, size) fp_meta_free(memory, size)
#include <uthash.h>

enum { SHARDS = 64, KEPT_BYTES = 48 };

struct record {
	uintptr_t slot;
	struct fp_block block;
	struct freed *freed; /* its place in the queue of freed blocks, or NULL */
	UT_hash_handle hh;
};

/* A place in the queue of freed blocks, and what the block held. */
struct freed {
	struct freed *next;
	struct record *record;
	uint32_t kept;
	uint8_t bytes[KEPT_BYTES];
};

struct shard {
	_Alignas(64) struct fp_lock lock;
	struct record *records;
	struct freed *oldest_freed;
	struct freed *newest_freed;
	size_t freed_count;
};

static struct shard shards[SHARDS];
static size_t history_per_shard; /* records of freed blocks */
static _Atomic uint64_t evictions;

void fp_registry_init(size_t history_bytes)
{
	history_per_shard =
	        history_bytes / (sizeof(struct record) + sizeof(struct freed)) / SHARDS;
	for (size_t i = 0; i < SHARDS; i++)
		shards[i].lock.rank = FP_RANK_SHARD;
}

/* Other bits of the product than those uthash takes for its buckets. */
static struct shard *shard_of(uintptr_t slot)
{
	return &shards[((slot >> 4) * 0x9e3779b97f4a7c15u) >> 58];
}

static struct record *find_locked(const struct shard *shard, uintptr_t slot)
{
	struct record *record;

	HASH_FIND(hh, shard->records, &slot, sizeof(slot), record);
	return record;
}

/* uthash leaves a record that it had no memory to add without a table. */
static bool add_locked(struct shard *shard, struct record *record)
{
	HASH_ADD(hh, shard->records, slot, sizeof(record->slot), record);
	return record->hh.tbl != NULL;
}

int fp_registry_add(uintptr_t slot, const struct fp_block *block)
{
	struct shard *shard = shard_of(slot);
	struct record *record = fp_meta_alloc(sizeof(*record));

	if (record == NULL)
		return -ENOMEM;
	record->slot = slot;
	record->block = *block;
	fp_lock_acquire(&shard->lock);
	bool is_added = add_locked(shard, record);
	fp_lock_release(&shard->lock);
	if (is_added)
		return 0;
	fp_meta_free(record, sizeof(*record));
	return -ENOMEM;
}

int fp_registry_add_again(uintptr_t slot, const struct fp_block *block)
{
	struct shard *shard = shard_of(slot);

	fp_lock_acquire(&shard->lock);
	struct record *record = find_locked(shard, slot);
	if (record != NULL)
		record->block = *block;
	fp_lock_release(&shard->lock);
	return record != NULL ? 0 : fp_registry_add(slot, block);
}

bool fp_registry_find(uintptr_t slot, struct fp_block *block)
{
	struct shard *shard = shard_of(slot);

	fp_lock_acquire(&shard->lock);
	const struct record *record = find_locked(shard, slot);
	if (record != NULL)
		*block = record->block;
	fp_lock_release(&shard->lock);
	return record != NULL;
}

static void forget_locked(struct shard *shard, struct record *record)
{
	HASH_DELETE(hh, shard->records, record);
	fp_meta_free(record, sizeof(*record));
	atomic_fetch_add_explicit(&evictions, 1, memory_order_relaxed);
}

/* A slot that is used again keeps its place in the queue, and gives it up when its turn comes.
 */
static void evict_oldest_locked(struct shard *shard)
{
	struct freed *oldest = shard->oldest_freed;
	struct record *record = oldest->record;

	shard->oldest_freed = oldest->next;
	shard->freed_count--;
	fp_meta_free(oldest, sizeof(*oldest));
	record->freed = NULL;
	if (record->block.state == FP_BLOCK_FREED)
		forget_locked(shard, record);
}

static void append_freed_locked(struct shard *shard, struct freed *freed)
{
	if (shard->freed_count == 0)
		shard->oldest_freed = freed;
	else
		shard->newest_freed->next = freed;
	shard->newest_freed = freed;
	shard->freed_count++;
	if (shard->freed_count > history_per_shard)
		evict_oldest_locked(shard);
}

static void keep_bytes(struct freed *freed, const struct fp_block *block)
{
	freed->kept = (uint32_t)(block->size < KEPT_BYTES ? block->size : KEPT_BYTES);
	memcpy(freed->bytes, (const void *)block->address, freed->kept);
}

static void keep_freed_locked(struct shard *shard, struct record *record, bool keeps_bytes)
{
	bool is_queued = record->freed != NULL;

	if (!is_queued)
		record->freed = fp_meta_alloc(sizeof(*record->freed));
	if (record->freed == NULL) {
		forget_locked(shard, record);
		return;
	}
	record->freed->record = record;
	if (keeps_bytes)
		keep_bytes(record->freed, &record->block);
	if (!is_queued)
		append_freed_locked(shard, record->freed);
}

static enum fp_registry_verdict judge(const struct record *record,
                                      const struct fp_registry_free *request)
{
	if (record->block.state == FP_BLOCK_FREED)
		return FP_REGISTRY_TWICE;
	if (record->block.address != request->address)
		return FP_REGISTRY_INTERIOR;
	if (record->block.heap != request->heap)
		return FP_REGISTRY_FOREIGN;
	return FP_REGISTRY_FREED;
}

static enum fp_registry_verdict free_locked(struct shard *shard, uintptr_t slot,
                                            const struct fp_registry_free *request,
                                            struct fp_block *block)
{
	struct record *record = find_locked(shard, slot);

	if (record == NULL)
		return FP_REGISTRY_UNKNOWN;
	enum fp_registry_verdict verdict = judge(record, request);
	if (verdict == FP_REGISTRY_FREED) {
		record->block.state = FP_BLOCK_FREED;
		record->block.free_trace = request->trace;
		record->block.free_thread = request->thread;
	}
	*block = record->block;
	if (verdict == FP_REGISTRY_FREED)
		keep_freed_locked(shard, record, request->keeps_bytes);
	return verdict;
}

enum fp_registry_verdict
fp_registry_free(uintptr_t slot, const struct fp_registry_free *request, struct fp_block *block)
{
	struct shard *shard = shard_of(slot);

	fp_lock_acquire(&shard->lock);
	enum fp_registry_verdict verdict = free_locked(shard, slot, request, block);
	fp_lock_release(&shard->lock);
	return verdict;
}

void fp_registry_each_live(fp_registry_visitor visit, void *user)
{
	for (size_t i = 0; i < SHARDS; i++) {
		struct record *record;
		struct record *next;

		fp_lock_acquire(&shards[i].lock);
		HASH_ITER(hh, shards[i].records, record, next)
			if (record->block.state == FP_BLOCK_LIVE)
				visit(&record->block, user);
		fp_lock_release(&shards[i].lock);
	}
}

size_t fp_registry_last_bytes(uintptr_t slot, uint8_t *bytes, size_t size)
{
	struct shard *shard = shard_of(slot);
	size_t count = 0;

	fp_lock_acquire(&shard->lock);
	const struct record *record = find_locked(shard, slot);
	if (record != NULL && record->freed != NULL && record->block.state == FP_BLOCK_FREED) {
		count = record->freed->kept < size ? record->freed->kept : size;
		memcpy(bytes, record->freed->bytes, count);
	}
	fp_lock_release(&shard->lock);
	return count;
}

uint64_t fp_registry_evictions(void)
{
	return atomic_load(&evictions);
}

void fp_registry_lock_for_fork(void)
{
	for (size_t i = 0; i < SHARDS; i++)
		fp_lock_acquire_for_fork(&shards[i].lock);
}

void fp_registry_unlock_after_fork(void)
{
	for (size_t i = SHARDS; i-- > 0;)
		fp_lock_release_after_fork(&shards[i].lock);
}
