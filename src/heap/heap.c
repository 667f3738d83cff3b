/* SPDX-License-Identifier: Apache-2.0
 *
 * One alloc and one free. No lock is held across calls into other modules, so the order of
 * steps carries the meaning:
 *
 *   alloc: the slot is accessible and filled before the registry knows the block, and the
 *          caller gets the address last.
 *   free:  the registry's verdict makes one caller the owner of the dead block; only that one
 *          verifies and seals. A second free meets the freed record, whatever the timing.
 */
#include "heap/heap.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include "base/clock.h"
#include "base/maps.h"
#include "base/messages.h"
#include "base/thread.h"
#include "base/vm.h"
#include "guard/guard.h"
#include "heap/exact.h"
#include "heap/intact.h"
#include "heap/padding.h"
#include "heap/refusal.h"
#include "heap/state.h"
#include "heap/tier.h"
#include "heap/totals.h"
#include "heap/touch.h"
#include "record/record.h"
#include "registry/registry.h"
#include "stack/stack.h"

static struct fp_heap_config configuration;

void fp_heap_init(const struct fp_heap_config *config)
{
	configuration = *config;
	fp_findings_init(config->sink, config->sink_user);
	fp_heap_set_lock_timeout(config->lock_timeout_ms);
	fp_exact_init(config->is_exact, config->is_learning);
	fp_intact_init();
	fp_heap_start_poison();
}

/* Who asked for a block, and for what. */
static struct fp_block describe(const struct fp_heap *heap,
                                const struct fp_heap_request *request, fp_trace_id trace)
{
	return (struct fp_block){
	        .size = request->size,
	        .serial = fp_totals_next_serial(),
	        .heap = heap->id,
	        .alloc_trace = trace,
	        .alloc_thread = fp_thread_self(),
	        .site = fp_stack_intern_site(request->file, request->line),
	        .born = fp_clock_now(),
	        .family = request->family,
	        .state = FP_BLOCK_LIVE,
	        .level = request->family == FP_FAMILY_HOST ? request->level : FP_LEVEL_NONE,
	        .marks = fp_thread_is_ignoring() ? FP_BLOCK_IGNORED : 0,
	        .align = fp_block_align(request->align),
	};
}

static void fill_around(const struct fp_block *block, const struct fp_slot *slot)
{
	if (!slot->is_filled)
		fp_padding_fill_around(block->address, block->address + block->size, slot->base,
		                       slot->base + slot->bytes);
}

/* Slots that are not filled are zero already, and may be far larger than what gets touched. */
static void fill_block(const struct fp_block *block, const struct fp_slot *slot, bool is_zeroed)
{
	if (!is_zeroed || !slot->is_filled)
		return;
	/* NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker) */
	memset((void *)block->address, 0, block->size);
}

/* A slot between guards for BLOCK; or why there is none. */
static enum fp_reason place_guarded(const struct fp_heap *heap, struct fp_block *block,
                                    size_t align, struct fp_slot *slot)
{
	size_t pages = fp_layout_pages(block->size, align, fp_vm_page_size());
	enum fp_reason reason = fp_tier_admit(pages, block->serial);

	if (reason != FP_REASON_NONE)
		return reason;
	int status = fp_guard_acquire(pages, heap->traits.is_executable, slot);
	if (status != 0) {
		fp_tier_give_back(pages);
		return fp_tier_reason_of(status);
	}
	block->tier = FP_TIER_GUARDED;
	block->address = fp_layout_address(
	        fp_layout_is_left(configuration.placement, block->serial), slot->base,
	        slot->base + slot->bytes - fp_layout_extent(block->size), align);
	return fp_guard_is_protecting() ? FP_REASON_NONE : FP_REASON_BACKEND;
}

void fp_heap_verify_freed(const struct fp_slot *slot)
{
	struct fp_damaged damaged;

	if (!slot->is_filled ||
	    !fp_padding_is_damaged(slot->base, slot->base + slot->bytes, &damaged.damage) ||
	    !fp_heap_find_in(slot, &damaged.block))
		return;
	fp_findings_late_write(&damaged);
	fp_padding_fill(slot->base, slot->base + slot->bytes);
}

/* A cell for BLOCK, with padding on both sides. */
static int place_padded(const struct fp_heap *heap, struct fp_block *block, size_t align,
                        struct fp_slot *slot)
{
	size_t side = align > FP_PADDED_SIDE ? align : FP_PADDED_SIDE;
	int status = fp_guard_acquire_dense(block->size + FP_PADDED_SIDE + side,
	                                    heap->traits.is_executable, slot);

	if (status != 0)
		return status;
	fp_heap_verify_freed(slot);
	block->tier = FP_TIER_PADDED;
	block->address = fp_align_up(slot->base + 1, side);
	return 0;
}

static int place(const struct fp_heap *heap, struct fp_block *block, size_t align,
                 struct fp_slot *slot)
{
	enum fp_reason reason = place_guarded(heap, block, align, slot);

	if (reason == FP_REASON_NONE)
		return 0;
	int status = reason == FP_REASON_BACKEND ? 0 : place_padded(heap, block, align, slot);
	block->tier = FP_TIER_PADDED;
	if (status == 0)
		fp_tier_count(reason);
	return status;
}

/* Gives back what place() took. */
static int unplace(const struct fp_slot *slot)
{
	if (!slot->is_dense)
		fp_tier_give_back(slot->bytes / fp_vm_page_size());
	return fp_guard_release(slot);
}

/* The serial at which a debugger wants to stop (src/gdb), and where it does. */
volatile uint64_t fp_heap_stop_at;

__attribute__((noinline)) void fp_heap_stop_here(void)
{
	__asm__ volatile("");
}

static int alloc_block(struct fp_heap *heap, const struct fp_heap_request *request,
                       fp_trace_id trace, void **address)
{
	struct fp_block block = describe(heap, request, trace);
	struct fp_slot slot = {0};
	size_t align = fp_exact_align(
	        request->align > configuration.align ? request->align : configuration.align,
	        trace);
	int status;

	if (block.serial == fp_heap_stop_at)
		fp_heap_stop_here();
	/* A serial was spent on a block that nobody gets. */
	if (fp_refusal_is_due(&block)) {
		fp_totals_refuse();
		return -ENOMEM;
	}
	status = fp_heap_is_promised(request->size, block.serial)
	                 ? place(heap, &block, align, &slot)
	                 : -ENOMEM;
	if (status != 0) {
		fp_totals_refuse();
		return fp_heap_refuse_memory(heap, request, trace, status);
	}
	fill_around(&block, &slot);
	fill_block(&block, &slot, request->is_zeroed);
	status = fp_registry_add(fp_heap_key(&slot), &block);
	if (status != 0) {
		slot.is_filled = false;
		unplace(&slot);
		fp_totals_refuse();
		return status == -EUCLEAN
		               ? fp_heap_fail(heap, trace, FP_TELL_RECORD_OVERWRITTEN)
		               : fp_heap_report_shortage(heap, request, trace);
	}
	fp_totals_add(&block);
	if (__builtin_expect(fp_record_is_on, false))
		fp_record_alloc(&block, request->align, request->replaced);
	*address = (void *)block.address;
	return 0;
}

static int alloc_or_report(struct fp_heap *heap, const struct fp_heap_request *request,
                           void **address)
{
	if (fp_heap_is_released(heap)) {
		fp_heap_report_released(heap, request->file == NULL ? "Alloc" : "DebugAlloc");
		return -EPERM;
	}
	fp_trace_id trace = fp_stack_capture();
	if (request->trace != NULL)
		*request->trace = trace;
	if (request->align > FP_BLOCK_SIZE_MAX)
		return -ENOMEM;
	if (request->size <= FP_BLOCK_SIZE_MAX && request->count == 0)
		return alloc_block(heap, request, trace, address);
	struct fp_misuse misuse = fp_heap_misuse(heap, NULL, trace);
	misuse.hresult = heap->traits.error_codes.no_memory;
	fp_findings_too_large(&misuse, request);
	return -ENOMEM;
}

int fp_heap_alloc(struct fp_heap *heap, const struct fp_heap_request *request, void **block)
{
	int saved_errno = errno;

	*block = NULL;
	int status = alloc_or_report(heap, request, block);
	errno = saved_errno;
	return status;
}

/* What of SLOT, whose block is dead, differs from the fill byte; and it is filled at once where
 * it stays accessible for a while. Whole pages of the block may be anybody's by now. */
static void settle(const struct fp_block *block, struct fp_slot *slot, bool is_intact)
{
	slot->is_shared = block->size >= fp_vm_page_size();
	if (slot->is_shared)
		slot->is_filled = false;
	if (is_intact) {
		slot->used = block->address;
		slot->used_bytes = block->size;
	}
	if (slot->is_filled)
		fp_padding_fill(slot->used, slot->used + slot->used_bytes);
}

/* False when the program protected its pages and the kernel refuses to undo that. */
__attribute__((noinline)) static bool verify_and_fill(const struct fp_block *block,
                                                      struct fp_slot *slot,
                                                      struct fp_damaged damaged[2],
                                                      size_t *sides)
{
	if (__builtin_setjmp(fp_touch.jump) != 0)
		return false;
	fp_touch.can_give_up = true;
	*sides = fp_findings_verify(block, slot->base, slot->bytes, damaged);
	settle(block, slot, *sides == 0);
	fp_touch.can_give_up = false;
	return true;
}

/* Whether the kernel refused to seal the slot of BLOCK because it keeps the protection that the
 * program gave its pages, and not for want of mappings or by a filter. */
static bool is_kept_closed(const struct fp_block *block, int status)
{
	struct fp_maps_place place;

	return status != -ENOMEM && fp_maps_at(block->address, &place) == 0 &&
	       place.is_mapped && !place.is_writable;
}

/* The program's protection of the block cannot be undone. */
static int give_up(struct fp_heap *heap, const struct fp_misuse *misuse,
                   const struct fp_block *block)
{
	fp_totals_seal_failure();
	fp_totals_remove(block);
	return fp_heap_fail_alone(heap, misuse->trace, FP_TELL_PAGES_KEPT);
}

/* The block is dead and ours alone. */
static int retire(struct fp_heap *heap, const struct fp_misuse *misuse,
                  const struct fp_block *block, struct fp_slot *slot)
{
	struct fp_damaged damaged[2];
	size_t sides = 0;

	if (__builtin_expect(fp_record_is_on, false))
		fp_record_free(block);
	bool is_open = verify_and_fill(block, slot, damaged, &sides);

	fp_touch_end();
	if (!is_open)
		return give_up(heap, misuse, block);
	int status = unplace(slot);
	if (status != 0) {
		if (is_kept_closed(block, status))
			return give_up(heap, misuse, block);
		fp_totals_seal_failure();
	}
	fp_totals_remove(block);
	for (size_t i = 0; i < sides; i++)
		fp_findings_damaged(misuse, &damaged[i], FP_TELL_AT_FREE);
	bool is_mismatch = fp_findings_claim(misuse, block);
	return sides == 0 && !is_mismatch ? 0 : -EPERM;
}

static int free_slot(struct fp_heap *heap, const struct fp_misuse *misuse,
                     struct fp_place *where)
{
	const struct fp_registry_free request = {
	        .key = fp_heap_key(&where->slot),
	        .address = misuse->address,
	        .heap = heap->id,
	        .trace = misuse->trace,
	        .thread = fp_thread_self(),
	        .keeps_bytes = true,
	};
	struct fp_block block;

	/* What is kept of it, and its padding, is read. */
	fp_heap_end_poison(heap, &where->slot, misuse->address);
	fp_touch_begin(&where->slot, heap->traits.is_executable);
	enum fp_registry_verdict verdict = fp_registry_free(&request, &block);
	if (verdict != FP_REGISTRY_FREED)
		fp_touch_end();
	switch (verdict) {
	case FP_REGISTRY_FREED:
		return retire(heap, misuse, &block, &where->slot);
	case FP_REGISTRY_TWICE:
		fp_findings_double_free(misuse, &block);
		break;
	case FP_REGISTRY_INTERIOR:
		fp_findings_interior_free(misuse, &block);
		break;
	case FP_REGISTRY_FOREIGN:
		fp_findings_wrong_heap(misuse, &block, heap->id);
		break;
	case FP_REGISTRY_DAMAGED:
		return fp_heap_fail(heap, misuse->trace, FP_TELL_RECORD_OVERWRITTEN);
	case FP_REGISTRY_UNKNOWN:
		if (where->state == FP_PLACE_USED)
			fp_findings_forgotten_free(misuse);
		else
			fp_findings_foreign_free(misuse);
		break;
	}
	return -EPERM;
}

/* The block begins where the program takes it to, and what it wrote in front is no mistake. */
static void unmask(struct fp_misuse *misuse, const struct fp_place *where)
{
	struct fp_block block;

	if (!fp_heap_find_in(&where->slot, &block) ||
	    !fp_exact_is_masked(&block, misuse->address))
		return;
	fp_padding_fill(misuse->address, block.address);
	misuse->address = block.address;
}

int fp_heap_free_at(struct fp_heap *heap, const struct fp_heap_claim *claim,
                    struct fp_place *where)
{
	struct fp_misuse misuse = fp_heap_misuse(heap, claim->block, fp_stack_capture());

	misuse.claim = claim;
	if (where == NULL) {
		fp_findings_foreign_free(&misuse);
		return -EPERM;
	}
	if (configuration.is_exact)
		unmask(&misuse, where);
	return free_slot(heap, &misuse, where);
}

static int free_or_report(struct fp_heap *heap, const struct fp_heap_claim *claim)
{
	struct fp_place where;

	if (fp_heap_is_released(heap)) {
		fp_heap_report_released(heap, "Free");
		return -EPERM;
	}
	if (claim->block == NULL)
		return 0;
	/* The block's page is likely the coldest of all that is needed here. */
	__builtin_prefetch(claim->block);
	bool is_ours = fp_guard_find((uintptr_t)claim->block, &where);
	if (!is_ours && claim->may_be_foreign)
		return -ENXIO;
	return fp_heap_free_at(heap, claim, is_ours ? &where : NULL);
}

int fp_heap_free(struct fp_heap *heap, void *block)
{
	int saved_errno = errno;
	const struct fp_heap_claim claim = {.block = block, .family = FP_FAMILY_COUNT};
	int status = free_or_report(heap, &claim);

	errno = saved_errno;
	return status;
}

int fp_heap_free_as(struct fp_heap *heap, const struct fp_heap_claim *claim)
{
	int saved_errno = errno;
	int status = free_or_report(heap, claim);

	errno = saved_errno;
	return status;
}

bool fp_heap_find_in(const struct fp_slot *slot, struct fp_block *block)
{
	return fp_registry_find(fp_heap_key(slot), block);
}

size_t fp_heap_last_bytes(const struct fp_slot *slot, uint8_t *bytes, size_t size)
{
	return fp_registry_last_bytes(fp_heap_key(slot), bytes, size);
}

bool fp_heap_find(uintptr_t address, struct fp_block *block)
{
	struct fp_place where;

	return fp_guard_find(address, &where) && fp_heap_find_in(&where.slot, block);
}

bool fp_heap_mark(uintptr_t address, uint64_t serial, uint8_t marks)
{
	struct fp_place where;

	return fp_guard_find(address, &where) &&
	       fp_registry_mark(fp_heap_key(&where.slot), serial, marks);
}
