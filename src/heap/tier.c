/* SPDX-License-Identifier: Apache-2.0
 *
 * The decision between guarded and padded, and its accounts.
 */
#include "heap/tier.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "base/child.h"
#include "base/vm.h"
#include "guard/guard.h"

static uint64_t max_pages = UINT64_MAX;
static uint64_t sample = 1;
static uint64_t seed;
FP_CHILD_WRITES static _Atomic uint64_t guarded_pages;
static _Atomic uint64_t beside_blocks;
static uint64_t (*count_plain)(void); /* of the door that picks, or NULL */
static _Atomic uint64_t blocks[FP_REASON_COUNT];

void fp_tier_init(const struct fp_tier_config *config)
{
	max_pages = config->max_memory / fp_vm_page_size();
	sample = config->sample;
	seed = config->seed;
}

uint64_t fp_tier_max_memory(void)
{
	return max_pages * fp_vm_page_size();
}

/* Mixed, so that a program that allocates in a rhythm does not hide its every Nth block. */
static bool is_sampled(uint64_t serial)
{
	return sample == 1 || (((serial + seed) * 0x9e3779b97f4a7c15u) >> 32) % sample == 0;
}

uint64_t fp_tier_guarded_bytes(void)
{
	return atomic_load_explicit(&guarded_pages, memory_order_relaxed) * fp_vm_page_size();
}

enum fp_reason fp_tier_admit(size_t pages, uint64_t serial)
{
	if (!is_sampled(serial))
		return FP_REASON_SAMPLING;
	if (atomic_fetch_add_explicit(&guarded_pages, pages, memory_order_relaxed) + pages <=
	    max_pages)
		return FP_REASON_NONE;
	fp_tier_give_back(pages);
	return FP_REASON_MEMORY;
}

void fp_tier_give_back(size_t pages)
{
	atomic_fetch_sub_explicit(&guarded_pages, pages, memory_order_relaxed);
}

enum fp_reason fp_tier_reason_of(int status)
{
	return status == -ENOMEM ? FP_REASON_MAPPINGS : FP_REASON_SYSTEM_CALL;
}

void fp_tier_count(enum fp_reason reason)
{
	atomic_fetch_add_explicit(&blocks[reason], 1, memory_order_relaxed);
}

void fp_tier_leave_picking(uint64_t (*count)(void))
{
	sample = 1;
	count_plain = count;
}

void fp_tier_count_beside(void)
{
	struct fp_vm_refusal refusal;

	atomic_fetch_add_explicit(&beside_blocks, 1, memory_order_relaxed);
	fp_tier_count(fp_vm_refusal(0, &refusal) ? FP_REASON_SYSTEM_CALL : FP_REASON_MAPPINGS);
}

uint64_t fp_tier_beside_blocks(void)
{
	return atomic_load(&beside_blocks);
}

uint64_t fp_tier_plain_blocks(void)
{
	return count_plain == NULL ? 0 : count_plain();
}

uint64_t fp_tier_blocks(enum fp_reason reason)
{
	return atomic_load(&blocks[reason]);
}

const char *fp_tier_reason_name(enum fp_reason reason)
{
	static const char *const names[FP_REASON_COUNT] = {
#define FP_REASON(constant, name, remedy) [FP_REASON_##constant] = (name),
	        FP_REASONS
#undef FP_REASON
	};

	return names[reason];
}

const char *fp_tier_remedy(enum fp_reason reason)
{
	static const char *const remedies[FP_REASON_COUNT] = {
#define FP_REASON(constant, name, remedy) [FP_REASON_##constant] = (remedy),
	        FP_REASONS
#undef FP_REASON
	};

	return remedies[reason];
}
