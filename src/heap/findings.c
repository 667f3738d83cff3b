/* SPDX-License-Identifier: Apache-2.0
 *
 * From facts to findings. The sentences are in base/messages.h; reports only print.
 */
#include "heap/findings.h"

#include <string.h>

#include "base/messages.h"
#include "base/pointer.h"
#include "base/text.h"
#include "base/thread.h"
#include "heap/exact.h"
#include "heap/pair.h"
#include "heap/pools.h"
#include "poison/poison.h"

static fp_finding_sink sink;
static void *sink_user;

void fp_findings_init(fp_finding_sink new_sink, void *user)
{
	sink = new_sink;
	sink_user = user;
}

void fp_findings_begin(struct fp_finding *finding, struct fp_text *text,
                       enum fp_finding_kind kind, const struct fp_misuse *misuse)
{
	memset(finding, 0, sizeof(*finding));
	finding->kind = kind;
	finding->access = FP_ACCESS_FREE;
	finding->address = misuse->address;
	finding->trace = misuse->trace;
	finding->has_hresult = misuse->has_hresult;
	finding->hresult = misuse->hresult;
	finding->thread = fp_thread_self();
	fp_thread_name(finding->thread_name);
	fp_text_begin(text, finding->description, sizeof(finding->description));
}

static void set_block(struct fp_finding *finding, const struct fp_block *block)
{
	finding->has_block = true;
	finding->block = *block;
	finding->offset = (int64_t)(finding->address - block->address);
}

void fp_findings_deliver(const struct fp_finding *finding)
{
	sink(finding, sink_user);
}

/* A pointer to what an arena took back tells more with the stack of that. */
static void blame_poisoner(struct fp_finding *finding, struct fp_text *text)
{
	struct fp_poisoned poisoned;

	if (!fp_poison_find(finding->address, 1, &poisoned))
		return;
	finding->other = (struct fp_party){
	        .role = FP_PARTY_POISONER,
	        .thread = poisoned.by.thread,
	        .trace = poisoned.by.trace,
	};
	fp_text_string(text, FP_TELL_MEMORY_POISONED);
}

void fp_findings_double_free(const struct fp_misuse *misuse, const struct fp_block *block)
{
	struct fp_finding finding;
	struct fp_text text;
	char place[FP_BLOCK_PLACE_MAX];

	fp_findings_begin(&finding, &text, FP_FINDING_DOUBLE_FREE, misuse);
	set_block(&finding, block);
	if (finding.offset != 0) {
		finding.kind = FP_FINDING_INVALID_FREE;
		fp_text_print(&text, FP_TELL_INSIDE_FREED,
		              fp_block_place(block, finding.address, place));
	} else {
		fp_text_string(&text, FP_TELL_FREED_BEFORE);
	}
	fp_findings_deliver(&finding);
}

void fp_findings_forgotten_free(const struct fp_misuse *misuse)
{
	struct fp_finding finding;
	struct fp_text text;

	fp_findings_begin(&finding, &text, FP_FINDING_DOUBLE_FREE, misuse);
	fp_text_string(&text, FP_TELL_FREED_LONG_AGO);
	fp_findings_deliver(&finding);
}

/* Whether the pointer is a block that a pool of the program's made: then that is the finding.
 */
static bool is_of_pool(const struct fp_misuse *misuse)
{
	struct fp_block block;

	if (misuse->claim == NULL || !fp_pools_find(misuse->address, &block) ||
	    block.address != misuse->address || block.state != FP_BLOCK_LIVE)
		return false;
	fp_pools_mark(block.address, block.serial, FP_BLOCK_IGNORED);
	return fp_findings_claim(misuse, &block);
}

void fp_findings_interior_free(const struct fp_misuse *misuse, const struct fp_block *block)
{
	struct fp_finding finding;
	struct fp_text text;
	char place[FP_BLOCK_PLACE_MAX];

	if (is_of_pool(misuse))
		return;
	fp_findings_begin(&finding, &text, FP_FINDING_INVALID_FREE, misuse);
	set_block(&finding, block);
	fp_text_print(&text, FP_TELL_INTERIOR, fp_block_place(block, finding.address, place));
	blame_poisoner(&finding, &text);
	fp_findings_deliver(&finding);
}

void fp_findings_foreign_free(const struct fp_misuse *misuse)
{
	struct fp_finding finding;
	struct fp_text text;

	if (is_of_pool(misuse))
		return;
	fp_findings_begin(&finding, &text, FP_FINDING_INVALID_FREE, misuse);
	fp_text_string(&text, FP_TELL_NO_BLOCK);
	fp_pointer_describe(&text, misuse->address);
	fp_findings_deliver(&finding);
}

void fp_findings_asked(const struct fp_misuse *misuse, const char *call,
                       const struct fp_block *block)
{
	bool is_freed = block != NULL && block->state == FP_BLOCK_FREED;
	struct fp_finding finding;
	struct fp_text text;
	char place[FP_BLOCK_PLACE_MAX];

	fp_findings_begin(&finding, &text,
	                  is_freed ? FP_FINDING_HEAP_USE_AFTER_FREE : FP_FINDING_INVALID_FREE,
	                  misuse);
	finding.access = FP_ACCESS_UNKNOWN;
	if (block == NULL) {
		fp_text_print(&text, FP_TELL_ASKED_NO_BLOCK, call);
		fp_pointer_describe(&text, misuse->address);
		fp_findings_deliver(&finding);
		return;
	}
	set_block(&finding, block);
	if (is_freed && finding.offset == 0)
		fp_text_print(&text, FP_TELL_ASKED_FREED, call, FP_TEXT_COUNT(block->size));
	else
		fp_text_print(&text, FP_TELL_ASKED_INSIDE, call,
		              fp_block_place(block, finding.address, place),
		              is_freed ? FP_TELL_ASKED_WAS_FREED : FP_TELL_ASKED_NO_START);
	fp_findings_deliver(&finding);
}

/* How blocks of a family are made and freed, in the words of their users. */
static const struct {
	const char *made;
	const char *freed;
} calls[FP_FAMILY_COUNT] = {
        [FP_FAMILY_HOST] = {"IHostMalloc::Alloc", "IHostMalloc::Free"},
        [FP_FAMILY_MALLOC] = {"malloc", "free"},
        [FP_FAMILY_NEW] = {"new", "delete"},
        [FP_FAMILY_NEW_ARRAY] = {"new[]", "delete[]"},
        [FP_FAMILY_ALIGNED] = {FP_TELL_ALIGNED_NEW, FP_TELL_ALIGNED_DELETE},
        [FP_FAMILY_ALIGNED_ARRAY] = {FP_TELL_ALIGNED_NEW "[]", FP_TELL_ALIGNED_DELETE "[]"},
        [FP_FAMILY_VIRTUAL] = {"VirtualAlloc", "VirtualFree"},
        [FP_FAMILY_POOL] = {FP_TELL_A_POOL, FP_TELL_THAT_POOL},
};

static bool is_other_size(const struct fp_heap_claim *claim, const struct fp_block *block)
{
	return claim->has_size && claim->size != block->size;
}

static bool is_other_align(const struct fp_heap_claim *claim, const struct fp_block *block)
{
	return claim->align != 0 && fp_block_align(claim->align) != block->align;
}

static void append_align(struct fp_text *text, const struct fp_heap_claim *claim,
                         const struct fp_block *block)
{
	if (block->align == 0)
		fp_text_print(text, FP_TELL_NO_ALIGN, (uint64_t)claim->align);
	else
		fp_text_print(text, FP_TELL_OTHER_ALIGN, (uint64_t)claim->align,
		              (uint64_t)1 << block->align);
}

bool fp_findings_claim(const struct fp_misuse *misuse, const struct fp_block *block)
{
	const struct fp_heap_claim *claim = misuse->claim;
	struct fp_finding finding;
	struct fp_text text;

	if (claim->family == FP_FAMILY_COUNT ||
	    (claim->family == block->family && !is_other_size(claim, block) &&
	     !is_other_align(claim, block)))
		return false;
	if (claim->family != block->family && fp_pair_fits(block, claim->family, misuse->trace))
		return false;
	fp_findings_begin(&finding, &text, FP_FINDING_ALLOC_DEALLOC_MISMATCH, misuse);
	set_block(&finding, block);
	fp_text_print(&text, FP_TELL_OTHER_FAMILY, calls[block->family].made,
	              fp_family_name(block->family), calls[claim->family].freed,
	              fp_family_name(claim->family));
	if (is_other_size(claim, block))
		fp_text_print(&text, FP_TELL_OTHER_SIZE, FP_TEXT_COUNT(claim->size),
		              (uint64_t)block->size);
	/* Of another family it is said already. */
	if (claim->family == block->family && is_other_align(claim, block))
		append_align(&text, claim, block);
	fp_findings_deliver(&finding);
	return true;
}

void fp_findings_wrong_heap(const struct fp_misuse *misuse, const struct fp_block *block,
                            fp_heap_id heap)
{
	struct fp_finding finding;
	struct fp_text text;

	fp_findings_begin(&finding, &text, FP_FINDING_WRONG_HEAP, misuse);
	set_block(&finding, block);
	fp_text_print(&text, FP_TELL_OTHER_HEAP, block->heap, heap);
	fp_findings_deliver(&finding);
}

void fp_findings_in_handler(const struct fp_misuse *misuse, const char *call,
                            const char *signal)
{
	struct fp_finding finding;
	struct fp_text text;

	fp_findings_begin(&finding, &text, FP_FINDING_MALLOC_IN_SIGNAL_HANDLER, misuse);
	finding.access = FP_ACCESS_UNKNOWN;
	fp_text_print(&text, FP_TELL_IN_HANDLER, call, signal);
	fp_findings_deliver(&finding);
}

void fp_findings_too_large(const struct fp_misuse *misuse,
                           const struct fp_heap_request *request)
{
	size_t size = request->size;
	struct fp_finding finding;
	struct fp_text text;

	fp_findings_begin(&finding, &text, FP_FINDING_ALLOCATION_TOO_LARGE, misuse);
	finding.access = FP_ACCESS_UNKNOWN;
	if (request->count != 0)
		fp_text_print(&text, FP_TELL_TOO_MANY, (uint64_t)request->count,
		              FP_TEXT_COUNT(size));
	else
		fp_text_print(&text, FP_TELL_TOO_LARGE, FP_TEXT_COUNT(size));
	if (request->count == 0 && (int64_t)size < 0)
		fp_text_print(&text, FP_TELL_NEGATIVE, (int64_t)size);
	fp_findings_deliver(&finding);
}

void fp_findings_keep_evidence(struct fp_damaged *damaged)
{
	uintptr_t start = damaged->damage.start;
	size_t size = damaged->damage.end - start;

	if (size > FP_EVIDENCE_MAX) {
		if (start < damaged->block.address)
			start = damaged->damage.end - FP_EVIDENCE_MAX;
		size = FP_EVIDENCE_MAX;
	}
	damaged->evidence_start = start;
	damaged->evidence_size = (uint32_t)size;
	memcpy(damaged->evidence, (const void *)start, size);
}

void fp_findings_set_evidence(struct fp_finding *finding, const struct fp_damaged *damaged)
{
	finding->is_evidence_last = false;
	memcpy(finding->evidence, damaged->evidence, damaged->evidence_size);
	finding->evidence_size = damaged->evidence_size;
	finding->evidence_offset = (int64_t)(damaged->evidence_start - damaged->block.address);
}

size_t fp_findings_verify(const struct fp_block *block, uintptr_t slot, size_t slot_bytes,
                          struct fp_damaged damaged[2])
{
	uintptr_t end = block->address + block->size;
	const uintptr_t sides[2][2] = {
	        {fp_layout_padding_start(slot, block->address), block->address},
	        {end, fp_layout_padding_end(end, slot + slot_bytes)},
	};
	size_t count = 0;

	fp_exact_learn(block);
	for (size_t i = 0; i < 2; i++) {
		if (!fp_padding_is_damaged(sides[i][0], sides[i][1], &damaged[count].damage))
			continue;
		damaged[count].block = *block;
		/* Written to without the low bits of its address, perhaps. */
		if (fp_heap_is_masked(block->address, damaged[count].damage.start))
			fp_heap_align_site(block->alloc_trace);
		fp_findings_keep_evidence(&damaged[count]);
		count++;
	}
	return count;
}

void fp_findings_damaged(const struct fp_misuse *misuse, const struct fp_damaged *damaged,
                         const char *when)
{
	const struct fp_block *block = &damaged->block;
	bool is_before = damaged->damage.start < block->address;
	size_t changed = damaged->damage.end - damaged->damage.start;
	struct fp_finding finding;
	struct fp_text text;
	char place[FP_BLOCK_PLACE_MAX];

	fp_findings_begin(&finding, &text,
	                  is_before ? FP_FINDING_HEAP_BUFFER_UNDERFLOW
	                            : FP_FINDING_HEAP_BUFFER_OVERFLOW,
	                  misuse);
	finding.access = FP_ACCESS_WRITE;
	finding.address = damaged->damage.start;
	set_block(&finding, block);
	fp_findings_set_evidence(&finding, damaged);
	fp_text_print(&text, FP_TELL_PADDING, FP_TEXT_COUNT(changed),
	              fp_block_place(block, finding.address, place), when);
	fp_findings_deliver(&finding);
}

void fp_findings_late_write(struct fp_damaged *damaged)
{
	const struct fp_misuse misuse = {.address = damaged->damage.start};
	bool is_guarded = damaged->block.tier == FP_TIER_GUARDED;
	struct fp_finding finding;
	struct fp_text text;
	char place[FP_BLOCK_PLACE_MAX];

	fp_findings_keep_evidence(damaged);
	fp_findings_begin(&finding, &text, FP_FINDING_HEAP_USE_AFTER_FREE, &misuse);
	finding.access = FP_ACCESS_WRITE;
	set_block(&finding, &damaged->block);
	fp_findings_set_evidence(&finding, damaged);
	fp_text_print(&text, is_guarded ? FP_TELL_LATE_WRITE : FP_TELL_LATE_PADDED,
	              fp_block_place(&damaged->block, finding.address, place));
	fp_findings_deliver(&finding);
}
