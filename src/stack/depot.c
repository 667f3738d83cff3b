/* SPDX-License-Identifier: Apache-2.0
 *
 * The depot: hash chains that only ever grow at their head, so a reader needs no lock and sees
 * either the old head or a complete new entry.
 */
#include "stack/depot.h"

#include <stdatomic.h>
#include <string.h>

#include "base/hash.h"
#include "base/meta.h"
#include "base/vm.h"

/* Contents are return addresses: eight bytes at a time, multiplied so that the low bits of
 * every word reach the bits that choose a bucket. */
static uint32_t hash_of(const unsigned char *content, uint32_t size)
{
	uint64_t hash = size;
	uint32_t at = 0;

	for (; at + 8 <= size; at += 8) {
		uint64_t word;

		memcpy(&word, content + at, sizeof(word));
		hash = fp_hash_word(hash, word);
		hash ^= hash >> 29;
	}
	hash = fp_hash_bytes(hash, content + at, size - at);
	return (uint32_t)(hash ^ hash >> 32);
}

static struct fp_depot_entry *find(fp_depot_link *bucket, uint32_t hash, const void *content,
                                   uint32_t size)
{
	struct fp_depot_entry *entry = atomic_load_explicit(bucket, memory_order_acquire);

	while (entry != NULL && (entry->hash != hash || entry->size != size ||
	                         memcmp(entry->content, content, size) != 0))
		entry = entry->next;
	return entry;
}

/* A table of links that is made at its first use. */
static fp_depot_link *table_locked(fp_depot_link *_Atomic *table, size_t links)
{
	fp_depot_link *made = atomic_load_explicit(table, memory_order_acquire);

	if (made == NULL) {
		made = fp_meta_alloc(links * sizeof(*made));
		if (made != NULL)
			fp_vm_show((uintptr_t)made, links * sizeof(*made));
		atomic_store_explicit(table, made, memory_order_release);
	}
	return made;
}

static struct fp_depot_entry *add_locked(struct fp_depot *depot, uint32_t hash,
                                         const void *content, uint32_t size)
{
	uint32_t id = atomic_load(&depot->count) + 1;

	if (id / FP_DEPOT_PAGE_IDS >= FP_DEPOT_PAGES)
		return NULL;
	fp_depot_link *page =
	        table_locked(&depot->pages[id / FP_DEPOT_PAGE_IDS], FP_DEPOT_PAGE_IDS);
	struct fp_depot_entry *entry = fp_meta_alloc(sizeof(*entry) + size);
	if (page == NULL || entry == NULL) {
		fp_meta_free(entry, sizeof(*entry) + size);
		return NULL;
	}
	fp_depot_link *bucket = &depot->buckets[hash % FP_DEPOT_BUCKETS];
	entry->hash = hash;
	entry->id = id;
	entry->size = size;
	entry->next = atomic_load_explicit(bucket, memory_order_relaxed);
	memcpy(entry->content, content, size);
	atomic_store(&depot->count, id);
	atomic_store_explicit(&page[id % FP_DEPOT_PAGE_IDS], entry, memory_order_release);
	atomic_store_explicit(bucket, entry, memory_order_release);
	return entry;
}

static uint32_t intern_locked(struct fp_depot *depot, uint32_t hash, const void *content,
                              uint32_t size)
{
	fp_depot_link *buckets = table_locked(&depot->buckets, FP_DEPOT_BUCKETS);

	if (buckets == NULL)
		return FP_DEPOT_NONE;
	/* Another thread may have added it since the caller looked. */
	struct fp_depot_entry *entry =
	        find(&buckets[hash % FP_DEPOT_BUCKETS], hash, content, size);
	if (entry == NULL)
		entry = add_locked(depot, hash, content, size);
	return entry == NULL ? FP_DEPOT_NONE : entry->id;
}

uint32_t fp_depot_intern(struct fp_depot *depot, const void *content, uint32_t size)
{
	uint32_t hash = hash_of(content, size);
	fp_depot_link *buckets = atomic_load_explicit(&depot->buckets, memory_order_acquire);

	if (buckets != NULL) {
		struct fp_depot_entry *entry =
		        find(&buckets[hash % FP_DEPOT_BUCKETS], hash, content, size);

		if (entry != NULL)
			return entry->id;
	}
	fp_lock_acquire(&depot->lock);
	uint32_t id = intern_locked(depot, hash, content, size);
	fp_lock_release(&depot->lock);
	return id;
}

const struct fp_depot_entry *fp_depot_get(struct fp_depot *depot, uint32_t id)
{
	if (id == FP_DEPOT_NONE || id > atomic_load(&depot->count))
		return NULL;
	fp_depot_link *page = atomic_load_explicit(&depot->pages[id / FP_DEPOT_PAGE_IDS],
	                                           memory_order_acquire);
	return page == NULL ? NULL
	                    : atomic_load_explicit(&page[id % FP_DEPOT_PAGE_IDS],
	                                           memory_order_acquire);
}
