/* SPDX-License-Identifier: Apache-2.0
 *
 * Hashes, and the walk through a table of them: open addressing, in places whose number is a
 * power of two and of which some are free. An item is in the first place from that of its hash
 * on that has it, or is free.
 *
 * Context: any.
 */
#ifndef FP_BASE_HASH_H
#define FP_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

/* What a hash begins with, when it begins with nothing. */
static const uint64_t fp_hash_start = 0xcbf29ce484222325u;

/* HASH with COUNT bytes more (FNV-1a). Fingerprints are made of it: it is the same in every
 * version. */
static inline uint64_t fp_hash_bytes(uint64_t hash, const void *bytes, size_t count)
{
	const uint8_t *at = bytes;

	for (size_t i = 0; i < count; i++)
		hash = (hash ^ at[i]) * 0x100000001b3u;
	return hash;
}

/* HASH with a number more. The upper bits are the better ones. */
static inline uint64_t fp_hash_word(uint64_t hash, uint64_t word)
{
	return (hash ^ word) * 0x9e3779b97f4a7c15u;
}

/* The place where what has HASH, of words, belongs. */
static inline size_t fp_hash_place(uint64_t hash, size_t places)
{
	return (size_t)(hash >> 32) & (places - 1);
}

/* The place behind AT. */
static inline size_t fp_hash_next(size_t at, size_t places)
{
	return (at + 1) & (places - 1);
}

#endif
