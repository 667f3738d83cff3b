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

/* Why a block is not guarded. FP_REASON(CONSTANT, "name in reports") */
#define FP_REASONS                                                                             \
	FP_REASON(BACKEND, "backend")         /* backend=none */                               \
	FP_REASON(SAMPLING, "sampling")       /* sample=N took another one */                  \
	FP_REASON(MEMORY, "memory")           /* max_memory is used up */                      \
	FP_REASON(MAPPINGS, "mappings")       /* no address space or no mapping left */        \
	FP_REASON(SYSTEM_CALL, "system-call") /* the kernel refused */

enum fp_reason {
	FP_REASON_NONE,
#define FP_REASON(constant, name) FP_REASON_##constant,
	FP_REASONS
#undef FP_REASON
	        FP_REASON_COUNT
};

struct fp_tier_config {
	uint64_t max_memory; /* bytes that guarded blocks may keep resident */
	uint64_t sample;     /* one block in so many is guarded, at least 1 */
};

void fp_tier_init(const struct fp_tier_config *config);

/* Whether a guarded block of PAGES may be made: FP_REASON_NONE, and the memory is accounted, or
 * why not. SERIAL chooses the sample. */
enum fp_reason fp_tier_admit(size_t pages, uint64_t serial);

/* The memory of an admitted block is free again. */
void fp_tier_give_back(size_t pages);

/* What the refusal of a slot with STATUS (a negative errno) means. */
enum fp_reason fp_tier_reason_of(int status);

/* A block was made without a guard because of REASON. */
void fp_tier_count(enum fp_reason reason);

/* The door samples: from now on every block that the heap is asked for is of the sample. */
void fp_tier_leave_sampling(void);

/* COUNT blocks were left to libc because of sampling, and how many there were. */
void fp_tier_count_plain(uint64_t count);
uint64_t fp_tier_plain_blocks(void);

/* Blocks that are not guarded because of REASON, and its name. */
uint64_t fp_tier_blocks(enum fp_reason reason);
const char *fp_tier_reason_name(enum fp_reason reason);

#endif
