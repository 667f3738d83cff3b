/* SPDX-License-Identifier: Apache-2.0
 *
 * Which blocks are guarded, and why others are not: the ledger of protection.
 *
 * Context: alloc. Thread-safe, without locks.
 */
#ifndef FP_HEAP_TIER_H
#define FP_HEAP_TIER_H

#include <stddef.h>
#include <stdint.h>

#include "base/messages.h"

enum fp_reason {
	FP_REASON_NONE,
#define FP_REASON(constant, name, remedy) FP_REASON_##constant,
	FP_REASONS
#undef FP_REASON
	        FP_REASON_COUNT
};

struct fp_tier_config {
	uint64_t max_memory; /* bytes that guarded blocks may keep resident */
	uint64_t sample;     /* one block in so many is guarded, at least 1 */
	uint64_t seed;       /* chooses them */
};

void fp_tier_init(const struct fp_tier_config *config);

/* Bytes that guarded blocks may keep resident: whole pages. */
uint64_t fp_tier_max_memory(void);

/* What guarded blocks have now. */
uint64_t fp_tier_guarded_bytes(void);

/* Whether a guarded block of PAGES may be made: FP_REASON_NONE, and the memory is accounted, or
 * why not. SERIAL chooses the sample. */
enum fp_reason fp_tier_admit(size_t pages, uint64_t serial);

/* The memory of an admitted block is free again. */
void fp_tier_give_back(size_t pages);

/* What the refusal of a slot with STATUS (a negative errno) means. */
enum fp_reason fp_tier_reason_of(int status);

/* A block was made without a guard because of REASON. */
void fp_tier_count(enum fp_reason reason);

/* The door picks: from now on every block that the heap is asked for is to be guarded. COUNT
 * tells how many the door left to libc up to now. */
void fp_tier_leave_picking(uint64_t (*count)(void));

/* A block was left to libc because no memory could be had for it, and how many were. */
void fp_tier_count_beside(void);
uint64_t fp_tier_beside_blocks(void);

/* Blocks that the door left to libc. */
uint64_t fp_tier_plain_blocks(void);

/* Blocks of the heap that are not guarded because of REASON, and its name. */
uint64_t fp_tier_blocks(enum fp_reason reason);
const char *fp_tier_reason_name(enum fp_reason reason);
const char *fp_tier_remedy(enum fp_reason reason); /* or NULL */

#endif
