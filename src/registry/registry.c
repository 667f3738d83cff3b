/* SPDX-License-Identifier: Apache-2.0
 *
 * A shard has the records of its live blocks, each a line of the cache, and a ring of its freed
 * ones. Freeing writes the next place of the ring, over the oldest freed block when the ring is
 * full, and nothing else of the history is touched: freed blocks are many and cold, and only
 * misuse ever asks for one, so that may search. A record is used again at once, and is as warm
 * as it can be.
 *
 * The way to a live block's record is the link that comes with its slot. A slot that has none,
 * because it is a cell among others, is looked up in the shard's hash table.
 *
 * This is the only file that includes <uthash.h>: its macros expand at each use, and its
 * defaults (malloc, exit on failure) are what must never happen here.
 */
#include "registry/registry.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include "base/align.h"
#include "base/lock.h"
#include "base/meta.h"
#include "base/remains.h"
#include "base/vm.h"

/* Slots stand pages apart, cells at least 16 bytes. */
#define HASH_FUNCTION(key, length, hash)                                                       \
	do {                                                                                   \
		uintptr_t hashed_key;                                                          \
		memcpy(&hashed_key, (key), sizeof(hashed_key));                                \
		(hash) = (unsigned)(((hashed_key >> 4) * 0x9e3779b97f4a7c15u) >> 32);          \
	} while (0)
#define HASH_NONFATAL_OOM 1
#define HASH_INITIAL_NUM_BUCKETS 128U
#define HASH_INITIAL_NUM_BUCKETS_LOG2 7U
#define uthash_malloc(size) fp_meta_alloc(size)
#define uthash_free(memory, size) fp_meta_free(memory, size)
#include <uthash.h>

enum {
	SHARDS = FP_REGISTRY_PARTS,
	NEIGHBOURS_SHIFT = 17,
	KEPT_BYTES = 48,
	LINE = 64,
	BATCH_BYTES = 1024,
	RUN = 32,         /* of a ring's places, that stand side by side */
	SHOWN_AT_ONCE = 8 /* runs of all rings, in core files */
};

/* A live block, or a spare record, which has no address and in place of the serial its link. */
struct record {
	uint64_t seal;
	struct fp_block block;
};

_Static_assert(sizeof(struct record) == LINE, "a record is a line of the cache");

/* Records are made by the batch, and begin at the next line of the cache. */
struct batch {
	struct batch *next;
};

/* A record by its slot, where that has no link. */
struct entry {
	uintptr_t slot;
	struct record *record;
	UT_hash_handle hh;
};

/* A freed block, and the first bytes it held. */
struct freed {
	uintptr_t slot;
	struct fp_block block;
	uint32_t kept;
	uint8_t bytes[KEPT_BYTES];
};

struct shard {
	_Alignas(LINE) struct fp_lock lock;
	struct record *spare; /* the next to be used */
	struct batch *batches;
	size_t live_count;
	struct freed *ring; /* its first run */
	size_t freed_count; /* blocks freed so far */
	struct entry *entries;
	/* uthash gives an empty table back. This one, of no slot, keeps it from being empty. */
	struct entry keeper;
};

static struct shard shards[SHARDS];
FP_ALL_HELD_ACROSS_FORK(FP_RANK_SHARD, &shards[0].lock, sizeof(shards), sizeof(shards[0]));
static size_t ring_places; /* of each shard */
static _Atomic size_t shown_runs;
static _Atomic bool is_damaged;

void fp_registry_init(size_t history_bytes)
{
	size_t places = history_bytes / sizeof(struct freed) / SHARDS;
	struct freed *rings = NULL;

	ring_places = 0;
	atomic_store(&shown_runs, 0);
	/* One piece for all, in which the first runs of all rings come first: what is filled is
	 * one mapping of a core file, and few page tables, which each fork copies. Memory that
	 * is not written yet costs nothing. Where it may not even be reserved, a shorter
	 * history is better than none. */
	for (; places > 0 && rings == NULL; places /= 2) {
		rings = fp_meta_alloc(fp_align_up(places, RUN) * SHARDS * sizeof(*rings));
		ring_places = rings == NULL ? 0 : places;
	}
	for (size_t i = 0; i < SHARDS; i++) {
		shards[i].lock.rank = FP_RANK_SHARD;
		shards[i].ring = rings == NULL ? NULL : rings + i * RUN;
	}
}

static struct freed *place_of(const struct shard *shard, size_t number)
{
	size_t place = number % ring_places;

	return shard->ring + place / RUN * SHARDS * RUN + place % RUN;
}

/* Neighbours share a shard: a thread that takes one slot after the other finds the lock, a
 * spare record and the next place of the ring in its cache. */
static struct shard *shard_of(uintptr_t slot)
{
	return &shards[((slot >> NEIGHBOURS_SHIFT) * 0x9e3779b97f4a7c15u) >> 58];
}

/* Odd factors: no change of one field, and hardly one of several, leaves the sum as it was. The
 * products do not wait for each other. What becomes known later is not in it: marks, and what a
 * free adds, because freed blocks are not sealed. */
static uint64_t seal_of(const struct record *record)
{
	const struct fp_block *block = &record->block;
	uint64_t kind = block->family | (uint64_t)block->tier << 8 |
	                (uint64_t)block->state << 16 | (uint64_t)block->level << 24 |
	                (uint64_t)block->born << 32;

	return ~(block->address * 0xbf58476d1ce4e5b9u + block->size * 0x94d049bb133111ebu +
	         block->serial * 0xff51afd7ed558ccdu +
	         ((uint64_t)block->heap << 32 | block->alloc_trace) * 0xc4ceb9fe1a85ec53u +
	         ((uint64_t)block->alloc_thread << 32 | block->site) * 0xd6e8feb86659fd93u +
	         kind * 0xa0761d6478bd642fu);
}

static uint64_t seal_of_spare(const struct record *record)
{
	return ~(record->block.serial * 0x9e3779b97f4a7c15u);
}

static bool is_spare(const struct record *record)
{
	return record->block.address == 0 && record->seal == seal_of_spare(record);
}

static bool is_whole(const struct record *record)
{
	if (record->seal == seal_of(record))
		return true;
	atomic_store(&is_damaged, true);
	return false;
}

static struct entry *find_entry_locked(const struct shard *shard, uintptr_t slot)
{
	struct entry *entry;

	HASH_FIND(hh, shard->entries, &slot, sizeof(slot), entry);
	return entry;
}

static struct record *find_live_locked(const struct shard *shard,
                                       const struct fp_registry_key *key)
{
	if (key->link != NULL)
		return atomic_load_explicit(key->link, memory_order_relaxed);
	const struct entry *entry = find_entry_locked(shard, key->slot);
	return entry == NULL ? NULL : entry->record;
}

/* The last block that was freed in SLOT, if the ring still has it. */
static const struct freed *find_freed_locked(const struct shard *shard, uintptr_t slot)
{
	size_t kept = shard->freed_count < ring_places ? shard->freed_count : ring_places;

	for (size_t age = 1; age <= kept; age++) {
		const struct freed *freed = place_of(shard, shard->freed_count - age);

		if (freed->slot == slot)
			return freed;
	}
	return NULL;
}

static void give_record_locked(struct shard *shard, struct record *record)
{
	record->block.address = 0;
	record->block.serial = (uintptr_t)shard->spare;
	record->seal = seal_of_spare(record);
	shard->spare = record;
}

/* The record at INDEX of a batch, or NULL behind the last. */
static struct record *record_of(const struct batch *batch, size_t index)
{
	struct record *first = (struct record *)fp_align_up((uintptr_t)(batch + 1), LINE);

	return (uintptr_t)(first + index + 1) <= (uintptr_t)batch + BATCH_BYTES ? first + index
	                                                                        : NULL;
}

static bool add_batch_locked(struct shard *shard)
{
	struct batch *batch = fp_meta_alloc(BATCH_BYTES);
	struct record *record;

	if (batch == NULL)
		return false;
	batch->next = shard->batches;
	shard->batches = batch;
	for (size_t i = 0; (record = record_of(batch, i)) != NULL; i++)
		give_record_locked(shard, record);
	return true;
}

/* Of an overwritten spare record the others cannot be found any more: they are given up. */
static int take_record_locked(struct shard *shard, struct record **taken)
{
	if (shard->spare == NULL && !add_batch_locked(shard))
		return -ENOMEM;
	if (!is_spare(shard->spare)) {
		shard->spare = NULL;
		atomic_store(&is_damaged, true);
		return -EUCLEAN;
	}
	*taken = shard->spare;
	shard->spare = (struct record *)(*taken)->block.serial;
	return 0;
}

/* uthash leaves what it had no memory to add without a table. */
static bool insert_locked(struct shard *shard, struct entry *entry)
{
	HASH_ADD(hh, shard->entries, slot, sizeof(entry->slot), entry);
	return entry->hh.tbl != NULL;
}

static bool enter_locked(struct shard *shard, uintptr_t slot, struct record *record)
{
	if (shard->entries == NULL && !insert_locked(shard, &shard->keeper))
		return false;
	struct entry *entry = fp_meta_alloc(sizeof(*entry));
	if (entry == NULL)
		return false;
	entry->slot = slot;
	entry->record = record;
	if (insert_locked(shard, entry))
		return true;
	fp_meta_free(entry, sizeof(*entry));
	return false;
}

/* The way from the slot to RECORD. */
static bool link_locked(struct shard *shard, const struct fp_registry_key *key,
                        struct record *record)
{
	if (key->link == NULL)
		return enter_locked(shard, key->slot, record);
	atomic_store_explicit(key->link, record, memory_order_relaxed);
	return true;
}

static void unlink_locked(struct shard *shard, const struct fp_registry_key *key)
{
	if (key->link != NULL) {
		atomic_store_explicit(key->link, NULL, memory_order_relaxed);
		return;
	}
	struct entry *entry = find_entry_locked(shard, key->slot);
	HASH_DELETE(hh, shard->entries, entry);
	fp_meta_free(entry, sizeof(*entry));
}

static int add_locked(struct shard *shard, const struct fp_registry_key *key,
                      const struct fp_block *block)
{
	struct record *record;
	int status = take_record_locked(shard, &record);

	if (status != 0)
		return status;
	record->block = *block;
	record->seal = seal_of(record);
	if (link_locked(shard, key, record)) {
		shard->live_count++;
		return 0;
	}
	give_record_locked(shard, record);
	return -ENOMEM;
}

int fp_registry_add(struct fp_registry_key key, const struct fp_block *block)
{
	struct shard *shard = shard_of(key.slot);

	fp_lock_acquire(&shard->lock);
	int status = add_locked(shard, &key, block);
	fp_lock_release(&shard->lock);
	return status;
}

static bool find_locked(const struct shard *shard, const struct fp_registry_key *key,
                        struct fp_block *block)
{
	const struct record *record = find_live_locked(shard, key);
	const struct freed *freed = record == NULL ? find_freed_locked(shard, key->slot) : NULL;

	if ((record == NULL && freed == NULL) || (record != NULL && !is_whole(record)))
		return false;
	*block = record != NULL ? record->block : freed->block;
	return true;
}

bool fp_registry_find(struct fp_registry_key key, struct fp_block *block)
{
	struct shard *shard = shard_of(key.slot);

	fp_lock_acquire(&shard->lock);
	bool is_found = find_locked(shard, &key, block);
	fp_lock_release(&shard->lock);
	return is_found;
}

bool fp_registry_mark(struct fp_registry_key key, uint64_t serial, uint8_t marks)
{
	struct shard *shard = shard_of(key.slot);

	fp_lock_acquire(&shard->lock);
	struct record *record = find_live_locked(shard, &key);
	bool is_found = record != NULL && record->block.serial == serial;
	if (is_found)
		record->block.marks |= marks;
	fp_lock_release(&shard->lock);
	return is_found;
}

static void keep_bytes(struct freed *freed, const struct fp_block *block)
{
	freed->kept = (uint32_t)(block->size < KEPT_BYTES ? block->size : KEPT_BYTES);
	memcpy(freed->bytes, (const void *)block->address, freed->kept);
}

/* The rings in a core file are as long as the fullest is. */
static void show_ahead(size_t run)
{
	if (run < atomic_load_explicit(&shown_runs, memory_order_relaxed))
		return;
	size_t runs = fp_align_up(ring_places, RUN) / RUN;
	size_t end = runs - run < SHOWN_AT_ONCE ? runs : run + SHOWN_AT_ONCE;

	fp_vm_show((uintptr_t)shards[0].ring, end * RUN * SHARDS * sizeof(struct freed));
	atomic_store_explicit(&shown_runs, end, memory_order_relaxed);
}

static void remember_locked(struct shard *shard, uintptr_t slot, const struct fp_block *block,
                            bool keeps_bytes)
{
	struct freed *freed;

	if (ring_places > 0) {
		freed = place_of(shard, shard->freed_count);
		if (shard->freed_count < ring_places && shard->freed_count % RUN == 0)
			show_ahead(shard->freed_count / RUN);
		freed->slot = slot;
		freed->block = *block;
		freed->kept = 0;
		if (keeps_bytes)
			keep_bytes(freed, block);
	}
	shard->freed_count++;
}

static enum fp_registry_verdict judge(const struct record *record,
                                      const struct fp_registry_free *request)
{
	if (record->block.address != request->address)
		return FP_REGISTRY_INTERIOR;
	if (record->block.heap != request->heap)
		return FP_REGISTRY_FOREIGN;
	return FP_REGISTRY_FREED;
}

static enum fp_registry_verdict free_live_locked(struct shard *shard,
                                                 const struct fp_registry_free *request,
                                                 struct record *record, struct fp_block *block)
{
	if (!is_whole(record))
		return FP_REGISTRY_DAMAGED;
	enum fp_registry_verdict verdict = judge(record, request);

	*block = record->block;
	if (verdict != FP_REGISTRY_FREED) {
		/* Who wanted to free it takes it for freed, and forgets it. */
		record->block.marks |= FP_BLOCK_IGNORED;
		return verdict;
	}
	block->state = FP_BLOCK_FREED;
	block->free_trace = request->trace;
	block->free_thread = request->thread;
	remember_locked(shard, request->key.slot, block, request->keeps_bytes);
	unlink_locked(shard, &request->key);
	give_record_locked(shard, record);
	shard->live_count--;
	return verdict;
}

static enum fp_registry_verdict
free_locked(struct shard *shard, const struct fp_registry_free *request, struct fp_block *block)
{
	struct record *record = find_live_locked(shard, &request->key);

	if (record != NULL)
		return free_live_locked(shard, request, record, block);
	const struct freed *freed = find_freed_locked(shard, request->key.slot);
	if (freed == NULL)
		return FP_REGISTRY_UNKNOWN;
	*block = freed->block;
	return FP_REGISTRY_TWICE;
}

enum fp_registry_verdict fp_registry_free(const struct fp_registry_free *request,
                                          struct fp_block *block)
{
	struct shard *shard = shard_of(request->key.slot);

	fp_lock_acquire(&shard->lock);
	enum fp_registry_verdict verdict = free_locked(shard, request, block);
	fp_lock_release(&shard->lock);
	return verdict;
}

size_t fp_registry_last_bytes(struct fp_registry_key key, uint8_t *bytes, size_t size)
{
	struct shard *shard = shard_of(key.slot);
	size_t count = 0;

	fp_lock_acquire(&shard->lock);
	const struct freed *freed = find_live_locked(shard, &key) != NULL
	                                    ? NULL
	                                    : find_freed_locked(shard, key.slot);
	if (freed != NULL) {
		count = freed->kept < size ? freed->kept : size;
		memcpy(bytes, freed->bytes, count);
	}
	fp_lock_release(&shard->lock);
	return count;
}

void fp_registry_look_at(struct fp_registry_key key, fp_registry_visitor visit, void *user)
{
	struct shard *shard = shard_of(key.slot);

	fp_lock_acquire(&shard->lock);
	const struct record *record = find_live_locked(shard, &key);
	if (record != NULL && is_whole(record))
		visit(&record->block, user);
	fp_lock_release(&shard->lock);
}

static void visit_batch_locked(const struct batch *batch, fp_registry_visitor visit, void *user)
{
	const struct record *record;

	for (size_t i = 0; (record = record_of(batch, i)) != NULL; i++)
		if (!is_spare(record) && is_whole(record))
			visit(&record->block, user);
}

void fp_registry_each_live_of(size_t part, fp_registry_visitor visit, void *user)
{
	struct shard *shard = &shards[part];

	fp_lock_acquire(&shard->lock);
	for (const struct batch *batch = shard->batches; batch != NULL; batch = batch->next)
		visit_batch_locked(batch, visit, user);
	fp_lock_release(&shard->lock);
}

void fp_registry_each_live(fp_registry_visitor visit, void *user)
{
	for (size_t i = 0; i < SHARDS; i++)
		fp_registry_each_live_of(i, visit, user);
}

void fp_registry_each_freed(fp_registry_visitor visit, void *user)
{
	for (size_t i = 0; i < SHARDS; i++) {
		struct shard *shard = &shards[i];

		fp_lock_acquire(&shard->lock);
		for (size_t at = 0; at < shard->freed_count && at < ring_places; at++)
			visit(&place_of(shard, at)->block, user);
		fp_lock_release(&shard->lock);
	}
}

/* Whether what was in FREED's slot last is that block. Only cells are used again. */
static bool is_last_there_locked(const struct shard *shard, const struct freed *freed)
{
	return find_entry_locked(shard, freed->slot) == NULL &&
	       find_freed_locked(shard, freed->slot) == freed;
}

/* What a pointer has to point into. */
struct aim {
	uintptr_t start;
	size_t size;
	fp_registry_met meet;
	void *user;
};

static void meet_kept_locked(const struct shard *shard, const struct freed *freed,
                             const struct aim *aim)
{
	for (size_t at = 0; at + sizeof(uintptr_t) <= freed->kept; at += sizeof(uintptr_t)) {
		uintptr_t word;

		memcpy(&word, freed->bytes + at, sizeof(word));
		if (word - aim->start < aim->size && is_last_there_locked(shard, freed))
			aim->meet(&freed->block, at, word, aim->user);
	}
}

void fp_registry_each_kept_pointer(uintptr_t start, size_t size, fp_registry_met meet,
                                   void *user)
{
	const struct aim aim = {start, size, meet, user};

	for (size_t i = 0; i < SHARDS; i++) {
		struct shard *shard = &shards[i];

		fp_lock_acquire(&shard->lock);
		for (size_t at = 0; at < shard->freed_count && at < ring_places; at++)
			meet_kept_locked(shard, place_of(shard, at), &aim);
		fp_lock_release(&shard->lock);
	}
}

bool fp_registry_is_idle(void)
{
	for (size_t i = 0; i < SHARDS; i++)
		if (!fp_lock_is_free(&shards[i].lock))
			return false;
	return true;
}

bool fp_registry_is_damaged(void)
{
	return atomic_load(&is_damaged);
}

size_t fp_registry_live_count(void)
{
	size_t count = 0;

	for (size_t i = 0; i < SHARDS; i++) {
		fp_lock_acquire(&shards[i].lock);
		count += shards[i].live_count;
		fp_lock_release(&shards[i].lock);
	}
	return count;
}

uint64_t fp_registry_evictions(void)
{
	uint64_t evictions = 0;

	for (size_t i = 0; i < SHARDS; i++) {
		fp_lock_acquire(&shards[i].lock);
		if (shards[i].freed_count > ring_places)
			evictions += shards[i].freed_count - ring_places;
		fp_lock_release(&shards[i].lock);
	}
	return evictions;
}

void fp_registry_leave_remains(struct fp_remains *remains)
{
	remains->block_bytes = sizeof(struct fp_block);
	remains->shards.first = (uintptr_t)shards;
	remains->shards.places = (uintptr_t)&ring_places;
	remains->shards.count = SHARDS;
	remains->shards.bytes = sizeof(struct shard);
	remains->shards.batches = offsetof(struct shard, batches);
	remains->shards.ring = offsetof(struct shard, ring);
	remains->shards.freed_count = offsetof(struct shard, freed_count);
	remains->live.bytes = sizeof(struct record);
	remains->live.block = offsetof(struct record, block);
	remains->live.next = offsetof(struct batch, next);
	remains->live.first = sizeof(struct batch);
	remains->live.batch_bytes = BATCH_BYTES;
	remains->freed.bytes = sizeof(struct freed);
	remains->freed.run = RUN;
	remains->freed.slot = offsetof(struct freed, slot);
	remains->freed.block = offsetof(struct freed, block);
	remains->freed.kept = offsetof(struct freed, kept);
	remains->freed.kept_bytes = offsetof(struct freed, bytes);
}
